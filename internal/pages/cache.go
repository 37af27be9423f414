package pages

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"cvmgraph/internal/redis"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// CacheOptions are the settings of a [Cache].
type CacheOptions struct {
	// TTL is how long a page is served without asking the upstream; 0: not at all, and only calls in flight are shared.
	TTL time.Duration
	// StaleIfError is how old a page may be served when the upstream fails; 0: none is.
	StaleIfError time.Duration
	// Bytes bounds what the pages take.
	MaxBytes uint64
	// APIVersion is the version that the pages are of.
	APIVersion string
	// Key keys the hash of credentials. Zero: a random key.
	HashKey [32]byte
	// Shared is where replicas share pages, and take turns to call the upstream; nil: nowhere. Key is then the same for all of them.
	Shared *redis.Store
	// SharedWait is how long a replica waits for another one's call.
	SharedWait time.Duration
	// Observer is told what happens.
	Observer CacheObserver
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// CacheObserver is told what a cache does. Its functions may be nil, and are called concurrently.
type CacheObserver struct {
	// Hit is told the age of a page that was at hand.
	Hit func(age time.Duration)
	// Miss, Coalesced, Evicted, Stale and Purged are told of a page that was not at hand, that came with somebody else's call, that
	// had to make room, that was served although it was stale, and of a credential that was refused.
	Miss, Coalesced, Evicted, Stale, Purged func()
	// Called is told of each call: how it ended (ok, client_error, rate_limited, server_error, timeout, network, invalid, unavailable,
	// canceled) and how long it took, retries included.
	Called func(outcome string, took time.Duration)
	// Compared is told how a page that the upstream sent differs from what is promised, whether or not it was of use, and which of the
	// differences it is told for the first time. It is one page a minute at most, and the first one that has items.
	Compared func(found restclient.Comparison, fresh []restclient.Difference)
}

// Cache is a Source that keeps pages for a short time, for each credential its own, and shares calls in flight.
type Cache struct {
	upstream *Upstream
	options  CacheOptions
	pages    *otter.Cache[pageKey, *kept] // nil: nothing is kept
	index    pageIndex
	flights  flights
	monitor  contractMonitor
	// lastStamp is the time of the last page, in microseconds since 1970.
	lastStamp atomic.Int64
}

// pageKey is what a page is kept under.
type pageKey struct {
	credential CredentialKey
	apiVersion string
	request    restclient.PageRequest
}

// kept is a page with its times.
type kept struct {
	page *Page
	FetchTimes
}

// NewCache returns a cache of what the upstream sends.
func NewCache(upstream *Upstream, options CacheOptions) *Cache {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.HashKey == ([32]byte{}) {
		_, _ = rand.Read(options.HashKey[:]) // never fails
	}
	c := &Cache{upstream: upstream, options: options, monitor: contractMonitor{compared: options.Observer.Compared}}
	if life := max(options.TTL, options.StaleIfError); options.TTL > 0 {
		c.pages = otter.Must(&otter.Options[pageKey, *kept]{
			MaximumWeight:    options.MaxBytes,
			Weigher:          func(_ pageKey, k *kept) uint32 { return uint32(k.page.size()) },
			ExpiryCalculator: otter.ExpiryWriting[pageKey, *kept](life),
			OnDeletion: func(e otter.DeletionEvent[pageKey, *kept]) {
				if e.Cause == otter.CauseReplacement {
					return
				}
				c.index.remove(e.Key, e.Value)
				if e.Cause == otter.CauseOverflow {
					notify(options.Observer.Evicted)
				}
			},
		})
	}
	return c
}

// Size returns how many pages are kept, and about how many bytes they take.
func (c *Cache) Size() (pages int, bytes uint64) {
	if c.pages == nil {
		return 0, 0
	}
	return c.pages.EstimatedSize(), c.pages.WeightedSize()
}

// Owner returns a keyed hash of the credential. Different credentials have different ones.
func (c *Cache) CredentialKey(credential restclient.Credential) CredentialKey {
	var room [256]byte
	b := append(room[:0], c.options.HashKey[:]...)
	// Each part comes with its length, so that no credential's bytes are the beginning of another's.
	h := credential.Headers()
	for _, part := range [...]string{h.Authorization, h.APIKey, h.Workspace} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

func (c *Cache) key(owner CredentialKey, request restclient.PageRequest) pageKey {
	return pageKey{owner, c.options.APIVersion, request}
}

// Extents appends the fresh pages of a list.
func (c *Cache) CachedPages(dst []relay.CachedPage, owner CredentialKey, filter restclient.Filter, since time.Time) []relay.CachedPage {
	if c.pages == nil {
		return dst
	}
	return c.index.extents(dst, owner, filter, c.options.Now().Add(-c.options.TTL), since)
}

// Held returns a fresh page.
func (c *Cache) Cached(owner CredentialKey, request restclient.PageRequest) (FetchResult, bool) {
	if c.pages == nil {
		return FetchResult{}, false
	}
	k, ok := c.pages.GetIfPresent(c.key(owner, request))
	if !ok {
		return FetchResult{}, false
	}
	age := c.options.Now().Sub(k.Requested)
	if age >= c.options.TTL {
		return FetchResult{}, false
	}
	if c.options.Observer.Hit != nil {
		c.options.Observer.Hit(age)
	}
	return FetchResult{Page: k.page, Request: request, FetchTimes: k.FetchTimes, Age: age, Cached: true}, true
}

// Fetch calls the upstream, or waits for a call that is under way already. The call goes on when its first caller leaves, and ends
// when the last one has left.
func (c *Cache) Fetch(ctx context.Context, r FetchRequest) (FetchResult, error) {
	notify(c.options.Observer.Miss)
	got, coalesced, err := c.flights.join(ctx, c.key(r.CredentialKey, r.PageRequest), r.Since, func(ctx context.Context) (FetchResult, error) {
		return c.load(ctx, r)
	})
	if coalesced {
		notify(c.options.Observer.Coalesced)
	}
	if err == nil {
		got.Coalesced = coalesced
		return got, nil
	}
	if old, ok := c.stale(ctx, r, err); ok {
		notify(c.options.Observer.Stale)
		old.Attempts = got.Attempts
		return old, nil
	}
	return FetchResult{Request: r.PageRequest, Coalesced: coalesced, Attempts: got.Attempts}, err
}

// load comes by a page, and keeps it.
func (c *Cache) load(ctx context.Context, r FetchRequest) (FetchResult, error) {
	var d loaded
	var err error
	if c.options.Shared != nil && c.pages != nil {
		d, err = c.loadShared(ctx, r)
	} else {
		d, err = c.fetch(ctx, r)
	}
	if err != nil {
		return FetchResult{Attempts: d.attempts}, err
	}
	if c.pages != nil && d.cacheable {
		key := c.key(r.CredentialKey, r.PageRequest)
		c.index.add(key, &d.kept) // first: the cache may let go of it at once
		c.pages.Set(key, &d.kept)
	}
	got := FetchResult{Page: d.page, Request: r.PageRequest, FetchTimes: d.FetchTimes, Cached: !d.ownCall, Attempts: d.attempts}
	if got.Cached {
		got.Age = max(c.options.Now().Sub(d.Requested), 0)
	}
	return got, nil
}

// loaded is a page that was not at hand.
type loaded struct {
	kept
	// called says that a call of this replica brought it, and keep that it may be kept.
	ownCall, cacheable bool
	attempts           int
}

// call calls the upstream.
func (c *Cache) fetch(ctx context.Context, r FetchRequest) (loaded, error) {
	at, begun := c.options.Now(), time.Now()
	page, document, err := c.upstream.Fetch(ctx, r.Credential, r.PageRequest)
	if c.options.Observer.Called != nil {
		c.options.Observer.Called(outcome(err), time.Since(begun))
	}
	c.monitor.check(at, r.Credential, document.Body, page)
	if err != nil {
		if status, ok := errors.AsType[*restclient.StatusError](err); ok && isRefusal(status.StatusCode) {
			c.purge(ctx, r.CredentialKey)
		}
		return loaded{attempts: document.Attempts}, err
	}
	return loaded{kept{page, FetchTimes{at, c.stamp()}}, true, !document.NoStore, document.Attempts}, nil
}

// stamp returns the time, rounded up to microseconds, and never the same twice: it tells pages apart.
func (c *Cache) stamp() time.Time {
	for {
		last := c.lastStamp.Load()
		now := max((c.options.Now().UnixNano()+999)/1000, last+1)
		if c.lastStamp.CompareAndSwap(last, now) {
			return time.UnixMicro(now)
		}
	}
}

// share takes a page that another replica called for, or calls the upstream for all of them.
func (c *Cache) loadShared(ctx context.Context, r FetchRequest) (loaded, error) {
	name := redis.EntryID{Group: r.CredentialKey, Name: fmt.Sprintf("page %s %d %q %d %d", c.options.APIVersion, r.Filter.NodeID, r.Filter.UserID, r.Page, r.PageSize)}
	var own loaded
	produce := func(ctx context.Context) ([]byte, bool, error) {
		var err error
		own, err = c.fetch(ctx, r)
		if err != nil {
			return nil, false, err
		}
		return encodeShared(own), own.cacheable, nil
	}
	value, _, produced, err := c.options.Shared.GetOrCompute(ctx, name, c.options.TTL, c.options.SharedWait, produce)
	if err != nil || produced {
		return own, err
	}
	if d, ok := c.decodeShared(value, r); ok && d.showsListAt(r.Since) {
		return d, nil
	}
	// What others called for is too old.
	value, keep, err := produce(ctx)
	if err == nil && keep {
		c.options.Shared.Save(ctx, name, value, c.options.TTL)
	}
	return own, err
}

// sealedTimes is how many bytes the times of a shared page take.
const sharedHeaderBytes = 16

// seal returns a page as it is shared: when it was asked for, when it was there, and its document.
func encodeShared(d loaded) []byte {
	value := make([]byte, 0, sharedHeaderBytes+d.page.BodySize())
	value = binary.BigEndian.AppendUint64(value, uint64(d.Requested.UnixMicro()))
	value = binary.BigEndian.AppendUint64(value, uint64(d.Received.UnixMicro()))
	return append(value, d.page.Body()...)
}

// unseal returns a shared page, false where it is none, or too old by now.
func (c *Cache) decodeShared(value []byte, r FetchRequest) (loaded, bool) {
	if len(value) < sharedHeaderBytes {
		return loaded{}, false
	}
	now := c.options.Now()
	at, answered := time.UnixMicro(int64(binary.BigEndian.Uint64(value))), time.UnixMicro(int64(binary.BigEndian.Uint64(value[8:])))
	if at.After(now) { // its clock is ahead
		at = now
	}
	page, err := c.upstream.Page(value[sharedHeaderBytes:], r.PageRequest)
	return loaded{kept: kept{page, FetchTimes{at, answered}}, cacheable: true}, err == nil && now.Sub(at) < c.options.TTL
}

// outcome says how a call ended.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if status, ok := errors.AsType[*restclient.StatusError](err); ok {
		switch code := status.StatusCode; {
		case code == http.StatusTooManyRequests:
			return "rate_limited"
		case code >= http.StatusBadRequest && code < http.StatusInternalServerError:
			return "client_error"
		}
		return "server_error"
	}
	if _, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		return "invalid"
	}
	if _, ok := errors.AsType[*restclient.UnavailableError](err); ok {
		return "unavailable"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "network"
}

