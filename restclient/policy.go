package restclient

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

const (
	maxAttempts = 3
	// firstPause is the longest pause before the second attempt; the one before the third is up to twice as long.
	firstPause = 200 * time.Millisecond
	// defaultRetryPeriod is how long somebody waits for the next attempt who does not say by when the answer is to be there.
	defaultRetryPeriod = time.Minute

	// Of the attempts in flight, retryShare may be retries, and in any case minRetries.
	retryShare = 0.2
	minRetries = 3

	// The breaker opens where of breakerSample attempts or more within breakerWindow that share has failed. After breakerPause, it lets
	// probes of them through at a time; as many as probesNeeded of them decide.
	breakerSample = 20
	breakerWindow = 10 * time.Second
	breakerShare  = 0.8
	breakerPause  = 5 * time.Second
	probes        = 3
	probesNeeded  = 2

	// The limit of attempts in flight moves between these, up to limitHeadroom above four times what there was.
	minLimit, maxLimit, firstLimit = 16, maxIdleConns, 128
	limitHeadroom                  = 128
	// Some of those who would be queueing are turned away from so many times the limit on, and all of them from the other one on.
	queueBegins, queueEnds = 2, 3
	maxQueueing            = time.Second
)

// Why an attempt is made again.
const (
	RetryServerError = "server_error" // status 500, 502, 503 or 504
	RetryRateLimited = "rate_limited" // status 429
	RetryReset       = "reset"        // the connection was reset or closed before an answer
	RetryTruncated   = "truncated"    // the body did not arrive whole
	RetryTimeout     = "timeout"      // the attempt took too long
)

// The states of a breaker.
const (
	BreakerClosed   = "closed"    // attempts are made
	BreakerHalfOpen = "half_open" // a few attempts are made, to see whether the upstream has recovered
	BreakerOpen     = "open"      // no attempts are made
)

// Observer is told what a client does about its upstream. Its functions may be nil, do not block, and are called concurrently.
type Observer struct {
	// Attempted is told of each attempt.
	Attempted func()
	// Retried is told of each attempt that is made again, and why: one of the constants RetryServerError to RetryTimeout.
	Retried func(reason string)
	// OverBudget is told of an attempt that is not made again, because too many of those in flight are such.
	OverBudget func()
	// Refused is told of an attempt that is not made, and why: CauseBreaker or CauseOverload.
	Refused func(cause string)
	// Breaker is told of each change of the breaker's state, one of the constants BreakerClosed to BreakerOpen.
	Breaker func(state string)
	// Follow is told of each attempt just before it is made, and may add to the header that goes to the upstream what carries a trace.
	// What it returns, nil for nobody, is told how the attempt ended: the status of the answer, 0 for none, and what was wrong, "" for
	// nothing: a status, a kind of a NetworkError, a reason of an InvalidResponseError, timeout or canceled.
	Follow func(ctx context.Context, attempt Attempt, header http.Header) (ended func(status int, failure string))
}

// Attempt is an attempt to fetch a page.
type Attempt struct {
	Request PageRequest
	// Number is counted from 1 for each call.
	Number int
}

// State is how a client stands with its upstream at a moment.
type State struct {
	// Breaker is one of the constants BreakerClosed to BreakerOpen.
	Breaker string
	// Limit is how many attempts may be in flight, InFlight how many are, and Queued how many wait to be.
	Limit, InFlight, Queued int
}

// RetryDeadline says by when an answer is of use, and false where that is at any time. It is safe for concurrent use.
type RetryDeadline interface {
	Deadline() (deadline time.Time, ok bool)
}

type retryDeadlineKey struct{}

// WithRetryDeadline returns a context for calls that serve others than its own deadline tells of: they are not made again where the answer
// would be late for all of them. It does not end calls.
func WithRetryDeadline(ctx context.Context, patience RetryDeadline) context.Context {
	return context.WithValue(ctx, retryDeadlineKey{}, patience)
}

// timeLeft returns how long an answer is waited for.
func timeLeft(ctx context.Context) time.Duration {
	patience, ok := ctx.Value(retryDeadlineKey{}).(RetryDeadline)
	if !ok {
		patience = ctx
	}
	deadline, ok := patience.Deadline()
	if !ok {
		return defaultRetryPeriod
	}
	return time.Until(deadline)
}

// retryReason says why an attempt that ended with err is made again, "" where it is not.
func retryReason(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*StatusError](err); ok {
		switch e.StatusCode {
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return RetryServerError
		case http.StatusTooManyRequests:
			return RetryRateLimited
		}
		return ""
	}
	if e, ok := errors.AsType[*NetworkError](err); ok && (e.Kind == KindReset || e.Kind == KindClosed) {
		return RetryReset
	}
	if e, ok := errors.AsType[*InvalidResponseError](err); ok && e.Reason == ReasonTruncated {
		return RetryTruncated
	}
	if _, ok := errors.AsType[*TimeoutError](err); ok {
		return RetryTimeout
	}
	return ""
}

// pause returns how long to wait for the next attempt after so many that failed, and false where there is no time for it. The
// upstream's own wish is a floor; what comes on top of it is drawn by random, at least 0 and less than 1, so that those who failed
// together do not come back together.
func pause(failed int, floor, left time.Duration, random float64) (time.Duration, bool) {
	room := left - floor
	if room <= 0 {
		return 0, false
	}
	return floor + time.Duration(random*float64(min(firstPause<<(failed-1), room))), true
}

// health is what an attempt tells of the upstream.
type health int

const (
	unknown health = iota
	healthy
	failing
)

