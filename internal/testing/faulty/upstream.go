// Package faulty is an upstream with fault injection, for tests that start a gateway and send
// requests to it. A request's bearer token selects the fault. Gateways forward the token, so one
// upstream and one gateway can serve many faults, and healthy callers at the same time.
package faulty

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// Secret is part of each fault's body, and of its headers if possible. A gateway's responses and
// logs must not contain it.
const Secret = "internal-host.example/s3cret"

// When selects the calls of a token that fail.
type When string

// The values of When.
const (
	Once   When = "once"   // the first call
	Twice  When = "twice"  // the first two calls
	Always When = "always" // each call
	Later  When = "later"  // each call for a page other than the first
)

// prefix is the prefix of tokens that name a fault.
const prefix = "fault-"

// Upstream is an http.Handler. Requests with a token from [Upstream.Token] get its fault; all other
// requests get the response of the healthy upstream. Its methods are safe for concurrent use.
type Upstream struct {
	healthy   http.Handler
	elsewhere string
	faults    map[string]fault
	overHTTP2 map[string]fault // faults that differ over HTTP/2

	mu     sync.Mutex
	tokens map[string]*tokenState
}

// tokenState is the state of one token.
type tokenState struct {
	calls, abandoned int
	repaired         chan struct{} // closed by Repair
}

// New returns an upstream that wraps a healthy one. Faults that redirect use the URL elsewhere.
func New(healthy http.Handler, elsewhere string) *Upstream {
	u := &Upstream{
		healthy: healthy, elsewhere: elsewhere,
		faults: make(map[string]fault), overHTTP2: make(map[string]fault), tokens: make(map[string]*tokenState),
	}
	u.addStatuses()
	u.addConnections()
	u.addBodies()
	u.addDocuments()
	u.addLists()
	u.addStreams()
	u.addDepartures()
	return u
}

// Token returns the bearer token of a fault. Tokens with different salts count calls separately.
// Token panics if the fault does not exist.
func (u *Upstream) Token(name string, when When, salt string) string {
	token := prefix + name + "." + string(when) + "." + salt
	if _, _, ok := u.parse(token, false); !ok {
		panic("faulty: no fault " + token)
	}
	return token
}

// Faults returns the names of all faults, in alphabetical order, without those that [responseWith]
// and late-by describe by a pattern.
func (u *Upstream) Faults() []string { return slices.Sorted(maps.Keys(u.faults)) }

// parse returns the fault of a token, and the calls that it applies to.
func (u *Upstream) parse(token string, overHTTP2 bool) (f fault, when When, ok bool) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(token, prefix), ".")
	part, _, _ := strings.Cut(rest, ".")
	switch when = When(part); when {
	case Once, Twice, Always, Later:
		f, ok = u.faultOf(name)
		if special := u.overHTTP2[name]; overHTTP2 && special != nil {
			f = special
		}
	}
	return f, when, ok
}

// Calls returns the number of calls with a token.
func (u *Upstream) Calls(token string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state(token).calls
}

// Abandoned returns the number of a token's calls that the caller canceled while they were blocked.
func (u *Upstream) Abandoned(token string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state(token).abandoned
}

// Repair removes the fault of a token permanently and unblocks the token's blocked calls.
func (u *Upstream) Repair(token string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	state := u.state(token)
	select {
	case <-state.repaired:
	default:
		close(state.repaired)
	}
}

// state returns the state of a token. The caller must hold u.mu.
func (u *Upstream) state(token string) *tokenState {
	state := u.tokens[token]
	if state == nil {
		state = &tokenState{repaired: make(chan struct{})}
		u.tokens[token] = state
	}
	return state
}

// ServeHTTP serves the fault of the request's token if the fault applies to this call, and the
// response of the healthy upstream otherwise.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	u.mu.Lock()
	state := u.state(token)
	state.calls++
	number, repaired := state.calls, state.repaired
	u.mu.Unlock()

	if !strings.HasPrefix(token, prefix) || isClosed(repaired) {
		u.healthy.ServeHTTP(w, r)
		return
	}
	_, overHTTP2 := w.(*stream)
	f, when, ok := u.parse(token, overHTTP2)
	if !ok {
		panic(fmt.Sprintf("faulty: no fault %q", token))
	}
	page := r.URL.Query().Get("page")
	if when == Once && number > 1 || when == Twice && number > 2 || when == Later && page == "1" {
		u.healthy.ServeHTTP(w, r)
		return
	}
	f(&call{ResponseWriter: w, r: r, upstream: u, repaired: repaired, onAbandoned: func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		state.abandoned++
	}})
}

// Fail serves a fault to a request regardless of its token. If the fault returns a changed page,
// it is a page of the token's own list.
func (u *Upstream) Fail(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := u.faultOf(name)
	if !ok {
		panic("faulty: no fault " + name)
	}
	f(&call{ResponseWriter: w, r: r, upstream: u, onAbandoned: func() {}})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// fault serves one call.
type fault func(*call)

// call is a request that gets a fault, and its response.
type call struct {
	http.ResponseWriter
	r           *http.Request
	upstream    *Upstream
	repaired    <-chan struct{}
	onAbandoned func() // called if the caller cancels the call
}

// page returns the body of the healthy upstream's response.
func (c *call) page() []byte {
	recorder := httptest.NewRecorder()
	c.upstream.healthy.ServeHTTP(recorder, c.r)
	return recorder.Body.Bytes()
}

// flush sends the bytes written so far.
func (c *call) flush() { _ = http.NewResponseController(c.ResponseWriter).Flush() }

// hang blocks until the caller cancels the call, or the fault is repaired.
func (c *call) hang() {
	select {
	case <-c.r.Context().Done():
		c.onAbandoned()
	case <-c.repaired:
	}
}

// send writes a complete response.
func (c *call) send(status int, kind, body string) {
	c.Header().Set("Content-Type", kind)
	c.WriteHeader(status)
	_, _ = c.Write([]byte(body)) // fails only if the caller has disconnected
}
