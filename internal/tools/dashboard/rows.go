package main

// What several panels show in the same way.
const (
	requests = `sum(rate(cvmgraph_http_requests_total{route="/graphql"}[]))`
	attempts = `sum(rate(cvmgraph_upstream_attempts_total{}[]))`
	hits     = `sum(rate(cvmgraph_page_cache_hits_total{}[]))`
	misses   = `sum(rate(cvmgraph_page_cache_misses_total{}[]))`
	atHand   = hits + ` / (` + hits + ` + ` + misses + `)`
	// ended are the calls whose callers have waited for them.
	ended = `sum(rate(cvmgraph_upstream_calls_total{outcome!="canceled"}[]))`
	// failed are those that went wrong for another reason than what the caller asked.
	failed = `(rate(cvmgraph_upstream_calls_total{outcome!~"ok|client_error|canceled"}[]))`

	noRedis = "Redis is not used"
	dull    = "text" // the colour of what is neither good nor bad
)

func quantiles(histogram string, quantiles ...string) []query {
	var queries []query
	for _, q := range quantiles {
		queries = append(queries, query{"p" + q, `histogram_quantile(0.` + q + `, sum by (le) (rate(` + histogram + `[])))`})
	}
	return queries
}

// statusShare is how many of the requests end with a status. Where there is none yet, it is 0.
func statusShare(status string) string {
	return `(sum(rate(cvmgraph_http_requests_total{route="/graphql", status=~"` + status + `"}[])) or vector(0)) / ` + requests
}

func neutral() []step { return []step{{color: dull}} }

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
			title: "Replicas", width: 3, show: named,
			says:    "Gateways that answer Prometheus, and those that do not. One that is down for longer than a rollout takes: see its log and how it ended.",
			queries: []query{{"up", `sum(up{})`}, {"down", `sum(1 - up{})`}},
			steps:   []step{{color: dull}, {1, "red"}},
			series:  []series{{legend: "up", color: dull}},
		},
		{
			title: "Requests", width: 3, show: stat, unit: "reqps",
			says:    "Requests to /graphql.",
			queries: []query{{"requests", requests}},
			steps:   neutral(),
		},
		{
			title: "5xx", width: 3, show: stat, unit: "percentunit",
			says: "Share of the requests to /graphql that end with a 5xx: a fault of the gateway, or more large bodies than it reads at once. " +
				"Errors of the upstream are not among them, for GraphQL answers those with 200.",
			queries: []query{{"5xx", statusShare("5..")}},
			steps:   []step{{color: "green"}, {0.001, "yellow"}, {0.01, "red"}},
		},
		{
			title: "p99", width: 3, show: stat, unit: "s",
			says:    "99 of 100 requests to /graphql take no longer. Where it grows, compare it with the duration of upstream calls.",
			queries: quantiles(`cvmgraph_http_request_duration_seconds_bucket{route="/graphql"}`, "99"),
			steps:   []step{{color: "green"}, {1, "yellow"}, {2.5, "red"}},
		},
		{
			title: "Failed upstream calls", width: 3, show: stat, unit: "percentunit",
			says:    "Share of the calls to the upstream that fail in the end, after their retries. The row Upstream says how.",
			queries: []query{{"failed", `sum` + failed + ` / ` + ended}},
			steps:   []step{{color: "green"}, {0.01, "yellow"}, {0.05, "red"}},
		},
		{
			title: "Breaker", width: 3, show: stat,
			says: "The worst of all gateways. Open: the upstream fails nearly always, and is left alone for 5 s at a time. " +
				"Callers get UNAVAILABLE, or older pages where --stale-if-error allows it.",
			queries: []query{{"breaker", `max(cvmgraph_upstream_breaker_state{})`}},
			steps:   []step{{color: "green"}, {1, "yellow"}, {2, "red"}},
			states:  breakerStates(),
		},
		{
			title: "Pages at hand", width: 3, show: stat, unit: "percentunit",
			says:    "Share of the pages asked for that were in the cache within their life.",
			queries: []query{{"at hand", atHand}},
			steps:   neutral(),
		},
		{
			title: "Redis", width: 3, show: stat, without: "not used",
			says:    "Down: at least one gateway goes on without Redis. Answers are as right as before, and the upstream gets more calls.",
			queries: []query{{"Redis", `min(cvmgraph_redis_up{})`}},
			steps:   []step{{color: "red"}, {1, "green"}},
			states:  redisStates(),
		},
	}
}

