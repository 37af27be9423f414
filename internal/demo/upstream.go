package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// BasePath is the path in the base URL of the real API. ListPath is the only path that an Upstream
// serves.
const (
	BasePath = "/api/v1"
	ListPath = BasePath + "/cvms/paginated"
)

// Options configure an [Upstream]. The zero value configures a static list of 300 CVMs for each
// tenant, without latency.
type Options struct {
	// Items is the number of CVMs in the list of a new tenant. Zero means 300, and a negative
	// number means an empty list.
	Items int

	// Seed selects the data. With equal seeds, equal tenants have equal lists, except for times,
	// which depend on the tenant's first request.
	Seed uint64

	// Latency is the delay before each response, including errors. It ends early with the request's
	// context.
	Latency time.Duration

	// ChangeEvery is the interval between two changes of a tenant's list. A change adds a CVM,
	// removes one, or moves one to the next stage of its lifecycle. The number of CVMs stays about
	// the same. If zero or negative, lists do not change by themselves.
	ChangeEvery time.Duration

	// DefaultVersion is the API version of requests without a version. If empty, it is the newest
	// one, as for new tokens of the real API.
	DefaultVersion string

	// WithdrawnVersions are API versions that the upstream no longer has.
	WithdrawnVersions []string

	// ServeUnknownVersions makes unknown and withdrawn API versions get the response of the default
	// version instead of status 400. What the real API does is not published.
	ServeUnknownVersions bool

	// FlatIgnoresFilters makes the API versions with the flat shape ignore teepod_id and user_id.
	// Whether they do so in the real API is unknown.
	FlatIgnoresFilters bool

	// Now is the clock. It is called concurrently. If nil, the Upstream uses time.Now.
	Now func() time.Time
}

// Upstream is an http.Handler that behaves like the real REST API. Each credential sees its own
// list. An item's uptime is its age at its last change. An Upstream starts no goroutines and need
// not be closed. It is safe for concurrent use.
type Upstream struct {
	options Options
	tenants tenants
	buffers sync.Pool // of *[]byte, for one page each
}

// New returns an Upstream.
func New(options Options) *Upstream {
	switch {
	case options.Items == 0:
		options.Items = 300
	case options.Items < 0:
		options.Items = 0
	}
	if options.DefaultVersion == "" {
		options.DefaultVersion = latest
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Upstream{
		options: options,
		tenants: newTenants(options),
		buffers: sync.Pool{New: func() any { return new([]byte) }},
	}
}

// ServeHTTP serves one request. If the request's context ends during the latency, the response has
// status 503.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-ID", fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()))
	if err := u.wait(r.Context()); err != nil {
		writeError(w, http.StatusServiceUnavailable, "Request canceled")
		return
	}
	if r.URL.Path != ListPath {
		writeError(w, http.StatusNotFound, "Not Found")
		return
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		writeError(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	flat, ok := u.options.isFlat(r.Header.Get("X-Phala-Version"))
	if !ok {
		writeError(w, http.StatusBadRequest, "Unsupported API version")
		return
	}
	tenant, problem := authenticate(r.Header)
	if problem != "" {
		writeError(w, http.StatusUnauthorized, problem)
		return
	}
	values := r.URL.Query()
	if flat && u.options.FlatIgnoresFilters {
		values.Del("teepod_id")
		values.Del("user_id")
	}
	query, problems := parseQuery(values)
	if problems != nil {
		writeError(w, http.StatusUnprocessableEntity, problems)
		return
	}
	entries := u.tenants.list(tenant).forResponse(u.options.Now())
	if tenant.changing() {
		w.Header().Set("Cache-Control", "no-store") // it is already out of date
	}
	u.writePage(w, query, query.filter(entries), flat)
}

func (u *Upstream) wait(ctx context.Context) error {
	if u.options.Latency <= 0 {
		return nil
	}
	timer := time.NewTimer(u.options.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// authenticate returns the tenant of a request, or the error detail of the real API. It accepts all
// credentials except "invalid" and those with the prefix "invalid-".
func authenticate(h http.Header) (_ Tenant, problem string) {
	tenant := Tenant{Workspace: h.Get("X-Phala-Workspace")}
	credential := ""
	if scheme, token, _ := strings.Cut(h.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		credential = strings.TrimSpace(token)
	}
	if credential != "" {
		tenant.Bearer = credential
	} else {
		credential = h.Get("X-API-Key")
		tenant.APIKey = credential
	}
	switch {
	case credential == "":
		return Tenant{}, "Authentication required"
	case credential == "invalid" || strings.HasPrefix(credential, "invalid-"):
		return Tenant{}, "Invalid token"
	}
	return tenant, ""
}

func (u *Upstream) writePage(w http.ResponseWriter, q query, entries []*entry, flat bool) {
	total := len(entries)
	pages := (total + q.size - 1) / q.size
	if q.page <= pages { // a comparison of item positions could overflow
		entries = entries[(q.page-1)*q.size : min(q.page*q.size, total)]
	} else {
		entries = nil
	}

	buffer := u.buffers.Get().(*[]byte)
	defer u.buffers.Put(buffer)
	body := (*buffer)[:0]
	body = append(body, `{"items":[`...)
	for i, c := range entries {
		if i > 0 {
			body = append(body, ',')
		}
		if flat {
			body = append(body, c.flat()...)
		} else {
			body = append(body, c.encoded()...)
		}
	}
	body = fmt.Appendf(body, `],"total":%d,"page":%d,"page_size":%d,"pages":%d}`, total, q.page, q.size, pages)
	*buffer = body
	write(w, http.StatusOK, body)
}

// writeError writes an error response in FastAPI's format. Detail is a string or a list of field
// errors.
func writeError(w http.ResponseWriter, status int, detail any) {
	write(w, status, mustEncode(struct {
		Detail any `json:"detail"`
	}{detail}))
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the caller has gone
}

// mustEncode encodes a value like the real API: compact, and without escapes for HTML.
func mustEncode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // all types of this package can be encoded
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
