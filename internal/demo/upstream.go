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

// BasePath is what a client of the real API has behind the host in its base
// URL. ListPath, below it, is the one path that an Upstream answers.
const (
	BasePath = "/api/v1"
	ListPath = BasePath + "/cvms/paginated"
)

// Options configures an Upstream. The zero value is a static list of 300 CVMs
// for each tenant, answered at once.
type Options struct {
	// Items is the number of CVMs in the list of a new tenant. 0 means 300, a
	// negative number an empty list.
	Items int

	// Seed selects the data. Equal seeds give equal lists to equal tenants,
	// apart from times of day, which count from a tenant's first request.
	Seed uint64

	// Latency is waited before each answer, errors included, or until the
	// request's context ends. 0 or less means none.
	Latency time.Duration

	// ChangeEvery is the time between two changes of a tenant's list: one CVM
	// more, one fewer, or one in its next stage of life. The size stays near
	// what it was. 0 or less means that the list never changes by itself.
	ChangeEvery time.Duration

	// Now is the clock, called concurrently. nil means time.Now.
	Now func() time.Time
}

// Upstream is an http.Handler that answers like the real REST API. Each
// credential sees a list of its own. An item's uptime tells its age when the
// item last changed: it does not tick. An Upstream starts no goroutine and
// needs no closing; all its methods may be called concurrently.
type Upstream struct {
	options Options
	tenants tenants
	buffers sync.Pool // of *[]byte, for one page each
}

// New returns an Upstream. It keeps a copy of the options.
func New(options Options) *Upstream {
	switch {
	case options.Items == 0:
		options.Items = 300
	case options.Items < 0:
		options.Items = 0
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

// ServeHTTP answers one request. A request whose context ends during the
// latency is answered 503, in case anyone still listens.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-ID", fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()))
	if err := u.wait(r.Context()); err != nil {
		refuse(w, http.StatusServiceUnavailable, "Request cancelled")
		return
	}
	if r.URL.Path != ListPath {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		refuse(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	shape, ok := shapeOf(r.Header.Get("X-Phala-Version"))
	if !ok {
		refuse(w, http.StatusBadRequest, "Unsupported API version")
		return
	}
	tenant, objection := authenticate(r.Header)
	if objection != "" {
		refuse(w, http.StatusUnauthorized, objection)
		return
	}
	query, problems := parseQuery(r.URL.Query())
	if problems != nil {
		refuse(w, http.StatusUnprocessableEntity, problems)
		return
	}
	cells := u.tenants.list(tenant).answer(u.options.Now())
	if tenant.changing() {
		w.Header().Set("Cache-Control", "no-store") // it is out of date already
	}
	u.writePage(w, query, query.filter(cells), shape)
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

// shape turns an encoded item into the one that an API version answers. nil
// leaves it as it is.
type shape func(item []byte) []byte

// shapeOf returns the shape of an API version. A caller who names none gets
// the latest, as the holder of a new token does.
func shapeOf(version string) (_ shape, ok bool) {
	switch version {
	case "2025-05-31", "2025-10-28":
		return nil, true
	case "", "2026-01-21", "2026-05-22", "2026-06-23":
		return flatten, true
	}
	return nil, false
}

// authenticate returns the tenant that the headers name, or what the real API
// says to those who may not enter. Every other credential is welcome.
func authenticate(h http.Header) (_ Tenant, objection string) {
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

func (u *Upstream) writePage(w http.ResponseWriter, q query, cells []*cell, as shape) {
	total := len(cells)
	pages := (total + q.size - 1) / q.size
	if q.page <= pages { // compared in pages: items could overflow
		cells = cells[(q.page-1)*q.size : min(q.page*q.size, total)]
	} else {
		cells = nil
	}

	buffer := u.buffers.Get().(*[]byte)
	defer u.buffers.Put(buffer)
	body := (*buffer)[:0]
	body = append(body, `{"items":[`...)
	for i, c := range cells {
		if i > 0 {
			body = append(body, ',')
		}
		if as == nil {
			body = append(body, c.encoded()...)
		} else {
			body = append(body, as(c.encoded())...)
		}
	}
	body = fmt.Appendf(body, `],"total":%d,"page":%d,"page_size":%d,"pages":%d}`, total, q.page, q.size, pages)
	*buffer = body
	answer(w, http.StatusOK, body)
}

// refuse answers an error in FastAPI's form. detail is a text or a list of
// field errors.
func refuse(w http.ResponseWriter, status int, detail any) {
	answer(w, status, mustEncode(struct {
		Detail any `json:"detail"`
	}{detail}))
}

func answer(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller who has gone needs no report
}

// mustEncode encodes as the real API does: compact, and without the escapes
// that are meant for HTML.
func mustEncode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only types of this package come here, and they all encode
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
