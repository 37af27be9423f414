package restclient_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/restclient"
)

func TestRetryReason(t *testing.T) {
	t.Parallel()
	status := func(code int) error { return &restclient.StatusError{StatusCode: code, RetryAfter: time.Second} }
	network := func(kind string) error { return &restclient.NetworkError{Kind: kind} }
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"success":            {nil, ""},
		"500":                {status(500), restclient.RetryServerError},
		"502":                {status(502), restclient.RetryServerError},
		"503":                {status(503), restclient.RetryServerError},
		"504":                {status(504), restclient.RetryServerError},
		"another 5xx":        {status(501), ""},
		"429":                {status(429), restclient.RetryRateLimited},
		"401":                {status(401), ""},
		"403":                {status(403), ""},
		"404":                {status(404), ""},
		"408":                {status(408), ""},
		"422":                {status(422), ""},
		"a redirect":         {status(302), ""},
		"a reset":            {network(restclient.KindReset), restclient.RetryReset},
		"a close":            {network(restclient.KindClosed), restclient.RetryReset},
		"refused":            {network(restclient.KindRefused), ""},
		"a bad certificate":  {network(restclient.KindTLS), ""},
		"no HTTP":            {network(restclient.KindOther), ""},
		"a truncated body":   {&restclient.InvalidResponseError{Reason: restclient.ReasonTruncated}, restclient.RetryTruncated},
		"a large body":       {&restclient.InvalidResponseError{Reason: restclient.ReasonTooLarge}, ""},
		"broken compression": {&restclient.InvalidResponseError{Reason: restclient.ReasonEncoding}, ""},
		"a timeout":          {&restclient.TimeoutError{Limit: time.Second}, restclient.RetryTimeout},
		"a bad argument":     {&restclient.ArgumentError{Argument: "page", Problem: "is odd"}, ""},
		"an open breaker":    {&restclient.UnavailableError{Cause: restclient.CauseBreaker, RetryAfter: time.Second}, ""},
		"a caller that left": {context.Canceled, ""},
		"anything else":      {errors.New("else"), ""},
	} {
		if got := restclient.RetryReason(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	const (
		ms = time.Millisecond
		s  = time.Second
	)
	for name, tt := range map[string]struct {
		failed      int
		floor, left time.Duration
		random      float64
		want        time.Duration
		wantOK      bool
	}{
		"the shortest":                          {1, 0, 30 * s, 0, 0, true},
		"half of the first":                     {1, 0, 30 * s, 0.5, 100 * ms, true},
		"half of the second":                    {2, 0, 30 * s, 0.5, 200 * ms, true},
		"the upstream's wish":                   {1, 7 * s, 30 * s, 0, 7 * s, true},
		"the upstream's wish, and more":         {2, 7 * s, 30 * s, 0.5, 7200 * ms, true},
		"the upstream's wish at the deadline":   {1, 7 * s, 7 * s, 0, 0, false},
		"the upstream's wish past it":           {1, 8 * s, 7 * s, 0, 0, false},
		"the upstream's wish just before it":    {1, 7 * s, 7*s + 10*ms, 0.5, 7*s + 5*ms, true},
		"little time":                           {2, 0, 10 * ms, 0.5, 5 * ms, true},
		"no time":                               {1, 0, 0, 0.5, 0, false},
		"a deadline that has passed":            {1, 0, -s, 0.5, 0, false},
		"an hour, for somebody without a hurry": {1, time.Hour, 2 * time.Hour, 0, time.Hour, true},
	} {
		got, ok := restclient.Pause(tt.failed, tt.floor, tt.left, tt.random)
		if got != tt.want || ok != tt.wantOK {
			t.Errorf("%s: got %v, %t, want %v, %t", name, got, ok, tt.want, tt.wantOK)
		}
	}
}

// script answers the calls in their order, the last answer again and again, and counts them.
type script struct {
	answers []http.HandlerFunc
	calls   atomic.Int64
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(s.calls.Add(1))
	s.answers[min(n, len(s.answers))-1](w, r)
}

func answering(answers ...http.HandlerFunc) *script { return &script{answers: answers} }

// status answers with a status, and with a Retry-After where that is not "".
func status(code int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(code)
	}
}

func aPage(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(pageOf(1, []byte(`{"name":"a"}`))) }

