package restclient_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/restclient"
)

const notCalled = "upstream was not called: paused"

// as returns the credential of a tenant.
func as(tenant int) restclient.Credential {
	return restclient.NewCredential(restclient.Headers{APIKey: "tenant-" + strconv.Itoa(tenant)})
}

// wantUnavailable checks that err is an *UnavailableError with a cause, for at most 5 s.
func wantUnavailable(t *testing.T, err error, cause string) {
	t.Helper()
	var unavailable *restclient.UnavailableError
	if !errors.As(err, &unavailable) || unavailable.Cause != cause || unavailable.RetryAfter > 5*time.Second || unavailable.RetryAfter <= 0 {
		t.Errorf("got error %#v, want an *UnavailableError because of %s", err, cause)
	}
}

// TestPause_beginsAndEnds lets the list of one credential fail for a while.
func TestPause_beginsAndEnds(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	var calls atomic.Int64
	upstream := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != "tenant-1" {
			onePageResponse(w, r)
			return
		}
		calls.Add(1)
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		onePageResponse(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		call := func() error {
			_, err := client.ListCvms(t.Context(), as(1), onePage)
			return err
		}
		want := func(paused int, made int64) {
			t.Helper()
			if got := client.State(); got.Paused != paused || got.Breaker != restclient.BreakerClosed || calls.Load() != made {
				t.Errorf("got %+v after %d attempts, want %d paused after %d", got, calls.Load(), paused, made)
			}
			calls.Store(0)
			if _, err := client.ListCvms(t.Context(), as(2), onePage); err != nil {
				t.Errorf("another credential: got error %v, want a page", err)
			}
		}
		for range 6 {
			_ = call()
		}
		want(0, 6)
		broken.Store(true)
		for range 8 {
			wantStatus(t, call(), 500)
		}
		want(1, 24) // 24 of 30 attempts have failed
		wantUnavailable(t, call(), restclient.CausePaused)
		want(1, 0)

		<-time.After(5 * time.Second)
		wantStatus(t, call(), 500)
		want(1, 2) // two failed probes begin the pause again

		broken.Store(false)
		<-time.After(5 * time.Second)
		if err := call(); err != nil {
			t.Errorf("got error %v, want a page", err)
		}
		want(1, 1)
		if err := call(); err != nil {
			t.Errorf("got error %v, want a page", err)
		}
		want(0, 1)
	})
}

// TestPause_probeLimit pauses a credential and stalls its calls after the pause.
func TestPause_probeLimit(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	broken.Store(true)
	upstream := func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		<-r.Context().Done()
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		callAll(t.Context(), client, 40)()
		if got := client.State().Paused; got != 1 {
			t.Fatalf("got %d paused credentials, want 1", got)
		}
		broken.Store(false)
		<-time.After(5 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		wait := callAll(ctx, client, 10)
		synctest.Wait()
		if got := client.State(); got.Paused != 1 || got.InFlight != 3 {
			t.Errorf("got %+v, want 3 probes", got)
		}
		cancel() // canceled probes show no recovery
		if got := wait(); got[notCalled] != 7 || got["upstream call canceled by its caller"] != 3 {
			t.Errorf("got %v, want 3 canceled calls and the others suppressed", got)
		}
		if got := client.State(); got.Paused != 1 || got.InFlight != 0 {
			t.Errorf("got %+v, want no attempt in flight, and the credential paused", got)
		}
	})
}

func TestPause_failures(t *testing.T) {
	t.Parallel()
	tooLarge := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", strconv.Itoa(17<<20)) }
	for name, tt := range map[string]struct {
		upstream http.HandlerFunc
		want     int
	}{
		"500":                        {upstream: status(500, ""), want: 1},
		"503 for an hour":            {upstream: status(503, "3600"), want: 1},
		"501":                        {upstream: status(501, ""), want: 1},
		"closed connections":         {upstream: abort, want: 1},
		"truncated bodies":           {upstream: cut, want: 1},
		"timeouts":                   {upstream: stalls["inside the body"], want: 1},
		"401":                        {upstream: status(401, "")},
		"403":                        {upstream: status(403, "")},
		"404":                        {upstream: status(404, "")},
		"422":                        {upstream: status(422, "")},
		"429":                        {upstream: status(429, "")},
		"429 for an hour":            {upstream: status(429, "3600")},
		"redirects":                  {upstream: status(302, "")},
		"HTML":                       {upstream: write("<html></html>")},
		"bodies too large":           {upstream: tooLarge},
		"short deadlines of callers": {upstream: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, tt.upstream, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				ctx := t.Context()
				if name == "short deadlines of callers" {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Second)
					defer cancel()
				}
				callAll(ctx, client, 60)()
				if got := client.State(); got.Paused != tt.want || got.Breaker != restclient.BreakerClosed {
					t.Errorf("got %+v, want %d paused credentials and a closed breaker", got, tt.want)
				}
			})
		})
	}
}

