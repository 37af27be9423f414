package restclient

import (
	"context"
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/maypok86/otter/v2"

	"cvmgraph/internal/fair"
)

const (
	// Of the attempts in flight, retryShare may be retries, and in any case minRetries.
	retryShare = 0.2
	minRetries = 3

	// Calls of a credential are paused for pauseTime if pauseShare of at least pauseSample of its
	// attempts within pauseWindow have failed. Then it has up to pauseProbes attempts at a time,
	// and probesNeeded of them decide whether the pause ends or begins again.
	pauseSample  = 20
	pauseWindow  = 10 * time.Second
	pauseShare   = 0.8
	pauseTime    = 5 * time.Second
	pauseProbes  = 3
	probesNeeded = 2
	// maxCredentials is the number of credentials whose results are remembered, and of those that
	// have had a page.
	maxCredentials = 10_000

	// The limit of attempts in flight starts at firstLimit and moves between minLimit and maxLimit.
	// It is at most limitHeadroom more than four times the attempts that are in flight.
	minLimit, maxLimit, firstLimit = 16, 512, 128
	limitHeadroom                  = 128
	// Up to queueLength times the limit, calls wait for at most maxQueueing.
	queueLength = 2
	maxQueueing = time.Second
	// A credential is granted reserved attempts beyond the limit, up to its fair share, if another
	// one has more than its own. All together are granted maxExtra of them, and the credentials
	// that have not had a page strangersExtra.
	reserved, maxExtra, strangersExtra = 8, 128, 32
)

// healthOf returns what the end of an attempt shows about the upstream. A response that is an error
// of one caller, such as 4xx, does not count against the upstream.
func healthOf(err error) fair.Result {
	if err == nil {
		return fair.Healthy
	}
	if e, ok := errors.AsType[*StatusError](err); ok && e.StatusCode < http.StatusInternalServerError {
		return fair.Healthy
	}
	if e, ok := errors.AsType[*InvalidResponseError](err); ok && e.Reason != ReasonTruncated {
		return fair.Healthy
	}
	if _, ok := errors.AsType[*canceledError](err); ok {
		return fair.Unknown
	}
	if _, ok := errors.AsType[*UnavailableError](err); ok { // this process could not read the response
		return fair.Unknown
	}
	return fair.Failing
}

// evidence returns what an attempt shows the breaker of all. Anyone can provoke an error of one
// caller, such as 401, and something in front of the API can send it.
func evidence(c fair.Caller, result fair.Result, err error) fair.Result {
	e, ok := errors.AsType[*StatusError](err)
	if result == fair.Healthy && ok && (e.Intermediary || !c.Known) {
		return fair.Unknown
	}
	return result
}

// policy decides whether an attempt is made, and whether it is retried. It calls the parts of the
// failsafe library one by one, because an executor for all of them costs a successful attempt
// twenty allocations.
type policy struct {
	observer Observer
	seed     maphash.Seed
	// known are the tokens of callers that have had a page. Others may be invented.
	known *otter.Cache[uint64, struct{}]
	// records are the results of each credential.
	records  *otter.Cache[uint64, circuitbreaker.CircuitBreaker[any]]
	breaker  *fair.Breaker
	attempts *fair.Limit
	limiter  adaptivelimiter.AdaptiveLimiter[any] // computes the limit of attempts
	retries  failsafe.Executor[*attemptState]
	// retrying limits the retries in flight, of which calls allows a share.
	retrying *fair.Limit
	calls    atomic.Int64 // that have begun and not ended
}

