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

// flights coalesces calls in flight: callers that request the same page wait for one call. The zero
// value is empty.
type flights struct{ shards [64]flightShard }

type flightShard struct {
	mu    sync.Mutex
	calls map[pageKey]*flight
}

// flight is one call. Its result and err are set before done is closed.
type flight struct {
	started time.Time
	callers int // that are waiting
	// deadline is the latest deadline of its callers, in nanoseconds since 1970, or noDeadline.
	deadline atomic.Int64
	cancel   context.CancelFunc
	done     chan struct{}
	result   FetchResult
	err      error
}

// wait waits for the result of a call for a key: a call in flight that started at since or later,
// or else a call that it starts. coalesced reports whether the call was in flight already. If ctx
// ends first, wait returns an error.
func (f *flights) wait(ctx context.Context, key pageKey, since time.Time, fetch func(context.Context) (FetchResult, error)) (result FetchResult, coalesced bool, err error) {
	s := &f.shards[key.credential[0]%64]
	s.mu.Lock()
	call, coalesced := s.calls[key]
	if coalesced = coalesced && !call.started.Before(since); !coalesced {
		call = s.start(ctx, key, fetch)
	}
	call.callers++
	call.deadline.Store(max(call.deadline.Load(), deadlineOf(ctx)))
	s.mu.Unlock()

	select {
	case <-call.done:
		return call.result, coalesced, call.err
	case <-ctx.Done():
		s.leave(key, call)
		if ctx.Err() == context.DeadlineExceeded {
			return FetchResult{}, coalesced, &restclient.TimeoutError{}
		}
		return FetchResult{}, coalesced, fmt.Errorf("wait for an upstream call: %w", context.Canceled)
	}
}

const noDeadline = math.MaxInt64

func deadlineOf(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return noDeadline
	}
	return deadline.UnixNano()
}

// Deadline returns the latest deadline of the callers. It returns false if one has no deadline. It
// limits the retries of the call: see [restclient.WithRetryDeadline].
func (f *flight) Deadline() (time.Time, bool) {
	deadline := f.deadline.Load()
	return time.Unix(0, deadline), deadline != noDeadline
}

// start starts a call, which continues after the context of its first caller ends. The caller holds
// the lock.
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

// leave removes a caller from a call. When the last caller leaves, the call is canceled.
func (s *flightShard) leave(key pageKey, call *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.callers--; call.callers == 0 {
		call.cancel()
		s.remove(key, call)
	}
}

// remove removes a call, so that the next caller for the key starts a new one. The caller holds the
// lock.
func (s *flightShard) remove(key pageKey, call *flight) {
	if s.calls[key] == call {
		delete(s.calls, key)
	}
}
