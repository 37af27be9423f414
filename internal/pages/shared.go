package pages

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"cvmgraph/internal/redis"
)

// fetchShared returns a page that another replica fetched, or calls the upstream for all replicas.
func (c *Cache) fetchShared(ctx context.Context, r FetchRequest) (fetchedPage, error) {
	id := redis.EntryID{
		Group: r.CredentialKey,
		Name:  fmt.Sprintf("page %s %d %q %d %d", c.options.APIVersion, r.Filter.NodeID, r.Filter.UserID, r.Page, r.PageSize),
	}
	var own fetchedPage
	compute := func(ctx context.Context) ([]byte, bool, error) {
		var err error
		own, err = c.fetch(ctx, r)
		if err != nil {
			return nil, false, err
		}
		return encodeShared(own), own.cacheable, nil
	}
	value, _, computed, err := c.options.Shared.GetOrCompute(ctx, id, c.options.TTL, c.options.SharedWait, compute)
	if err != nil || computed {
		return own, err
	}
	if p, ok := c.decodeShared(value, r); ok && p.notBefore(r.Since) {
		return p, nil
	}
	// The page of the other replica is invalid or too old.
	value, cacheable, err := compute(ctx)
	if err == nil && cacheable {
		c.options.Shared.Save(ctx, id, value, c.options.TTL)
	}
	return own, err
}

// sharedHeaderBytes is the size of the FetchTimes of a shared page.
const sharedHeaderBytes = 16

// encodeShared encodes a page for other replicas: its FetchTimes and its document.
func encodeShared(p fetchedPage) []byte {
	value := make([]byte, 0, sharedHeaderBytes+p.page.BodySize())
	value = binary.BigEndian.AppendUint64(value, uint64(p.Requested.UnixMicro()))
	value = binary.BigEndian.AppendUint64(value, uint64(p.Received.UnixMicro()))
	return append(value, p.page.Body()...)
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
