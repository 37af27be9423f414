// Package faulty is an upstream that fails as it is told to, for tests that drive a gateway from outside. What a request meets is
// chosen by its bearer token, which a gateway forwards, so that one upstream and one gateway serve any number of faults beside
// callers that meet none.
package faulty

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Secret stands in each fault's body, and in its headers where they have room for it. No answer and no log of a gateway shows it.
const Secret = "internal-host.example/s3cret"

// When says which of a token's calls meet its fault.
type When string

// The times of a fault.
const (
	Once   When = "once"   // the first call
	Twice  When = "twice"  // the first two calls
	Always When = "always" // each call
	Later  When = "later"  // each call for another page than the first
)

// prefix begins the tokens that name a fault.
const prefix = "fault-"

// Upstream is an http.Handler that answers as a healthy one does, except to the tokens that [Upstream.Token] makes. Its methods may
// be called concurrently.
type Upstream struct {
	healthy   http.Handler
	elsewhere string
	faults    map[string]fault

	mu     sync.Mutex
	counts map[string]*count
}

// count is what is known of a token.
type count struct {
	calls, gone int
	mended      chan struct{} // closed once it is
}

// New returns an upstream in front of a healthy one. Redirects lead to elsewhere, a URL.
func New(healthy http.Handler, elsewhere string) *Upstream {
	u := &Upstream{healthy: healthy, elsewhere: elsewhere, faults: make(map[string]fault), counts: make(map[string]*count)}
	u.addStatuses()
	u.addConnections()
	u.addBodies()
	u.addDocuments()
	return u
}

// Token returns the bearer token of a fault. Tokens of another salt have counts of their own. It panics for a fault that there is not.
func (u *Upstream) Token(name string, when When, salt string) string {
	token := prefix + name + "." + string(when) + "." + salt
	if _, _, ok := u.read(token); !ok {
		panic("faulty: no fault " + token)
	}
	return token
}

// read returns the fault of a token, and when it strikes.
func (u *Upstream) read(token string) (f fault, when When, ok bool) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(token, prefix), ".")
	time, _, _ := strings.Cut(rest, ".")
	switch when = When(time); when {
	case Once, Twice, Always, Later:
		f, ok = u.faultOf(name)
	}
	return f, when, ok
}

// Calls returns how many calls came with a token.
func (u *Upstream) Calls(token string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count(token).calls
}

// Gone returns how many of them were left by their caller while they were held up.
func (u *Upstream) Gone(token string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count(token).gone
}

// Mend ends the fault of a token for good; calls that are held up go on.
func (u *Upstream) Mend(token string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	c := u.count(token)
	select {
	case <-c.mended:
	default:
		close(c.mended)
	}
}

// count returns what is known of a token. The caller holds the lock.
func (u *Upstream) count(token string) *count {
	c := u.counts[token]
	if c == nil {
		c = &count{mended: make(chan struct{})}
		u.counts[token] = c
	}
	return c
}

// ServeHTTP answers with the fault of the request's token, if it has one and it is its turn.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	u.mu.Lock()
	state := u.count(token)
	state.calls++
	number, mended := state.calls, state.mended
	u.mu.Unlock()

	if !strings.HasPrefix(token, prefix) || isClosed(mended) {
		u.healthy.ServeHTTP(w, r)
		return
	}
	f, when, ok := u.read(token)
	if !ok {
		panic(fmt.Sprintf("faulty: no fault %q", token))
	}
	page := r.URL.Query().Get("page")
	if when == Once && number > 1 || when == Twice && number > 2 || when == Later && page == "1" {
		u.healthy.ServeHTTP(w, r)
		return
	}
	f(&call{ResponseWriter: w, r: r, upstream: u, mended: mended, left: func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		state.gone++
	}})
}

// Fail answers with a fault, whatever the request's token says: what the fault lets through of a page is the caller's own.
func (u *Upstream) Fail(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := u.faultOf(name)
	if !ok {
		panic("faulty: no fault " + name)
	}
	f(&call{ResponseWriter: w, r: r, upstream: u, left: func() {}})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// fault answers one call.
type fault func(*call)

// call is a request that meets a fault, and its answer.
type call struct {
	http.ResponseWriter
	r        *http.Request
	upstream *Upstream
	mended   <-chan struct{}
	left     func() // is told that the caller has gone
}

// page returns what a healthy upstream answers.
func (c *call) page() []byte {
	recorder := httptest.NewRecorder()
	c.upstream.healthy.ServeHTTP(recorder, c.r)
	return recorder.Body.Bytes()
}

// flush sends what was written so far.
func (c *call) flush() { _ = http.NewResponseController(c.ResponseWriter).Flush() }

// hang waits until the caller has gone, or the fault is mended.
func (c *call) hang() {
	select {
	case <-c.r.Context().Done():
		c.left()
	case <-c.mended:
	}
}

// send writes a whole answer.
func (c *call) send(status int, kind, body string) {
	c.Header().Set("Content-Type", kind)
	c.WriteHeader(status)
	_, _ = c.Write([]byte(body)) // a caller who has gone needs no report
}
