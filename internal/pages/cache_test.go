package pages_test

import (
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

// list is an upstream that names each item after the credential that asks for it.
type list struct {
	calls atomic.Int64
	// answer, where it is not nil, comes before a page is made: it may wait, or fail the call.
	answer  func(context.Context, restclient.Credential, restclient.PageRequest) error
	noStore bool
	size    int // bytes of an item's filling
}

func (l *list) body(ctx context.Context, credential restclient.Credential, r restclient.PageRequest) (restclient.Document, error) {
	call := l.calls.Add(1)
	if l.answer != nil {
		if err := l.answer(ctx, credential, r); err != nil {
			return restclient.Document{}, err
		}
	}
	items := make([]string, r.PageSize)
	for i := range items {
		items[i] = fmt.Sprintf(`{"hosted":{"id":"%d-%d-%d"},"name":%q,"project_id":%q}`,
			r.Filter.NodeID, r.Page, i, fmt.Sprint(call), ownerOf(credential)+strings.Repeat("x", l.size))
	}
	return restclient.Document{Body: document(strings.Join(items, ","), 100_000, r.Page, r.PageSize), NoStore: l.noStore}, nil
}

func ownerOf(c restclient.Credential) string {
	h := c.Headers()
	return fmt.Sprintf("%q %q %q", h.Authorization, h.APIKey, h.Workspace)
}

func bearer(token string) restclient.Credential {
	return restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + token})
}

func ask(c *pages.Cache, credential restclient.Credential, page, size int) pages.FetchRequest {
	return pages.FetchRequest{PageRequest: restclient.PageRequest{Page: page, PageSize: size}, CredentialKey: c.CredentialKey(credential), Credential: credential}
}

func (l *list) cache(options pages.CacheOptions) *pages.Cache {
	if options.MaxBytes == 0 {
		options.MaxBytes = 16 << 20
	}
	return pages.NewCache(pages.NewUpstreamFunc(l.body), options)
}

