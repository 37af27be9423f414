package restclient_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
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
		"success":                      {},
		"500":                          {err: status(500), want: restclient.RetryServerError},
		"502":                          {err: status(502), want: restclient.RetryServerError},
		"503":                          {err: status(503), want: restclient.RetryServerError},
		"504":                          {err: status(504), want: restclient.RetryServerError},
		"another 5xx":                  {err: status(501)},
		"a CDN without the API, first": {err: status(520), want: restclient.RetryServerError},
		"a CDN without the API, last":  {err: status(526), want: restclient.RetryServerError},
		"a CDN without a DNS entry":    {err: status(530), want: restclient.RetryServerError},
		"another status of a CDN":      {err: status(527)},
		"a status before them":         {err: status(519)},
		"429":                          {err: status(429), want: restclient.RetryRateLimited},
		"401":                          {err: status(401)},
		"403":                          {err: status(403)},
		"404":                          {err: status(404)},
		"408":                          {err: status(408)},
		"422":                          {err: status(422)},
		"a redirect":                   {err: status(302)},
		"a reset":                      {err: network(restclient.KindReset), want: restclient.RetryReset},
		"a close":                      {err: network(restclient.KindClosed), want: restclient.RetryReset},
		"refused":                      {err: network(restclient.KindRefused)},
		"a bad certificate":            {err: network(restclient.KindTLS)},
		"no HTTP":                      {err: network(restclient.KindProtocol)},
		"a truncated body":             {err: &restclient.InvalidResponseError{Reason: restclient.ReasonTruncated}, want: restclient.RetryTruncated},
		"a large body":                 {err: &restclient.InvalidResponseError{Reason: restclient.ReasonTooLarge}},
		"broken compression":           {err: &restclient.InvalidResponseError{Reason: restclient.ReasonEncoding}},
		"a timeout":                    {err: &restclient.TimeoutError{Limit: time.Second}, want: restclient.RetryTimeout},
		"a bad argument":               {err: &restclient.ArgumentError{Argument: "page", Problem: "is odd"}},
		"an open breaker":              {err: &restclient.UnavailableError{Cause: restclient.CauseBreaker, RetryAfter: time.Second}},
		"a canceled call":              {err: context.Canceled},
		"another error":                {err: errors.New("else")},
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
		failed     int
		retryAfter time.Duration
		whole      time.Duration // that a whole attempt took, which timed out
		left       time.Duration
		random     float64
		want       time.Duration
		wantOK     bool
	}{
		"the shortest":                         {failed: 1, left: 30 * s, wantOK: true},
		"half of the first":                    {failed: 1, left: 30 * s, random: 0.5, want: 100 * ms, wantOK: true},
		"half of the second":                   {failed: 2, left: 30 * s, random: 0.5, want: 200 * ms, wantOK: true},
		"Retry-After":                          {failed: 1, retryAfter: 2 * s, left: 30 * s, want: 2 * s, wantOK: true},
		"Retry-After and a random part":        {failed: 2, retryAfter: 2 * s, left: 30 * s, random: 0.5, want: 2200 * ms, wantOK: true},
		"Retry-After at the deadline":          {failed: 1, retryAfter: 2 * s, left: 2 * s},
		"Retry-After past the deadline":        {failed: 1, retryAfter: 2 * s, left: 1 * s},
		"Retry-After just before the deadline": {failed: 1, retryAfter: 2 * s, left: 2*s + 10*ms, random: 0.5, want: 2*s + 5*ms, wantOK: true},
		"a Retry-After that is too long":       {failed: 1, retryAfter: 2*s + 1, left: time.Hour},
		"a Retry-After of an hour":             {failed: 1, retryAfter: time.Hour, left: 2 * time.Hour},
		"a timeout, and time for another":      {failed: 1, whole: 10 * s, left: 20 * s, random: 0.5, want: 100 * ms, wantOK: true},
		"a timeout, and just enough time":      {failed: 1, whole: 10 * s, left: 10*s + 10*ms, random: 0.5, want: 5 * ms, wantOK: true},
		"a timeout, and too little time":       {failed: 1, whole: 10 * s, left: 10 * s},
		"a timeout of dialing":                 {failed: 1, whole: -1, left: 5 * s, random: 0.5, want: 100 * ms, wantOK: true},
		"little time":                          {failed: 2, left: 10 * ms, random: 0.5, want: 5 * ms, wantOK: true},
		"no time":                              {failed: 1, random: 0.5},
		"a deadline that has passed":           {failed: 1, left: -s, random: 0.5},
	} {
		var err error = &restclient.StatusError{StatusCode: 503, RetryAfter: tt.retryAfter}
		if tt.whole != 0 {
			err = &restclient.TimeoutError{Limit: max(tt.whole, 0)}
		}
		got, ok := restclient.Pause(err, tt.failed, tt.left, tt.random)
		if got != tt.want || ok != tt.wantOK {
			t.Errorf("%s: got %v, %t, want %v, %t", name, got, ok, tt.want, tt.wantOK)
		}
	}
}

