package pages_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// list is an upstream that puts the credential of each request into its items.
type list struct {
	calls atomic.Int64
	// before, if not nil, runs before a response. It can wait or return an error for the call.
	before  func(context.Context, restclient.Credential, restclient.PageRequest) error
	noStore bool
	size    int // bytes of padding per item
}

func (l *list) body(ctx context.Context, credential restclient.Credential, r restclient.PageRequest) (restclient.RawPage, error) {
	call := l.calls.Add(1)
	if l.before != nil {
		if err := l.before(ctx, credential, r); err != nil {
			return restclient.RawPage{}, err
		}
	}
	items := make([]string, r.PageSize)
	for i := range items {
		items[i] = fmt.Sprintf(`{"hosted":{"id":"%d-%d-%d"},"name":%q,"project_id":%q}`,
			r.Filter.NodeID, r.Page, i, fmt.Sprint(call), describe(credential)+strings.Repeat("x", l.size))
	}
	return restclient.RawPage{Body: document(strings.Join(items, ","), 100_000, r.Page, r.PageSize), NoStore: l.noStore}, nil
}

func describe(c restclient.Credential) string {
	h := c.Headers()
	return fmt.Sprintf("%q %q %q", h.Authorization, h.APIKey, h.Workspace)
}

func bearer(token string) restclient.Credential {
	return restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + token})
}

func fetchRequest(c *pages.Cache, credential restclient.Credential, page, size int) pages.FetchRequest {
	return pages.FetchRequest{PageRequest: restclient.PageRequest{Page: page, PageSize: size}, CredentialKey: c.CredentialKey(credential), Credential: credential}
}

func (l *list) cache(options pages.CacheOptions) *pages.Cache {
	if options.MaxBytes == 0 {
		options.MaxBytes = 16 << 20
	}
	return pages.NewCache(pages.NewUpstreamFunc(restclient.ShapeHosted, l.body), options)
}

func mustFetch(t *testing.T, c *pages.Cache, r pages.FetchRequest) pages.FetchResult {
	t.Helper()
	got, err := c.Fetch(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// clock is a clock that the test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestCache_servesPagesWithinTTL(t *testing.T) {
	t.Parallel()
	clock := newClock()
	l := &list{}
	c := l.cache(pages.CacheOptions{TTL: 2 * time.Second, Now: clock.Now})
	r := fetchRequest(c, bearer("a"), 1, 10)
	if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok {
		t.Error("before the first fetch: got a cached page")
	}
	mustFetch(t, c, r)
	clock.advance(1999 * time.Millisecond)
	if got, ok := c.Cached(r.CredentialKey, r.PageRequest); !ok || got.Age != 1999*time.Millisecond || !got.Cached || got.Len() != 10 {
		t.Errorf("within the TTL: got %+v, %t", got, ok)
	}
	if got := c.CachedPages(nil, r.CredentialKey, restclient.Filter{}, time.Time{}); len(got) != 1 || got[0] != (relay.CachedPage{Ref: relay.PageRef{Number: 1, Size: 10}, Len: 10, Total: 100_000}) {
		t.Errorf("within the TTL: got the cached pages %v", got)
	}
	if got := c.CachedPages(nil, r.CredentialKey, restclient.Filter{NodeID: 1}, time.Time{}); len(got) != 0 {
		t.Errorf("another list: got the cached pages %v", got)
	}
	clock.advance(time.Millisecond)
	if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok {
		t.Error("after the TTL: got a cached page")
	}
	if got := c.CachedPages(nil, r.CredentialKey, restclient.Filter{}, time.Time{}); len(got) != 0 {
		t.Errorf("after the TTL: got the cached pages %v", got)
	}
}

func TestCache_zeroTTL(t *testing.T) {
	t.Parallel()
	l := &list{}
	c := l.cache(pages.CacheOptions{})
	r := fetchRequest(c, bearer("a"), 1, 10)
	mustFetch(t, c, r)
	if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok || len(c.CachedPages(nil, r.CredentialKey, restclient.Filter{}, time.Time{})) > 0 {
		t.Error("got a cached page")
	}
}

func TestCache_noStore(t *testing.T) {
	t.Parallel()
	l := &list{noStore: true}
	c := l.cache(pages.CacheOptions{TTL: time.Minute})
	r := fetchRequest(c, bearer("a"), 1, 10)
	mustFetch(t, c, r)
	if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok {
		t.Error("got a cached page, want none because of no-store")
	}
}

func TestCredentialKey_similarCredentials(t *testing.T) {
	t.Parallel()
	c := (&list{}).cache(pages.CacheOptions{TTL: time.Minute})
	seen := make(map[pages.CredentialKey]restclient.Credential)
	for _, credential := range similarCredentials() {
		key := c.CredentialKey(credential)
		if other, ok := seen[key]; ok {
			t.Errorf("got the same key for %s and %s", describe(credential), describe(other))
		}
		if c.CredentialKey(credential) != key {
			t.Errorf("got two keys for %s", describe(credential))
		}
		seen[key] = credential
	}
	if again := (&list{}).cache(pages.CacheOptions{}).CredentialKey(bearer("a")); again == c.CredentialKey(bearer("a")) {
		t.Error("got the same key from two caches with different hash keys")
	}
}

// similarCredentials returns 64 different credentials that are easily confused.
func similarCredentials() []restclient.Credential {
	tokens := []string{"a", "A", "a ", " a", "aa", "a\x00", "abc", "abcd", "abcde", "phak_1", "phak_11", "phak_1 1", "1", "11", "111", "x"}
	var all []restclient.Credential
	for _, token := range tokens {
		all = append(all,
			restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + token}),
			restclient.NewCredential(restclient.Headers{APIKey: token}),
			restclient.NewCredential(restclient.Headers{APIKey: "Bearer " + token}),
			restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + token, Workspace: token}),
		)
	}
	return all
}

