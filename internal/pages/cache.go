package pages

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"cvmgraph/internal/redis"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// CacheOptions are the options of a [Cache].
type CacheOptions struct {
	// TTL is how long a page is served without an upstream call. If zero, nothing is cached, but
	// concurrent calls for a page are still coalesced.
	TTL time.Duration
	// StaleIfError is the maximum age of a page that is served when the upstream fails. If zero, no
	// stale pages are served.
	StaleIfError time.Duration
	// MaxBytes limits the approximate memory use of the pages.
	MaxBytes uint64
	// APIVersion is the API version of the pages. Replicas share pages of the same version only.
	APIVersion string
	// HashKey is the secret for hashing credentials. If zero, NewCache generates one.
	HashKey [32]byte
	// Shared stores pages for all replicas, and coalesces their upstream calls. It requires the
	// same HashKey in all replicas. If nil, replicas do not share pages.
	Shared *redis.Store
	// SharedWait is the maximum time to wait for the call of another replica.
	SharedWait time.Duration
	// Observer receives the events of the cache.
	Observer CacheObserver
	// Now is the clock. If nil, the cache uses time.Now.
	Now func() time.Time
}

// CacheObserver receives the events of a cache. Its functions may be nil. They are called
// concurrently.
type CacheObserver struct {
	// Hit records that a page was cached, and its age.
	Hit func(age time.Duration)
	// Miss is called if a requested page is not cached. Coalesced is called if it came from another
	// caller's call, and Stale if a stale page was served. Evicted is called for a page that was
	// evicted to free memory. Purged is called if the upstream rejected a credential, whose pages
	// were removed.
	Miss, Coalesced, Evicted, Stale, Purged func()
	// Called records an upstream call: its outcome (ok, client_error, rate_limited, server_error,
	// timeout, network, invalid, unavailable or canceled), its duration, including retries, and its
	// error. The error is nil if the upstream returned a page.
	Called func(outcome string, took time.Duration, err error)
	// Compared records how a page from the upstream differs from the API contract, and which of the
	// differences were not reported before. Pages are compared whether or not they are valid: the
	// first page that has items, and then at most one per minute.
	Compared func(found restclient.Comparison, fresh []restclient.Difference)
}

// Cache is a [Source] that caches pages for a short time, separately for each credential, and
// coalesces concurrent upstream calls.
type Cache struct {
	upstream *Upstream
	options  CacheOptions
	pages    *otter.Cache[pageKey, *cachedPage] // nil if nothing is cached
	index    pageIndex                          // of pages
	floors   floors
	flights  flights
	monitor  contractMonitor
	// lastReceived is the latest FetchTimes.Received, in microseconds since 1970.
	lastReceived atomic.Int64
}

// pageKey is the cache key of a page.
type pageKey struct {
	credential CredentialKey
	request    restclient.PageRequest
}

// cachedPage is a page in the cache. It is immutable.
type cachedPage struct {
	key  pageKey
	page *Page
	FetchTimes
}

// NewCache returns an empty cache of the upstream's pages.
func NewCache(upstream *Upstream, options CacheOptions) *Cache {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.HashKey == ([32]byte{}) {
		_, _ = rand.Read(options.HashKey[:]) // never fails
	}
	c := &Cache{upstream: upstream, options: options, monitor: contractMonitor{compared: options.Observer.Compared, shape: upstream.shape}}
	if options.TTL > 0 {
		c.pages = otter.Must(&otter.Options[pageKey, *cachedPage]{
			MaximumWeight:    options.MaxBytes,
			Weigher:          func(_ pageKey, p *cachedPage) uint32 { return uint32(p.page.size()) },
			ExpiryCalculator: otter.ExpiryWriting[pageKey, *cachedPage](max(options.TTL, options.StaleIfError)),
			OnDeletion: func(e otter.DeletionEvent[pageKey, *cachedPage]) {
				c.index.remove(e.Value)
				if e.Cause == otter.CauseOverflow {
					notify(options.Observer.Evicted)
				}
			},
		})
	}
	return c
}

