package restclient

import (
	"context"
	"fmt"
	"time"
)

// The texts of all errors of this package are safe to show to anybody: no URL, no body, no words
// of the upstream, no credential.

// ArgumentError says that a call's argument is unusable. Nothing was sent.
type ArgumentError struct {
	// Argument is "page", "page_size", or the name of a credential's header.
	Argument string
	// Problem says what is wrong with it, without its value.
	Problem string
}

func (e *ArgumentError) Error() string { return e.Argument + " " + e.Problem }

// StatusError says that the upstream answered with another status than 200: other 2xx, redirects
// (which are not followed) and all of 4xx and 5xx.
type StatusError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Code is the upstream's error code such as ERR-03-001; "" when it gave none of that form.
	Code string
	// Params are the query parameters the upstream blames, in its order, each once. They are some
	// of page, page_size, teepod_id and user_id; nil when it blames none of them.
	Params []string
	// RetryAfter is how long the upstream asks to wait, at most an hour; 0 when it does not.
	RetryAfter time.Duration
	// RequestID is the upstream's name for the request, letters, digits and -._: only, at most 128
	// bytes; "" when it gave none of that form.
	RequestID string
}

func (e *StatusError) Error() string {
	if e.Code != "" {
		return fmt.Sprintf("upstream answered with status %d (%s)", e.StatusCode, e.Code)
	}
	return fmt.Sprintf("upstream answered with status %d", e.StatusCode)
}

// TimeoutError says that the upstream was too slow. errors.Is finds [context.DeadlineExceeded] in it.
type TimeoutError struct {
	// Limit is [Options.Timeout] if that has passed. It is 0 when the caller's own deadline did,
	// or one of the connection's (to dial, to shake hands).
	Limit time.Duration
}

func (e *TimeoutError) Error() string {
	if e.Limit > 0 {
		return fmt.Sprintf("upstream did not answer within %v", e.Limit)
	}
	return "upstream did not answer in time"
}

// Unwrap returns [context.DeadlineExceeded].
func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// Timeout tells that the error is one of time, as net.Error asks for it: true.
func (e *TimeoutError) Timeout() bool { return true }

// The kinds of a [NetworkError].
const (
	KindDNS         = "dns"         // the host's name could not be resolved
	KindRefused     = "refused"     // nobody listens at the address
	KindUnreachable = "unreachable" // no way to the address
	KindTLS         = "tls"         // the handshake failed, or the certificate is not to be trusted
	KindReset       = "reset"       // the connection was reset
	KindClosed      = "closed"      // the connection was closed before an answer
	KindProxy       = "proxy"       // a proxy refused to open a tunnel to the upstream
	KindOther       = "other"       // all else, such as an answer that is no HTTP
)

// NetworkError says that there was no whole answer for a reason below HTTP.
type NetworkError struct {
	// Kind is one of the constants KindDNS to KindOther.
	Kind string
	// ProxyStatus is the HTTP status that the proxy refused with, where Kind is KindProxy; else 0.
	ProxyStatus int
}

func (e *NetworkError) Error() string {
	if e.ProxyStatus != 0 {
		return fmt.Sprintf("upstream connection failed: %s (status %d)", e.Kind, e.ProxyStatus)
	}
	return "upstream connection failed: " + e.Kind
}

// The causes of an [UnavailableError].
const (
	CauseBreaker  = "breaker"  // the upstream failed too often lately
	CauseOverload = "overload" // too many attempts are in flight, and too many calls wait for their turn
)

// UnavailableError says that the upstream was not called, to spare it and this process.
type UnavailableError struct {
	// Cause is CauseBreaker or CauseOverload.
	Cause string
	// RetryAfter is how long to wait before it is worth trying again; over 0.
	RetryAfter time.Duration
}

func (e *UnavailableError) Error() string { return "upstream was not called: " + e.Cause }

// Reason says why an answer is unusable.
type Reason string

// The reasons of an [InvalidResponseError].
const (
	// ReasonNotJSON: the body is no JSON document in UTF-8.
	ReasonNotJSON Reason = "not JSON"
	// ReasonTruncated: the body ends before its announced or its logical end.
	ReasonTruncated Reason = "truncated"
	// ReasonEncoding: the body's compression is broken.
	ReasonEncoding Reason = "broken compression"
	// ReasonTooLarge: the body is over 16 MiB, after decompression.
	ReasonTooLarge Reason = "too large"
	// ReasonTooDeep: objects and lists nest deeper than 512.
	ReasonTooDeep Reason = "nested too deep"
	// ReasonFlatShape: the items are those of another API version.
	ReasonFlatShape Reason = "shape of another API version"
	// ReasonEnvelope: the document is no object, or items, total, page or page_size is missing or of
	// the wrong type.
	ReasonEnvelope Reason = "missing or wrong envelope"
	// ReasonEntry: an entry of items is no object.
	ReasonEntry Reason = "an entry of items is no object"
	// ReasonEcho: page or page_size is not what was asked for.
	ReasonEcho Reason = "another page than asked for"
	// ReasonTotal: total is negative or does not fit 32 bits.
	ReasonTotal Reason = "impossible total"
	// ReasonSurplus: there are more items than asked for.
	ReasonSurplus Reason = "more items than asked for"
	// ReasonShortPage: there are fewer items than total calls for, and no deletion explains it.
	ReasonShortPage Reason = "fewer items than its total calls for"
	// ReasonTooManyFieldErrors: over 10,000 values of the page have the wrong type.
	ReasonTooManyFieldErrors Reason = "too many values of the wrong type"
	// ReasonTooManyElements: the page's lists of objects have over 100,000 elements together.
	ReasonTooManyElements Reason = "too many elements of lists"
)

// InvalidResponseError says that the upstream answered with status 200 and something unusable.
type InvalidResponseError struct {
	// Reason is one of the constants ReasonNotJSON to ReasonTooManyElements.
	Reason Reason
}

func (e *InvalidResponseError) Error() string {
	return "upstream answer is unusable: " + string(e.Reason)
}

func invalid(reason Reason) error { return &InvalidResponseError{Reason: reason} }

// canceledError says that the caller gave up. errors.Is finds [context.Canceled] in it, and the cause.
type canceledError struct{ cause error }

func (e *canceledError) Error() string { return "upstream call canceled by its caller" }

func (e *canceledError) Unwrap() []error { return []error{context.Canceled, e.cause} }