func TestCache_coalescesCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &list{before: wait(time.Second)}
		c := l.cache(pages.CacheOptions{})
		var group sync.WaitGroup
		var coalesced atomic.Int64
		for range 200 {
			group.Go(func() {
				got, err := c.Fetch(t.Context(), fetchRequest(c, bearer("a"), 1, 10))
				if err != nil || got.Len() != 10 {
					t.Errorf("got %v", err)
				}
				if got.Coalesced {
					coalesced.Add(1)
				}
			})
		}
		group.Go(func() {
			got, err := c.Fetch(t.Context(), fetchRequest(c, bearer("b"), 1, 10))
			if err != nil || got.Coalesced {
				t.Errorf("another credential: got %t, %v, want a separate call", got.Coalesced, err)
			}
		})
		group.Wait()
		if calls := l.calls.Load(); calls != 2 || coalesced.Load() != 199 {
			t.Errorf("got %d calls and %d coalesced callers, want 2 and 199", calls, coalesced.Load())
		}
	})
}

// wait delays a call unless its context ends.
func wait(d time.Duration) func(context.Context, restclient.Credential, restclient.PageRequest) error {
	return func(ctx context.Context, _ restclient.Credential, _ restclient.PageRequest) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
}

func TestCache_firstCallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &list{before: wait(time.Second)}
		c := l.cache(pages.CacheOptions{})
		first, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := c.Fetch(first, fetchRequest(c, bearer("a"), 1, 10)); !errors.Is(err, context.Canceled) {
				t.Errorf("the caller that left: got %v", err)
			}
		})
		synctest.Wait()
		for range 5 {
			group.Go(func() {
				if _, err := c.Fetch(t.Context(), fetchRequest(c, bearer("a"), 1, 10)); err != nil {
					t.Errorf("a caller that stayed: got %v", err)
				}
			})
		}
		short, done := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer done()
		group.Go(func() {
			started := time.Now()
			_, err := c.Fetch(short, fetchRequest(c, bearer("a"), 1, 10))
			if took := time.Since(started); !errors.Is(err, context.DeadlineExceeded) || took != 100*time.Millisecond {
				t.Errorf("a caller with a short deadline: got %v after %v", err, took)
			}
		})
		synctest.Wait()
		leave()
		group.Wait()
		if calls := l.calls.Load(); calls != 1 {
			t.Errorf("got %d calls, want 1", calls)
		}
	})
}

func TestCache_lastCallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		l := &list{before: func(ctx context.Context, _ restclient.Credential, _ restclient.PageRequest) error {
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		}}
		c := l.cache(pages.CacheOptions{})
		ctx, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() { _, _ = c.Fetch(ctx, fetchRequest(c, bearer("a"), 1, 10)) })
		}
		synctest.Wait()
		leave()
		group.Wait()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the call: got %v, want it canceled", err)
		}
		// The next caller must not be coalesced with the canceled call.
		l.before = nil
		if _, err := c.Fetch(t.Context(), fetchRequest(c, bearer("a"), 1, 10)); err != nil {
			t.Errorf("the next caller: got %v", err)
		}
	})
}