func newPolicy(observer Observer) *policy {
	p := &policy{
		observer: observer,
		seed:     maphash.MakeSeed(),
		known:    otter.Must(&otter.Options[uint64, struct{}]{MaximumSize: maxCredentials}),
		records:  otter.Must(&otter.Options[uint64, circuitbreaker.CircuitBreaker[any]]{MaximumSize: maxCredentials}),
		breaker: fair.NewBreaker(func(open bool) {
			notifyWith(observer.Breaker, map[bool]string{true: BreakerOpen, false: BreakerClosed}[open])
		}),
	}
	p.limiter = adaptivelimiter.NewBuilder[any]().
		WithLimits(minLimit, maxLimit, firstLimit).
		WithMaxLimitFunc(func(inFlight int) float64 { return float64(4*inFlight + limitHeadroom) }).
		Build()
	p.attempts = fair.NewLimit(fair.Options{
		Max:     func(int) int { return p.limiter.Limit() },
		Reserve: reserved, Extra: maxExtra, StrangersExtra: strangersExtra,
		Queue: queueLength,
	})
	p.retrying = fair.NewLimit(fair.Options{
		Max: func(inFlight int) int {
			return max(minRetries, 1+int(retryShare*float64(p.calls.Load()+int64(inFlight))))
		},
		Reserve: minRetries, Extra: maxExtra, StrangersExtra: minRetries,
	})
	p.retries = failsafe.With(retrypolicy.NewBuilder[*attemptState]().
		HandleIf(func(_ *attemptState, err error) bool { return retryReason(err) != "" }).
		AbortIf(func(t *attemptState, _ error) bool { return t.late }).
		WithMaxAttempts(maxAttempts).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[*attemptState]) time.Duration { return e.LastResult().pause }).
		ReturnLastFailure().
		Build())
	return p
}

// newRecord returns the results of a credential without any.
func newRecord() circuitbreaker.CircuitBreaker[any] {
	return circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(pauseShare, pauseSample, pauseWindow).
		WithSuccessThresholdRatio(probesNeeded, pauseProbes).
		WithDelay(pauseTime).
		Build()
}

// state returns the current state. It counts the paused credentials one by one.
func (p *policy) state() State {
	s := State{Breaker: BreakerClosed, Limit: p.limiter.Limit()}
	switch open, probing := p.breaker.State(); {
	case open && probing:
		s.Breaker = BreakerHalfOpen
	case open:
		s.Breaker = BreakerOpen
	}
	s.InFlight, s.Queued = p.attempts.State()
	for _, record := range p.records.All() {
		if !record.IsClosed() {
			s.Paused++
		}
	}
	return s
}

// caller identifies whose call it is, without revealing it.
type caller struct {
	// token identifies the API key or the bearer token, without the workspace: a caller can invent
	// workspaces.
	token uint64
	// credential identifies the whole credential. Workspaces have different lists, of which one may
	// fail.
	credential uint64
	// ambiguous reports whether there are both an API key and a bearer token. Then the caller may
	// have invented one of them, and is never known.
	ambiguous bool
}

// callerOf returns the caller of a credential.
func (p *policy) callerOf(h Headers) caller {
	token := h.APIKey
	if token == "" {
		_, token, _ = strings.Cut(h.Authorization, " ")
	}
	c := caller{
		token:     maphash.String(p.seed, strings.TrimSpace(token)),
		ambiguous: h.APIKey != "" && h.Authorization != "",
	}
	c.credential = c.token
	if c.ambiguous || h.Workspace != "" {
		c.credential = maphash.Comparable(p.seed, h)
	}
	return c
}

// fairCaller returns the caller for limits.
func (p *policy) fairCaller(c caller) fair.Caller {
	_, known := p.known.GetIfPresent(c.token)
	return fair.Caller{Key: c.token, Known: known && !c.ambiguous}
}

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
func (p *policy) retry(ctx context.Context, c caller, first error, attempt func() (RawPage, error)) (RawPage, error) {
	t := &attemptState{}
	_, err := p.retries.WithContext(ctx).Get(func() (*attemptState, error) {
		if t.page.Attempts == 0 {
			t.note(ctx, RawPage{Attempts: 1}, first)
			return t, first
		}
		unit, ok := p.retrying.TryAcquire(p.fairCaller(c))
		if !ok {
			notify(p.observer.OverBudget)
			return t, fair.ErrOverload
		}
		defer unit.Release()
		notifyWith(p.observer.Retried, retryReason(t.err))
		page, err := attempt()
		if _, ok := errors.AsType[*UnavailableError](err); !ok {
			t.note(ctx, page, err)
		}
		return t, err
	})
	if err == nil {
		return t.page, nil
	}
	t.page.Release() // the caller can leave just after a page has arrived
	failed := RawPage{Attempts: t.page.Attempts}
	if ctx.Err() != nil {
		return failed, callerError(ctx)
	}
	return failed, t.err // the upstream's failure says more than the missing retry
}