func callers() []panel {
	return []panel{
		{
			title: "Requests by route and status", width: 12, unit: "reqps", stacked: true,
			says: "GraphQL answers most errors with 200: 4xx at /graphql are requests that are no GraphQL over HTTP, 5xx are the gateway's own. " +
				"503 at /readyz is a drain, which each rollout has. Status 0: the connection was aborted before there was an answer.",
			queries: []query{{"{{route}} {{status}}", `sum by (route, status) (rate(cvmgraph_http_requests_total{}[]))`}},
		},
		{
			title: "Errors at /graphql by HTTP status", width: 12, unit: "percentunit",
			says: "5xx: the log has the line, by requestId; 503 is too many large bodies at once, or requests whose time was over before they began. " +
				"4xx: a client sends something else than GraphQL over HTTP. " +
				"Aborted: callers leave before they have an answer, mostly because it takes too long for them.",
			queries: []query{{"5xx", statusShare("5..")}, {"4xx", statusShare("4..")}, {"aborted", statusShare("0")}},
			series:  []series{{legend: "5xx", color: "red"}, {legend: "4xx", color: "orange"}, {legend: "aborted", color: "purple"}},
		},
		{
			title: "Latency of /graphql", width: 12, unit: "s",
			says: "From a request's header to the end of its answer. Where it grows together with the duration of upstream calls, the upstream is slow: " +
				"a longer --cache-ttl keeps that from most callers. Where it grows alone, look at CPU, collections and queued attempts.",
			queries: quantiles(`cvmgraph_http_request_duration_seconds_bucket{route="/graphql"}`, "50", "95", "99"),
			steps:   []step{{color: "transparent"}, {2.5, "red"}},
		},
		{
			title: "Requests in flight", width: 6,
			says:    "Requests that are being answered. A line that climbs and stays up: requests come faster than answers go.",
			queries: []query{{"{{instance}}", `sum by (instance) (cvmgraph_http_requests_in_flight{})`}},
		},
		{
			title: "Untrusted documents", width: 6, unit: "reqps",
			says: "Requests for a document that is not in the file of --trusted-documents, noted or refused as --trusted-documents-mode says. " +
				"Set enforce once this has been 0 for as long as old clients live.",
			queries: []query{{"untrusted", `sum(rate(cvmgraph_untrusted_documents_total{}[]))`}},
		},
	}
}

