package pages

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"cvmgraph/internal/redis"
	"cvmgraph/restclient"
)

// fetchShared returns a page that another replica fetched, or calls the upstream for all replicas.
func (c *Cache) fetchShared(ctx context.Context, r FetchRequest) (fetchedPage, error) {
	id := c.entryID(r.CredentialKey, r.PageRequest)
	var own fetchedPage
	compute := func(ctx context.Context) ([]byte, bool, error) {
		var err error
		own, err = c.fetch(ctx, r)
		if err != nil {
			return nil, false, err
		}
		return encodeShared(own.page, own.FetchTimes), own.cacheable, nil
	}
	value, _, computed, err := c.options.Shared.GetOrCompute(ctx, id, c.options.TTL, c.options.SharedWait, compute)
	if err != nil || computed {
		return own, err
	}
	if p, ok := c.decodeShared(value, r); ok && c.serves(p.FetchTimes, r) {
		return p, nil
	}
	// The page of the other replica is invalid or too old.
	value, cacheable, err := compute(ctx)
	if err == nil && cacheable {
		c.options.Shared.Save(ctx, id, value, c.options.TTL)
	}
	return own, err
}

// entryID identifies a page in Redis.
func (c *Cache) entryID(key CredentialKey, r restclient.PageRequest) redis.EntryID {
	return redis.EntryID{
		Group: key,
		Name:  fmt.Sprintf("page %s %d %q %d %d", c.options.APIVersion, r.Filter.NodeID, r.Filter.UserID, r.Page, r.PageSize),
	}
}

// supersedeShared makes the other replicas load no page of the credential that was requested before
// now, except the given ones. A replica may still serve the pages in its own memory.
func (c *Cache) supersedeShared(ctx context.Context, key CredentialKey, shown []FetchResult) {
	c.options.Shared.Invalidate(ctx, key, c.options.TTL)
	for i := range shown {
		page := &shown[i]
		if _, cached := c.Cached(key, page.Request); cached { // not if the upstream forbids storing
			c.options.Shared.Save(ctx, c.entryID(key, page.Request), encodeShared(page.Page, page.FetchTimes), c.options.TTL)
		}
	}
}

// sharedHeaderBytes is the size of the FetchTimes of a shared page.
const sharedHeaderBytes = 16

// encodeShared encodes a page for other replicas: its FetchTimes and its document.
func encodeShared(page *Page, times FetchTimes) []byte {
	value := make([]byte, 0, sharedHeaderBytes+page.BodySize())
	value = binary.BigEndian.AppendUint64(value, uint64(times.Requested.UnixMicro()))
	value = binary.BigEndian.AppendUint64(value, uint64(times.Received.UnixMicro()))
	return append(value, page.Body()...)
}

// decodeShared decodes a page from another replica. It returns false if the page is invalid or
// older than the TTL.
func (c *Cache) decodeShared(value []byte, r FetchRequest) (fetchedPage, bool) {
	if len(value) < sharedHeaderBytes {
		return fetchedPage{}, false
	}
	now := c.options.Now()
	requested, received := time.UnixMicro(int64(binary.BigEndian.Uint64(value))), time.UnixMicro(int64(binary.BigEndian.Uint64(value[8:])))
	if requested.After(now) { // the other replica's clock is fast
		requested = now
	}
	page, err := c.upstream.Page(value[sharedHeaderBytes:], r.PageRequest)
	p := &cachedPage{pageKey{r.CredentialKey, r.PageRequest}, page, FetchTimes{requested, received}}
	return fetchedPage{cachedPage: p, cacheable: true}, err == nil && now.Sub(requested) < c.options.TTL
}
