package telemetry

import (
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// logInterval is the shortest time between two log lines about the same kind of failure.
const logInterval = time.Minute

// linesFor returns a limit of the log lines for each kind.
func linesFor(kinds ...string) map[string]*rate.Sometimes {
	lines := make(map[string]*rate.Sometimes, len(kinds))
	for _, kind := range kinds {
		lines[kind] = &rate.Sometimes{Interval: logInterval}
	}
	return lines
}

// NewExhaustedLog returns a function that logs a resource that this process lacks for a connection
// to the upstream, each at most once a minute. The function is safe for concurrent use.
func NewExhaustedLog(logger *slog.Logger) func(resource string) {
	lines := linesFor("file descriptors", "ports", "memory")
	return func(resource string) {
		if line, ok := lines[resource]; ok {
			line.Do(func() {
				logger.Error("no connection to the upstream; the gateway or its machine is out of a resource", "resource", resource)
			})
		}
	}
}

// NewRefusedWriteLog returns a function that logs a write that Redis refuses with a code, each of
// the usual codes and all others together at most once a minute. The function is safe for
// concurrent use.
func NewRefusedWriteLog(logger *slog.Logger) func(code string) {
	lines := linesFor("READONLY", "OOM", "MISCONF", "")
	return func(code string) {
		line, ok := lines[code]
		if !ok {
			line = lines[""]
		}
		line.Do(func() { logger.Warn("redis refuses writes; replicas share no new pages", "code", code) })
	}
}

// NewFailedCallLog returns a function that logs failed upstream calls by their outcome, with
// details. It logs each outcome at most once a minute, except outcomes that are no failure of the
// upstream. An outcome client_error is logged as a request that the upstream may refuse whoever
// sends it, so the function is not to be called if the caller is the cause. The details are called
// only for a line that is logged. The function is safe for concurrent use.
func NewFailedCallLog(logger *slog.Logger) func(outcome string, details func() []any) {
	lines := linesFor("client_error", "rate_limited", "server_error", "timeout", "network", "invalid")
	return func(outcome string, details func() []any) {
		if line, ok := lines[outcome]; ok {
			line.Do(func() {
				log := logger.With(details()...)
				switch outcome {
				case "invalid":
					log.Warn("upstream response is not valid; run cvmgraph check to diagnose it, and check --api-version", "outcome", outcome)
				case "client_error":
					log.Warn("upstream refuses a request; if it refuses all, run cvmgraph check, and check --api-version", "outcome", outcome)
				default:
					log.Warn("upstream call failed; run cvmgraph check to diagnose it", "outcome", outcome)
				}
			})
		}
	}
}