func TestCache_sharesErrorsWithoutCaching(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failure := &restclient.StatusError{StatusCode: http.StatusBadGateway}
		l := &list{before: func(ctx context.Context, credential restclient.Credential, r restclient.PageRequest) error {
			_ = wait(time.Second)(ctx, credential, r)
			return failure
		}}
		c := l.cache(pages.CacheOptions{}) // with a TTL, otter would start a goroutine that does not end
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				if _, err := c.Fetch(t.Context(), fetchRequest(c, bearer("a"), 1, 10)); !errors.Is(err, failure) {
					t.Errorf("got %v, want the upstream's error", err)
				}
			})
		}
		group.Wait()
		l.before = nil
		if _, err := c.Fetch(t.Context(), fetchRequest(c, bearer("a"), 1, 10)); err != nil || l.calls.Load() != 2 {
			t.Errorf("the next caller: got %v after %d calls, want a page after 2", err, l.calls.Load())
		}
	})
}

func TestCache_fetchPanics(t *testing.T) {
	t.Parallel()
	l := &list{before: func(context.Context, restclient.Credential, restclient.PageRequest) error { panic("in a test") }}
	c := l.cache(pages.CacheOptions{})
	if _, err := c.Fetch(t.Context(), fetchRequest(c, bearer("a"), 1, 10)); err == nil || err.Error() != "panic: a value of type string" {
		t.Errorf("got %v, want the error of a panic", err)
	}
}

func TestCache_sinceAfterCallInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &list{before: wait(time.Second)}
		c := l.cache(pages.CacheOptions{})
		var group sync.WaitGroup
		group.Go(func() { _, _ = c.Fetch(t.Context(), fetchRequest(c, bearer("a"), 1, 10)) })
		synctest.Wait()
		time.Sleep(time.Millisecond) //nolint:forbidigo // the bubble's time
		fresh := fetchRequest(c, bearer("a"), 1, 10)
		fresh.Since = time.Now()
		for range 3 { // these are coalesced into one call
			group.Go(func() { _, _ = c.Fetch(t.Context(), fresh) })
		}
		group.Wait()
		if calls := l.calls.Load(); calls != 2 {
			t.Errorf("got %d calls, want 2", calls)
		}
	})
}

// The upstream asks for a pause of two seconds. Some callers have a deadline before that, some
// after.
func TestCache_retriesUntilLatestDeadline(t *testing.T) {
	t.Parallel()
	const short, long = 1800 * time.Millisecond, time.Minute
	for name, tt := range map[string]struct {
		timeouts []time.Duration // of the callers; zero for none
		calls    int64
	}{
		"short":            {timeouts: []time.Duration{short}, calls: 1},
		"all short":        {timeouts: []time.Duration{short, short}, calls: 1},
		"long":             {timeouts: []time.Duration{long}, calls: 2},
		"short, then long": {timeouts: []time.Duration{short, long}, calls: 2},
		"long, then short": {timeouts: []time.Duration{long, short}, calls: 2},
		"short, then none": {timeouts: []time.Duration{short, 0}, calls: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			joined := make(chan struct{}, len(tt.timeouts))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) > 1 {
					_, _ = w.Write(document(`{"name":"a"}`, 1, 1, 1))
					return
				}
				for range tt.timeouts {
					<-joined
				}
				<-time.After(200 * time.Millisecond) // all callers wait for the call
				w.Header().Set("Retry-After", "2")
				w.WriteHeader(http.StatusServiceUnavailable)
			}))
			t.Cleanup(server.Close)
			client, err := restclient.New(restclient.Options{BaseURL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			c := pages.NewCache(pages.NewUpstream(client), pages.CacheOptions{Observer: pages.CacheObserver{Miss: func() { joined <- struct{}{} }}})
			var group sync.WaitGroup
			for _, timeout := range tt.timeouts {
				group.Go(func() {
					ctx := t.Context()
					if timeout > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, timeout)
						defer cancel()
					}
					got, err := c.Fetch(ctx, fetchRequest(c, bearer("a"), 1, 1))
					status, rejected := errors.AsType[*restclient.StatusError](err)
					switch {
					case tt.calls == 1 && (!rejected || status.RetryAfter != 2*time.Second || got.Attempts != 1):
						t.Errorf("got %v after %d attempts, want the upstream's error after one", err, got.Attempts)
					case tt.calls > 1 && timeout == short && !errors.Is(err, context.DeadlineExceeded):
						t.Errorf("got %v for a short timeout, want a timeout error", err)
					case tt.calls > 1 && timeout != short && (err != nil || got.Attempts != 2):
						t.Errorf("got %v after %d attempts, want a page after two", err, got.Attempts)
					}
				})
				for calls.Load() == 0 { // the first caller starts the call
					runtime.Gosched()
				}
			}
			group.Wait()
			if got := calls.Load(); got != tt.calls {
				t.Errorf("got %d calls, want %d", got, tt.calls)
			}
		})
	}
}

