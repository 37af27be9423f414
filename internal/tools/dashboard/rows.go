package main

// Expressions and strings that several panels use.
const (
	requests = `sum(rate(cvmgraph_http_requests_total{route="/graphql"}[]))`
	attempts = `sum(rate(cvmgraph_upstream_attempts_total{}[]))`
	hits     = `sum(rate(cvmgraph_page_cache_hits_total{}[]))`
	misses   = `sum(rate(cvmgraph_page_cache_misses_total{}[]))`
	hitRatio = hits + ` / (` + hits + ` + ` + misses + `)`
	// ended is the rate of calls that were not canceled.
	ended = `sum(rate(cvmgraph_upstream_calls_total{outcome!="canceled"}[]))`
	// failed is the rate of calls that failed for a reason other than the caller's request.
	failed = `(rate(cvmgraph_upstream_calls_total{outcome!~"ok|client_error|canceled"}[]))`

	noRedis      = "Redis is not used"
	neutralColor = "text" // for values that are neither good nor bad
)

// quantiles returns a query for each quantile of a histogram.
func quantiles(histogram string, quantiles ...string) []query {
	var queries []query
	for _, q := range quantiles {
		queries = append(queries, query{"p" + q, `histogram_quantile(0.` + q + `, sum by (le) (rate(` + histogram + `[])))`})
	}
	return queries
}

// statusShare returns the share of the requests that end with a status. If there are none, it is 0.
func statusShare(status string) string {
	return `(sum(rate(cvmgraph_http_requests_total{route="/graphql", status=~"` + status + `"}[])) or vector(0)) / ` + requests
}

func neutral() []threshold { return []threshold{{color: neutralColor}} }

func breakerStates() []state {
	return []state{{"closed", "green"}, {"half open", "yellow"}, {"open", "red"}}
}

func redisStates() []state { return []state{{"down", "red"}, {"up", "green"}} }

func outcomes() []series {
	return []series{
		{legend: "ok", color: "green"},
		{legend: "client_error", color: "blue"},
		{legend: "rate_limited", color: "yellow"},
		{legend: "server_error", color: "red"},
		{legend: "timeout", color: "orange"},
		{legend: "network", color: "dark-red"},
		{legend: "invalid", color: "purple"},
		{legend: "unavailable", color: "dark-orange"},
		{legend: "canceled", color: "#808080"},
		{legend: "other", color: "super-light-red"},
	}
}

func rows() []row {
	return []row{
		{"At a glance", glance()},
		{"What callers see", callers()},
		{"Upstream", upstream()},
		{"What it saves", saves()},
		{"Redis", redis()},
		{"Contract", contract()},
		{"Process", process()},
	}
}

func glance() []panel {
	return []panel{
		{
			title: "Replicas", width: 3, kind: namedNumbers,
			description: "Gateways that Prometheus can scrape, and gateways that it cannot. If one is down for longer than a rollout, read its log and its exit reason.",
			queries:     []query{{"up", `sum(up{})`}, {"down", `sum(1 - up{})`}},
			thresholds:  []threshold{{color: neutralColor}, {1, "red"}},
			series:      []series{{legend: "up", color: neutralColor}},
		},
		{
			title: "Requests", width: 3, kind: number, unit: "reqps",
			description: "Requests to /graphql.",
			queries:     []query{{"requests", requests}},
			thresholds:  neutral(),
		},
		{
			title: "5xx", width: 3, kind: number, unit: "percentunit",
			description: "Share of the requests to /graphql that end with a 5xx. The cause is a bug in the gateway, or too many large bodies at the same time. " +
				"Upstream errors do not count, because GraphQL responses with errors have status 200.",
			queries:    []query{{"5xx", statusShare("5..")}},
			thresholds: []threshold{{color: "green"}, {0.001, "yellow"}, {0.01, "red"}},
		},
		{
			title: "p99", width: 3, kind: number, unit: "s",
			description: "99 % of the requests to /graphql are faster. If it grows, compare it with the duration of upstream calls.",
			queries:     quantiles(`cvmgraph_http_request_duration_seconds_bucket{route="/graphql"}`, "99"),
			thresholds:  []threshold{{color: "green"}, {1, "yellow"}, {2.5, "red"}},
		},
		{
			title: "Failed upstream calls", width: 3, kind: number, unit: "percentunit",
			description: "Share of the upstream calls that fail after all retries. The row Upstream shows the outcomes.",
			queries:     []query{{"failed", `sum` + failed + ` / ` + ended}},
			thresholds:  []threshold{{color: "green"}, {0.01, "yellow"}, {0.05, "red"}},
		},
		{
			title: "Breaker", width: 3, kind: number,
			description: "The worst state of all gateways. Open: the calls of several credentials fail, none succeeds, and the gateway makes few attempts. " +
				"Callers get UNAVAILABLE, or older pages if --stale-if-error allows it.",
			queries:    []query{{"breaker", `max(cvmgraph_upstream_breaker_state{})`}},
			thresholds: []threshold{{color: "green"}, {1, "yellow"}, {2, "red"}},
			states:     breakerStates(),
		},
		{
			title: "Cache hits", width: 3, kind: number, unit: "percentunit",
			description: "Share of the requested pages that were in the cache and not older than --cache-ttl.",
			queries:     []query{{"hits", hitRatio}},
			thresholds:  neutral(),
		},
		{
			title: "Redis", width: 3, kind: number, noValue: "not used",
			description: "Down: at least one gateway works without Redis. Responses stay correct, but the upstream gets more calls.",
			queries:     []query{{"Redis", `min(cvmgraph_redis_up{})`}},
			thresholds:  []threshold{{color: "red"}, {1, "green"}},
			states:      redisStates(),
		},
	}
}