func TestPause_failureRateBelowThreshold(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	upstream := func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%4 != 0 { // 75 %
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		onePageResponse(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		for range 300 {
			if _, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage); err != nil && err.Error() == notCalled {
				t.Fatalf("got %v after %d attempts, want no suppressed attempt", err, calls.Load())
			}
		}
	})
}

// partialOutage is an upstream whose calls can fail for some tenants.
type partialOutage struct {
	failing func(tenant string) bool
	mu      sync.Mutex
	calls   map[string]int
}

func (o *partialOutage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tenant := r.Header.Get("X-Api-Key")
	o.mu.Lock()
	o.calls[tenant]++
	failing := o.failing(tenant)
	o.mu.Unlock()
	if failing {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	onePageResponse(w, r)
}

// take returns the numbers of calls since the last take.
func (o *partialOutage) take() (total int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range o.calls {
		total += n
	}
	o.calls = map[string]int{}
	return total
}

func (o *partialOutage) set(failing func(tenant string) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failing = failing
}

func all(string) bool { return true }

func none(string) bool { return false }

// polls makes a call of each tenant, and returns the errors.
func polls(t *testing.T, client *restclient.Client, tenants int) []error {
	t.Helper()
	errs := make([]error, tenants)
	for i := range tenants {
		_, errs[i] = client.ListCvms(t.Context(), as(i), onePage)
	}
	return errs
}

// TestBreaker_opensAndCloses lets the whole upstream fail for a while.
func TestBreaker_opensAndCloses(t *testing.T) {
	t.Parallel()
	upstream := &partialOutage{failing: none, calls: map[string]int{}}
	var changes []string
	observer := restclient.Observer{Breaker: func(state string) { changes = append(changes, state) }}
	observed(t, upstream.ServeHTTP, observer, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		const tenants = 30
		polls(t, client, tenants)
		upstream.set(all)
		start := time.Now()
		for client.State().Breaker == restclient.BreakerClosed && time.Since(start) < time.Minute {
			polls(t, client, tenants)
		}
		wantAfter(t, start, 10*time.Second, 20*time.Second)
		upstream.take()
		start = time.Now()
		for range 10 {
			for _, err := range polls(t, client, tenants) {
				if _, ok := errors.AsType[*restclient.StatusError](err); !ok {
					wantUnavailable(t, err, restclient.CauseBreaker)
				}
			}
			<-time.After(time.Second)
		}
		if got := upstream.take(); got < tenants || got > tenants*int(1+time.Since(start)/(5*time.Second)) || client.State().Breaker != restclient.BreakerOpen {
			t.Errorf("got %d attempts within %v and %+v, want one of each tenant every 5 s", got, time.Since(start), client.State())
		}
		upstream.set(none)
		<-time.After(5 * time.Second)
		for i, err := range polls(t, client, tenants) {
			if err != nil && !strings.Contains(err.Error(), "paused") { // of the ones that failed too often by themselves
				t.Errorf("tenant %d after the recovery: got error %v, want a page", i, err)
			}
		}
		if got := client.State().Breaker; got != restclient.BreakerClosed {
			t.Errorf("got state %s, want closed", got)
		}
		if want := []string{restclient.BreakerOpen, restclient.BreakerClosed}; !slices.Equal(changes, want) {
			t.Errorf("got changes %q, want %q", changes, want)
		}
	})
}

