// Package apierror defines the errors that a GraphQL client sees: their codes and their fields.
package apierror

import (
	"math"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The values of extensions.code.
const (
	CodeUnauthenticated   = "UNAUTHENTICATED"
	CodeForbidden         = "FORBIDDEN"
	CodeBadUserInput      = "BAD_USER_INPUT"
	CodeNotFound          = "NOT_FOUND"
	CodeRateLimited       = "RATE_LIMITED"
	CodeUpstream          = "UPSTREAM_ERROR"
	CodeUpstreamTimeout   = "UPSTREAM_TIMEOUT"
	CodeInvalidResponse   = "UPSTREAM_INVALID_RESPONSE"
	CodeUnavailable       = "UNAVAILABLE"
	CodeTooComplex        = "QUERY_TOO_COMPLEX"
	CodeBadRequest        = "BAD_REQUEST"
	CodePersistedNotFound = "PERSISTED_QUERY_NOT_FOUND"
	CodeNotTrusted        = "DOCUMENT_NOT_TRUSTED"
	CodeInternal          = "INTERNAL_SERVER_ERROR"
	CodeParseFailed       = errcode.ParseFailed
	CodeValidationFailed  = errcode.ValidationFailed
)

// Error is an error whose fields are shown to the client. It must not hold a credential or any
// other part of a request.
type Error struct {
	// Code is one of the codes of this package.
	Code string
	// Message describes the problem and what to do about it.
	Message string
	// Status is the HTTP status of the response. If 0, the status is the one that GraphQL over HTTP
	// prescribes for the media type of the response.
	Status int
	// Argument is the name of the argument at fault, or empty if the error is not about an
	// argument.
	Argument string
	// Limit is the limit that was exceeded, and Actual is the value that exceeded it. They are 0 if
	// the error is not about a limit or if the value is not known.
	Limit, Actual int64
	// RetryAfter is how long to wait before the next attempt, or 0 if waiting does not help.
	RetryAfter time.Duration
	// UpstreamCode is the upstream's error code, and UpstreamRequestID its id of the request. They
	// are empty if the upstream sent none, or none of the expected form.
	UpstreamCode, UpstreamRequestID string
}

// New returns an error with a code and a message.
func New(code, message string) *Error { return &Error{Code: code, Message: message} }

// TooComplex returns an error with [CodeTooComplex] and the limit that was exceeded.
func TooComplex(limit, actual int, message string) *Error {
	return &Error{Code: CodeTooComplex, Message: message, Limit: int64(limit), Actual: int64(actual)}
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Extensions returns the extensions of the error in a GraphQL response.
func (e *Error) Extensions() map[string]any {
	extensions := map[string]any{"code": e.Code}
	if e.RetryAfter > 0 {
		extensions["retryAfter"] = int(math.Ceil(e.RetryAfter.Seconds()))
	}
	if e.Argument != "" {
		extensions["argument"] = e.Argument
	}
	if e.UpstreamCode != "" {
		extensions["upstreamCode"] = e.UpstreamCode
	}
	if e.UpstreamRequestID != "" {
		extensions["upstreamRequestId"] = e.UpstreamRequestID
	}
	if e.Limit > 0 {
		extensions["limit"] = e.Limit
	}
	if e.Actual > 0 {
		extensions["actual"] = e.Actual
	}
	return extensions
}

// GraphQL returns an error of gqlgen's type that wraps e.
func (e *Error) GraphQL() *gqlerror.Error {
	return &gqlerror.Error{Err: e, Message: e.Message, Extensions: e.Extensions()}
}

// BadRequest returns the error of a malformed request: [CodeBadRequest] with HTTP status 400.
func BadRequest(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: CodeBadRequest, Message: message}
}
