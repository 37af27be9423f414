package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type upstreamMetrics struct {
	calls, retries, refused         closedSet
	duration                        prometheus.Histogram
	coalesced, attempts, overBudget prometheus.Counter
	compared                        prometheus.Counter
	differences                     *prometheus.GaugeVec
}

func newUpstreamMetrics(register promauto.Factory) upstreamMetrics {
	counter := func(name, help string) prometheus.Counter {
		return register.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	labelled := func(name, help, label string, values ...string) closedSet {
		return newClosedSet(register.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label}), values...)
	}
	differences := register.NewGaugeVec(prometheus.GaugeOpts{
		Name: "cvmgraph_upstream_contract_differences",
		Help: "Differences between what the upstream promises and its page that was compared last.",
	}, []string{"kind"})
	for _, kind := range []string{"missing", "changed", "unknown"} {
		differences.WithLabelValues(kind)
	}
	return upstreamMetrics{
		calls: labelled("cvmgraph_upstream_calls_total", "Calls to the upstream that have ended, each with its retries.",
			"outcome", "ok", "client_error", "rate_limited", "server_error", "timeout", "network", "invalid", "unavailable", "canceled"),
		duration: register.NewHistogram(prometheus.HistogramOpts{
			Name:    "cvmgraph_upstream_call_duration_seconds",
			Help:    "One call to the upstream with its retries, to the end of its body.",
			Buckets: latencyBuckets(),
		}),
		coalesced: counter("cvmgraph_upstream_coalesced_total", "Pages that another request's call in flight has brought."),
		attempts:  counter("cvmgraph_upstream_attempts_total", "Attempts at calls to the upstream."),
		retries: labelled("cvmgraph_upstream_retries_total", "Attempts that were made again, by how the one before ended.",
			"reason", "server_error", "rate_limited", "reset", "truncated", "timeout"),
		overBudget: counter("cvmgraph_upstream_retry_budget_exhausted_total",
			"Attempts that were not made again, because enough of those in flight were such already."),
		refused: labelled("cvmgraph_upstream_refused_total", "Attempts that were not made, to spare the upstream and the gateway.",
			"reason", "breaker", "overload"),
		compared:    counter("cvmgraph_upstream_contract_checks_total", "Pages of the upstream that were compared with what it promises."),
		differences: differences,
	}
}

// UpstreamCall notes a call to the upstream that has ended. The outcome is ok, client_error, rate_limited, server_error,
// timeout, network, invalid, unavailable or canceled; another one is counted as other.
func (m *Metrics) UpstreamCall(outcome string, took time.Duration) {
	m.upstream.calls.inc(outcome)
	m.upstream.duration.Observe(took.Seconds())
}

// UpstreamCoalesced notes a page that took no call of its own, because the same call was in flight.
func (m *Metrics) UpstreamCoalesced() { m.upstream.coalesced.Inc() }

// UpstreamAttempted notes an attempt at a call.
func (m *Metrics) UpstreamAttempted() { m.upstream.attempts.Inc() }

// UpstreamRetried notes an attempt that is made again. The reason is server_error, rate_limited, reset, truncated or timeout; another
// one is counted as other.
func (m *Metrics) UpstreamRetried(reason string) { m.upstream.retries.inc(reason) }

// UpstreamOverBudget notes an attempt that is not made again, because there are too many such.
func (m *Metrics) UpstreamOverBudget() { m.upstream.overBudget.Inc() }

// UpstreamRefused notes an attempt that is not made. The reason is breaker or overload; another one is counted as other.
func (m *Metrics) UpstreamRefused(reason string) { m.upstream.refused.inc(reason) }

// UpstreamCompared notes how many keys of a page are missing, have values of another type, and are unknown.
func (m *Metrics) UpstreamCompared(missing, changed, unknown int) {
	m.upstream.compared.Inc()
	m.upstream.differences.WithLabelValues("missing").Set(float64(missing))
	m.upstream.differences.WithLabelValues("changed").Set(float64(changed))
	m.upstream.differences.WithLabelValues("unknown").Set(float64(unknown))
}

// WatchUpstream adds how the gateway stands with its upstream, which is asked for at each scrape, by any goroutine. The breaker is
// closed, half_open or open. It panics when it is called twice.
func (m *Metrics) WatchUpstream(state func() (breaker string, limit, inFlight, queued int)) {
	gauge := func(name, help string, value func() int) {
		m.register.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	gauge("cvmgraph_upstream_breaker_state", "0 while the breaker is closed, 1 while it is half open, 2 while it is open.", func() int {
		breaker, _, _, _ := state()
		switch breaker {
		case "half_open":
			return 1
		case "open":
			return 2
		}
		return 0
	})
	gauge("cvmgraph_upstream_concurrency_limit", "Attempts that may be in flight.", func() int { _, limit, _, _ := state(); return limit })
	gauge("cvmgraph_upstream_attempts_in_flight", "Attempts that are in flight.", func() int { _, _, inFlight, _ := state(); return inFlight })
	gauge("cvmgraph_upstream_attempts_queued", "Attempts that wait for others in flight to end.", func() int { _, _, _, queued := state(); return queued })
}