// Size returns the number of cached pages and their approximate size.
func (c *Cache) Size() (pages int, bytes uint64) {
	if c.pages == nil {
		return 0, 0
	}
	return c.pages.EstimatedSize(), c.pages.WeightedSize()
}

// CredentialKey returns a keyed hash of the credential.
func (c *Cache) CredentialKey(credential restclient.Credential) CredentialKey {
	var buf [256]byte
	b := append(buf[:0], c.options.HashKey[:]...)
	// Each part is preceded by its length, so different credentials have different input.
	h := credential.Headers()
	for _, part := range [...]string{h.Authorization, h.APIKey, h.Workspace} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

// CachedPages implements [Source]. It appends only pages that are within the TTL.
func (c *Cache) CachedPages(dst []relay.CachedPage, key CredentialKey, filter restclient.Filter, since time.Time) []relay.CachedPage {
	if c.pages == nil {
		return dst
	}
	return c.index.list(dst, listKey{key, filter}, c.floors.of(listKey{key, filter}), c.options.Now().Add(-c.options.TTL), since)
}

// Cached implements [Source]. It returns only a page that is within the TTL.
func (c *Cache) Cached(key CredentialKey, request restclient.PageRequest) (FetchResult, bool) {
	if c.pages == nil {
		return FetchResult{}, false
	}
	p, ok := c.pages.GetIfPresent(pageKey{key, request})
	if !ok {
		return FetchResult{}, false
	}
	age := c.options.Now().Sub(p.Requested)
	if floor := c.floors.of(listKey{key, request.Filter}); age >= c.options.TTL || !floor.admits(p.FetchTimes) {
		return FetchResult{}, false
	}
	if c.options.Observer.Hit != nil {
		c.options.Observer.Hit(age)
	}
	return FetchResult{Page: p.page, Request: request, FetchTimes: p.FetchTimes, Expires: c.expires(p), Age: age, Cached: true}, true
}

// Fetch implements [Source]. It calls the upstream, or waits for a call that is already in flight.
// A call continues until its last caller has left.
func (c *Cache) Fetch(ctx context.Context, r FetchRequest) (FetchResult, error) {
	notify(c.options.Observer.Miss)
	load := func(ctx context.Context) (FetchResult, error) { return c.load(ctx, r) }
	key := pageKey{r.CredentialKey, r.PageRequest}
	got, coalesced, err := c.flights.wait(ctx, key, latest(r.Since, c.floors.of(r.list()).time), load)
	if err == nil && coalesced && got.Cached && !c.serves(got.FetchTimes, r) {
		// The other caller accepted an older page of another replica.
		got, coalesced, err = c.flights.wait(ctx, key, time.Now(), load)
	}
	if coalesced {
		notify(c.options.Observer.Coalesced)
	}
	if err == nil {
		got.Coalesced = coalesced
		return got, nil
	}
	if stale, ok := c.stale(ctx, r, err); ok {
		notify(c.options.Observer.Stale)
		stale.Attempts = got.Attempts
		return stale, nil
	}
	return FetchResult{Request: r.PageRequest, Coalesced: coalesced, Attempts: got.Attempts}, err
}

// serves reports whether a page that was cached is recent enough for a request.
func (c *Cache) serves(page FetchTimes, r FetchRequest) bool {
	floor := c.floors.of(r.list())
	return page.notBefore(r.Since) && floor.admits(page)
}

// maxFlight is longer than any call that may be in flight when a floor is raised.
const maxFlight = 10 * time.Minute

// Supersede implements [Source].
func (c *Cache) Supersede(ctx context.Context, key CredentialKey, filter restclient.Filter, operation time.Time, shown []FetchResult) {
	times := make([]FetchTimes, len(shown))
	for i := range shown {
		times[i] = shown[i].FetchTimes
	}
	now := c.options.Now()
	c.floors.raise(listKey{key, filter}, operation, times, now, now.Add(max(c.options.TTL, c.options.StaleIfError)+maxFlight))
	if c.options.Shared != nil && c.pages != nil {
		c.supersedeShared(ctx, key, shown)
	}
}

// load loads a page from the other replicas or from the upstream, and caches it.
func (c *Cache) load(ctx context.Context, r FetchRequest) (FetchResult, error) {
	fetch := c.fetch
	if c.options.Shared != nil && c.pages != nil {
		fetch = c.fetchShared
	}
	p, err := fetch(ctx, r)
	if err != nil {
		return FetchResult{Attempts: p.attempts}, err
	}
	if c.pages != nil && p.cacheable && c.index.add(p.cachedPage) { // before Set, which may evict the page at once
		c.pages.Set(p.key, p.cachedPage)
	}
	got := FetchResult{Page: p.page, Request: r.PageRequest, FetchTimes: p.FetchTimes, Cached: !p.ownCall, Attempts: p.attempts}
	if p.cacheable {
		got.Expires = c.expires(p.cachedPage)
	}
	if got.Cached {
		got.Age = max(c.options.Now().Sub(p.Requested), 0)
	}
	return got, nil
}

// expires returns the end of a page's life.
func (c *Cache) expires(p *cachedPage) time.Time { return p.Requested.Add(c.options.TTL) }

// fetchedPage is a page that was not cached in this replica.
type fetchedPage struct {
	*cachedPage
	ownCall   bool // whether this replica called the upstream
	cacheable bool
	attempts  int
}

// fetch calls the upstream.
func (c *Cache) fetch(ctx context.Context, r FetchRequest) (fetchedPage, error) {
	requested, started := c.options.Now(), time.Now()
	page, document, err := c.upstream.Fetch(ctx, r.Credential, r.PageRequest)
	if c.options.Observer.Called != nil {
		c.options.Observer.Called(outcome(err), time.Since(started), err)
	}
	c.monitor.check(requested, r.Credential, document.Body, page)
	if err != nil {
		if status, ok := errors.AsType[*restclient.StatusError](err); ok && status.RejectsCredential() {
			c.purge(ctx, r.CredentialKey)
		}
		return fetchedPage{attempts: document.Attempts}, err
	}
	p := &cachedPage{pageKey{r.CredentialKey, r.PageRequest}, page, FetchTimes{requested, c.received()}}
	return fetchedPage{p, true, !document.NoStore, document.Attempts}, nil
}

// received returns the current time, rounded up to microseconds. It never returns the same time
// twice.
func (c *Cache) received() time.Time {
	for {
		last := c.lastReceived.Load()
		now := max((c.options.Now().UnixNano()+999)/1000, last+1)
		if c.lastReceived.CompareAndSwap(last, now) {
			return time.UnixMicro(now)
		}
	}
}

// purge removes all pages of a credential, in all replicas.
func (c *Cache) purge(ctx context.Context, key CredentialKey) {
	for _, p := range c.index.purge(key) {
		c.pages.Invalidate(p.key)
	}
	if c.options.Shared != nil {
		c.options.Shared.Invalidate(ctx, key, c.options.TTL)
	}
	notify(c.options.Observer.Purged)
}

// stale returns an old page that contains all requested items. It returns false if there is none,
// or if the error is no reason to serve a stale page.
func (c *Cache) stale(ctx context.Context, r FetchRequest, err error) (FetchResult, bool) {
	if c.pages == nil || c.options.StaleIfError <= 0 || ctx.Err() != nil || !isOutage(err) {
		return FetchResult{}, false
	}
	oldest := c.options.Now().Add(-c.options.StaleIfError)
	request := r.PageRequest
	wanted := relay.PageRef{Number: r.Page, Size: r.PageSize}.Range()
	pages, _ := relay.CoverCached([]relay.Range{wanted}, c.index.list(nil, r.list(), c.floors.of(r.list()), oldest, r.Since))
	if len(pages) == 1 {
		request.Page, request.PageSize = pages[0].Number, pages[0].Size
	}
	p, ok := c.pages.GetIfPresent(pageKey{r.CredentialKey, request})
	if !ok || p.Requested.Before(oldest) || !c.serves(p.FetchTimes, r) {
		return FetchResult{}, false
	}
	age := c.options.Now().Sub(p.Requested)
	return FetchResult{
		Page: p.page, Request: request, FetchTimes: p.FetchTimes, Expires: c.expires(p), Age: age, Cached: true, Stale: true,
	}, true
}

func notify(f func()) {
	if f != nil {
		f()
	}
}