func mustFetch(t *testing.T, c *pages.Cache, r pages.FetchRequest) pages.FetchResult {
	t.Helper()
	got, err := c.Fetch(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// clock is a time that the test moves.
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

func TestAPageIsServedForItsTime(t *testing.T) {
	t.Parallel()
	time0 := newClock()
	l := &list{}
	c := l.cache(pages.CacheOptions{TTL: 2 * time.Second, Now: time0.Now})
	r := ask(c, bearer("a"), 1, 10)
	if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok {
		t.Error("a page is at hand that nobody fetched")
	}
	mustFetch(t, c, r)
	time0.advance(1999 * time.Millisecond)
	if got, ok := c.Cached(r.CredentialKey, r.PageRequest); !ok || got.Age != 1999*time.Millisecond || !got.Cached || got.Len() != 10 {
		t.Errorf("before its time is over: got %+v, %t", got, ok)
	}
	if got := c.CachedPages(nil, r.CredentialKey, restclient.Filter{}, time.Time{}); len(got) != 1 || got[0] != (relay.CachedPage{Ref: relay.PageRef{Number: 1, Size: 10}, Len: 10, Total: 100_000}) {
		t.Errorf("got extents %v", got)
	}
	if got := c.CachedPages(nil, r.CredentialKey, restclient.Filter{NodeID: 1}, time.Time{}); len(got) != 0 {
		t.Errorf("of another list: got extents %v", got)
	}
	time0.advance(time.Millisecond)
	if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok {
		t.Error("a page is at hand that is too old")
	}
	if got := c.CachedPages(nil, r.CredentialKey, restclient.Filter{}, time.Time{}); len(got) != 0 {
		t.Errorf("of pages that are too old: got extents %v", got)
	}
}

func TestWithoutATimeNothingIsKept(t *testing.T) {
	t.Parallel()
	l := &list{}
	c := l.cache(pages.CacheOptions{})
	r := ask(c, bearer("a"), 1, 10)
	mustFetch(t, c, r)
	if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok || len(c.CachedPages(nil, r.CredentialKey, restclient.Filter{}, time.Time{})) > 0 {
		t.Error("a page is at hand")
	}
}

func TestNoStoreIsHonoured(t *testing.T) {
	t.Parallel()
	l := &list{noStore: true}
	c := l.cache(pages.CacheOptions{TTL: time.Minute})
	r := ask(c, bearer("a"), 1, 10)
	mustFetch(t, c, r)
	if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok {
		t.Error("a page is kept that must not be")
	}
}

func TestOwnersAreApart(t *testing.T) {
	t.Parallel()
	c := (&list{}).cache(pages.CacheOptions{TTL: time.Minute})
	seen := make(map[pages.CredentialKey]restclient.Credential)
	for _, credential := range lookalikes() {
		owner := c.CredentialKey(credential)
		if other, ok := seen[owner]; ok {
			t.Errorf("%s and %s have one owner", ownerOf(credential), ownerOf(other))
		}
		if c.CredentialKey(credential) != owner {
			t.Errorf("%s has two owners", ownerOf(credential))
		}
		seen[owner] = credential
	}
	if again := (&list{}).cache(pages.CacheOptions{}).CredentialKey(bearer("a")); again == c.CredentialKey(bearer("a")) {
		t.Error("two caches with keys of their own agree about an owner")
	}
}

// lookalikes returns 64 credentials that are easily taken for each other.
func lookalikes() []restclient.Credential {
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

func TestCallersShareACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &list{answer: wait(time.Second)}
		c := l.cache(pages.CacheOptions{})
		var group sync.WaitGroup
		var coalesced atomic.Int64
		for range 200 {
			group.Go(func() {
				got, err := c.Fetch(t.Context(), ask(c, bearer("a"), 1, 10))
				if err != nil || got.Len() != 10 {
					t.Errorf("got %v", err)
				}
				if got.Coalesced {
					coalesced.Add(1)
				}
			})
		}
		group.Go(func() {
			got, err := c.Fetch(t.Context(), ask(c, bearer("b"), 1, 10))
			if err != nil || got.Coalesced {
				t.Errorf("another credential: got %t, %v, want a call of its own", got.Coalesced, err)
			}
		})
		group.Wait()
		if calls := l.calls.Load(); calls != 2 || coalesced.Load() != 199 {
			t.Errorf("got %d calls and %d callers that shared one, want 2 and 199", calls, coalesced.Load())
		}
	})
}

// wait lets a call take so long, unless it is ended.
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

func TestACallOutlivesItsFirstCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &list{answer: wait(time.Second)}
		c := l.cache(pages.CacheOptions{})
		first, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := c.Fetch(first, ask(c, bearer("a"), 1, 10)); !errors.Is(err, context.Canceled) {
				t.Errorf("the caller who left: got %v", err)
			}
		})
		synctest.Wait()
		for range 5 {
			group.Go(func() {
				if _, err := c.Fetch(t.Context(), ask(c, bearer("a"), 1, 10)); err != nil {
					t.Errorf("a caller who stayed: got %v", err)
				}
			})
		}
		hurried, done := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer done()
		group.Go(func() {
			begun := time.Now()
			_, err := c.Fetch(hurried, ask(c, bearer("a"), 1, 10))
			if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took != 100*time.Millisecond {
				t.Errorf("a caller in a hurry: got %v after %v", err, took)
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

func TestACallEndsWithItsLastCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		l := &list{answer: func(ctx context.Context, _ restclient.Credential, _ restclient.PageRequest) error {
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		}}
		c := l.cache(pages.CacheOptions{})
		ctx, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() { _, _ = c.Fetch(ctx, ask(c, bearer("a"), 1, 10)) })
		}
		synctest.Wait()
		leave()
		group.Wait()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the call ended with %v", err)
		}
		// The next caller is not given the call that was ended.
		l.answer = nil
		if _, err := c.Fetch(t.Context(), ask(c, bearer("a"), 1, 10)); err != nil {
			t.Errorf("the next caller: got %v", err)
		}
	})
}

func TestFailuresAreSharedAndNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failure := &restclient.StatusError{StatusCode: http.StatusBadGateway}
		l := &list{answer: func(ctx context.Context, credential restclient.Credential, r restclient.PageRequest) error {
			_ = wait(time.Second)(ctx, credential, r)
			return failure
		}}
		c := l.cache(pages.CacheOptions{}) // one that keeps pages has a goroutine that does not end
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				if _, err := c.Fetch(t.Context(), ask(c, bearer("a"), 1, 10)); !errors.Is(err, failure) {
					t.Errorf("got %v, want the failure", err)
				}
			})
		}
		group.Wait()
		l.answer = nil
		if _, err := c.Fetch(t.Context(), ask(c, bearer("a"), 1, 10)); err != nil || l.calls.Load() != 2 {
			t.Errorf("afterwards: got %v after %d calls, want a page after 2", err, l.calls.Load())
		}
	})
}

func TestAPanicReachesTheCallersOnly(t *testing.T) {
	t.Parallel()
	l := &list{answer: func(context.Context, restclient.Credential, restclient.PageRequest) error { panic("of a test") }}
	c := l.cache(pages.CacheOptions{})
	if _, err := c.Fetch(t.Context(), ask(c, bearer("a"), 1, 10)); err == nil || err.Error() != "panic: a value of type string" {
		t.Errorf("got %v, want that something panicked", err)
	}
}

func TestACallThatBeganEarlierIsNotJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &list{answer: wait(time.Second)}
		c := l.cache(pages.CacheOptions{})
		var group sync.WaitGroup
		group.Go(func() { _, _ = c.Fetch(t.Context(), ask(c, bearer("a"), 1, 10)) })
		synctest.Wait()
		time.Sleep(time.Millisecond) //nolint:forbidigo // the bubble's time
		fresh := ask(c, bearer("a"), 1, 10)
		fresh.Since = time.Now()
		for range 3 { // these share one
			group.Go(func() { _, _ = c.Fetch(t.Context(), fresh) })
		}
		group.Wait()
		if calls := l.calls.Load(); calls != 2 {
			t.Errorf("got %d calls, want 2", calls)
		}
	})
}