func callers() []panel {
	return []panel{
		{
			title: "Requests by route and status", width: 12, unit: "reqps", stacked: true,
			description: "Most GraphQL errors have status 200. At /graphql, 4xx means an invalid GraphQL-over-HTTP request and 5xx an error of the gateway. " +
				"503 at /readyz means that a gateway drains, which is normal in a rollout. Status 0: the connection was aborted before the response.",
			queries: []query{{"{{route}} {{status}}", `sum by (route, status) (rate(cvmgraph_http_requests_total{}[]))`}},
		},
		{
			title: "Errors at /graphql by HTTP status", width: 12, unit: "percentunit",
			description: "5xx: find the log line by requestId. 503 means too many large bodies at the same time, or requests that timed out before they started. " +
				"4xx: a client does not send valid GraphQL over HTTP. " +
				"Aborted: callers disconnect before the response, usually because it takes too long.",
			queries: []query{{"5xx", statusShare("5..")}, {"4xx", statusShare("4..")}, {"aborted", statusShare("0")}},
			series:  []series{{legend: "5xx", color: "red"}, {legend: "4xx", color: "orange"}, {legend: "aborted", color: "purple"}},
		},
		{
			title: "Latency of /graphql", width: 12, unit: "s",
			description: "From the request's header to the end of the response. If it grows together with the duration of upstream calls, the upstream is slow: " +
				"with a longer --cache-ttl, fewer callers notice. If it grows alone, look at CPU, garbage collections and queued attempts.",
			queries:    quantiles(`cvmgraph_http_request_duration_seconds_bucket{route="/graphql"}`, "50", "95", "99"),
			thresholds: []threshold{{color: "transparent"}, {2.5, "red"}},
		},
		{
			title: "Requests in flight", width: 6,
			description: "Requests that are in progress. If a line rises and stays high, requests arrive faster than the gateway serves them.",
			queries:     []query{{"{{instance}}", `sum by (instance) (cvmgraph_http_requests_in_flight{})`}},
		},
		{
			title: "Untrusted documents", width: 6, unit: "reqps",
			description: "Requests with a document that is not in the file of --trusted-documents. --trusted-documents-mode logs or rejects them. " +
				"Set it to enforce when the rate has been 0 for the lifetime of old clients.",
			queries: []query{{"untrusted", `sum(rate(cvmgraph_untrusted_documents_total{}[]))`}},
		},
	}
}

