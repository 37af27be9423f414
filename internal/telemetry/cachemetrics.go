package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// PageCache observes the cache of pages. Its methods are safe for concurrent use and allocate nothing.
type PageCache struct {
	register                               promauto.Factory
	hits, misses, stale, evictions, purges prometheus.Counter
	age                                    prometheus.Histogram
}

// PageCache adds the metrics of the page cache. The limit, in bytes, is that of pages and answers together. It panics when it is
// called twice.
func (m *Metrics) PageCache(limit uint64) *PageCache {
	counter := func(name, help string) prometheus.Counter {
		return m.register.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m.register.NewGauge(prometheus.GaugeOpts{
		Name: "cvmgraph_cache_limit_bytes",
		Help: "What pages and answers may take together: --cache-bytes.",
	}).Set(float64(limit))
	return &PageCache{
		register:  m.register,
		hits:      counter("cvmgraph_page_cache_hits_total", "Pages served from the cache within their life."),
		misses:    counter("cvmgraph_page_cache_misses_total", "Pages asked for that the cache did not hold within their life."),
		stale:     counter("cvmgraph_page_cache_stale_hits_total", "Pages served past their life because the upstream failed."),
		evictions: counter("cvmgraph_page_cache_evictions_total", "Pages that left the cache for want of room."),
		purges:    counter("cvmgraph_page_cache_purges_total", "Refusals of a credential, each of which drops the pages that were fetched with it."),
		age: m.register.NewHistogram(prometheus.HistogramOpts{
			Name:    "cvmgraph_page_cache_age_seconds",
			Help:    "Age of a page within its life as it was served from the cache.",
			Buckets: []float64{.1, .25, .5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300},
		}),
	}
}

// Watch adds the size of the cache, which is asked for at each scrape, by any goroutine. It panics when it is called twice.
func (c *PageCache) Watch(size func() (pages int, bytes uint64)) {
	c.register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cvmgraph_page_cache_bytes",
		Help: "Size of the pages in the cache, within --cache-bytes.",
	}, func() float64 {
		_, bytes := size()
		return float64(bytes)
	})
	c.register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cvmgraph_page_cache_entries",
		Help: "Pages in the cache.",
	}, func() float64 {
		pages, _ := size()
		return float64(pages)
	})
}

// Hit notes a page of this age that was served within its life.
func (c *PageCache) Hit(age time.Duration) {
	c.hits.Inc()
	c.age.Observe(age.Seconds())
}

// Miss notes a page that the cache did not hold within its life.
func (c *PageCache) Miss() { c.misses.Inc() }

// Stale notes a page that was served past its life, because the upstream failed.
func (c *PageCache) Stale() { c.stale.Inc() }

// Evicted notes a page that left for want of room.
func (c *PageCache) Evicted() { c.evictions.Inc() }

// Purged notes a credential that was refused, and lost its pages.
func (c *PageCache) Purged() { c.purges.Inc() }

// ResponseCache observes the answers that are kept for requests that come again. Its methods are safe for concurrent use.
type ResponseCache struct {
	register promauto.Factory
	hits     prometheus.Counter
}

// ResponseCache adds the metrics of kept answers. It panics when it is called twice.
func (m *Metrics) ResponseCache() *ResponseCache {
	return &ResponseCache{register: m.register, hits: m.register.NewCounter(prometheus.CounterOpts{
		Name: "cvmgraph_response_cache_hits_total",
		Help: "Requests answered as an equal one was before, without being executed.",
	})}
}

// Hit notes a request that was answered without being executed. It allocates nothing.
func (r *ResponseCache) Hit() { r.hits.Inc() }

// Watch adds the size of the answers, which is asked for at each scrape, by any goroutine. It panics when it is called twice.
func (r *ResponseCache) Watch(size func() (answers int, bytes uint64)) {
	r.register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cvmgraph_response_cache_bytes",
		Help: "Size of the answers that are kept, within --cache-bytes.",
	}, func() float64 {
		_, bytes := size()
		return float64(bytes)
	})
}

// Redis observes the level of the cache that replicas share. Its methods are safe for concurrent use and allocate nothing.
type Redis struct {
	hits, misses prometheus.Counter
	errors       closedSet
	up           prometheus.Gauge
}

// Redis adds the metrics of Redis, which is up until [Redis.Down]. It panics when it is called twice.
func (m *Metrics) Redis() *Redis {
	r := &Redis{
		hits: m.register.NewCounter(prometheus.CounterOpts{
			Name: "cvmgraph_redis_hits_total",
			Help: "Entries that Redis held.",
		}),
		misses: m.register.NewCounter(prometheus.CounterOpts{
			Name: "cvmgraph_redis_misses_total",
			Help: "Entries asked for that Redis did not hold.",
		}),
		errors: newClosedSet(m.register.NewCounterVec(prometheus.CounterOpts{
			Name: "cvmgraph_redis_errors_total",
			Help: "Steps with Redis that failed, and were done without.",
		}, []string{"op"}), "load", "save", "forget", "lock", "decode"),
		up: m.register.NewGauge(prometheus.GaugeOpts{
			Name: "cvmgraph_redis_up",
			Help: "0 during an outage of Redis, else 1.",
		}),
	}
	r.Up()
	return r
}

// Hit notes an entry that Redis held.
func (r *Redis) Hit() { r.hits.Inc() }

// Miss notes an entry that Redis did not hold.
func (r *Redis) Miss() { r.misses.Inc() }

// Error notes a step that failed. The op is load, save, forget, lock or decode; another one is counted as other.
func (r *Redis) Error(op string) { r.errors.inc(op) }

// Up notes that an outage is over.
func (r *Redis) Up() { r.up.Set(1) }

// Down notes that an outage has begun.
func (r *Redis) Down() { r.up.Set(0) }