// TestACallIsRetriedForThoseWhoWait has an upstream that wishes a pause of two seconds, and callers who wait for less and for longer.
func TestACallIsRetriedForThoseWhoWait(t *testing.T) {
	t.Parallel()
	const short, long = 1800 * time.Millisecond, time.Minute
	for name, tt := range map[string]struct {
		waits []time.Duration
		calls int64
	}{
		"for less":                   {[]time.Duration{short}, 1},
		"for less, all of them":      {[]time.Duration{short, short}, 1},
		"for longer":                 {[]time.Duration{long}, 2},
		"for less, then for longer":  {[]time.Duration{short, long}, 2},
		"for longer, then for less":  {[]time.Duration{long, short}, 2},
		"for less, then for no time": {[]time.Duration{short, 0}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			joined := make(chan struct{}, len(tt.waits))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) > 1 {
					_, _ = w.Write(document(`{"name":"a"}`, 1, 1, 1))
					return
				}
				for range tt.waits {
					<-joined
				}
				<-time.After(200 * time.Millisecond) // those who said that they come have come
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
			for _, wait := range tt.waits {
				group.Go(func() {
					ctx := t.Context()
					if wait > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, wait)
						defer cancel()
					}
					got, err := c.Fetch(ctx, ask(c, bearer("a"), 1, 1))
					status, refused := errors.AsType[*restclient.StatusError](err)
					switch {
					case tt.calls == 1 && (!refused || status.RetryAfter != 2*time.Second || got.Attempts != 1):
						t.Errorf("got %v after %d attempts, want the upstream's answer, at once", err, got.Attempts)
					case tt.calls > 1 && wait == short && !errors.Is(err, context.DeadlineExceeded):
						t.Errorf("got %v, want an error of time for who waits for less than others", err)
					case tt.calls > 1 && wait != short && (err != nil || got.Attempts != 2):
						t.Errorf("got %v after %d attempts, want a page after two", err, got.Attempts)
					}
				})
				for calls.Load() == 0 { // the first one begins the call
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

func TestARefusalPurgesTheCredentialsPages(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		l := &list{}
		var purged atomic.Int64
		c := l.cache(pages.CacheOptions{TTL: time.Hour, StaleIfError: time.Hour, Observer: pages.CacheObserver{Purged: func() { purged.Add(1) }}})
		for page := range 100 { // more than are looked at for a window
			mustFetch(t, c, ask(c, bearer("a"), page+1, 10))
		}
		mustFetch(t, c, ask(c, bearer("b"), 1, 10))
		l.answer = func(context.Context, restclient.Credential, restclient.PageRequest) error {
			return &restclient.StatusError{StatusCode: status}
		}
		if got, err := c.Fetch(t.Context(), ask(c, bearer("a"), 1, 20)); err == nil {
			t.Errorf("%d: got %+v, want the refusal", status, got)
		}
		for page := range 100 {
			if r := ask(c, bearer("a"), page+1, 10); len(c.CachedPages(nil, r.CredentialKey, r.Filter, time.Time{})) > 0 {
				t.Fatalf("%d: pages are left", status)
			} else if _, ok := c.Cached(r.CredentialKey, r.PageRequest); ok {
				t.Fatalf("%d: page %d is left", status, page+1)
			}
		}
		if r := ask(c, bearer("b"), 1, 10); len(c.CachedPages(nil, r.CredentialKey, r.Filter, time.Time{})) != 1 || purged.Load() != 1 {
			t.Errorf("%d: another credential's page is gone, or %d were told of, want 1", status, purged.Load())
		}
	}
}

func TestStaleIfError(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err   error
		after time.Duration
		page  restclient.PageRequest
		want  bool
	}{
		"the upstream fails":                {&restclient.StatusError{StatusCode: 502}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, true},
		"a window of a larger page":         {&restclient.StatusError{StatusCode: 502}, time.Minute, restclient.PageRequest{Page: 2, PageSize: 20}, true},
		"a window that is not there":        {&restclient.StatusError{StatusCode: 502}, time.Minute, restclient.PageRequest{Page: 2, PageSize: 100}, false},
		"it limits the rate":                {&restclient.StatusError{StatusCode: 429}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, true},
		"it is too slow":                    {&restclient.TimeoutError{}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, true},
		"it cannot be reached":              {&restclient.NetworkError{Kind: restclient.KindRefused}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, true},
		"it is not called":                  {&restclient.UnavailableError{Cause: restclient.CauseBreaker, RetryAfter: time.Second}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, true},
		"it sends what is no page":          {&restclient.InvalidResponseError{Reason: restclient.ReasonNotJSON}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, true},
		"the page is too old":               {&restclient.StatusError{StatusCode: 502}, time.Hour, restclient.PageRequest{Page: 1, PageSize: 100}, false},
		"the credential is refused":         {&restclient.StatusError{StatusCode: 401}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, false},
		"the credential may not":            {&restclient.StatusError{StatusCode: 403}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, false},
		"the request is wrong":              {&restclient.StatusError{StatusCode: 422}, time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, false},
		"an error that nobody has heard of": {errors.New("what"), time.Minute, restclient.PageRequest{Page: 1, PageSize: 100}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			time0 := newClock()
			l := &list{}
			c := l.cache(pages.CacheOptions{TTL: time.Second, StaleIfError: 10 * time.Minute, Now: time0.Now})
			mustFetch(t, c, ask(c, bearer("a"), 1, 100))
			time0.advance(tt.after)
			l.answer = func(context.Context, restclient.Credential, restclient.PageRequest) error { return tt.err }
			got, err := c.Fetch(t.Context(), ask(c, bearer("a"), tt.page.Page, tt.page.PageSize))
			if !tt.want {
				if !errors.Is(err, tt.err) {
					t.Errorf("got %+v, %v, want the error", got, err)
				}
				return
			}
			want := restclient.PageRequest{Page: 1, PageSize: 100}
			if err != nil || !got.Stale || !got.Cached || got.Age != time.Minute || got.Request != want || got.Len() != 100 {
				t.Errorf("got %+v, %v, want page 1 of 100, a minute old", got, err)
			}
			if _, err := c.Fetch(t.Context(), ask(c, bearer("b"), 1, 100)); !errors.Is(err, tt.err) {
				t.Errorf("another credential: got %v, want the error", err)
			}
		})
	}
}

