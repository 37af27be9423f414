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

// Metrics is what the program counts and times, in a registry of its own; docs/metrics.md lists all of it. Its methods are for
// the structs of funcs that those who are observed take. They are safe for concurrent use, and allocate nothing once a label
// has been seen.
//
// No label holds what a caller or the upstream wrote.
type Metrics struct {
	registry *prometheus.Registry
	register promauto.Factory
	requests requestMetrics
	upstream upstreamMetrics

	untrusted, tracesFailed prometheus.Counter
}

// NewMetrics returns metrics that count from zero. What not every gateway has is added by [Metrics.PageCache] and
// [Metrics.Redis].
func NewMetrics() *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	register := promauto.With(registry)
	register.NewGaugeVec(prometheus.GaugeOpts{
		Name: "cvmgraph_build_info",
		Help: "Always 1; the label says what runs.",
	}, []string{"version"}).WithLabelValues(Version()).Set(1)
	return &Metrics{
		registry: registry,
		register: register,
		requests: newRequestMetrics(register),
		upstream: newUpstreamMetrics(register),
		untrusted: register.NewCounter(prometheus.CounterOpts{
			Name: "cvmgraph_untrusted_documents_total",
			Help: "Requests for a document that is not trusted, answered or refused.",
		}),
		tracesFailed: register.NewCounter(prometheus.CounterOpts{
			Name: "cvmgraph_trace_export_failures_total",
			Help: "Times that spans could not be sent, which are lost then.",
		}),
	}
}

// Handler answers with all metrics, in Prometheus' text format or in OpenMetrics, as it is asked. The logger gets what
// goes wrong meanwhile.
func (m *Metrics) Handler(logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		ErrorHandling:     promhttp.ContinueOnError,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelError),
	})
}

// latencyBuckets, in seconds, begin where a page is at hand and end where a request is given up.
func latencyBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

// closedSet counts by a label that has few values.
type closedSet struct {
	vec   *prometheus.CounterVec
	known map[string]prometheus.Counter // not written to
}

func newClosedSet(vec *prometheus.CounterVec, values ...string) closedSet {
	known := make(map[string]prometheus.Counter, len(values))
	for _, value := range values {
		known[value] = vec.WithLabelValues(value)
	}
	return closedSet{vec, known}
}

// inc counts a value. One that is not of the set is counted as "other".
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

func newRequestMetrics(register promauto.Factory) requestMetrics {
	return requestMetrics{
		inFlight: register.NewGauge(prometheus.GaugeOpts{
			Name: "cvmgraph_http_requests_in_flight",
			Help: "Requests at the public address that are being answered.",
		}),
		total: register.NewCounterVec(prometheus.CounterOpts{
			Name: "cvmgraph_http_requests_total",
			Help: "Requests at the public address that have ended.",
		}, []string{"method", "route", "status"}),
		duration: register.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cvmgraph_http_request_duration_seconds",
			Help:    "From a request's header to the end of its answer.",
			Buckets: latencyBuckets(),
		}, []string{"route"}),
		resolved: map[requestLabels]requestSeries{},
	}
}

// RequestBegun notes that a request has come.
func (m *Metrics) RequestBegun() { m.requests.inFlight.Inc() }

// RequestEnded notes that the request has been answered with the status, 0 where its connection was aborted before. Method
// and route become labels: they are of a known few, and never a caller's text.
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

// UntrustedDocument notes a request for a document that is not trusted.
func (m *Metrics) UntrustedDocument() { m.untrusted.Inc() }

// TracesFailed notes that spans could not be sent.
func (m *Metrics) TracesFailed() { m.tracesFailed.Inc() }