func TestListCvms_retries(t *testing.T) {
	t.Parallel()
	stall := stalls["before the response"]
	page := string(pageOf(1, []byte(`{"name":"a"}`)))
	for name, tt := range map[string]struct {
		upstream  *script
		wantCalls int64
		want      string // the error, "" for none
	}{
		"a page":              {upstream: responding(onePageResponse), wantCalls: 1},
		"503 once":            {upstream: responding(status(503, ""), onePageResponse), wantCalls: 2},
		"503 twice":           {upstream: responding(status(503, ""), status(503, ""), onePageResponse), wantCalls: 3},
		"503 always":          {upstream: responding(status(503, "")), wantCalls: 3, want: "upstream responded with status 503"},
		"each of the reasons": {upstream: responding(cut, stall, onePageResponse), wantCalls: 3},
		"one after the other": {
			upstream:  responding(status(500, ""), status(502, ""), status(504, "")),
			wantCalls: 3,
			want:      "upstream responded with status 504",
		},
		"429 once":                      {upstream: responding(status(429, ""), onePageResponse), wantCalls: 2},
		"429 always":                    {upstream: responding(status(429, "")), wantCalls: 3, want: "upstream responded with status 429"},
		"a closed connection once":      {upstream: responding(abort, onePageResponse), wantCalls: 2},
		"a closed connection always":    {upstream: responding(abort), wantCalls: 3, want: "upstream connection failed: closed"},
		"a truncated body once":         {upstream: responding(cut, onePageResponse), wantCalls: 2},
		"a truncated body always":       {upstream: responding(cut), wantCalls: 3, want: "the upstream's response is not a valid page: it is truncated"},
		"a truncated document":          {upstream: responding(write(page[:len(page)/2]), onePageResponse), wantCalls: 2},
		"an empty body":                 {upstream: responding(write(""), onePageResponse), wantCalls: 2},
		"white space":                   {upstream: responding(write(" \n"), onePageResponse), wantCalls: 2},
		"a timeout once":                {upstream: responding(stall, onePageResponse), wantCalls: 2},
		"a timeout always":              {upstream: responding(stall), wantCalls: 3, want: "upstream did not respond within 3s"},
		"a timeout inside the body":     {upstream: responding(stalls["inside the body"], onePageResponse), wantCalls: 2},
		"a status without retry, first": {upstream: responding(status(404, ""), onePageResponse), wantCalls: 1, want: "upstream responded with status 404"},
		"a status without retry, second": {
			upstream:  responding(status(503, ""), status(401, ""), onePageResponse),
			wantCalls: 2,
			want:      "upstream responded with status 401",
		},
		"a redirect":              {upstream: responding(status(302, "")), wantCalls: 1, want: "upstream responded with status 302"},
		"HTML":                    {upstream: responding(write("<html></html>")), wantCalls: 1, want: "the upstream's response is not a valid page: it is not JSON"},
		"text after the document": {upstream: responding(write(page + "x")), wantCalls: 1, want: "the upstream's response is not a valid page: it is not JSON"},
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

func TestListCvms_waitsForRetryAfter(t *testing.T) {
	t.Parallel()
	upstream := responding(status(503, "1"), status(429, "2"), onePageResponse)
	inMemory(t, upstream.ServeHTTP, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := client.ListCvms(ctx, restclient.Credential{}, onePage); err != nil {
			t.Errorf("got error %v, want a page", err)
		}
		wantAfter(t, start, 3*time.Second, 3600*time.Millisecond)
	})
}

// retryDeadline is a fixed restclient.RetryDeadline.
type retryDeadline time.Time

func (d retryDeadline) Deadline() (time.Time, bool) { return time.Time(d), !time.Time(d).IsZero() }

func TestListCvms_retryAfterLimits(t *testing.T) {
	t.Parallel()
	within := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
	}
	serving := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) {
			return restclient.WithRetryDeadline(ctx, retryDeadline(time.Now().Add(d))), func() {}
		}
	}
	for name, tt := range map[string]struct {
		retryAfter string
		caller     func(context.Context) (context.Context, context.CancelFunc)
		wantCalls  int64
		want       time.Duration // of the wait
	}{
		"the context's deadline is earlier": {retryAfter: "2", caller: within(2 * time.Second), wantCalls: 1},
		"the context's deadline is later":   {retryAfter: "2", caller: within(3 * time.Second), wantCalls: 2, want: 2 * time.Second},
		"the retry deadline is earlier":     {retryAfter: "2", caller: serving(2 * time.Second), wantCalls: 1},
		"the retry deadline is later":       {retryAfter: "2", caller: serving(3 * time.Second), wantCalls: 2, want: 2 * time.Second},
		"a distant deadline":                {retryAfter: "3", caller: within(time.Hour), wantCalls: 1},
		"no deadline": {
			retryAfter: "7",
			caller:     func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
			wantCalls:  1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := responding(status(503, tt.retryAfter), status(404, ""))
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
					t.Errorf("got error %+v, want the upstream's Retry-After", err)
				}
			})
		})
	}
}

