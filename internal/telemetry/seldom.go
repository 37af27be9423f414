package telemetry

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// seldom lets a line be written once a minute. Its zero value lets the first one at once.
type seldom struct{ last atomic.Int64 } // nanoseconds since 1970

// again says whether it is time for a line, which is then the last one.
func (s *seldom) again() bool {
	now, last := time.Now().UnixNano(), s.last.Load()
	return (last == 0 || now-last >= int64(time.Minute)) && s.last.CompareAndSwap(last, now)
}

// FailedCalls returns what logs calls to the upstream by how they ended: those that the upstream is to blame for, of each outcome one a
// minute. It is safe for concurrent use.
func FailedCalls(logger *slog.Logger) func(outcome string) {
	lines := map[string]*seldom{"rate_limited": {}, "server_error": {}, "timeout": {}, "network": {}, "invalid": {}}
	return func(outcome string) {
		if line, ok := lines[outcome]; ok && line.again() {
			logger.Warn("a call to the upstream failed: cvmgraph check may say why", "outcome", outcome)
		}
	}
}