func upstream() []panel {
	return []panel{
		{
			title: "Calls by outcome", width: 12, unit: "cps", stacked: true,
			says: "Calls that have ended, each with its retries. client_error: a caller's credential or filter is refused. " +
				"rate_limited: make fewer calls, by a longer --cache-ttl, or Redis between the replicas. " +
				"unavailable: the call was not made, see the breaker and the attempts that were not made. " +
				"invalid: the answer is not what the API version has, see the row Contract.",
			queries: []query{{"{{outcome}}", `sum by (outcome) (rate(cvmgraph_upstream_calls_total{}[]))`}},
			series:  outcomes(),
		},
		{
			title: "Failed calls by outcome", width: 12, unit: "percentunit", stacked: true,
			says: "Share of the calls that fail in the end. Callers see them as UPSTREAM_ERROR, UPSTREAM_TIMEOUT, UPSTREAM_INVALID_RESPONSE, RATE_LIMITED " +
				"or UNAVAILABLE.",
			queries: []query{{"{{outcome}}", `sum by (outcome) ` + failed + ` / ignoring (outcome) group_left () ` + ended}},
			series:  outcomes(),
		},
		{
			title: "Duration of a call", width: 12, unit: "s",
			says: "One call with its retries and the pauses between them, to the end of its body. " +
				"An attempt ends at --upstream-timeout: a p99 near that is an upstream that hangs.",
			queries: quantiles(`cvmgraph_upstream_call_duration_seconds_bucket{}`, "50", "95", "99"),
		},
		{
			title: "Attempts and retries", width: 12, unit: "cps",
			says: "Attempts, and those among them that were made again, by how the one before ended. Retries that stay: an upstream in trouble, " +
				"of which callers see nothing yet. Over budget: a fifth of the attempts in flight were retries already, so callers see the errors.",
			queries: []query{
				{"attempts", attempts},
				{"again: {{reason}}", `sum by (reason) (rate(cvmgraph_upstream_retries_total{}[]))`},
				{"over budget", `sum(rate(cvmgraph_upstream_retry_budget_exhausted_total{}[]))`},
			},
			series: []series{{legend: "attempts", color: "green"}, {legend: "over budget", color: "red"}},
		},
		{
			title: "Breaker", width: 12, show: timeline,
			says: "Closed: attempts are made. Open: of 20 attempts or more within 10 s four in five have failed, and none is made for 5 s. " +
				"Half open: a few are made, to see. One that is open stays so until somebody asks: without requests it says nothing.",
			queries: []query{{"{{instance}}", `max by (instance) (cvmgraph_upstream_breaker_state{})`}},
			steps:   []step{{color: "green"}, {1, "yellow"}, {2, "red"}},
			states:  breakerStates(),
		},
		{
			title: "Attempts that were not made", width: 12, unit: "cps",
			says: "Callers get UNAVAILABLE for them. breaker: the upstream fails. overload: too many attempts are in flight and enough wait, " +
				"because the upstream has grown slow, or more is asked of it than it can do; fewer calls help then, and more replicas do not.",
			queries: []query{{"{{reason}}", `sum by (reason) (rate(cvmgraph_upstream_refused_total{}[]))`}},
			series:  []series{{legend: "breaker", color: "red"}, {legend: "overload", color: "orange"}},
		},
		{
			title: "Attempts in flight", width: 24, stacked: true,
			says: "Of all gateways. The limit follows the time that pages take, from 16 to 512 a gateway: where it falls, the upstream grows slow. " +
				"A queue that stays: refusals are near.",
			queries: []query{
				{"in flight", `sum(cvmgraph_upstream_attempts_in_flight{})`},
				{"queued", `sum(cvmgraph_upstream_attempts_queued{})`},
				{"limit", `sum(cvmgraph_upstream_concurrency_limit{})`},
			},
			series: []series{{legend: "in flight", color: "green"}, {legend: "queued", color: "orange"}, {"limit", "red", limit}},
		},
	}
}