func TestListCvms_canceledBeforeRetry(t *testing.T) {
	t.Parallel()
	upstream := responding(status(503, "2"))
	inMemory(t, upstream.ServeHTTP, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		errLeft := errors.New("left")
		start := time.Now()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errLeft) })
		_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
		wantAfter(t, start, time.Second, time.Second+1)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errLeft) {
			t.Errorf("got error %v, want one of cancellation and its cause", err)
		}
		if got := upstream.calls.Load(); got != 1 {
			t.Errorf("got %d calls, want 1", got)
		}
	})
}

func TestListCvms_retryBudget(t *testing.T) {
	t.Parallel()
	const healthy = 60 // first calls succeed, so that the breaker stays closed
	for name, tt := range map[string]struct {
		failing, others int // calls in flight
		least, most     int // retries
	}{
		"one":                  {failing: 1, least: 1, most: 1},
		"the minimum of three": {failing: 3, least: 3, most: 3},
		"three of ten":         {failing: 10, least: 3, most: 3},
		"20 % of 40":           {failing: 40, least: 10, most: 11},
		"20 % of many others":  {failing: 14, others: 60, least: 14, most: 14},
		"20 % of some others":  {failing: 20, others: 20, least: 10, most: 11},
		"only others":          {others: 20},
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
					onePageResponse(w, r)
				case n <= healthy+tt.failing:
					w.WriteHeader(http.StatusServiceUnavailable)
				default:
					<-r.Context().Done() // so that all retries are in flight at the same time
				}
			}
			inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				callAll(t.Context(), client, healthy)()
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				var others sync.WaitGroup
				for range tt.others {
					others.Go(func() {
						_, _ = client.ListCvms(ctx, restclient.Credential{}, restclient.PageRequest{Page: 1, PageSize: 2})
					})
				}
				synctest.Wait()
				ends := callAll(ctx, client, tt.failing)()
				others.Wait()
				retried := ends["upstream did not respond in time"]
				if retried < tt.least || retried > tt.most || ends["upstream responded with status 503"] != tt.failing-retried {
					t.Errorf("got %v, want %d to %d retries, and the upstream's status for the others", ends, tt.least, tt.most)
				}
			})
		})
	}
}

// TestListCvms_someFailures makes a tenth and a third of the attempts of concurrent calls fail.
func TestListCvms_someFailures(t *testing.T) {
	t.Parallel()
	for failures, want := range map[float64]float64{0.1: 0.995, 0.3: 0.9} { // the share of calls that succeed
		t.Run(fmt.Sprint(failures), func(t *testing.T) {
			t.Parallel()
			upstream := func(w http.ResponseWriter, r *http.Request) {
				<-time.After(time.Duration(rand.IntN(40)) * time.Millisecond)
				if rand.Float64() < failures {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				onePageResponse(w, r)
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
