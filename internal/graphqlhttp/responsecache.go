package graphqlhttp

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
)

// ResponseCacheOptions configure the response cache: a request that comes again is not executed,
// but gets the same response if all sources of the earlier response are still current. The zero
// value disables it.
type ResponseCacheOptions struct {
	// MaxBytes limits the memory of the cache, in bytes.
	MaxBytes uint64
	// TTL is how long a response is cached.
	TTL time.Duration
	// Hit is called for each request whose response is cached. If nil, it is not called.
	Hit func()
	// Watch is called once with a function that returns the number of cached responses and their
	// approximate size in bytes. That function is safe for concurrent use. If nil, Watch is not
	// called.
	Watch func(size func() (responses int, bytes uint64))
}

// Sources are what a response was made from, such as pages of the upstream. They are safe for
// concurrent use.
type Sources interface {
	// Current reports whether the sources have not changed.
	Current() bool
	// FreshFor returns how long the sources stay current. It is not negative.
	FreshFor() time.Duration
	// MemorySize returns the approximate size of the sources, in bytes.
	MemorySize() int
}

// responseCache caches the responses to requests that came more than once. It is safe for
// concurrent use. A nil *responseCache caches nothing.
type responseCache struct {
	hit       func() // never nil
	responses *otter.Cache[cacheKey, *cachedResponse]
}

// cacheKey identifies a request by its caller, method and parameters. A response without extensions
// depends on these and on its sources only.
type cacheKey struct {
	scope   [32]byte
	request [sha256.Size]byte
}

// cacheEntry is what a response is stored under.
type cacheEntry struct {
	key           cacheKey
	operationName string
}

// cachedResponse is a response. It is read-only.
type cachedResponse struct {
	body          []byte // nil if the request has come only once
	sources       Sources
	operationName string
}

const (
	// maxCachedBody is the maximum size of a cached response, in bytes.
	maxCachedBody = 1 << 20
	// entryBytes is the approximate size of an entry of the cache, without its content.
	entryBytes = 200
)

func newResponseCache(options ResponseCacheOptions) *responseCache {
	if options.MaxBytes == 0 || options.TTL <= 0 {
		return nil
	}
	c := &responseCache{options.Hit, otter.Must(&otter.Options[cacheKey, *cachedResponse]{
		MaximumWeight:    options.MaxBytes,
		Weigher:          func(_ cacheKey, r *cachedResponse) uint32 { return uint32(r.memorySize()) },
		ExpiryCalculator: otter.ExpiryWriting[cacheKey, *cachedResponse](options.TTL),
	})}
	if c.hit == nil {
		c.hit = func() {}
	}
	if options.Watch != nil {
		options.Watch(func() (int, uint64) { return c.responses.EstimatedSize(), c.responses.WeightedSize() })
	}
	return c
}

func (r *cachedResponse) memorySize() int {
	size := cap(r.body) + len(r.operationName) + entryBytes
	if r.sources != nil {
		size += r.sources.MemorySize()
	}
	return size
}

// key returns the key of a request. It returns false if the response must not be cached.
func (c *responseCache) key(op Operation, method string, raw []byte) (cacheKey, bool) {
	if c == nil {
		return cacheKey{}, false
	}
	scope, ok := op.CacheScope()
	if !ok {
		return cacheKey{}, false
	}
	var buf [1024]byte
	return cacheKey{scope, sha256.Sum256(append(append(append(buf[:0], method...), ' '), raw...))}, true
}

// find returns the response to a request, or nil if the request must be executed.
func (c *responseCache) find(key cacheKey) *cachedResponse {
	cached, ok := c.responses.GetIfPresent(key)
	if !ok || cached.body == nil || !cached.sources.Current() {
		return nil
	}
	c.hit()
	return cached
}

// store stores a copy of the response to a request that came before. For any other request it
// stores only that it came.
func (c *responseCache) store(entry cacheEntry, op Operation, body []byte) {
	if len(body) > maxCachedBody {
		return
	}
	sources, ok := op.Sources()
	if !ok {
		return
	}
	if _, again := c.responses.GetIfPresent(entry.key); !again {
		c.responses.Set(entry.key, &cachedResponse{})
		return
	}
	// A substring would keep the whole document in memory.
	c.responses.Set(entry.key, &cachedResponse{slices.Clone(body), sources, strings.Clone(entry.operationName)})
}
