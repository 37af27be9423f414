package pages

import (
	"context"
	"errors"
	"net/http"

	"cvmgraph/restclient"
)

// outcome returns the outcome of an upstream call for [CacheObserver.Called].
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if status, ok := errors.AsType[*restclient.StatusError](err); ok {
		switch code := status.StatusCode; {
		case status.VersionRefused:
			return "invalid"
		case status.Refused():
			return "server_error" // the caller is not the cause
		case code == http.StatusTooManyRequests:
			return "rate_limited"
		case code >= http.StatusBadRequest && code < http.StatusInternalServerError:
			return "client_error"
		}
		return "server_error"
	}
	if _, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		return "invalid"
	}
	if _, ok := errors.AsType[*restclient.UnavailableError](err); ok {
		return "unavailable"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "network"
}

// isOutage reports whether the upstream or its protection caused an error, rather than the request
// or the credential.
func isOutage(err error) bool {
	if status, ok := errors.AsType[*restclient.StatusError](err); ok {
		return status.StatusCode >= http.StatusInternalServerError || status.StatusCode == http.StatusTooManyRequests ||
			status.Refused() || status.VersionRefused
	}
	_, invalid := errors.AsType[*restclient.InvalidResponseError](err)
	_, network := errors.AsType[*restclient.NetworkError](err)
	_, unavailable := errors.AsType[*restclient.UnavailableError](err)
	return invalid || network || unavailable || errors.Is(err, context.DeadlineExceeded)
}
