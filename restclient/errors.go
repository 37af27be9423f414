package restclient

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// The messages of all errors of this package are safe to show to clients: they have no URL, no
// body, no words of the upstream, and no credential.

// ArgumentError reports an invalid argument. Nothing was sent.
type ArgumentError struct {
	// Argument is "page", "page_size", or the name of a credential's header.
	Argument string
	// Problem says what is wrong with the argument, without its value.
	Problem string
}

func (e *ArgumentError) Error() string { return e.Argument + " " + e.Problem }

// StatusError reports a response whose status is not 200: another 2xx, a redirect (redirects are
// not followed), or any 4xx or 5xx.
type StatusError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Code is the upstream's error code, such as ERR-03-001. It is "" if the response has none of
	// this form.
	Code string
	// Params are the query parameters that the upstream rejects, in its order and without
	// duplicates. They are some of page, page_size, teepod_id and user_id. It is nil if there are
	// none.
	Params []string
	// RetryAfter is the wait that the upstream requests, at most an hour. It is 0 if not set.
	RetryAfter time.Duration
	// RequestID is the upstream's id of the request, or that of the CDN in front of it. It is "" if
	// the response has none of the usual forms: a UUID, 16 to 64 hexadecimal digits, a ULID, req_
	// with up to 60 letters and digits, or a Cf-Ray.
	RequestID string
	// Intermediary reports whether something in front of the API sent the response, such as a CDN,
	// a firewall or another proxy: its body is not a JSON object, as all errors of the API are, or
	// it is a CDN's own.
	Intermediary bool
	// VersionRefused reports whether the API says that it does not have the request's API version:
	// its error mentions a version, and the status is 400, 404, 406, 410 or 422. The API's words
	// are not published, so it can be false for such an error.
	VersionRefused bool
	// KeyAsToken reports whether the request had an API key (phak_…) as a bearer token. The API
	// accepts API keys as X-API-Key only.
	KeyAsToken bool
}

// RejectsCredential reports whether the upstream does not accept the credential, or does not allow
// it to see the list. A status 403 of an intermediary says nothing about the credential.
func (e *StatusError) RejectsCredential() bool {
	return e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden && !e.Intermediary
}

// Refused reports whether an intermediary has refused the request with a status that the API uses
// for its callers' mistakes: 400, 403 or 422. Neither the credential nor the request is known to be
// wrong.
func (e *StatusError) Refused() bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity:
		return e.Intermediary
	}
	return false
}

// MayRefuseVersion reports whether the request's API version can be the reason: the API itself
// refuses the request, with a status that it can use for an unknown version, and names no other
// reason. It can also be a mistake of the caller.
func (e *StatusError) MayRefuseVersion() bool {
	if e.VersionRefused {
		return true
	}
	named := len(e.Params) > 0 || e.StatusCode == http.StatusNotFound && e.Code != ""
	return e.canRefuseVersion() && !e.Intermediary && !named
}

// IsCDNFailure reports whether the status is one of a CDN in front of the API that cannot reach the
// API: 520 to 526, or 530.
func (e *StatusError) IsCDNFailure() bool {
	return e.StatusCode >= 520 && e.StatusCode <= 526 || e.StatusCode == 530
}

func (e *StatusError) Error() string {
	if e.Code != "" {
		return fmt.Sprintf("upstream responded with status %d (%s)", e.StatusCode, e.Code)
	}
	return fmt.Sprintf("upstream responded with status %d", e.StatusCode)
}

// TimeoutError reports that the upstream was too slow. errors.Is finds [context.DeadlineExceeded]
// in it.
type TimeoutError struct {
	// Limit is [Options.Timeout] if that has passed. It is 0 if another deadline has passed: the
	// deadline of the caller, of dialing, or of the TLS handshake.
	Limit time.Duration
}

func (e *TimeoutError) Error() string {
	if e.Limit > 0 {
		return fmt.Sprintf("upstream did not respond within %v", e.Limit)
	}
	return "upstream did not respond in time"
}

// Unwrap returns [context.DeadlineExceeded].
func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// Timeout returns true, as a net.Error does for a timeout.
func (e *TimeoutError) Timeout() bool { return true }

// The kinds of a [NetworkError].
const (
	KindDNS         = "dns"         // the host name could not be resolved
	KindRefused     = "refused"     // the connection was refused
	KindUnreachable = "unreachable" // there is no route to the host
	KindTLS         = "tls"         // the TLS handshake failed, or the certificate is not trusted
	KindReset       = "reset"       // the connection, or the stream of HTTP/2, was reset
	KindClosed      = "closed"      // the connection was closed before a response
	KindProtocol    = "protocol"    // the response is not valid HTTP
	KindProxy       = "proxy"       // a proxy did not open a tunnel to the upstream
	KindOther       = "other"       // any other failure before the request was sent
)

