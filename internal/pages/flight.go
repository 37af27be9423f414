package pages

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/internal/panics"
	"cvmgraph/restclient"
)

// flights are calls under way, each of which may have several callers. Its zero value has none.
type flights struct{ shards [64]flightShard }

type flightShard struct {
	mu    sync.Mutex
	calls map[pageKey]*flight
}

// flight is one call. What it got and its error are there once done is closed.
type flight struct {
	started time.Time
	callers int // that still wait
	// deadline is when the last caller stops waiting, in nanoseconds since 1970; forever for never.
	deadline atomic.Int64
	cancel   context.CancelFunc
	done     chan struct{}
	result   FetchResult
	err      error
}

// join waits for the call of a key that began at since or later, or begins it. It says whether the call was somebody else's. Where
// ctx ends first, the error says so.
func (f *flights) join(ctx context.Context, key pageKey, since time.Time, fetch func(context.Context) (FetchResult, error)) (got FetchResult, joined bool, err error) {
	s := &f.shards[key.credential[0]%64]
	s.mu.Lock()
	call, joined := s.calls[key]
	if joined = joined && !call.started.Before(since); !joined {
		call = s.start(ctx, key, fetch)
	}
	call.callers++
	call.deadline.Store(max(call.deadline.Load(), deadlineOf(ctx)))
	s.mu.Unlock()

	select {
	case <-call.done:
		return call.result, joined, call.err
	case <-ctx.Done():
		s.leave(key, call)
		if ctx.Err() == context.DeadlineExceeded {
			return FetchResult{}, joined, &restclient.TimeoutError{}
		}
		return FetchResult{}, joined, fmt.Errorf("the caller of an upstream call left: %w", context.Canceled)
	}
}

// forever is no deadline.
const noDeadline = math.MaxInt64

func deadlineOf(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return noDeadline
	}
	return deadline.UnixNano()
}

// Deadline says when the last caller stops waiting.
func (f *flight) Deadline() (time.Time, bool) {
	deadline := f.deadline.Load()
	return time.Unix(0, deadline), deadline != noDeadline
}

// begin starts a call that is not bound to its first caller's end. The caller holds the lock.
func (s *flightShard) start(ctx context.Context, key pageKey, fetch func(context.Context) (FetchResult, error)) *flight {
	call := &flight{started: time.Now(), done: make(chan struct{})}
	call.deadline.Store(deadlineOf(ctx))
	ctx, cancel := context.WithCancel(restclient.WithRetryDeadline(context.WithoutCancel(ctx), call))
	call.cancel = cancel
	if s.calls == nil {
		s.calls = make(map[pageKey]*flight)
	}
	s.calls[key] = call
	go func() {
		defer cancel()
		defer func() {
			if value := recover(); value != nil {
				call.err = panics.FromRecover(value)
			}
			s.mu.Lock()
			s.remove(key, call)
			s.mu.Unlock()
			close(call.done)
		}()
		call.result, call.err = fetch(ctx)
	}()
	return call
}

// leave takes a caller off a call, and ends the call with the last one.
func (s *flightShard) leave(key pageKey, call *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.callers--; call.callers == 0 {
		call.cancel()
		s.remove(key, call)
	}
}

// end makes the next caller of the key begin a call. The caller holds the lock.
func (s *flightShard) remove(key pageKey, call *flight) {
	if s.calls[key] == call {
		delete(s.calls, key)
	}
}