func upstream() []panel {
	return []panel{
		{
			title: "Calls by outcome", width: 12, unit: "cps", stacked: true,
			description: "Completed calls, including retries. client_error: the upstream rejected a caller's credential or filter. " +
				"rate_limited: make fewer calls, with a longer --cache-ttl or a Redis for all replicas. " +
				"unavailable: the call was not made; see the breaker and the suppressed attempts. " +
				"invalid: the response does not match the API version; see the row Contract.",
			queries: []query{{"{{outcome}}", `sum by (outcome) (rate(cvmgraph_upstream_calls_total{}[]))`}},
			series:  outcomes(),
		},
		{
			title: "Failed calls by outcome", width: 12, unit: "percentunit", stacked: true,
			description: "Share of the calls that fail after all retries. Callers get UPSTREAM_ERROR, UPSTREAM_TIMEOUT, UPSTREAM_INVALID_RESPONSE, RATE_LIMITED " +
				"or UNAVAILABLE.",
			queries: []query{{"{{outcome}}", `sum by (outcome) ` + failed + ` / ignoring (outcome) group_left () ` + ended}},
			series:  outcomes(),
		},
		{
			title: "Duration of a call", width: 12, unit: "s",
			description: "One call with its retries and the pauses between them, to the end of the body. " +
				"An attempt ends after --upstream-timeout: if the p99 is near it, the upstream hangs.",
			queries: quantiles(`cvmgraph_upstream_call_duration_seconds_bucket{}`, "50", "95", "99"),
		},
		{
			title: "Attempts and retries", width: 12, unit: "cps",
			description: "All attempts, and retries by the reason of the previous failure. If retries continue, the upstream has problems that " +
				"callers do not notice yet. Over budget: a fifth of the attempts in flight were already retries, so callers get the errors.",
			queries: []query{
				{"attempts", attempts},
				{"retries: {{reason}}", `sum by (reason) (rate(cvmgraph_upstream_retries_total{}[]))`},
				{"over budget", `sum(rate(cvmgraph_upstream_retry_budget_exhausted_total{}[]))`},
			},
			series: []series{{legend: "attempts", color: "green"}, {legend: "over budget", color: "red"}},
		},
		{
			title: "Breaker", width: 12, kind: timeline,
			description: "Closed: the gateway makes attempts. Open: the calls of several credentials fail, and none has succeeded for 10 s. Each credential has a probe every 5 s. " +
				"Half open: a probe is in flight. Without requests, an open breaker stays open, which is not a problem.",
			queries:    []query{{"{{instance}}", `max by (instance) (cvmgraph_upstream_breaker_state{})`}},
			thresholds: []threshold{{color: "green"}, {1, "yellow"}, {2, "red"}},
			states:     breakerStates(),
		},
		{
			title: "Suppressed attempts", width: 12, unit: "cps",
			description: "Callers get UNAVAILABLE. paused: the upstream fails for this credential. breaker: it fails for several, and no call succeeds. " +
				"overload: too many attempts are in flight or queued, because the upstream is slow or gets more calls than it can serve. Make fewer calls; " +
				"more replicas do not help. exhausted: the gateway has no file descriptor, port or memory for a connection.",
			queries: []query{{"{{reason}}", `sum by (reason) (rate(cvmgraph_upstream_attempts_suppressed_total{}[]))`}},
			series:  []series{{legend: "paused", color: "yellow"}, {legend: "breaker", color: "red"}, {legend: "overload", color: "orange"}, {legend: "exhausted", color: "purple"}},
		},
		{
			title: "Paused credentials", width: 12,
			description: "Credentials whose calls are paused because they fail, in the gateway with most of them. Other credentials are not affected.",
			queries:     []query{{"paused", `max(cvmgraph_upstream_paused_credentials{})`}},
			series:      []series{{legend: "paused", color: "yellow"}},
		},
		{
			title: "Attempts in flight", width: 12, stacked: true,
			description: "Sum of all gateways. The limit adapts to the duration of attempts, from 16 to 512 per gateway. If it falls, the upstream is getting slower. " +
				"If a queue persists, attempts will soon be suppressed.",
			queries: []query{
				{"in flight", `sum(cvmgraph_upstream_attempts_in_flight{})`},
				{"queued", `sum(cvmgraph_upstream_attempts_queued{})`},
				{"limit", `sum(cvmgraph_upstream_concurrency_limit{})`},
			},
			series: []series{{legend: "in flight", color: "green"}, {legend: "queued", color: "orange"}, {legend: "limit", color: "red", limit: true}},
		},
	}
}