func TestPagesKeepWithinTheirBytes(t *testing.T) { //nolint:paralleltest // what others allocate would count
	const most = 4 << 20
	l := &list{size: 1000}
	var evicted atomic.Int64
	c := l.cache(pages.CacheOptions{TTL: time.Hour, MaxBytes: most, Observer: pages.CacheObserver{Evicted: func() { evicted.Add(1) }}})
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for page := range 2000 { // some 60 MB
		mustFetch(t, c, ask(c, bearer("a"), page+1, 20))
		if _, bytes := c.Size(); bytes > most*11/10 {
			t.Fatalf("after %d pages: got %d bytes, want at most %d", page, bytes, most)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	count, bytes := c.Size()
	t.Logf("%d pages of %d bytes in all are kept, the heap grew by %d, %d were evicted", count, bytes, held, evicted.Load())
	if held > most*11/10 {
		t.Errorf("got %d bytes more on the heap, want at most %d", held, most*11/10)
	}
	if evicted.Load() == 0 || count == 0 {
		t.Errorf("got %d pages and %d evictions, want some of both", count, evicted.Load())
	}
	if extents := c.CachedPages(nil, c.CredentialKey(bearer("a")), restclient.Filter{}, time.Time{}); len(extents) > count {
		t.Errorf("got %d extents of %d pages", len(extents), count)
	}
	runtime.KeepAlive(c)
}

// TestNoPageReachesAnotherCredential lets credentials that look alike ask at random, of lists that change, while some are refused.
func TestNoPageReachesAnotherCredential(t *testing.T) {
	t.Parallel()
	requests := 20_000
	if testmode.Full() {
		requests = 100_000
	}
	l := &list{}
	l.answer = func(_ context.Context, _ restclient.Credential, r restclient.PageRequest) error {
		if rand.IntN(200) == 0 {
			return &restclient.StatusError{StatusCode: []int{401, 403, 500, 502}[rand.IntN(4)]}
		}
		if r.Page%3 == 0 {
			runtime.Gosched()
		}
		return nil
	}
	c := l.cache(pages.CacheOptions{TTL: 100 * time.Millisecond, StaleIfError: 300 * time.Millisecond, MaxBytes: 2 << 20})
	credentials := lookalikes()
	var group sync.WaitGroup
	var answered, cached atomic.Int64
	for range 8 {
		group.Go(func() {
			for range requests / 8 {
				credential := credentials[rand.IntN(len(credentials))]
				r := ask(c, credential, rand.IntN(4)+1, rand.IntN(3)+1)
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
				answered.Add(1)
				if got.Cached {
					cached.Add(1)
				}
				for i := range got.Len() {
					item, err := restclient.DecodeItem(got.Raw(i))
					if err != nil || *item.Cvm.ProjectID != ownerOf(credential) {
						t.Errorf("%s got an item of %v", ownerOf(credential), *item.Cvm.ProjectID)
						return
					}
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d requests, %d answers, %d of them from the cache, %d calls", requests, answered.Load(), cached.Load(), l.calls.Load())
	if cached.Load() < int64(requests)/20 || answered.Load() < int64(requests)*9/10 {
		t.Errorf("got %d answers, %d of them from the cache: that tests nothing", answered.Load(), cached.Load())
	}
}