func TestCache_credentialRejected(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		l := &list{}
		var purged atomic.Int64
		c := l.cache(pages.CacheOptions{TTL: time.Hour, StaleIfError: time.Hour, Observer: pages.CacheObserver{Purged: func() { purged.Add(1) }}})
		for page := range 100 { // more than CachedPages returns
			mustFetch(t, c, fetchRequest(c, bearer("a"), page+1, 10))
		}
		mustFetch(t, c, fetchRequest(c, bearer("b"), 1, 10))
		l.before = func(context.Context, restclient.Credential, restclient.PageRequest) error {
			return &restclient.StatusError{StatusCode: status}
		}
		if got, err := c.Fetch(t.Context(), fetchRequest(c, bearer("a"), 1, 20)); err == nil {
			t.Errorf("%d: got %+v, want the rejection", status, got)
		}
		for page := range 100 {
			if r := fetchRequest(c, bearer("a"), page+1, 10); len(c.CachedPages(nil, r.CredentialKey, r.Filter, time.Time{})) > 0 {
				t.Fatalf("%d: got cached pages, want none", status)
			} else if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok {
				t.Fatalf("%d: page %d is still cached", status, page+1)
			}
		}
		if r := fetchRequest(c, bearer("b"), 1, 10); len(c.CachedPages(nil, r.CredentialKey, r.Filter, time.Time{})) != 1 || purged.Load() != 1 {
			t.Errorf("%d: the page of another credential is gone, or Purged was called %d times, want 1", status, purged.Load())
		}
	}
}

func TestCache_staleIfError(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err     error
		age     time.Duration          // of the cached page; zero for a minute
		request restclient.PageRequest // zero for the cached page
		stale   bool                   // whether the page is served
	}{
		"server error":                      {err: &restclient.StatusError{StatusCode: 502}, stale: true},
		"the items of a larger cached page": {err: &restclient.StatusError{StatusCode: 502}, request: restclient.PageRequest{Page: 2, PageSize: 20}, stale: true},
		"another page":                      {err: &restclient.StatusError{StatusCode: 502}, request: restclient.PageRequest{Page: 2, PageSize: 100}},
		"rate limit":                        {err: &restclient.StatusError{StatusCode: 429}, stale: true},
		"timeout":                           {err: &restclient.TimeoutError{}, stale: true},
		"network error":                     {err: &restclient.NetworkError{Kind: restclient.KindRefused}, stale: true},
		"open breaker":                      {err: &restclient.UnavailableError{Cause: restclient.CauseBreaker, RetryAfter: time.Second}, stale: true},
		"invalid page":                      {err: &restclient.InvalidResponseError{Reason: restclient.ReasonNotJSON}, stale: true},
		"the page is too old":               {err: &restclient.StatusError{StatusCode: 502}, age: time.Hour},
		"unauthorized":                      {err: &restclient.StatusError{StatusCode: 401}},
		"forbidden":                         {err: &restclient.StatusError{StatusCode: 403}},
		"refused by a CDN":                  {err: &restclient.StatusError{StatusCode: 403, Intermediary: true}, stale: true},
		"unauthorized by a proxy":           {err: &restclient.StatusError{StatusCode: 401, Intermediary: true}},
		"invalid request":                   {err: &restclient.StatusError{StatusCode: 422}},
		"unknown error":                     {err: errors.New("what")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			l := &list{}
			c := l.cache(pages.CacheOptions{TTL: time.Second, StaleIfError: 10 * time.Minute, Now: clock.Now})
			mustFetch(t, c, fetchRequest(c, bearer("a"), 1, 100))
			clock.advance(cmp.Or(tt.age, time.Minute))
			l.before = func(context.Context, restclient.Credential, restclient.PageRequest) error { return tt.err }
			cached := restclient.PageRequest{Page: 1, PageSize: 100}
			request := cmp.Or(tt.request, cached)
			got, err := c.Fetch(t.Context(), fetchRequest(c, bearer("a"), request.Page, request.PageSize))
			if !tt.stale {
				if !errors.Is(err, tt.err) {
					t.Errorf("got %+v, %v, want the error", got, err)
				}
				return
			}
			if err != nil || !got.Stale || !got.Cached || got.Age != time.Minute || got.Request != cached || got.Len() != 100 {
				t.Errorf("got %+v, %v, want page 1 of 100, a minute old", got, err)
			}
			if _, err := c.Fetch(t.Context(), fetchRequest(c, bearer("b"), 1, 100)); !errors.Is(err, tt.err) {
				t.Errorf("another credential: got %v, want the error", err)
			}
		})
	}
}