// TestBreaker_others opens the breaker with failing tenants. A tenant whose list is served is not
// affected, even if it calls rarely.
func TestBreaker_others(t *testing.T) {
	t.Parallel()
	upstream := &partialOutage{failing: none, calls: map[string]int{}}
	inMemory(t, upstream.ServeHTTP, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		const attackers = 10
		healthy, opened := as(100), 0
		call := func() {
			t.Helper()
			if client.State().Breaker != restclient.BreakerClosed {
				opened++
			}
			if _, err := client.ListCvms(t.Context(), healthy, onePage); err != nil {
				t.Errorf("a healthy tenant: got error %v, want a page", err)
			}
		}
		polls(t, client, attackers)
		call()
		upstream.set(func(tenant string) bool { return tenant != "tenant-100" })
		for range 20 {
			for range 25 {
				polls(t, client, attackers)
				<-time.After(time.Second)
			}
			call()
		}
		if opened == 0 {
			t.Errorf("got a closed breaker all the time, want it open, because only failing tenants call")
		}
	})
}

// TestBreaker_rejectedStranger lets the whole upstream fail, except that it rejects an invented
// credential. That shows nothing about the others.
func TestBreaker_rejectedStranger(t *testing.T) {
	t.Parallel()
	inMemory(t, onePageResponse, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		const tenants = 10
		polls(t, client, tenants)
		failure, rejection := &restclient.StatusError{StatusCode: 500}, &restclient.StatusError{StatusCode: 401}
		for range 20 {
			for i := range tenants {
				_ = client.Attempt(t.Context(), as(i), failure)
			}
			_ = client.Attempt(t.Context(), as(1000), rejection)
			<-time.After(time.Second)
		}
		if got := client.State().Breaker; got == restclient.BreakerClosed {
			t.Error("got a closed breaker, want it open")
		}
	})
}

// TestPause_attemptsFromBefore ends attempts that have begun before a pause when the pause is over.
// They do not decide whether it begins again.
func TestPause_attemptsFromBefore(t *testing.T) {
	t.Parallel()
	inMemory(t, onePageResponse, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		failure := &restclient.StatusError{StatusCode: 500}
		var earlier []func(error)
		for range 5 {
			end, err := client.Begin(t.Context(), as(1))
			if err != nil {
				t.Fatal(err)
			}
			earlier = append(earlier, end)
		}
		for range 20 {
			_ = client.Attempt(t.Context(), as(1), failure)
		}
		if client.State().Paused != 1 {
			t.Fatal("got no pause after 20 failures")
		}
		<-time.After(6 * time.Second)
		first, err := client.Begin(t.Context(), as(1))
		if err != nil {
			t.Fatal(err)
		}
		for _, end := range earlier {
			end(failure)
		}
		first(nil)
		if err := client.Attempt(t.Context(), as(1), nil); err != nil || client.State().Paused != 0 {
			t.Errorf("got %v and %+v after two pages, want no pause", err, client.State())
		}
	})
}

// TestBreaker_oneTenant checks that one tenant cannot open the breaker: not with its many calls,
// not with invented credentials or workspaces, and not with an invented second part of its
// credential.
func TestBreaker_oneTenant(t *testing.T) {
	t.Parallel()
	for name, credential := range map[string]func(i int) restclient.Headers{
		"many calls":           func(int) restclient.Headers { return restclient.Headers{APIKey: "a"} },
		"invented credentials": func(i int) restclient.Headers { return restclient.Headers{APIKey: "invented-" + strconv.Itoa(i)} },
		"invented workspaces":  func(i int) restclient.Headers { return restclient.Headers{APIKey: "a", Workspace: strconv.Itoa(i)} },
		"invented tokens beside a key": func(i int) restclient.Headers {
			return restclient.Headers{APIKey: "a", Authorization: "Bearer " + strconv.Itoa(i)}
		},
		"invented keys beside a token": func(i int) restclient.Headers {
			return restclient.Headers{APIKey: strconv.Itoa(i), Authorization: "Bearer a"}
		},
		"other spaces": func(i int) restclient.Headers {
			return restclient.Headers{Authorization: "Bearer" + strings.Repeat(" ", 1+i%50) + "a"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var failing atomic.Bool
			upstream := func(w http.ResponseWriter, r *http.Request) {
				valid := r.Header.Get("X-Api-Key") == "a" || strings.HasSuffix(r.Header.Get("Authorization"), " a")
				if failing.Load() || !valid {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				onePageResponse(w, r)
			}
			inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				for i := range 600 {
					failing.Store(i >= 100)
					_, _ = client.ListCvms(t.Context(), restclient.NewCredential(credential(i)), onePage)
					if got := client.State().Breaker; got != restclient.BreakerClosed {
						t.Fatalf("got state %s after %d calls, want closed", got, i)
					}
				}
			})
		})
	}
}