// NetworkError reports that there was no complete response because of a failure below HTTP.
type NetworkError struct {
	// Kind is one of the constants KindDNS to KindOther.
	Kind string
	// ProxyStatus is the HTTP status of the proxy's response if Kind is KindProxy, and otherwise 0.
	ProxyStatus int
	// HTTP2Code is the name of the error code of a stream of HTTP/2 that was reset, such as
	// REFUSED_STREAM, and otherwise "".
	HTTP2Code string
}

func (e *NetworkError) Error() string {
	switch {
	case e.ProxyStatus != 0:
		return fmt.Sprintf("upstream connection failed: %s (status %d)", e.Kind, e.ProxyStatus)
	case e.HTTP2Code != "":
		return fmt.Sprintf("upstream connection failed: %s (%s)", e.Kind, e.HTTP2Code)
	}
	return "upstream connection failed: " + e.Kind
}

// The causes of an [UnavailableError].
const (
	CausePaused    = "paused"    // too many calls of this credential have failed recently
	CauseBreaker   = "breaker"   // the calls of several credentials fail, and no other call succeeds
	CauseOverload  = "overload"  // too many attempts are in flight, and too many calls are queued
	CauseExhausted = "exhausted" // this process has no file descriptor, port or memory for a connection
)

// UnavailableError reports that the upstream was not called, to protect it and this process.
type UnavailableError struct {
	// Cause is one of the constants CausePaused to CauseExhausted.
	Cause string
	// RetryAfter is the time after which a new call makes sense. It is greater than 0.
	RetryAfter time.Duration
}

func (e *UnavailableError) Error() string { return "upstream was not called: " + e.Cause }

// Reason is the reason why a response cannot be used.
type Reason string

// The reasons of an [InvalidResponseError].
const (
	// ReasonNotJSON means that the body is not a JSON document in UTF-8.
	ReasonNotJSON Reason = "it is not JSON"
	// ReasonTruncated means that the body ends before its announced length or in the middle of the
	// document.
	ReasonTruncated Reason = "it is truncated"
	// ReasonEncoding means that the body cannot be decompressed.
	ReasonEncoding Reason = "its compression is broken"
	// ReasonTooLarge means that the body is larger than 16 MiB, after decompression.
	ReasonTooLarge Reason = "it is too large"
	// ReasonTooDeep means that objects and lists nest deeper than 512.
	ReasonTooDeep Reason = "it is nested too deeply"
	// ReasonOtherShape means that the items have the [Shape] of another API version.
	ReasonOtherShape Reason = "its items have the format of another API version"
	// ReasonEnvelope means that the document is not an object, or that items, total, page or
	// page_size is missing or of the wrong type.
	ReasonEnvelope Reason = "items, total, page or page_size is missing or wrong"
	// ReasonEntry means that an entry of items is not an object.
	ReasonEntry Reason = "an entry of items is not an object"
	// ReasonEcho means that page or page_size differs from the request.
	ReasonEcho Reason = "it is another page than requested"
	// ReasonTotal means that total is negative or exceeds 32 bits.
	ReasonTotal Reason = "its total is impossible"
	// ReasonSurplus means that there are more items than requested.
	ReasonSurplus Reason = "it has more items than requested"
	// ReasonNoItems means that no page of the list has an item, although the total is not 0. This
	// package does not return it, because a single page does not show it.
	ReasonNoItems Reason = "it has no items, although its total implies some"
	// ReasonOtherNode and ReasonOtherOwner mean that an item does not report the node or the owner
	// that the request's filter selects. This package does not return them, because it does not
	// compare items with filters.
	ReasonOtherNode  Reason = "it has CVMs that are not on the requested node"
	ReasonOtherOwner Reason = "it has CVMs that are not of the requested owner"
	// ReasonTooManyFieldErrors means that more than 10,000 values of the page have the wrong type.
	ReasonTooManyFieldErrors Reason = "it has too many values of the wrong type"
	// ReasonTooManyElements means that the page's lists of objects have more than 100,000 elements
	// together.
	ReasonTooManyElements Reason = "it has too many list elements"
)

// InvalidResponseError reports a response with status 200 that cannot be used.
type InvalidResponseError struct {
	// Reason is one of the constants ReasonNotJSON to ReasonTooManyElements.
	Reason Reason
}

func (e *InvalidResponseError) Error() string {
	return "the upstream's response is not a valid page: " + string(e.Reason)
}

func invalidResponse(reason Reason) error { return &InvalidResponseError{Reason: reason} }

// canceledError reports that the caller has canceled the call. errors.Is finds [context.Canceled]
// and the cause in it.
type canceledError struct{ cause error }

func (e *canceledError) Error() string { return "upstream call canceled by its caller" }

func (e *canceledError) Unwrap() []error { return []error{context.Canceled, e.cause} }
