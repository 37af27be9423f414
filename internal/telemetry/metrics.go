package telemetry

import (
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics has all metrics of the program, in a registry of its own; docs/metrics.md lists them. Its
// methods are meant for the observers of other packages. They are safe for concurrent use, and
// allocate only for new label values.
//
// No label contains a string of a caller or of the upstream.
type Metrics struct {
	registry *prometheus.Registry
	register factory
	requests requestMetrics
	upstream upstreamMetrics

	untrusted, traceExportFailures prometheus.Counter
}

// NewMetrics returns metrics with the value zero. [Metrics.PageCache], [Metrics.ResponseCache],
// [Metrics.Redis] and [Metrics.WatchUpstream] register more metrics.
func NewMetrics() *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	register := factory{promauto.With(registry)}
	register.NewGaugeVec(prometheus.GaugeOpts{
		Name: "cvmgraph_build_info",
		Help: "Always 1. The label is the version of the program.",
	}, []string{"version"}).WithLabelValues(Version()).Set(1)
	return &Metrics{
		registry: registry,
		register: register,
		requests: newRequestMetrics(register),
		upstream: newUpstreamMetrics(register),
		untrusted: register.counter("cvmgraph_untrusted_documents_total",
			"Requests for a document that is not trusted, executed or rejected."),
		traceExportFailures: register.counter("cvmgraph_trace_export_failures_total", "Failed exports of spans. The spans are lost."),
	}
}

// Handler serves all metrics in the text format of Prometheus or in OpenMetrics, as the request
// accepts. It logs errors.
func (m *Metrics) Handler(logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		ErrorHandling:     promhttp.ContinueOnError,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelError),
	})
}

// latencyBuckets returns buckets in seconds, from the latency of a cached page to the request
// timeout.
func latencyBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
}

// factory registers metrics. It panics if a name is registered twice.
type factory struct{ promauto.Factory }

func (f factory) counter(name, help string) prometheus.Counter {
	return f.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

// closedSet registers a counter with a label that has the given values.
func (f factory) closedSet(name, help, label string, values ...string) closedSet {
	vec := f.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	known := make(map[string]prometheus.Counter, len(values))
	for _, value := range values {
		known[value] = vec.WithLabelValues(value)
	}
	return closedSet{vec, known}
}

func (f factory) gauge(name, help string) prometheus.Gauge {
	return f.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

// watch registers a gauge whose value is read at each scrape.
func watch[T int | uint64](f factory, name, help string, value func() T) {
	f.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

func (f factory) histogram(name, help string, buckets []float64) prometheus.Histogram {
	return f.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

// closedSet is a counter with a label that has a fixed set of values.
type closedSet struct {
	vec   *prometheus.CounterVec
	known map[string]prometheus.Counter // read-only
}

// inc increments the counter of a value. A value outside the set is counted as "other".
func (s closedSet) inc(value string) {
	counter, ok := s.known[value]
	if !ok {
		counter = s.vec.WithLabelValues("other")
	}
	counter.Inc()
}

type requestMetrics struct {
	inFlight prometheus.Gauge
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec

	mu       sync.RWMutex
	resolved map[requestLabels]requestSeries
}

type requestLabels struct {
	method, route string
	status        int
}

type requestSeries struct {
	total    prometheus.Counter
	duration prometheus.Observer
}

func newRequestMetrics(register factory) requestMetrics {
	return requestMetrics{
		inFlight: register.gauge("cvmgraph_http_requests_in_flight", "Requests in progress at the public address."),
		total: register.NewCounterVec(prometheus.CounterOpts{
			Name: "cvmgraph_http_requests_total",
			Help: "Completed requests at the public address.",
		}, []string{"method", "route", "status"}),
		duration: register.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cvmgraph_http_request_duration_seconds",
			Help:    "Time from the header of a request to the end of its response.",
			Buckets: latencyBuckets(),
		}, []string{"route"}),
		resolved: map[requestLabels]requestSeries{},
	}
}

// RequestBegun records the start of a request.
func (m *Metrics) RequestBegun() { m.requests.inFlight.Inc() }

// RequestEnded records the end of a request with its status, which is 0 if the connection was
// aborted before a response. method and route become labels, so they must be from a small set.
func (m *Metrics) RequestEnded(method, route string, status int, took time.Duration) {
	m.requests.inFlight.Dec()
	series := m.requests.series(requestLabels{method, route, status})
	series.total.Inc()
	series.duration.Observe(took.Seconds())
}

func (r *requestMetrics) series(labels requestLabels) requestSeries {
	r.mu.RLock()
	series, ok := r.resolved[labels]
	r.mu.RUnlock()
	if ok {
		return series
	}
	series = requestSeries{
		total:    r.total.WithLabelValues(labels.method, labels.route, strconv.Itoa(labels.status)),
		duration: r.duration.WithLabelValues(labels.route),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resolved[labels] = series
	return series
}

// UntrustedDocument counts a request for a document that is not trusted.
func (m *Metrics) UntrustedDocument() { m.untrusted.Inc() }

// TraceExportFailed counts a failed export of spans.
func (m *Metrics) TraceExportFailed() { m.traceExportFailures.Inc() }
