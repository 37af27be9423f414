package restclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

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
