package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// PageCache has the metrics of the page cache. Its methods are safe for concurrent use and do not
// allocate.
type PageCache struct {
	register                               promauto.Factory
	hits, misses, stale, evictions, purges prometheus.Counter
	age                                    prometheus.Histogram
}

// PageCache registers the metrics of the page cache. The limit, in bytes, is the memory limit of
// pages and responses together. PageCache panics if it is called twice.
func (m *Metrics) PageCache(limit uint64) *PageCache {
	counter := func(name, help string) prometheus.Counter {
		return m.register.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m.register.NewGauge(prometheus.GaugeOpts{
		Name: "cvmgraph_cache_limit_bytes",
		Help: "Memory limit for cached pages and responses: --cache-bytes.",
	}).Set(float64(limit))
	return &PageCache{
		register:  m.register,
		hits:      counter("cvmgraph_page_cache_hits_total", "Pages served from the cache within their TTL."),
		misses:    counter("cvmgraph_page_cache_misses_total", "Requested pages that were not in the cache, or older than their TTL."),
		stale:     counter("cvmgraph_page_cache_stale_hits_total", "Pages served after their TTL because the upstream failed."),
		evictions: counter("cvmgraph_page_cache_evictions_total", "Pages evicted from the cache because it was full."),
		purges:    counter("cvmgraph_page_cache_purges_total", "Purges of the pages of a credential because the upstream refused it."),
		age: m.register.NewHistogram(prometheus.HistogramOpts{
			Name:    "cvmgraph_page_cache_age_seconds",
			Help:    "Age of a page when it was served from the cache within its TTL.",
			Buckets: []float64{.1, .25, .5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300},
		}),
	}
}

// Watch registers gauges for the size of the cache. size is called at each scrape, and must be safe
// for concurrent use. Watch panics if it is called twice.
func (c *PageCache) Watch(size func() (pages int, bytes uint64)) {
	c.register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cvmgraph_page_cache_bytes",
		Help: "Size of the cached pages.",
	}, func() float64 {
		_, bytes := size()
		return float64(bytes)
	})
	c.register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cvmgraph_page_cache_entries",
		Help: "Number of cached pages.",
	}, func() float64 {
		pages, _ := size()
		return float64(pages)
	})
}

// Hit counts a page of the given age that was served within its TTL.
func (c *PageCache) Hit(age time.Duration) {
	c.hits.Inc()
	c.age.Observe(age.Seconds())
}

// Miss counts a page that was not in the cache or was older than its TTL.
func (c *PageCache) Miss() { c.misses.Inc() }

// Stale counts a page that was served after its TTL because the upstream failed.
func (c *PageCache) Stale() { c.stale.Inc() }

// Evicted counts a page that was evicted because the cache was full.
func (c *PageCache) Evicted() { c.evictions.Inc() }

// Purged counts a purge of the pages of a credential that the upstream refused.
func (c *PageCache) Purged() { c.purges.Inc() }

// ResponseCache has the metrics of the response cache. Its methods are safe for concurrent use.
type ResponseCache struct {
	register promauto.Factory
	hits     prometheus.Counter
}

// ResponseCache registers the metrics of the response cache. It panics if it is called twice.
func (m *Metrics) ResponseCache() *ResponseCache {
	return &ResponseCache{register: m.register, hits: m.register.NewCounter(prometheus.CounterOpts{
		Name: "cvmgraph_response_cache_hits_total",
		Help: "Requests served with the cached response of an equal request, without execution.",
	})}
}

// Hit counts a request that was served with a cached response. It does not allocate.
func (r *ResponseCache) Hit() { r.hits.Inc() }

// Watch registers a gauge for the size of the cached responses. size is called at each scrape, and
// must be safe for concurrent use. Watch panics if it is called twice.
func (r *ResponseCache) Watch(size func() (responses int, bytes uint64)) {
	r.register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cvmgraph_response_cache_bytes",
		Help: "Size of the cached responses.",
	}, func() float64 {
		_, bytes := size()
		return float64(bytes)
	})
}

// Redis has the metrics of the cache that replicas share in Redis. Its methods are safe for
// concurrent use and do not allocate.
type Redis struct {
	hits, misses prometheus.Counter
	errors       closedSet
	up           prometheus.Gauge
}

// Redis registers the metrics of Redis, which is up until [Redis.Down]. It panics if it is called
// twice.
func (m *Metrics) Redis() *Redis {
	r := &Redis{
		hits: m.register.NewCounter(prometheus.CounterOpts{
			Name: "cvmgraph_redis_hits_total",
			Help: "Entries found in Redis.",
		}),
		misses: m.register.NewCounter(prometheus.CounterOpts{
			Name: "cvmgraph_redis_misses_total",
			Help: "Requested entries not found in Redis.",
		}),
		errors: newClosedSet(m.register.NewCounterVec(prometheus.CounterOpts{
			Name: "cvmgraph_redis_errors_total",
			Help: "Failed operations on Redis. The gateway continued without them.",
		}, []string{"op"}), "load", "save", "forget", "lock", "decode"),
		up: m.register.NewGauge(prometheus.GaugeOpts{
			Name: "cvmgraph_redis_up",
			Help: "1 if Redis is available, 0 during an outage.",
		}),
	}
	r.Up()
	return r
}

// Hit counts an entry found in Redis.
func (r *Redis) Hit() { r.hits.Inc() }

// Miss counts an entry not found in Redis.
func (r *Redis) Miss() { r.misses.Inc() }

// Error counts a failed operation. The op is load, save, forget, lock or decode; any other value is
// counted as other.
func (r *Redis) Error(op string) { r.errors.inc(op) }

// Up records the end of an outage.
func (r *Redis) Up() { r.up.Set(1) }

// Down records the begin of an outage.
func (r *Redis) Down() { r.up.Set(0) }