func saves() []panel {
	return []panel{
		{
			title: "Pages by how they came", width: 12, unit: "cps",
			says: "hits: from the cache, within their life. misses: not there; coalesced are those among them that came with the call of another request. " +
				"stale: past their life, because the upstream failed.",
			queries: []query{
				{"hits", hits},
				{"misses", misses},
				{"coalesced", `sum(rate(cvmgraph_upstream_coalesced_total{}[]))`},
				{"stale", `sum(rate(cvmgraph_page_cache_stale_hits_total{}[]))`},
			},
			series: []series{{legend: "hits", color: "green"}, {legend: "misses", color: "blue"}, {legend: "coalesced", color: "purple"}, {legend: "stale", color: "orange"}},
		},
		{
			title: "Shares", width: 12, unit: "percentunit", whole: true,
			says: "Pages at hand: hits among the pages asked for. Answers as before: requests to /graphql that were answered without being executed. " +
				"Where both are low and there is much traffic, a longer --cache-ttl saves calls, at the price of older data.",
			queries: []query{
				{"pages at hand", atHand},
				{"answers as before", `sum(rate(cvmgraph_response_cache_hits_total{}[])) / ` + requests},
			},
			series: []series{{legend: "pages at hand", color: "green"}, {legend: "answers as before", color: "blue"}},
		},
		{
			title: "Attempts per request", width: 8,
			says:    "Attempts at calls for each request to /graphql. Caches and sharing lower it; long lists, lookups and retries raise it.",
			queries: []query{{"attempts", attempts + ` / ` + requests}},
		},
		{
			title: "Age of pages from the cache", width: 8, unit: "s",
			says:    "How old pages were as they were served within their life, --cache-ttl. Where that is too old for callers, shorten it.",
			queries: quantiles(`cvmgraph_page_cache_age_seconds_bucket{}`, "50", "95"),
		},
		{
			title: "Size of what is kept", width: 8, unit: "bytes", stacked: true,
			says: "Of all gateways. Answers have a quarter of --cache-bytes at most, and pages the rest. Near the limit, and with evictions: " +
				"a larger --cache-bytes saves calls, and needs a larger memory limit.",
			queries: []query{
				{"pages", `sum(cvmgraph_page_cache_bytes{})`},
				{"answers", `sum(cvmgraph_response_cache_bytes{})`},
				{"limit", `sum(cvmgraph_cache_limit_bytes{})`},
			},
			series: []series{{legend: "pages", color: "green"}, {legend: "answers", color: "blue"}, {"limit", "red", limit}},
		},
		{
			title: "Pages kept", width: 12,
			says:    "Pages in the cache, of all credentials. A cache that is small beside the traffic: callers are many, and each has pages of its own.",
			queries: []query{{"{{instance}}", `sum by (instance) (cvmgraph_page_cache_entries{})`}},
		},
		{
			title: "Pages that had to leave", width: 12, unit: "cps",
			says: "Evicted: for want of room, see the size. Credentials refused: the upstream answered 401 or 403, and what was kept for the credential is gone; " +
				"where that goes on, a client does not give up one that is revoked.",
			queries: []query{
				{"evicted", `sum(rate(cvmgraph_page_cache_evictions_total{}[]))`},
				{"credentials refused", `sum(rate(cvmgraph_page_cache_purges_total{}[]))`},
			},
		},
	}
}

func redis() []panel {
	return []panel{
		{
			title: "Entries", width: 8, unit: "cps", without: noRedis,
			says:    "Pages and persisted queries that replicas have from each other, or do not find. Few hits beside many misses: replicas are asked for different things, and Redis saves little.",
			queries: []query{{"hits", `sum(rate(cvmgraph_redis_hits_total{}[]))`}, {"misses", `sum(rate(cvmgraph_redis_misses_total{}[]))`}},
			series:  []series{{legend: "hits", color: "green"}, {legend: "misses", color: "blue"}},
		},
		{
			title: "Errors by step", width: 8, unit: "cps", without: noRedis,
			says: "Steps that failed, and were done without. decode: replicas have different keys (--shared-key), or entries are damaged. " +
				"The others: Redis is slow, full or gone.",
			queries: []query{{"{{op}}", `sum by (op) (rate(cvmgraph_redis_errors_total{}[]))`}},
		},
		{
			title: "Reachable", width: 8, show: timeline, without: noRedis,
			says:    "In an outage each gateway goes on by itself. All of them down: Redis is; one of them: its network, or a policy.",
			queries: []query{{"{{instance}}", `min by (instance) (cvmgraph_redis_up{})`}},
			steps:   []step{{color: "red"}, {1, "green"}},
			states:  redisStates(),
		},
	}
}

