package e2e_test

import (
	"cmp"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
	"cvmgraph/internal/testing/testmode"
)

// mediaTypes are the media types of GraphQL responses.
var mediaTypes = []string{"application/json", "application/graphql-response+json"}

// faultyUpstream is an upstream with faults, and a server that its redirects lead to.
type faultyUpstream struct {
	*faulty.Upstream
	list      *demo.Upstream
	url       string
	http2URL  string       // of the server that prefers HTTP/2
	authority string       // the file with that server's certificate
	elsewhere atomic.Int64 // requests to the redirects' target
}

func startFaulty(t *testing.T) *faultyUpstream {
	t.Helper()
	u := &faultyUpstream{list: demo.New(demo.Options{})}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { u.elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	u.Upstream = faulty.New(u.list, other.URL)
	server := httptest.NewUnstartedServer(u)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	second := faulty.NewHTTP2Server(u.Upstream, nil)
	t.Cleanup(second.Close)
	u.url, u.http2URL = server.URL, second.URL
	u.authority = filepath.Join(t.TempDir(), "authority.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: second.Certificate().Raw})
	if err := os.WriteFile(u.authority, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return u
}

// tokenOf returns a token whose calls meet the fault of a row.
func (u *faultyUpstream) tokenOf(name, salt string) string {
	words := strings.Fields(name)
	return u.Token(words[0], faulty.When(words[1]), strings.Join(append(words, salt), "_"))
}

// names returns the names of the first CVMs of a token's list, without faults.
func (u *faultyUpstream) names(t *testing.T, token string, first int) []string {
	t.Helper()
	var names []string
	for page := 1; len(names) < first; page++ {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s?page=%d&page_size=%d", demo.ListPath, page, min(first, 50)), nil)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("X-Phala-Version", "2025-10-28")
		recorder := httptest.NewRecorder()
		u.list.ServeHTTP(recorder, request)
		var list struct{ Items []struct{ Name string } }
		if err := json.Unmarshal(recorder.Body.Bytes(), &list); err != nil || len(list.Items) == 0 {
			t.Fatalf("the list ends at %d, %v", len(names), err)
		}
		for _, item := range list.Items {
			names = append(names, item.Name)
		}
	}
	return names
}

// listResponse is the program's response to an operation for a list.
type listResponse struct {
	Data struct {
		Cvms *struct{ Nodes []struct{ Name *string } }
	}
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	raw  string // the body and the header
	took time.Duration
}

// names returns the names of the CVMs, or nil without data.
func (r *listResponse) names() []string {
	if r.Data.Cvms == nil {
		return nil
	}
	names := []string{}
	for _, node := range r.Data.Cvms.Nodes {
		if node.Name == nil {
			node.Name = new("null")
		}
		names = append(names, *node.Name)
	}
	return names
}

// list requests the first CVMs in a media type and checks the form of the response.
func (p *process) list(t *testing.T, token, media string, first int, header http.Header) *listResponse {
	t.Helper()
	header = header.Clone()
	header.Set("Authorization", "Bearer "+token)
	header.Set("Accept", media)
	header.Set("X-Cvmgraph-Explain", "1")
	query := fmt.Sprintf(`{ cvms(first: %d) { totalCount pageInfo { endCursor } nodes { id name vcpu publicUrls { app } hosted { name } node { name } } } }`, first)
	begun := time.Now()
	r, err := p.post(t.Context(), http.DefaultClient, query, header)
	if err != nil {
		t.Fatal(err)
	}
	got := &listResponse{raw: fmt.Sprint(r.body, r.header), took: time.Since(begun)}
	if kind := r.header.Get("Content-Type"); r.status != http.StatusOK || kind != media+"; charset=utf-8" {
		t.Errorf("got status %d of %s, want 200 of %s", r.status, kind, media)
	}
	if err := json.Unmarshal([]byte(r.body), got); err != nil {
		t.Errorf("got %v: %.300s", err, r.body)
	}
	return got
}

// TestFaults starts a program for each row of faultTable and each media type.
func TestFaults(t *testing.T) {
	t.Parallel()
	upstream := startFaulty(t)
	// Rows that wait for time to pass run concurrently. With t.Parallel, only as many would as
	// there are processors.
	const concurrent = 8
	var waiting sync.WaitGroup
	defer waiting.Wait()
	slots := make(chan struct{}, concurrent)
	for i, name := range slices.Sorted(maps.Keys(faultTable)) {
		want := faultTable[name]
		if want.large && os.Getenv("CVMGRAPH_PROJECTION") == "false" {
			want.code = "QUERY_TOO_COMPLEX"
		}
		if want.memory > 0 && !testmode.Full() {
			continue // their documents are large, and the race detector multiplies their memory
		}
		for j, media := range mediaTypes {
			if !testmode.Full() && i%2 != j {
				continue // each row in one media type
			}
			ways := upstream.waysOf(name)
			if !testmode.Full() { // and in one way
				at := i / 2 % len(ways)
				ways = ways[at : at+1]
			}
			for _, way := range ways {
				title := name + "/" + media + "/" + way.protocol + "/" + way.version
				if want.attempt == 0 && want.soonest == 0 {
					t.Run(title, func(t *testing.T) {
						t.Parallel()
						want.check(t, upstream, name, media, way)
					})
					continue
				}
				waiting.Go(func() {
					slots <- struct{}{}
					defer func() { <-slots }()
					t.Run(title, func(t *testing.T) { want.check(t, upstream, name, media, way) })
				})
			}
		}
	}
}

// way is how the gateway calls the upstream.
type way struct{ protocol, version string }

// waysOf returns the ways in which a row is tested.
func (u *faultyUpstream) waysOf(name string) []way {
	plain := way{"HTTP/1.1", "2025-10-28"}
	fault, _, _ := strings.Cut(name, " ")
	switch {
	case slices.Contains(u.HTTP2Faults(), fault):
		return []way{plain, {"HTTP/2", plain.version}}
	case slices.Contains(itemFaults, fault):
		return []way{plain, {plain.protocol, "2026-06-23"}}
	}
	return []way{plain}
}

// check starts a program and sends it a request that meets the fault. Afterwards requests must
// succeed: another caller's, and the same caller's after the fault has ended.
func (want faultRow) check(t *testing.T, upstream *faultyUpstream, name, media string, by way) {
	t.Helper()
	token := upstream.tokenOf(name, "phak_"+media[len("application/"):]+by.protocol+by.version)
	url := upstream.url
	if by.protocol == "HTTP/2" {
		url = upstream.http2URL
	}
	first := 30
	if strings.Contains(name, string(faulty.Later)) {
		first = 150 // on two pages
	}
	p := startWith(t, []string{"GOMEMLIMIT=200MiB", "SSL_CERT_FILE=" + upstream.authority},
		"--upstream-url", url+demo.BasePath, "--api-version", by.version, "--log-level=debug",
		"--upstream-timeout", cmp.Or(want.attempt, 10*time.Second).String(),
		"--request-timeout", cmp.Or(want.request, 20*time.Second).String())
	idle := p.resident(t)
	got := p.list(t, token, media, first, http.Header{})

	want.checkResponse(t, got, upstream.names(t, token, first))
	if got := upstream.Calls(token); got != want.calls {
		t.Errorf("got %d upstream calls, want %d", got, want.calls)
	}
	if got, most := p.resident(t)-idle, max(want.memory, 32)<<20; got > most && !testmode.Race {
		t.Errorf("the resident set grew by %d MiB, want at most %d", got>>20, most>>20)
	}
	p.checkLeaks(t, got.raw, url, token)

	for _, healthy := range []string{"neighbor-of-" + token, token} {
		upstream.Repair(healthy)
		again := p.list(t, healthy, media, first, http.Header{"Cache-Control": {"no-cache"}})
		if len(again.Errors) > 0 || !slices.Equal(again.names(), upstream.names(t, healthy, first)) {
			t.Errorf("the next request: got %.300s, want the list", again.raw)
		}
	}
	if got := upstream.elsewhere.Load(); got > 0 {
		t.Errorf("got %d calls to the target of redirects, want none", got)
	}
	p.checkLeaks(t, "", url, token)
}

// checkResponse checks the errors, the data and the time of a response. Healthy are the names of
// the list without faults.
func (want faultRow) checkResponse(t *testing.T, got *listResponse, healthy []string) {
	t.Helper()
	if len(got.Errors) > 0 != (want.code != "") {
		t.Errorf("got %d errors, want %q: %.500s", len(got.Errors), want.code, got.raw)
	}
	for _, e := range got.Errors {
		retryAfter, _ := e.Extensions["retryAfter"].(float64)
		if e.Extensions["code"] != want.code || retryAfter != want.retryAfter || len(e.Path) == 0 {
			t.Errorf("got %+v, want %s with retryAfter %v at a field", e, want.code, want.retryAfter)
		}
	}
	switch names := got.names(); {
	case want.code != "" && !want.partial:
		if names != nil {
			t.Errorf("got %d CVMs beside the error, want null", len(names))
		}
	case want.other && len(names) == 0, !want.other && !slices.Equal(names, healthy):
		t.Errorf("got %.500q, want %.500q", names, healthy)
	}
	within := cmp.Or(want.within, 2*time.Second)
	if !testmode.QuietMachine() {
		within += 6 * time.Second
	}
	if got.took < want.soonest || got.took > within {
		t.Errorf("took %v, want %v to %v", got.took, want.soonest, within)
	}
}

// checkLeaks fails the test if a response or the log has the upstream's address, its secret or the
// credential.
func (p *process) checkLeaks(t *testing.T, response, upstreamURL, token string) {
	t.Helper()
	for _, leak := range []string{faulty.Secret, "s3cret", trimScheme(upstreamURL), demo.ListPath, token} {
		if strings.Contains(response, leak) {
			t.Errorf("got %q in the response: %.1000s", leak, response)
		}
		if logged := p.logged(); strings.Contains(logged, leak) {
			t.Errorf("got %q in the log: %.1000s", leak, logged)
		}
	}
}
