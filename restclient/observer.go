package restclient

import (
	"context"
	"errors"
	"net/http"
	"strconv"
)

// The reasons for a retry.
const (
	RetryServerError = "server_error" // status 500, 502, 503 or 504, or 520 to 526 or 530 of a CDN
	RetryRateLimited = "rate_limited" // status 429
	RetryReset       = "reset"        // the connection was reset or closed before a response
	RetryTruncated   = "truncated"    // the body was incomplete
	RetryTimeout     = "timeout"      // the attempt took too long
)

// The states of the breaker.
const (
	BreakerClosed   = "closed"    // attempts are made
	BreakerHalfOpen = "half_open" // an attempt is in flight, to see whether the upstream has recovered
	BreakerOpen     = "open"      // only a few attempts are made
)

// Observer has functions that a client calls for its events. Each of them may be nil. They are
// called concurrently, and must not block.
type Observer struct {
	// Attempted is called for each attempt.
	Attempted func()
	// Retried is called for each retry, with its reason: one of the constants RetryServerError to
	// RetryTimeout.
	Retried func(reason string)
	// OverBudget is called for each retry that is not made because too many of the attempts in
	// flight are retries.
	OverBudget func()
	// Suppressed is called for each attempt that is not made, with the cause: one of the constants
	// CausePaused to CauseExhausted.
	Suppressed func(cause string)
	// Exhausted is called for each attempt that is not made because this process has no resource
	// for a connection: "file descriptors", "ports" or "memory".
	Exhausted func(resource string)
	// Breaker is called when the breaker opens or closes, with BreakerOpen or BreakerClosed.
	Breaker func(state string)
	// StartAttempt is called just before each attempt, and may add trace headers to the request's
	// header. If it returns a function, that is called when the attempt has ended. The status is
	// the status of the response, or 0 if there was none. The failure is "" for a success, and
	// otherwise a status, a kind of a NetworkError, a reason of an InvalidResponseError, "timeout"
	// or "canceled".
	StartAttempt func(ctx context.Context, attempt Attempt, header http.Header) (end func(status int, failure string))
}

// Attempt is an attempt to fetch a page.
type Attempt struct {
	Request PageRequest
	// Number is counted from 1 for each call.
	Number int
}

// State is the state of a client at a moment.
type State struct {
	// Breaker is one of the constants BreakerClosed to BreakerOpen.
	Breaker string
	// Limit is the maximum number of attempts in flight, InFlight is their number, and Queued is
	// the number of attempts that wait.
	Limit, InFlight, Queued int
	// Paused is the number of credentials whose calls are paused because they fail.
	Paused int
}

func notify(f func()) {
	if f != nil {
		f()
	}
}

func notifyWith(f func(string), value string) {
	if f != nil {
		f(value)
	}
}

// startAttempt calls StartAttempt.
func (o Observer) startAttempt(ctx context.Context, attempt Attempt, header http.Header) func(status int, failure string) {
	if o.StartAttempt == nil {
		return nil
	}
	return o.StartAttempt(ctx, attempt, header)
}

// spanOutcome returns the status and the failure for StartAttempt's function.
func spanOutcome(err error) (status int, failure string) {
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
