package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// PageCacheMetrics has the metrics of the page cache. Its methods are safe for concurrent use and
// do not allocate.
type PageCacheMetrics struct {
	register                               factory
	hits, misses, stale, evictions, purges prometheus.Counter
	age                                    prometheus.Histogram
}

// PageCache registers the metrics of the page cache. The limit, in bytes, is the memory limit of
// pages and responses together. PageCache panics if it is called twice.
func (m *Metrics) PageCache(limit uint64) *PageCacheMetrics {
	m.register.gauge("cvmgraph_cache_limit_bytes", "Memory limit for cached pages and responses: --cache-bytes.").Set(float64(limit))
	return &PageCacheMetrics{
		register:  m.register,
		hits:      m.register.counter("cvmgraph_page_cache_hits_total", "Pages served from the cache within their TTL."),
		misses:    m.register.counter("cvmgraph_page_cache_misses_total", "Requested pages that were not in the cache, or older than their TTL."),
		stale:     m.register.counter("cvmgraph_page_cache_stale_hits_total", "Pages served after their TTL because the upstream failed."),
		evictions: m.register.counter("cvmgraph_page_cache_evictions_total", "Pages evicted from the cache because it was full."),
		purges:    m.register.counter("cvmgraph_page_cache_purges_total", "Purges of the pages of a credential because the upstream rejected it."),
		age: m.register.histogram("cvmgraph_page_cache_age_seconds",
			"Age of a page when it was served from the cache within its TTL.",
			[]float64{.1, .25, .5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300}),
	}
}

// Watch registers gauges for the size of the cache. size is called at each scrape, and must be safe
// for concurrent use. Watch panics if it is called twice.
func (c *PageCacheMetrics) Watch(size func() (pages int, bytes uint64)) {
	watch(c.register, "cvmgraph_page_cache_bytes", "Size of the cached pages.", func() uint64 {
		_, bytes := size()
		return bytes
	})
	watch(c.register, "cvmgraph_page_cache_entries", "Number of cached pages.", func() int {
		pages, _ := size()
		return pages
	})
}

// Hit counts a page of the given age that was served within its TTL.
func (c *PageCacheMetrics) Hit(age time.Duration) {
	c.hits.Inc()
	c.age.Observe(age.Seconds())
}

// Miss counts a page that was not in the cache or was older than its TTL.
func (c *PageCacheMetrics) Miss() { c.misses.Inc() }

// Stale counts a page that was served after its TTL because the upstream failed.
func (c *PageCacheMetrics) Stale() { c.stale.Inc() }

// Evicted counts a page that was evicted because the cache was full.
func (c *PageCacheMetrics) Evicted() { c.evictions.Inc() }

// Purged counts a purge of the pages of a credential that the upstream rejected.
func (c *PageCacheMetrics) Purged() { c.purges.Inc() }

// ResponseCacheMetrics has the metrics of the response cache. Its methods are safe for concurrent
// use.
type ResponseCacheMetrics struct {
	register factory
	hits     prometheus.Counter
}

// ResponseCache registers the metrics of the response cache. It panics if it is called twice.
func (m *Metrics) ResponseCache() *ResponseCacheMetrics {
	return &ResponseCacheMetrics{m.register, m.register.counter("cvmgraph_response_cache_hits_total",
		"Requests served with the cached response of an equal request, without execution.")}
}

// Hit counts a request that was served with a cached response. It does not allocate.
func (r *ResponseCacheMetrics) Hit() { r.hits.Inc() }

// Watch registers a gauge for the size of the cached responses. size is called at each scrape, and
// must be safe for concurrent use. Watch panics if it is called twice.
func (r *ResponseCacheMetrics) Watch(size func() (responses int, bytes uint64)) {
	watch(r.register, "cvmgraph_response_cache_bytes", "Size of the cached responses.", func() uint64 {
		_, bytes := size()
		return bytes
	})
}

// RedisMetrics has the metrics of the cache that replicas share in Redis. Its methods are safe for
// concurrent use and do not allocate.
type RedisMetrics struct {
	hits, misses prometheus.Counter
	errors       closedSet
	refused      closedSet
	up           prometheus.Gauge
}

// Redis registers the metrics of Redis, which is up until [RedisMetrics.Down]. It panics if it is
// called twice.
func (m *Metrics) Redis() *RedisMetrics {
	r := &RedisMetrics{
		hits:   m.register.counter("cvmgraph_redis_hits_total", "Entries found in Redis."),
		misses: m.register.counter("cvmgraph_redis_misses_total", "Requested entries not found in Redis."),
		errors: m.register.closedSet("cvmgraph_redis_errors_total", "Failed operations on Redis. The gateway continued without them.",
			"op", "load", "save", "invalidate", "lock", "decode"),
		refused: m.register.closedSet("cvmgraph_redis_refused_writes_total", "Writes that Redis refused, although it is available.",
			"code", "READONLY", "OOM", "MISCONF"),
		up: m.register.gauge("cvmgraph_redis_up", "1 if Redis is available, 0 during an outage."),
	}
	r.Up()
	return r
}

// Hit counts an entry found in Redis.
func (r *RedisMetrics) Hit() { r.hits.Inc() }

// Miss counts an entry not found in Redis.
func (r *RedisMetrics) Miss() { r.misses.Inc() }

// Error counts a failed operation. The op is load, save, invalidate, lock or decode; any other
// value is counted as other.
func (r *RedisMetrics) Error(op string) { r.errors.inc(op) }

// Refused counts a write that Redis refused with a code: READONLY, OOM or MISCONF; any other value
// is counted as other.
func (r *RedisMetrics) Refused(code string) { r.refused.inc(code) }

// Up records the end of an outage.
func (r *RedisMetrics) Up() { r.up.Set(1) }

// Down records the start of an outage.
func (r *RedisMetrics) Down() { r.up.Set(0) }