func contract() []panel {
	return []panel{
		{
			title: "Differences from the API version", width: 16,
			says: "Fields of the upstream's pages that are not as --api-version has them. unknown: new ones, which are left out until a release has them. " +
				"missing, changed: callers get null, or an error at the field; find out whether the upstream withdraws the version.",
			queries: []query{{"{{kind}}", `max by (kind) (cvmgraph_upstream_contract_differences{})`}},
			series:  []series{{legend: "unknown", color: "blue"}, {legend: "missing", color: "orange"}, {legend: "changed", color: "red"}},
		},
		{
			title: "Pages compared", width: 8,
			says: "Pages a minute that were compared with the API version, at most one of each gateway: none without calls to the upstream, and then " +
				"the differences are of the last page that was.",
			queries: []query{{"pages a minute", `60 * sum(rate(cvmgraph_upstream_contract_checks_total{}[]))`}},
		},
	}
}

func process() []panel {
	return []panel{
		{
			title: "Version", width: 8, show: named,
			says:    "Gateways by what they run. More than one version for longer than a rollout takes: it is stuck.",
			queries: []query{{"{{version}}", `count by (version) (cvmgraph_build_info{})`}},
			steps:   neutral(),
		},
		{
			title: "Running for", width: 8, show: named, unit: "s",
			says:    "The youngest gateway and the oldest. A youngest that stays young: a gateway starts over and over.",
			queries: []query{{"youngest", `min(time() - process_start_time_seconds{})`}, {"oldest", `max(time() - process_start_time_seconds{})`}},
			steps:   []step{{color: "yellow"}, {600, dull}},
		},
		{
			title: "Open files", width: 8, show: stat, unit: "percentunit",
			says:    "Share of its file descriptors that the gateway with the most has open. Mostly they are callers' connections: look for a client that opens many.",
			queries: []query{{"open", `max(process_open_fds{} / process_max_fds{})`}},
			steps:   []step{{color: "green"}, {0.7, "yellow"}, {0.9, "red"}},
		},
		{
			title: "CPU", width: 8,
			says:    "Cores in use. Near the container's limit latency grows: add replicas, or raise the limit.",
			queries: []query{{"{{instance}}", `sum by (instance) (rate(process_cpu_seconds_total{}[]))`}},
		},
		{
			title: "Memory", width: 8, unit: "bytes",
			says: "Of the gateway with the most: what is resident, and Go's heap in it. GOMEMLIMIT is 90 % of the container's memory, where that is limited: " +
				"near it, collections become many; give it more memory, or lower --cache-bytes.",
			queries: []query{
				{"resident", `max(process_resident_memory_bytes{})`},
				{"heap", `max(go_memstats_heap_inuse_bytes{})`},
				{"GOMEMLIMIT", `min(go_gc_gomemlimit_bytes{} < 2^62)`},
			},
			series: []series{{legend: "resident", color: "green"}, {legend: "heap", color: "blue"}, {"GOMEMLIMIT", "red", limit}},
		},
		{
			title: "Goroutines", width: 8,
			says:    "A few for each connection and each call. A line that climbs without more requests: /debug/pprof/goroutine of the admin listener says where.",
			queries: []query{{"{{instance}}", `sum by (instance) (go_goroutines{})`}},
		},
		{
			title: "Garbage collections", width: 8, unit: "cps",
			says:    "Many of them, and much CPU: memory is near its limit.",
			queries: []query{{"{{instance}}", `sum by (instance) (rate(go_gc_duration_seconds_count{}[]))`}},
		},
		{
			title: "Time in the collector's pauses", width: 8, unit: "percentunit",
			says:    "Share of the time in which everything stands still. From 1 % on it shows in the latency: see memory.",
			queries: []query{{"{{instance}}", `sum by (instance) (rate(go_gc_duration_seconds_sum{}[]))`}},
		},
		{
			title: "Traces that are not sent", width: 8,
			says:    "Times a minute that spans could not be sent, and are lost. Requests do not mind. The log says why, once a minute: look at the receiver.",
			queries: []query{{"{{instance}}", `60 * sum by (instance) (rate(cvmgraph_trace_export_failures_total{}[]))`}},
		},
	}
}