// healthOf judges the upstream by how an attempt ended. What it answers to one caller alone, such as 4xx, does not count against it.
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
	if _, ok := errors.AsType[*UnavailableError](err); ok { // it is this process that was not ready for the answer
		return unknown
	}
	return failing
}

// policy decides whether an attempt is made, and made again. Its parts are the library's; they are asked one by one, because an
// executor of all of them costs an attempt that succeeds twenty allocations.
type policy struct {
	observer Observer
	limiter  adaptivelimiter.AdaptiveLimiter[any]
	breaker  circuitbreaker.CircuitBreaker[any]
	retries  failsafe.Executor[*attemptState]
	traffic  traffic
}

// traffic counts the attempts that the retries' budget is a share of. The library's budget has these methods without saying so, for its
// executor, which sees only calls whose first attempt has failed here.
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
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) { tell(observer.Breaker, breakerState(e.NewState)) }).
		Build()
	retries := budget.NewBuilder().
		WithMaxRate(retryShare).
		WithMinConcurrency(minRetries).
		OnBudgetExceeded(func(budget.ExceededEvent) { call(observer.OverBudget) }).
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
			tell(observer.Retried, retryReason(e.LastResult().err))
		}).
		Build())
	return p
}

func call(f func()) {
	if f != nil {
		f()
	}
}

func tell(f func(string), what string) {
	if f != nil {
		f(what)
	}
}

// follow calls Follow.
func (o Observer) follow(ctx context.Context, attempt Attempt, header http.Header) func(status int, failure string) {
	if o.Follow == nil {
		return nil
	}
	return o.Follow(ctx, attempt, header)
}

// ending says how an attempt ended, as Follow wants it.
func ending(err error) (status int, failure string) {
	if err == nil {
		return http.StatusOK, ""
	}
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.StatusCode, strconv.Itoa(e.StatusCode)
	}
	if e, ok := errors.AsType[*InvalidResponseError](err); ok {
		return http.StatusOK, string(e.Reason)
	}
	if e, ok := errors.AsType[*NetworkError](err); ok {
		return 0, e.Kind
	}
	if e, ok := errors.AsType[*UnavailableError](err); ok {
		return 0, e.Cause
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return 0, "timeout"
	}
	return 0, "canceled"
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

// begin and end enclose the first attempt of a call.
func (p *policy) begin() { p.traffic.RecordExecution() }

func (p *policy) end() { p.traffic.ReleaseExecution() }

// attemptState is a call whose first attempt has failed.
type attemptState struct {
	document Document      // with the attempts so far
	err      error         // of the last attempt that was made
	pause    time.Duration // before the next one
	late     bool          // says that there is no time for one
}

// note takes in what came of an attempt.
func (t *attemptState) note(ctx context.Context, document Document, err error) {
	document.Attempts += t.document.Attempts
	t.document, t.err = document, err
	if err == nil {
		return
	}
	var floor time.Duration
	if e, ok := errors.AsType[*StatusError](err); ok {
		floor = e.RetryAfter
	}
	wait, ok := pause(document.Attempts, floor, timeLeft(ctx), rand.Float64())
	t.pause, t.late = wait, !ok
}

// again makes the attempts behind a first one that failed, where that may help. Its errors are those of attempt.
func (p *policy) again(ctx context.Context, first error, attempt func() (Document, error)) (Document, error) {
	t := &attemptState{}
	_, err := p.retries.WithContext(ctx).Get(func() (*attemptState, error) {
		if t.document.Attempts == 0 {
			t.note(ctx, Document{Attempts: 1}, first)
			return t, first
		}
		document, err := attempt()
		if _, ok := errors.AsType[*UnavailableError](err); !ok {
			t.note(ctx, document, err)
		}
		return t, err
	})
	switch {
	case err == nil:
		return t.document, nil
	case ctx.Err() != nil:
		return t.document, ended(ctx)
	}
	return t.document, t.err // what the upstream did says more than that nobody asked it again
}

// admit waits for leave to make an attempt.
func (p *policy) admit(ctx context.Context) (adaptivelimiter.Permit, error) {
	if wait := p.breaker.RemainingDelay(); wait > 0 { // it is not worth the queue
		return nil, p.refuse(CauseBreaker, wait)
	}
	permit, err := p.limiter.AcquirePermitWithMaxWait(ctx, maxQueueing)
	switch {
	case err == nil:
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, ended(ctx)
	default:
		return nil, p.refuse(CauseOverload, maxQueueing)
	}
	if !p.breaker.TryAcquirePermit() {
		permit.Drop()
		return nil, p.refuse(CauseBreaker, max(p.breaker.RemainingDelay(), maxQueueing))
	}
	call(p.observer.Attempted)
	return permit, nil
}

func (p *policy) refuse(cause string, retryAfter time.Duration) error {
	tell(p.observer.Refused, cause)
	return &UnavailableError{Cause: cause, RetryAfter: retryAfter}
}

// settle ends an attempt's leave. The limit follows the time that pages take, and not the time of failures.
func (p *policy) settle(ctx context.Context, permit adaptivelimiter.Permit, err error) {
	if err == nil {
		permit.Record()
	} else {
		permit.Drop()
	}
	state := healthOf(err)
	if ctx.Err() != nil && state == failing {
		state = unknown // it was not given its time
	}
	switch {
	case state == healthy:
		p.breaker.RecordSuccess()
	case state == failing, p.breaker.IsHalfOpen(): // a probe has to end, and has not shown that the upstream recovered
		p.breaker.RecordFailure()
	}
}
