package restclient

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxAttempts = 3
	// firstPause is the longest pause before the second attempt. The pause before the third one is
	// up to twice as long.
	firstPause = 200 * time.Millisecond
	// longestWait is the longest Retry-After that a call waits for. A longer one is left to the
	// caller, who may have something better to do.
	longestWait = 2 * time.Second
	// defaultRetryPeriod is the time for retries of a call without a deadline.
	defaultRetryPeriod = time.Minute
)

// RetryDeadline has the time until which an upstream call may be retried. Deadline returns false if
// the call has no deadline. Its result may change over time, and it must be safe for concurrent
// use.
type RetryDeadline interface {
	Deadline() (deadline time.Time, ok bool)
}

type retryDeadlineKey struct{}

// WithRetryDeadline returns a context for calls whose result serves other callers, too. Such a call
// is retried until the given deadline instead of the context's deadline. The latter still ends the
// call.
func WithRetryDeadline(ctx context.Context, retry RetryDeadline) context.Context {
	return context.WithValue(ctx, retryDeadlineKey{}, retry)
}

// timeLeft returns the time that is left for retries.
func timeLeft(ctx context.Context) time.Duration {
	retry, ok := ctx.Value(retryDeadlineKey{}).(RetryDeadline)
	if !ok {
		retry = ctx
	}
	deadline, ok := retry.Deadline()
	if !ok {
		return defaultRetryPeriod
	}
	return time.Until(deadline)
}

// retryReason returns the reason to retry an attempt that ended with err, or "" if it is not
// retried.
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
		if e.IsCDNFailure() {
			return RetryServerError
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

// pause returns the pause before the next attempt, after a number of failed ones. It returns false
// if there is no next attempt, because too little time is left for it, or because Retry-After is
// too long. A random share (0 to 1) of the rest is added to Retry-After, so that calls that failed
// together are not retried together.
//
// After a timeout, there must be time for a whole attempt. A shorter one would end like the last
// one, and would only add to the load of a slow upstream.
func pause(err error, failed int, left time.Duration, random float64) (time.Duration, bool) {
	var floor, needed time.Duration
	if e, ok := errors.AsType[*StatusError](err); ok {
		floor = e.RetryAfter
	}
	if e, ok := errors.AsType[*TimeoutError](err); ok {
		needed = e.Limit
	}
	room := left - floor - needed
	if floor > longestWait || room <= 0 {
		return 0, false
	}
	return floor + time.Duration(random*float64(min(firstPause<<(failed-1), room))), true
}

// maxRetryAfter is the longest wait that an upstream can request.
const maxRetryAfter = time.Hour

// retryAfter returns the wait of a Retry-After header, which is a number of seconds or an HTTP
// date. The wait is at most maxRetryAfter, and 0 for a date in the past or an invalid value.
func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseUint(value, 10, 64)
		if err != nil || seconds > uint64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, min(date.Sub(now), maxRetryAfter))
}

// waitOf returns the wait of the key retry_after of an error body, which is in seconds, with the
// same limits.
func waitOf(seconds float64) time.Duration {
	switch {
	case seconds >= maxRetryAfter.Seconds():
		return maxRetryAfter
	case seconds <= 0:
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}