func saves() []panel {
	return []panel{
		{
			title: "Pages by origin", width: 12, unit: "cps",
			description: "hits: from the cache, not older than --cache-ttl. misses: not in the cache. coalesced: misses that shared the call of another request. " +
				"stale: from the cache, older than --cache-ttl, because the upstream failed.",
			queries: []query{
				{"hits", hits},
				{"misses", misses},
				{"coalesced", `sum(rate(cvmgraph_upstream_calls_coalesced_total{}[]))`},
				{"stale", `sum(rate(cvmgraph_page_cache_stale_hits_total{}[]))`},
			},
			series: []series{{legend: "hits", color: "green"}, {legend: "misses", color: "blue"}, {legend: "coalesced", color: "purple"}, {legend: "stale", color: "orange"}},
		},
		{
			title: "Hit ratios", width: 12, unit: "percentunit", share: true,
			description: "Page cache: hits per requested page. Response cache: hits per request to /graphql. " +
				"If both are low and traffic is high, a longer --cache-ttl saves calls, but data is older.",
			queries: []query{
				{"page cache", hitRatio},
				{"response cache", `sum(rate(cvmgraph_response_cache_hits_total{}[])) / ` + requests},
			},
			series: []series{{legend: "page cache", color: "green"}, {legend: "response cache", color: "blue"}},
		},
		{
			title: "Attempts per request", width: 8,
			description: "Upstream attempts per request to /graphql. Caches and coalescing reduce it. Long lists, lookups and retries increase it.",
			queries:     []query{{"attempts", attempts + ` / ` + requests}},
		},
		{
			title: "Age of pages from the cache", width: 8, unit: "s",
			description: "Age of cached pages when they were served, at most --cache-ttl. If this is too old for callers, reduce --cache-ttl.",
			queries:     quantiles(`cvmgraph_page_cache_age_seconds_bucket{}`, "50", "95"),
		},
		{
			title: "Size of the caches", width: 8, unit: "bytes", stacked: true,
			description: "Sum of all gateways. Responses use at most a quarter of --cache-bytes, pages the rest. If the size is near the limit and pages are evicted, " +
				"a larger --cache-bytes saves calls. It needs a larger memory limit.",
			queries: []query{
				{"pages", `sum(cvmgraph_page_cache_bytes{})`},
				{"responses", `sum(cvmgraph_response_cache_bytes{})`},
				{"limit", `sum(cvmgraph_cache_limit_bytes{})`},
			},
			series: []series{{legend: "pages", color: "green"}, {legend: "responses", color: "blue"}, {legend: "limit", color: "red", limit: true}},
		},
		{
			title: "Cached pages", width: 12,
			description: "Pages in the cache, of all credentials. Credentials do not share pages.",
			queries:     []query{{"{{instance}}", `sum by (instance) (cvmgraph_page_cache_entries{})`}},
		},
		{
			title: "Removed pages", width: 12, unit: "cps",
			description: "Evicted: the cache is full; see its size. Rejected credentials: the upstream returned 401 or 403, so the gateway removed all pages of the credential. " +
				"If this continues, a client still uses a revoked credential.",
			queries: []query{
				{"evicted", `sum(rate(cvmgraph_page_cache_evictions_total{}[]))`},
				{"rejected credentials", `sum(rate(cvmgraph_page_cache_purges_total{}[]))`},
			},
		},
	}
}

func redis() []panel {
	return []panel{
		{
			title: "Entries", width: 6, unit: "cps", noValue: noRedis,
			description: "Pages and persisted queries in Redis. If there are few hits and many misses, replicas get different requests, and Redis saves little.",
			queries:     []query{{"hits", `sum(rate(cvmgraph_redis_hits_total{}[]))`}, {"misses", `sum(rate(cvmgraph_redis_misses_total{}[]))`}},
			series:      []series{{legend: "hits", color: "green"}, {legend: "misses", color: "blue"}},
		},
		{
			title: "Errors by operation", width: 6, unit: "cps", noValue: noRedis,
			description: "Failed operations. The gateway continues without Redis. decode: replicas have different keys (--shared-key), or entries are damaged. " +
				"All others: Redis is slow, full or down.",
			queries: []query{{"{{op}}", `sum by (op) (rate(cvmgraph_redis_errors_total{}[]))`}},
		},
		{
			title: "Refused writes", width: 6, unit: "cps", noValue: noRedis,
			description: "Writes that Redis refuses, although it is available. READONLY: it has become a replica, and --redis-url does not lead to the primary. " +
				"OOM: it is full; set its maxmemory-policy to allkeys-lru. MISCONF: it cannot write to its disk.",
			queries: []query{{"{{code}}", `sum by (code) (rate(cvmgraph_redis_refused_writes_total{}[]))`}},
		},
		{
			title: "Reachable", width: 6, kind: timeline, noValue: noRedis,
			description: "Without Redis, each gateway uses only its own cache. If all gateways are down, Redis is. If only one is, check its network and network policies.",
			queries:     []query{{"{{instance}}", `min by (instance) (cvmgraph_redis_up{})`}},
			thresholds:  []threshold{{color: "red"}, {1, "green"}},
			states:      redisStates(),
		},
	}
}