// permit allows an attempt. It must be given to settle.
type permit struct {
	caller fair.Caller
	unit   fair.Unit
	limit  adaptivelimiter.Permit // nil for an attempt beyond the limit
	record circuitbreaker.CircuitBreaker[any]
	probe  fair.Probe
	// afterPause reports that the attempt is one of those that decide whether the pause ends.
	afterPause bool
}

// admit waits until an attempt may be made.
func (p *policy) admit(ctx context.Context, c caller) (permit, error) {
	a := permit{caller: p.fairCaller(c)}
	if record, ok := p.records.GetIfPresent(c.credential); ok {
		if wait := record.RemainingDelay(); wait > 0 { // do not wait in the queue for nothing
			return permit{}, p.suppress(CausePaused, wait)
		}
	}
	if wait := p.breaker.Wait(a.caller); wait > 0 {
		return permit{}, p.suppress(CauseBreaker, wait)
	}
	var err error
	if a.unit, err = p.attempts.Acquire(ctx, a.caller, maxQueueing); err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return permit{}, callerError(ctx)
		}
		return permit{}, p.suppress(CauseOverload, maxQueueing)
	}
	var wait time.Duration
	if a.probe, wait = p.breaker.Begin(a.caller); wait > 0 {
		a.unit.Release()
		return permit{}, p.suppress(CauseBreaker, wait)
	}
	a.record, _ = p.records.GetIfPresent(c.credential)
	if a.record != nil && !a.record.TryAcquirePermit() {
		p.breaker.End(a.caller, a.probe, fair.Unknown)
		a.unit.Release()
		return permit{}, p.suppress(CausePaused, max(a.record.RemainingDelay(), maxQueueing))
	}
	a.afterPause = a.record != nil && a.record.IsHalfOpen()
	a.limit, _ = p.limiter.TryAcquirePermit()
	notify(p.observer.Attempted)
	return a, nil
}

func (p *policy) suppress(cause string, retryAfter time.Duration) error {
	notifyWith(p.observer.Suppressed, cause)
	return &UnavailableError{Cause: cause, RetryAfter: retryAfter}
}

// settle ends an attempt. Only successful attempts adjust the limit, because failures are often
// faster or slower than pages.
func (p *policy) settle(ctx context.Context, c caller, a permit, err error) {
	switch {
	case a.limit == nil:
	case err == nil:
		a.limit.Record()
	default:
		a.limit.Drop()
	}
	a.unit.Release()
	if err == nil && !a.caller.Known && !c.ambiguous {
		p.known.Set(c.token, struct{}{})
	}
	state := healthOf(err)
	if ctx.Err() != nil && state == fair.Failing {
		state = fair.Unknown // the caller has ended the attempt early
	}
	p.breaker.End(a.caller, a.probe, evidence(a.caller, state, err))
	if a.record == nil && (err == nil || state == fair.Failing) {
		a.record, _ = p.records.SetIfAbsent(c.credential, newRecord())
	}
	switch {
	case a.record == nil:
	case a.record.IsHalfOpen() && !a.afterPause: // the attempt began before the pause
	case state == fair.Healthy:
		a.record.RecordSuccess()
	case state == fair.Failing, a.record.IsHalfOpen(): // a probe must have a result, and this one shows no recovery
		a.record.RecordFailure()
	}
}
