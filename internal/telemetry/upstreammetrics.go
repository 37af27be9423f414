package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type upstreamMetrics struct {
	calls, retries, suppressed      closedSet
	duration                        prometheus.Histogram
	coalesced, attempts, overBudget prometheus.Counter
	compared                        prometheus.Counter
	differences                     *prometheus.GaugeVec
}

func newUpstreamMetrics(register factory) upstreamMetrics {
	differences := register.NewGaugeVec(prometheus.GaugeOpts{
		Name: "cvmgraph_upstream_contract_differences",
		Help: "Differences between the API contract and the page that was checked last.",
	}, []string{"kind"})
	for _, kind := range []string{"missing", "changed", "unknown"} {
		differences.WithLabelValues(kind)
	}
	return upstreamMetrics{
		calls: register.closedSet("cvmgraph_upstream_calls_total", "Completed calls to the upstream. A call includes its retries.",
			"outcome", "ok", "client_error", "rate_limited", "server_error", "timeout", "network", "invalid",
			"unavailable", "canceled"),
		duration: register.histogram("cvmgraph_upstream_call_duration_seconds",
			"Time of a call to the upstream with its retries, to the end of the body.", latencyBuckets()),
		coalesced: register.counter("cvmgraph_upstream_calls_coalesced_total", "Pages fetched by a call that another request had started."),
		attempts:  register.counter("cvmgraph_upstream_attempts_total", "Attempts to call the upstream."),
		retries: register.closedSet("cvmgraph_upstream_retries_total", "Retries, by the reason that the previous attempt failed.",
			"reason", "server_error", "rate_limited", "reset", "truncated", "timeout"),
		overBudget: register.counter("cvmgraph_upstream_retry_budget_exhausted_total",
			"Retries that were not made, because too many attempts in flight were retries."),
		suppressed: register.closedSet("cvmgraph_upstream_attempts_suppressed_total", "Attempts that were not made, to protect the upstream and the gateway.",
			"reason", "paused", "breaker", "overload", "exhausted"),
		compared:    register.counter("cvmgraph_upstream_contract_checks_total", "Pages of the upstream that were checked against the API contract."),
		differences: differences,
	}
}

// UpstreamCall records a completed call to the upstream. The outcome is ok, client_error,
// rate_limited, server_error, timeout, network, invalid, unavailable or canceled; any other value
// is counted as other.
func (m *Metrics) UpstreamCall(outcome string, took time.Duration) {
	m.upstream.calls.inc(outcome)
	m.upstream.duration.Observe(took.Seconds())
}

// UpstreamCoalesced counts a page that was fetched by a call that another request had started.
func (m *Metrics) UpstreamCoalesced() { m.upstream.coalesced.Inc() }

// UpstreamAttempted counts an attempt to call the upstream.
func (m *Metrics) UpstreamAttempted() { m.upstream.attempts.Inc() }

// UpstreamRetried counts a retry. The reason is server_error, rate_limited, reset, truncated or
// timeout; any other value is counted as other.
func (m *Metrics) UpstreamRetried(reason string) { m.upstream.retries.inc(reason) }

// UpstreamOverBudget counts a retry that was not made, because the retry budget was exhausted.
func (m *Metrics) UpstreamOverBudget() { m.upstream.overBudget.Inc() }

// UpstreamSuppressed counts an attempt that was not made. The reason is paused, breaker, overload
// or exhausted; any other value is counted as other.
func (m *Metrics) UpstreamSuppressed(reason string) { m.upstream.suppressed.inc(reason) }

// UpstreamCompared records a check of a page against the API contract: the numbers of missing keys,
// of keys whose values have another type, and of unknown keys.
func (m *Metrics) UpstreamCompared(missing, changed, unknown int) {
	m.upstream.compared.Inc()
	m.upstream.differences.WithLabelValues("missing").Set(float64(missing))
	m.upstream.differences.WithLabelValues("changed").Set(float64(changed))
	m.upstream.differences.WithLabelValues("unknown").Set(float64(unknown))
}

// WatchUpstream registers gauges for the state of the upstream client. state is called at each
// scrape, and must be safe for concurrent use. The breaker is closed, half_open or open.
// WatchUpstream panics if it is called twice.
func (m *Metrics) WatchUpstream(state func() (breaker string, limit, inFlight, queued, paused int)) {
	gauge := func(name, help string, value func(breaker string, limit, inFlight, queued, paused int) int) {
		watch(m.register, name, help, func() int { return value(state()) })
	}
	gauge("cvmgraph_upstream_breaker_state", "State of the circuit breaker: 0 is closed, 1 is half open, 2 is open.",
		func(breaker string, _, _, _, _ int) int { return map[string]int{"half_open": 1, "open": 2}[breaker] })
	gauge("cvmgraph_upstream_concurrency_limit", "Maximum number of attempts in flight.",
		func(_ string, limit, _, _, _ int) int { return limit })
	gauge("cvmgraph_upstream_attempts_in_flight", "Attempts in flight.",
		func(_ string, _, inFlight, _, _ int) int { return inFlight })
	gauge("cvmgraph_upstream_attempts_queued", "Attempts that wait until an attempt in flight ends.",
		func(_ string, _, _, queued, _ int) int { return queued })
	gauge("cvmgraph_upstream_paused_credentials", "Credentials whose calls are paused because they fail.",
		func(_ string, _, _, _, paused int) int { return paused })
}