// isRefusal says whether a status means that the credential may not see what it saw.
func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// purge forgets all pages of a credential, those that replicas share too.
func (c *Cache) purge(ctx context.Context, owner CredentialKey) {
	for _, key := range c.index.purge(owner) {
		c.pages.Invalidate(key)
	}
	if c.options.Shared != nil {
		c.options.Shared.Invalidate(ctx, owner, c.options.TTL)
	}
	notify(c.options.Observer.Purged)
}

// stale returns an old page that holds what was asked for, where the error is one of the upstream's.
func (c *Cache) stale(ctx context.Context, r FetchRequest, err error) (FetchResult, bool) {
	if c.pages == nil || c.options.StaleIfError <= 0 || ctx.Err() != nil || !isOutage(err) {
		return FetchResult{}, false
	}
	wanted := relay.PageRef{Number: r.Page, Size: r.PageSize}.Range()
	since := c.options.Now().Add(-c.options.StaleIfError)
	pages, _ := relay.CoverCached([]relay.Range{wanted}, c.index.extents(nil, r.CredentialKey, r.Filter, since, r.Since))
	if len(pages) != 1 {
		return FetchResult{}, false
	}
	request := restclient.PageRequest{Filter: r.Filter, Page: pages[0].Number, PageSize: pages[0].Size}
	k, ok := c.pages.GetIfPresent(c.key(r.CredentialKey, request))
	if !ok || k.Requested.Before(since) {
		return FetchResult{}, false
	}
	return FetchResult{Page: k.page, Request: request, FetchTimes: k.FetchTimes, Age: c.options.Now().Sub(k.Requested), Cached: true, Stale: true}, true
}

// isOutage says whether an error is one of the upstream's, or of protecting it, and not of the request or the credential.
func isOutage(err error) bool {
	if status, ok := errors.AsType[*restclient.StatusError](err); ok {
		return status.StatusCode >= http.StatusInternalServerError || status.StatusCode == http.StatusTooManyRequests
	}
	_, invalid := errors.AsType[*restclient.InvalidResponseError](err)
	_, network := errors.AsType[*restclient.NetworkError](err)
	_, unavailable := errors.AsType[*restclient.UnavailableError](err)
	return invalid || network || unavailable || errors.Is(err, context.DeadlineExceeded)
}

func notify(f func()) {
	if f != nil {
		f()
	}
}
