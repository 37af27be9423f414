package restclient

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

const (
	// Of the attempts in flight, retryShare may be retries, and in any case minRetries.
	retryShare = 0.2
	minRetries = 3

	// The breaker opens if breakerShare of at least breakerSample attempts within breakerWindow
	// have failed. After breakerPause, it allows up to probes attempts at a time, and probesNeeded
	// of them decide whether it closes or opens again.
	breakerSample = 20
	breakerWindow = 10 * time.Second
	breakerShare  = 0.8
	breakerPause  = 5 * time.Second
	probes        = 3
	probesNeeded  = 2

	// The limit of attempts in flight starts at firstLimit and moves between minLimit and maxLimit.
	// It is at most limitHeadroom more than four times the attempts that are in flight.
	minLimit, maxLimit, firstLimit = 16, 512, 128
	limitHeadroom                  = 128
	// Beyond queueBegins times the limit, some calls are rejected instead of queued, and beyond
	// queueEnds times the limit, all are.
	queueBegins, queueEnds = 2, 3
	maxQueueing            = time.Second
)

// health is what the end of an attempt shows about the upstream.
type health int

const (
	unknown health = iota
	healthy
	failing
)

// healthOf returns what the end of an attempt shows about the upstream. A response that is an error
// of one caller, such as 4xx, does not count against the upstream.
func healthOf(err error) health {
	if err == nil {
		return healthy
	}
	if e, ok := errors.AsType[*StatusError](err); ok && e.StatusCode < http.StatusInternalServerError {
		return healthy
	}
	if e, ok := errors.AsType[*InvalidResponseError](err); ok && e.Reason != ReasonTruncated {
		return healthy
	}
	if _, ok := errors.AsType[*canceledError](err); ok {
		return unknown
	}
	if _, ok := errors.AsType[*UnavailableError](err); ok { // this process could not read the response
		return unknown
	}
	return failing
}

// policy decides whether an attempt is made, and whether it is retried. It calls the parts of the
// failsafe library one by one, because an executor for all of them costs a successful attempt
// twenty allocations.
type policy struct {
	observer Observer
	limiter  adaptivelimiter.AdaptiveLimiter[any]
	breaker  circuitbreaker.CircuitBreaker[any]
	retries  failsafe.Executor[*attemptState]
	traffic  traffic
}

// traffic counts the attempts, of which the budget allows a share to be retries. The library's
// budget has these methods in no interface. Its executor calls them, but sees only calls whose
// first attempt has failed.
type traffic interface {
	RecordExecution()
	ReleaseExecution()
}

func newPolicy(observer Observer) *policy {
	p := &policy{observer: observer}
	p.limiter = adaptivelimiter.NewBuilder[any]().
		WithLimits(minLimit, maxLimit, firstLimit).
		WithMaxLimitFunc(func(inFlight int) float64 { return float64(4*inFlight + limitHeadroom) }).
		WithQueueing(queueBegins, queueEnds).
		Build()
	p.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(breakerShare, breakerSample, breakerWindow).
		WithSuccessThresholdRatio(probesNeeded, probes).
		WithDelay(breakerPause).
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) { notifyWith(observer.Breaker, breakerState(e.NewState)) }).
		Build()
	retries := budget.NewBuilder().
		WithMaxRate(retryShare).
		WithMinConcurrency(minRetries).
		OnBudgetExceeded(func(budget.ExceededEvent) { notify(observer.OverBudget) }).
		Build()
	p.traffic = retries.(traffic)
	p.retries = failsafe.With(retrypolicy.NewBuilder[*attemptState]().
		HandleIf(func(_ *attemptState, err error) bool { return retryReason(err) != "" }).
		AbortIf(func(t *attemptState, _ error) bool { return t.late }).
		WithMaxAttempts(maxAttempts).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[*attemptState]) time.Duration { return e.LastResult().pause }).
		WithBudget(retries).
		ReturnLastFailure().
		OnRetry(func(e failsafe.ExecutionEvent[*attemptState]) {
			notifyWith(observer.Retried, retryReason(e.LastResult().err))
		}).
		Build())
	return p
}