func contract() []panel {
	return []panel{
		{
			title: "Differences from the API version", width: 16,
			description: "Fields of upstream pages that differ from --api-version. unknown: new fields, which cvmgraph ignores. " +
				"missing, changed: callers get null, or an error at the field. Find out whether the upstream retires the version.",
			queries: []query{{"{{kind}}", `max by (kind) (cvmgraph_upstream_contract_differences{})`}},
			series:  []series{{legend: "unknown", color: "blue"}, {legend: "missing", color: "orange"}, {legend: "changed", color: "red"}},
		},
		{
			title: "Pages compared", width: 8,
			description: "Pages per minute that were compared with the API version, at most one per gateway. Without upstream calls there are no comparisons, " +
				"and the differences are the last page's.",
			queries: []query{{"pages per minute", `60 * sum(rate(cvmgraph_upstream_contract_checks_total{}[]))`}},
		},
	}
}

func process() []panel {
	return []panel{
		{
			title: "Version", width: 8, kind: namedNumbers,
			description: "Gateways by version. If there are several versions for longer than a rollout, the rollout is stuck.",
			queries:     []query{{"{{version}}", `count by (version) (cvmgraph_build_info{})`}},
			thresholds:  neutral(),
		},
		{
			title: "Uptime", width: 8, kind: namedNumbers, unit: "s",
			description: "The shortest and the longest uptime. If the shortest stays short, a gateway restarts repeatedly.",
			queries:     []query{{"shortest", `min(time() - process_start_time_seconds{})`}, {"longest", `max(time() - process_start_time_seconds{})`}},
			thresholds:  []threshold{{color: "yellow"}, {600, neutralColor}},
		},
		{
			title: "Open files", width: 8, kind: number, unit: "percentunit",
			description: "Share of the file descriptors in use, of the gateway with the largest share. Most are callers' connections: look for a client that opens many.",
			queries:     []query{{"open", `max(process_open_fds{} / process_max_fds{})`}},
			thresholds:  []threshold{{color: "green"}, {0.7, "yellow"}, {0.9, "red"}},
		},
		{
			title: "CPU", width: 8,
			description: "Cores in use. Near the container's limit, latency grows. Add replicas or raise the limit.",
			queries:     []query{{"{{instance}}", `sum by (instance) (rate(process_cpu_seconds_total{}[]))`}},
		},
		{
			title: "Memory", width: 8, unit: "bytes",
			description: "Resident memory and the Go heap in it, of the gateway with the most. GOMEMLIMIT is 90 % of the container's memory limit, if there is one. " +
				"Near it, garbage collections are frequent. Add memory or reduce --cache-bytes.",
			queries: []query{
				{"resident", `max(process_resident_memory_bytes{})`},
				{"heap", `max(go_memstats_heap_inuse_bytes{})`},
				{"GOMEMLIMIT", `min(go_gc_gomemlimit_bytes{} < 2^62)`},
			},
			series: []series{{legend: "resident", color: "green"}, {legend: "heap", color: "blue"}, {legend: "GOMEMLIMIT", color: "red", limit: true}},
		},
		{
			title: "Goroutines", width: 8,
			description: "A few per connection and call. If a line rises without more requests, look at /debug/pprof/goroutine of the admin listener.",
			queries:     []query{{"{{instance}}", `sum by (instance) (go_goroutines{})`}},
		},
		{
			title: "Garbage collections", width: 8, unit: "cps",
			description: "If they are frequent and use much CPU, memory is near its limit.",
			queries:     []query{{"{{instance}}", `sum by (instance) (rate(go_gc_duration_seconds_count{}[]))`}},
		},
		{
			title: "Garbage collection pauses", width: 8, unit: "percentunit",
			description: "Share of the time in which the collector stops all goroutines. Above 1 %, latency grows: see the memory.",
			queries:     []query{{"{{instance}}", `sum by (instance) (rate(go_gc_duration_seconds_sum{}[]))`}},
		},
		{
			title: "Failed trace exports", width: 8,
			description: "Exports per minute that failed; their spans are lost. Requests are not affected. The log has the reason, at most once per minute: check the receiver.",
			queries:     []query{{"{{instance}}", `60 * sum by (instance) (rate(cvmgraph_trace_export_failures_total{}[]))`}},
		},
	}
}