func write(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

// abort closes the connection before an answer, cut inside one.
func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func cut(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"items":[`))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	stall := stalls["before the answer"]
	page := string(pageOf(1, []byte(`{"name":"a"}`)))
	for name, tt := range map[string]struct {
		upstream  *script
		wantCalls int64
		want      string // the error, "" for none
	}{
		"a page":                        {answering(aPage), 1, ""},
		"503 once":                      {answering(status(503, ""), aPage), 2, ""},
		"503 twice":                     {answering(status(503, ""), status(503, ""), aPage), 3, ""},
		"503 always":                    {answering(status(503, "")), 3, "upstream responded with status 503"},
		"each of the reasons":           {answering(cut, stall, aPage), 3, ""},
		"one after the other":           {answering(status(500, ""), status(502, ""), status(504, "")), 3, "upstream responded with status 504"},
		"429 once":                      {answering(status(429, ""), aPage), 2, ""},
		"429 always":                    {answering(status(429, "")), 3, "upstream responded with status 429"},
		"a closed connection once":      {answering(abort, aPage), 2, ""},
		"a closed connection always":    {answering(abort), 3, "upstream connection failed: closed"},
		"a body cut short once":         {answering(cut, aPage), 2, ""},
		"a body cut short always":       {answering(cut), 3, "upstream response is unusable: truncated"},
		"a document cut short":          {answering(write(page[:len(page)/2]), aPage), 2, ""},
		"an empty body":                 {answering(write(""), aPage), 2, ""},
		"white space":                   {answering(write(" \n"), aPage), 2, ""},
		"a timeout once":                {answering(stall, aPage), 2, ""},
		"a timeout always":              {answering(stall), 3, "upstream did not respond within 3s"},
		"a timeout inside the body":     {answering(stalls["inside the body"], aPage), 2, ""},
		"what does not help, the first": {answering(status(404, ""), aPage), 1, "upstream responded with status 404"},
		"what does not help, behind":    {answering(status(503, ""), status(401, ""), aPage), 2, "upstream responded with status 401"},
		"a redirect":                    {answering(status(302, "")), 1, "upstream responded with status 302"},
		"HTML":                          {answering(write("<html></html>")), 1, "upstream response is unusable: not JSON"},
		"text behind the document":      {answering(write(page + "x")), 1, "upstream response is unusable: not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, tt.upstream.ServeHTTP, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
				if got := fmt.Sprint(err); got != tt.want && (tt.want != "" || err != nil) {
					t.Errorf("got error %v, want %q", err, tt.want)
				}
				if got := tt.upstream.calls.Load(); got != tt.wantCalls {
					t.Errorf("got %d calls, want %d", got, tt.wantCalls)
				}
			})
		})
	}
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	t.Parallel()
	upstream := answering(status(503, "5"), status(429, "7"), aPage)
	inMemory(t, upstream.ServeHTTP, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := client.ListCvms(ctx, restclient.Credential{}, onePage); err != nil {
			t.Errorf("got error %v, want a page", err)
		}
		wantAfter(t, start, 12*time.Second, 12600*time.Millisecond)
	})
}

// patience is somebody who waits until then.
type patience time.Time

func (p patience) Deadline() (time.Time, bool) { return time.Time(p), !time.Time(p).IsZero() }

func TestNobodyWaitsInVain(t *testing.T) {
	t.Parallel()
	within := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
	}
	serving := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) {
			return restclient.WithRetryDeadline(ctx, patience(time.Now().Add(d))), func() {}
		}
	}
	for name, tt := range map[string]struct {
		retryAfter string
		caller     func(context.Context) (context.Context, context.CancelFunc)
		wantCalls  int64
		want       time.Duration // of the wait
	}{
		"the deadline is before":           {"5", within(5 * time.Second), 1, 0},
		"the deadline is behind":           {"5", within(6 * time.Second), 2, 5 * time.Second},
		"that of others is before":         {"5", serving(5 * time.Second), 1, 0},
		"that of others is behind":         {"5", serving(6 * time.Second), 2, 5 * time.Second},
		"one without a deadline":           {"59", within(time.Hour), 2, 59 * time.Second},
		"one without, and a very long one": {"61", func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := answering(status(503, tt.retryAfter), status(404, ""))
			inMemory(t, upstream.ServeHTTP, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				start := time.Now()
				ctx, cancel := tt.caller(t.Context())
				defer cancel()
				_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
				wantAfter(t, start, tt.want, tt.want+time.Second)
				if got := upstream.calls.Load(); got != tt.wantCalls {
					t.Errorf("got %d calls, want %d", got, tt.wantCalls)
				}
				if tt.wantCalls == 1 && fmt.Sprint(statusOf(t, err, 503).RetryAfter.Seconds()) != tt.retryAfter {
					t.Errorf("got error %+v, want it to say when to come again", err)
				}
			})
		})
	}
}

func TestACallerLeavesWhileItWaits(t *testing.T) {
	t.Parallel()
	upstream := answering(status(503, "20"))
	inMemory(t, upstream.ServeHTTP, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		errBored := errors.New("bored")
		start := time.Now()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errBored) })
		_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
		wantAfter(t, start, time.Second, time.Second+1)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errBored) {
			t.Errorf("got error %v, want one of cancellation and its cause", err)
		}
		if got := upstream.calls.Load(); got != 1 {
			t.Errorf("got %d calls, want 1", got)
		}
	})
}

// callAll makes so many calls at once, and returns how many ended with each text of an error, "" for pages.
func callAll(ctx context.Context, client *restclient.Client, n int) (wait func() map[string]int) {
	var (
		group sync.WaitGroup
		mu    sync.Mutex
	)
	ends := map[string]int{}
	for range n {
		group.Go(func() {
			_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
			text := ""
			if err != nil {
				text = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			ends[text]++
		})
	}
	return func() map[string]int { group.Wait(); return ends }
}

func TestRetriesAreAShareOfTheTraffic(t *testing.T) {
	t.Parallel()
	const healthy = 60 // at first, so that the breaker stays closed
	for name, tt := range map[string]struct {
		failing, beside int // calls in flight
		least, most     int // that are tried again
	}{
		"one":                     {1, 0, 1, 1},
		"three, in any case":      {3, 0, 3, 3},
		"three of ten":            {10, 0, 3, 3},
		"20 % of 40 and them":     {40, 0, 10, 11},
		"20 % of those beside":    {14, 60, 14, 14},
		"20 % of some beside":     {20, 20, 10, 11},
		"none of those beside it": {0, 20, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var made atomic.Int64
			upstream := func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("page_size") == "2" {
					<-r.Context().Done()
					return
				}
				switch n := int(made.Add(1)); {
				case n <= healthy:
					aPage(w, r)
				case n <= healthy+tt.failing:
					w.WriteHeader(http.StatusServiceUnavailable)
				default:
					<-r.Context().Done() // so that the retries are all in flight at a time
				}
			}
			inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				callAll(t.Context(), client, healthy)()
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				var beside sync.WaitGroup
				for range tt.beside {
					beside.Go(func() {
						_, _ = client.ListCvms(ctx, restclient.Credential{}, restclient.PageRequest{Page: 1, PageSize: 2})
					})
				}
				synctest.Wait()
				ends := callAll(ctx, client, tt.failing)()
				beside.Wait()
				retried := ends["upstream did not respond in time"]
				if retried < tt.least || retried > tt.most || ends["upstream responded with status 503"] != tt.failing-retried {
					t.Errorf("got %v, want %d to %d retries, and the others to fail with what the upstream said", ends, tt.least, tt.most)
				}
			})
		})
	}
}

const notCalled = "upstream was not called: breaker"

func TestTheBreaker(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	var calls atomic.Int64
	upstream := func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		aPage(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		call := func() error {
			_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
			return err
		}
		want := func(state string, made int64) {
			t.Helper()
			if got := client.State().Breaker; got != state || calls.Load() != made {
				t.Errorf("got state %s after %d attempts, want %s after %d", got, calls.Load(), state, made)
			}
			calls.Store(0)
		}
		for range 6 {
			_ = call()
		}
		want(restclient.BreakerClosed, 6)
		broken.Store(true)
		for range 8 {
			wantStatus(t, call(), 500)
		}
		want(restclient.BreakerOpen, 24) // 24 of 30 attempts failed
		var unavailable *restclient.UnavailableError
		if err := call(); !errors.As(err, &unavailable) || unavailable.Cause != restclient.CauseBreaker || unavailable.RetryAfter > 5*time.Second || unavailable.RetryAfter < 4*time.Second {
			t.Errorf("got error %#v, want a *UnavailableError for some 5 s", err)
		}
		want(restclient.BreakerOpen, 0)

		<-time.After(unavailable.RetryAfter)
		wantStatus(t, call(), 500)
		want(restclient.BreakerOpen, 2) // two probes, and then enough is known

		broken.Store(false)
		<-time.After(5 * time.Second)
		if err := call(); err != nil {
			t.Errorf("got error %v, want a page", err)
		}
		want(restclient.BreakerHalfOpen, 1)
		if err := call(); err != nil {
			t.Errorf("got error %v, want a page", err)
		}
		want(restclient.BreakerClosed, 1)
	})
}

// TestProbesAreFew lets the breaker open, and holds the calls that come behind.
func TestProbesAreFew(t *testing.T) {
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
		if got := client.State().Breaker; got != restclient.BreakerOpen {
			t.Fatalf("got state %s, want open", got)
		}
		broken.Store(false)
		<-time.After(5 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		wait := callAll(ctx, client, 10)
		synctest.Wait()
		if got := client.State(); got.Breaker != restclient.BreakerHalfOpen || got.InFlight != 3 {
			t.Errorf("got %+v, want 3 probes", got)
		}
		cancel() // probes whose callers leave have shown nothing
		if got := wait(); got[notCalled] != 7 || got["upstream call canceled by its caller"] != 3 {
			t.Errorf("got %v, want 3 canceled and the others not made", got)
		}
		if got := client.State(); got.Breaker != restclient.BreakerOpen || got.InFlight != 0 {
			t.Errorf("got %+v, want none in flight, and the breaker open", got)
		}
	})
}

func TestWhatOpensTheBreaker(t *testing.T) {
	t.Parallel()
	tooLarge := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", strconv.Itoa(17<<20)) }
	for name, tt := range map[string]struct {
		upstream http.HandlerFunc
		want     string
	}{
		"500":                  {status(500, ""), restclient.BreakerOpen},
		"503 for an hour":      {status(503, "3600"), restclient.BreakerOpen},
		"501":                  {status(501, ""), restclient.BreakerOpen},
		"closed connections":   {abort, restclient.BreakerOpen},
		"bodies cut short":     {cut, restclient.BreakerOpen},
		"timeouts":             {stalls["inside the body"], restclient.BreakerOpen},
		"401":                  {status(401, ""), restclient.BreakerClosed},
		"403":                  {status(403, ""), restclient.BreakerClosed},
		"404":                  {status(404, ""), restclient.BreakerClosed},
		"422":                  {status(422, ""), restclient.BreakerClosed},
		"429":                  {status(429, ""), restclient.BreakerClosed},
		"429 for an hour":      {status(429, "3600"), restclient.BreakerClosed},
		"redirects":            {status(302, ""), restclient.BreakerClosed},
		"HTML":                 {write("<html></html>"), restclient.BreakerClosed},
		"bodies too large":     {tooLarge, restclient.BreakerClosed},
		"callers without time": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, restclient.BreakerClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, tt.upstream, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				ctx := t.Context()
				if name == "callers without time" {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Second)
					defer cancel()
				}
				callAll(ctx, client, 60)()
				if got := client.State().Breaker; got != tt.want {
					t.Errorf("got state %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func TestALittleFailureDoesNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	upstream := func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%4 != 0 { // 75 %
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		aPage(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		for range 300 {
			if _, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage); err != nil && err.Error() == notCalled {
				t.Fatalf("got %v after %d attempts, want it never", err, calls.Load())
			}
		}
	})
}

func TestOverload(t *testing.T) {
	t.Parallel()
	upstream := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var waits []func() map[string]int
		for range 600 { // one behind the other: the bounds of a queue that all join at once are less sharp
			waits = append(waits, callAll(ctx, client, 1))
			synctest.Wait()
		}
		state := client.State()
		if state.InFlight != state.Limit || state.Limit != 128 || state.Queued < 2*state.Limit || state.Queued > 3*state.Limit {
			t.Errorf("got %+v, want all of the limit in flight, and two to three times as many in the queue", state)
		}
		<-time.After(time.Second)
		synctest.Wait()
		if got := client.State(); got.Queued != 0 || got.InFlight != 128 {
			t.Errorf("after a second: got %+v, want nobody in the queue", got)
		}
		cancel()
		ends := map[string]int{}
		for _, wait := range waits {
			for text, n := range wait() {
				ends[text] += n
			}
		}
		if ends["upstream was not called: overload"] != 600-128 || ends["upstream call canceled by its caller"] != 128 {
			t.Errorf("got %v, want all turned away but the 128 in flight", ends)
		}
		if got := client.State(); got.Queued != 0 || got.InFlight != 0 {
			t.Errorf("in the end: got %+v, want nobody", got)
		}
		wantAfter(t, start, time.Second, time.Second+1)
	})
}

func TestThoseWhoWaitForTheirTurnMayLeave(t *testing.T) {
	t.Parallel()
	var leave chan struct{}
	upstream := func(w http.ResponseWriter, r *http.Request) {
		<-leave
		aPage(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		leave = make(chan struct{}) // the bubble's
		inFlight := callAll(t.Context(), client, 128)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		leaving := callAll(ctx, client, 10)
		short, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		late := callAll(short, client, 10)
		staying := callAll(t.Context(), client, 10)
		synctest.Wait()
		if got := client.State().Queued; got != 30 {
			t.Errorf("got %d in the queue, want 30", got)
		}
		start := time.Now()
		cancel()
		if got := leaving(); got["upstream call canceled by its caller"] != 10 || time.Since(start) > 0 {
			t.Errorf("got %v after %v, want 10 canceled at once", got, time.Since(start))
		}
		if got := late(); got["upstream was not called: overload"] != 10 || time.Since(start) != 500*time.Millisecond {
			t.Errorf("got %v after %v, want 10 turned away at their deadline", got, time.Since(start))
		}
		close(leave)
		if got := staying(); got[""] != 10 {
			t.Errorf("got %v, want 10 pages for those who stayed", got)
		}
		if got := inFlight(); got[""] != 128 {
			t.Errorf("got %v, want 128 pages", got)
		}
	})
}

// events counts what an observer is told.
type events struct {
	mu     sync.Mutex
	counts map[string]int
}

func (e *events) add(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[what]++
}

func (e *events) observer() restclient.Observer {
	return restclient.Observer{
		Attempted:  func() { e.add("attempt") },
		Retried:    func(reason string) { e.add("retry: " + reason) },
		OverBudget: func() { e.add("over budget") },
		Refused:    func(cause string) { e.add("refused: " + cause) },
		Breaker:    func(state string) { e.add("breaker: " + state) },
	}
}

func TestTheObserverIsTold(t *testing.T) {
	t.Parallel()
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, tt := range map[string]struct {
		upstream *script
		calls    int
		want     map[string]int
	}{
		"a page": {answering(aPage), 1, map[string]int{"attempt": 1}},
		"why an attempt is made again": {
			answering(status(503, ""), cut, aPage), 1,
			map[string]int{"attempt": 3, "retry: server_error": 1, "retry: truncated": 1},
		},
		"other reasons": {
			answering(status(429, ""), slow, aPage), 1,
			map[string]int{"attempt": 3, "retry: rate_limited": 1, "retry: timeout": 1},
		},
		"a connection": {answering(abort, aPage), 1, map[string]int{"attempt": 2, "retry: reset": 1}},
		"the budget": {
			answering(status(503, ""), status(503, ""), status(503, ""), status(503, ""), status(503, ""), slow), 5,
			map[string]int{"attempt": 8, "retry: server_error": 3, "over budget": 2},
		},
		"the breaker": {
			answering(status(500, "3600")), 20,
			map[string]int{"attempt": 20, "breaker: open": 1},
		},
		"what is not attempted": {
			answering(slow), 128 + 256 + 512,
			map[string]int{"attempt": 128, "refused: overload": 256 + 512},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := &events{counts: map[string]int{}}
			observed(t, tt.upstream.ServeHTTP, got.observer(), func(t *testing.T, client *restclient.Client) {
				t.Helper()
				within := 2 * time.Second
				if tt.want["retry: timeout"] > 0 {
					within = 4 * time.Second // longer than an attempt
				}
				ctx, cancel := context.WithTimeout(t.Context(), within)
				defer cancel()
				callAll(ctx, client, tt.calls)()
				got.mu.Lock()
				defer got.mu.Unlock()
				if !maps.Equal(got.counts, tt.want) {
					t.Errorf("got %v, want %v", got.counts, tt.want)
				}
			})
		})
	}
}

// TestAFewFaultsAreNotSeen lets a tenth and a third of all attempts fail, while many call.
func TestAFewFaultsAreNotSeen(t *testing.T) {
	t.Parallel()
	for faults, want := range map[float64]float64{0.1: 0.995, 0.3: 0.9} { // the share of calls that end with a page
		t.Run(fmt.Sprint(faults), func(t *testing.T) {
			t.Parallel()
			upstream := func(w http.ResponseWriter, r *http.Request) {
				<-time.After(time.Duration(rand.IntN(40)) * time.Millisecond)
				if rand.Float64() < faults {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				aPage(w, r)
			}
			inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				const callers, calls = 40, 100
				var pages, unavailable atomic.Int64
				var group sync.WaitGroup
				for range callers {
					group.Go(func() {
						for range calls {
							_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
							if err == nil {
								pages.Add(1)
							} else if _, ok := errors.AsType[*restclient.UnavailableError](err); ok {
								unavailable.Add(1)
							}
						}
					})
				}
				group.Wait()
				if got := float64(pages.Load()) / (callers * calls); got < want || unavailable.Load() > 0 {
					t.Errorf("got %.2f %% pages, and %d calls not made, want %.1f %% and none", 100*got, unavailable.Load(), 100*want)
				}
			})
		})
	}
}

// followed is what Follow and what it returned were told of one attempt.
type followed struct {
	attempt restclient.Attempt
	status  int
	failure string
}

func TestFollowIsToldOfEachAttempt(t *testing.T) {
	t.Parallel()
	asked := restclient.PageRequest{Page: 2, PageSize: 1}
	attempt := func(number int) restclient.Attempt { return restclient.Attempt{Request: asked, Number: number} }
	for name, test := range map[string]struct {
		timeout time.Duration // of an attempt
		answer  http.HandlerFunc
		want    []followed
	}{
		"success": {
			time.Minute,
			func(w http.ResponseWriter, _ *http.Request) { w.Write(envelope("{}", 2, 2, 1)) },
			[]followed{{attempt(1), 200, ""}},
		},
		"a status": {
			time.Minute,
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
			[]followed{{attempt(1), 403, "403"}},
		},
		"three attempts": {
			time.Minute,
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			[]followed{{attempt(1), 502, "502"}, {attempt(2), 502, "502"}, {attempt(3), 502, "502"}},
		},
		"a body cut short": {
			time.Minute,
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				w.Write([]byte(`{"items":`))
			},
			[]followed{{attempt(1), 200, "truncated"}, {attempt(2), 200, "truncated"}, {attempt(3), 200, "truncated"}},
		},
		"no answer in time": {
			200 * time.Millisecond,
			func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			[]followed{{attempt(1), 0, "timeout"}, {attempt(2), 0, "timeout"}, {attempt(3), 0, "timeout"}},
		},
		"no HTTP": {
			time.Minute,
			func(w http.ResponseWriter, _ *http.Request) {
				conn, _, _ := http.NewResponseController(w).Hijack()
				fmt.Fprint(conn, "nonsense\r\n\r\n")
				conn.Close()
			},
			[]followed{{attempt(1), 0, restclient.KindOther}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []followed
			var carried atomic.Int64
			server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Traceparent") == "of attempt "+strconv.Itoa(int(carried.Add(1))) {
					test.answer(w, r)
				}
			})
			server.Start()
			client := newClient(t, restclient.Options{BaseURL: server.URL, Timeout: test.timeout, Observer: restclient.Observer{
				Follow: func(_ context.Context, a restclient.Attempt, header http.Header) func(int, string) {
					header.Set("Traceparent", "of attempt "+strconv.Itoa(a.Number))
					return func(status int, failure string) { got = append(got, followed{a, status, failure}) }
				},
			}})
			_, err := client.Fetch(t.Context(), restclient.Credential{}, asked)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v and error %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestFollowIsToldOfACallerThatLeft(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	server := quiet(t, func(_ http.ResponseWriter, r *http.Request) { leave(); <-r.Context().Done() })
	server.Start()
	var got []followed
	client := newClient(t, restclient.Options{BaseURL: server.URL, Observer: restclient.Observer{
		Follow: func(_ context.Context, a restclient.Attempt, _ http.Header) func(int, string) {
			return func(status int, failure string) { got = append(got, followed{a, status, failure}) }
		},
	}})
	_, _ = client.Fetch(ctx, restclient.Credential{}, onePage)
	if want := []followed{{restclient.Attempt{Request: onePage, Number: 1}, 0, "canceled"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
