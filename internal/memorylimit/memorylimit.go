// Package memorylimit makes the Go runtime follow the memory limit of its container.
package memorylimit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// share is the share of the container's memory limit that the Go runtime uses, unless
	// AUTOMEMLIMIT sets another one. The rest is for memory outside the Go runtime.
	share = 0.9
	// interval is the time between two readings of the container's limit, which can be changed
	// while the process runs.
	interval = 5 * time.Second
	// idleBytes is the memory that the process uses without a cache.
	idleBytes = 64 << 20
)

// Follow sets the memory limit of the Go runtime according to the limit of the container until ctx
// ends, unless GOMEMLIMIT is set. It logs each limit, and warns if the cache does not fit into it.
// The setting --cache-bytes is in bytes.
func Follow(ctx context.Context, cacheBytes int64, logger *slog.Logger) {
	f := &follower{cacheBytes: cacheBytes, logger: logger}
	limit, err := memlimit.Set(memlimit.WithRatio(share), memlimit.WithProvider(f.container), memlimit.WithRefreshInterval(ctx, interval))
	if err != nil {
		if !hasNoContainer(err) {
			logger.Warn("cannot read the memory limit of the container; set GOMEMLIMIT", "error", err)
		}
		return
	}
	if f.last.Load() == 0 && limit < math.MaxInt64 { // GOMEMLIMIT is set
		f.report(limit)
	}
}

// Warning returns why the cache does not fit into the memory limit of the Go runtime, or "". It
// sets the limit like Follow, once.
func Warning(cacheBytes int64) string {
	limit, err := memlimit.Set(memlimit.WithRatio(share))
	if err != nil || limit >= cacheBytes+idleBytes {
		return ""
	}
	return fmt.Sprintf("--cache-bytes is %d bytes, and the memory limit of %d bytes has no room for it: "+
		"the process uses %d bytes without a cache", cacheBytes, limit, int64(idleBytes))
}

func hasNoContainer(err error) bool {
	return errors.Is(err, memlimit.ErrCgroupsNotSupported) || errors.Is(err, memlimit.ErrNoCgroup)
}

// follower logs changes of the container's limit. Its method container is called by one goroutine
// at a time.
type follower struct {
	cacheBytes int64
	logger     *slog.Logger
	last       atomic.Uint64 // the container's limit, or 0 before the first reading
}

// container returns the memory limit of the container.
func (f *follower) container() (uint64, error) {
	limit, err := memlimit.FromCgroup()
	if errors.Is(err, memlimit.ErrNoLimit) {
		limit, err = math.MaxUint64, nil
	}
	if err != nil || limit == f.last.Load() {
		return limit, err
	}
	initial := f.last.Swap(limit) == 0
	runtimeLimit := int64(math.MaxInt64)
	if float64(limit)*share < math.MaxInt64 {
		runtimeLimit = int64(float64(limit) * share)
	}
	if runtimeLimit < math.MaxInt64 || !initial {
		f.report(runtimeLimit)
	}
	return limit, nil
}

// report logs a limit of the Go runtime.
func (f *follower) report(limit int64) {
	f.logger.Info("memory limit set", "bytes", limit)
	if limit < f.cacheBytes+idleBytes {
		f.logger.Warn("the cache does not fit into the memory limit; set a smaller --cache-bytes or a higher limit",
			"cache_bytes", f.cacheBytes, "memory_limit", limit)
	}
}