func breakerState(state circuitbreaker.State) string {
	switch state {
	case circuitbreaker.OpenState:
		return BreakerOpen
	case circuitbreaker.HalfOpenState:
		return BreakerHalfOpen
	case circuitbreaker.ClosedState:
	}
	return BreakerClosed
}

func (p *policy) state() State {
	return State{
		Breaker:  breakerState(p.breaker.State()),
		Limit:    p.limiter.Limit(),
		InFlight: p.limiter.Inflight(),
		Queued:   p.limiter.Queued(),
	}
}

// countAttempt and uncountAttempt are called before and after the first attempt of a call.
func (p *policy) countAttempt() { p.traffic.RecordExecution() }

func (p *policy) uncountAttempt() { p.traffic.ReleaseExecution() }

// attemptState is the state of a call whose first attempt has failed.
type attemptState struct {
	page  RawPage       // its Attempts is the number of attempts so far
	err   error         // of the last attempt
	pause time.Duration // before the next one
	late  bool          // there is no next one
}

// note records the result of an attempt.
func (t *attemptState) note(ctx context.Context, page RawPage, err error) {
	page.Attempts += t.page.Attempts
	t.page, t.err = page, err
	if err == nil {
		return
	}
	wait, ok := pause(err, page.Attempts, timeLeft(ctx), rand.Float64())
	t.pause, t.late = wait, !ok
}

// retry makes the attempts after the first one, which has failed. It returns the errors of attempt.
func (p *policy) retry(ctx context.Context, first error, attempt func() (RawPage, error)) (RawPage, error) {
	t := &attemptState{}
	_, err := p.retries.WithContext(ctx).Get(func() (*attemptState, error) {
		if t.page.Attempts == 0 {
			t.note(ctx, RawPage{Attempts: 1}, first)
			return t, first
		}
		page, err := attempt()
		if _, ok := errors.AsType[*UnavailableError](err); !ok {
			t.note(ctx, page, err)
		}
		return t, err
	})
	switch {
	case err == nil:
		return t.page, nil
	case ctx.Err() != nil:
		return t.page, callerError(ctx)
	}
	return t.page, t.err // the upstream's failure says more than the missing retry
}

// admit waits until an attempt may be made.
func (p *policy) admit(ctx context.Context) (adaptivelimiter.Permit, error) {
	if wait := p.breaker.RemainingDelay(); wait > 0 { // do not wait in the queue for nothing
		return nil, p.suppress(CauseBreaker, wait)
	}
	permit, err := p.limiter.AcquirePermitWithMaxWait(ctx, maxQueueing)
	switch {
	case err == nil:
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, callerError(ctx)
	default:
		return nil, p.suppress(CauseOverload, maxQueueing)
	}
	if !p.breaker.TryAcquirePermit() {
		permit.Drop()
		return nil, p.suppress(CauseBreaker, max(p.breaker.RemainingDelay(), maxQueueing))
	}
	notify(p.observer.Attempted)
	return permit, nil
}

func (p *policy) suppress(cause string, retryAfter time.Duration) error {
	notifyWith(p.observer.Suppressed, cause)
	return &UnavailableError{Cause: cause, RetryAfter: retryAfter}
}

// settle ends an attempt. Only successful attempts adjust the limit, because failures are often
// faster or slower than pages.
func (p *policy) settle(ctx context.Context, permit adaptivelimiter.Permit, err error) {
	if err == nil {
		permit.Record()
	} else {
		permit.Drop()
	}
	state := healthOf(err)
	if ctx.Err() != nil && state == failing {
		state = unknown // the caller has ended the attempt early
	}
	switch {
	case state == healthy:
		p.breaker.RecordSuccess()
	case state == failing, p.breaker.IsHalfOpen(): // a probe must have a result, and this one shows no recovery
		p.breaker.RecordFailure()
	}
}