func TestCache_maxBytes(t *testing.T) { //nolint:paralleltest // allocations of other tests would count
	const maxBytes = 4 << 20
	l := &list{size: 1000}
	var evicted atomic.Int64
	c := l.cache(pages.CacheOptions{TTL: time.Hour, MaxBytes: maxBytes, Observer: pages.CacheObserver{Evicted: func() { evicted.Add(1) }}})
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for page := range 2000 { // about 60 MB
		mustFetch(t, c, fetchRequest(c, bearer("a"), page+1, 20))
		if _, bytes := c.Size(); bytes > maxBytes*11/10 {
			t.Fatalf("after %d pages: got %d bytes, want at most %d", page, bytes, maxBytes)
		}
	}
	// The second collection frees what pools kept through the first one.
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	count, bytes := c.Size()
	t.Logf("%d pages are cached, in total %d bytes, the heap grew by %d, %d pages were evicted", count, bytes, grown, evicted.Load())
	if grown > maxBytes*11/10 {
		t.Errorf("got %d more bytes on the heap, want at most %d", grown, maxBytes*11/10)
	}
	if evicted.Load() == 0 || count == 0 {
		t.Errorf("got %d pages and %d evictions, want some of both", count, evicted.Load())
	}
	if cached := c.CachedPages(nil, c.CredentialKey(bearer("a")), restclient.Filter{}, time.Time{}); len(cached) > count {
		t.Errorf("got %d cached pages in the index, want at most %d", len(cached), count)
	}
	runtime.KeepAlive(c)
}

// Similar credentials make random requests, while the upstream rejects some of them.
func TestCache_isolatesCredentials(t *testing.T) {
	t.Parallel()
	requests := 20_000
	if testmode.Full() {
		requests = 100_000
	}
	l := &list{}
	l.before = func(_ context.Context, _ restclient.Credential, r restclient.PageRequest) error {
		if rand.IntN(200) == 0 {
			return &restclient.StatusError{StatusCode: []int{401, 403, 500, 502}[rand.IntN(4)]}
		}
		if r.Page%3 == 0 {
			runtime.Gosched()
		}
		return nil
	}
	c := l.cache(pages.CacheOptions{TTL: 100 * time.Millisecond, StaleIfError: 300 * time.Millisecond, MaxBytes: 2 << 20})
	credentials := similarCredentials()
	var group sync.WaitGroup
	var served, cached atomic.Int64
	for range 8 {
		group.Go(func() {
			for range requests / 8 {
				credential := credentials[rand.IntN(len(credentials))]
				r := fetchRequest(c, credential, rand.IntN(4)+1, rand.IntN(3)+1)
				if rand.IntN(10) == 0 {
					r.Since = time.Now()
				}
				got, ok := c.Cached(r.CredentialKey, r.PageRequest)
				if !ok {
					var err error
					if got, err = c.Fetch(t.Context(), r); err != nil {
						continue
					}
				}
				served.Add(1)
				if got.Cached {
					cached.Add(1)
				}
				for i := range got.Len() {
					item, err := restclient.ShapeHosted.DecodeItem(got.Raw(i))
					if err != nil || *item.Cvm.ProjectID != describe(credential) {
						t.Errorf("%s: got an item of %v", describe(credential), *item.Cvm.ProjectID)
						return
					}
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d requests, %d pages, %d of them from the cache, %d calls", requests, served.Load(), cached.Load(), l.calls.Load())
	if cached.Load() < int64(requests)/20 || served.Load() < int64(requests)*9/10 {
		t.Errorf("got %d pages, %d of them from the cache, want more: the test has no effect", served.Load(), cached.Load())
	}
}
