package restclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wait an upstream can ask for.
const maxRetryAfter = time.Hour

// retryAfter reads the header Retry-After, seconds or an HTTP date, as the time to wait from now:
// at most an hour, 0 for what is past or unreadable.
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

// waitOf reads the key retry_after of an error's body in the same way; it is in seconds.
func waitOf(seconds float64) time.Duration {
	switch {
	case seconds >= maxRetryAfter.Seconds():
		return maxRetryAfter
	case seconds <= 0:
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}
