package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/panics"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// Codes of errors, in extensions.code.
const (
	codeUnauthenticated   = "UNAUTHENTICATED"
	codeForbidden         = "FORBIDDEN"
	codeBadUserInput      = "BAD_USER_INPUT"
	codeNotFound          = "NOT_FOUND"
	codeRateLimited       = "RATE_LIMITED"
	codeUpstream          = "UPSTREAM_ERROR"
	codeUpstreamTimeout   = "UPSTREAM_TIMEOUT"
	codeInvalidResponse   = "UPSTREAM_INVALID_RESPONSE"
	codeUnavailable       = "UNAVAILABLE"
	codeTooComplex        = "QUERY_TOO_COMPLEX"
	codeBadRequest        = "BAD_REQUEST"
	codePersistedNotFound = "PERSISTED_QUERY_NOT_FOUND"
	codeNotTrusted        = "DOCUMENT_NOT_TRUSTED"
	codeInternal          = "INTERNAL_SERVER_ERROR"
	codeParseFailed       = errcode.ParseFailed
	codeValidationFailed  = errcode.ValidationFailed
)

// faultError says that the upstream sent something else than the schema has at this place.
type faultError struct{ message string }

func (e *faultError) Error() string { return e.message }

// unavailableError says that the gateway gave up, and what to do.
type unavailableError struct{ message string }

func (e *unavailableError) Error() string { return e.message }

// explained is an error in the words that a client sees.
type explained struct {
	code    string
	message string
	// argument is the argument at fault, empty where none is.
	argument string
	// limit and actual are the bound that is exceeded, 0 where it is not about one.
	limit, actual int
	// retryAfter is how long to wait before trying again, 0 where nobody said.
	retryAfter time.Duration
}

// explain is the table from errors to what clients see. It returns false for an error that no client should see.
func explain(err error) (explained, bool) {
	if e, ok := errors.AsType[*credentialError](err); ok {
		return explained{code: codeUnauthenticated, message: e.Error()}, true
	}
	if e, ok := errors.AsType[*relay.ArgumentError](err); ok {
		return explained{code: codeBadUserInput, message: e.Error(), argument: e.Argument}, true
	}
	if e, ok := errors.AsType[*pages.CallsError](err); ok {
		return explained{code: codeTooComplex, message: e.Error(), limit: e.Limit, actual: e.Actual}, true
	}
	if e, ok := errors.AsType[*unavailableError](err); ok {
		return explained{code: codeUnavailable, message: e.message, retryAfter: time.Second}, true
	}
	if e, ok := errors.AsType[*faultError](err); ok {
		return explained{code: codeInvalidResponse, message: e.message}, true
	}
	if e, ok := errors.AsType[*restclient.StatusError](err); ok {
		return explainStatus(e), true
	}
	if e, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		return explained{code: codeInvalidResponse, message: e.Error()}, true
	}
	if e, ok := errors.AsType[*restclient.NetworkError](err); ok {
		return explained{code: codeUpstream, message: "the gateway cannot reach the upstream (" + e.Kind + "): try again; who runs the gateway finds the cause with cvmgraph check"}, true
	}
	if e, ok := errors.AsType[*restclient.UnavailableError](err); ok {
		return explainUnavailable(e), true
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return explained{code: codeUpstreamTimeout, message: "the upstream took too long to answer: ask for fewer items, or try again"}, true
	}
	if errors.Is(err, context.Canceled) {
		return explained{code: codeUpstreamTimeout, message: "the request ended before the upstream answered"}, true
	}
	return explained{}, false
}

func explainStatus(e *restclient.StatusError) explained {
	switch e.StatusCode {
	case http.StatusUnauthorized:
		return explained{
			code:    codeUnauthenticated,
			message: "the upstream does not accept this credential: API keys (phak_…) go into X-API-Key, access tokens into Authorization: Bearer",
		}
	case http.StatusForbidden:
		return explained{code: codeForbidden, message: "the upstream does not allow this with this credential: nodeId and userId are for administrators"}
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		x := explained{code: codeBadUserInput, message: "the upstream does not accept this request"}
		for _, p := range e.Params {
			if argument := argumentOfParam(p); argument != "" {
				x.argument, x.message = argument, "the upstream does not accept this "+argument
				break
			}
		}
		return x
	case http.StatusNotFound:
		return explained{code: codeNotFound, message: "the upstream has no such list for this credential: is X-Phala-Workspace right, where it is sent, and the gateway's --upstream-url?"}
	case http.StatusTooManyRequests:
		return explained{code: codeRateLimited, message: "the upstream's rate limit is reached: wait and try again", retryAfter: e.RetryAfter}
	default:
		return explained{code: codeUpstream, message: fmt.Sprintf("the upstream answered with HTTP status %d", e.StatusCode), retryAfter: e.RetryAfter}
	}
}

func explainUnavailable(e *restclient.UnavailableError) explained {
	x := explained{code: codeUnavailable, retryAfter: e.RetryAfter}
	switch e.Cause {
	case restclient.CauseBreaker:
		x.message = "the upstream has been failing, and is not called for a moment: try again"
	default:
		x.message = "the gateway has too many calls in flight: try again"
	}
	return x
}

// argumentOfParam returns the argument that a query parameter of the upstream comes from, "" for the paging ones.
func argumentOfParam(param string) string {
	switch param {
	case "teepod_id":
		return "nodeId"
	case "user_id":
		return "userId"
	}
	return ""
}

// codeOf returns the code of an error of an operation, "" for none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*requestError](err); ok {
		return e.code
	}
	if x, ok := explain(err); ok {
		return x.code
	}
	return codeInternal
}

// presentError turns any error of an operation into what the client sees. Nothing of an error that is not in the table
// passes: it is logged, and the client gets the request's id.
func (r *Resolver) presentError(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{}
	if graphql.GetFieldContext(ctx) != nil {
		shown.Path = graphql.GetPath(ctx)
	}
	wrapped, isWrapped := errors.AsType[*gqlerror.Error](err)
	if isWrapped {
		shown.Path, shown.Locations = wrapped.Path, locations(wrapped.Locations)
		if code := wrapped.Extensions["code"]; code == codeParseFailed || code == codeValidationFailed {
			shown.Message = wrapped.Message
			if !r.Introspection {
				shown.Message = withoutSuggestion(wrapped.Message)
			}
			shown.Extensions = map[string]any{"code": code}
			return shown
		}
	}
	if e, ok := errors.AsType[*requestError](err); ok {
		shown.Message, shown.Extensions = e.message, e.extensions()
		return shown
	}
	x, ok := explain(err)
	if _, panicked := errors.AsType[*panics.Error](err); !ok && isWrapped && !panicked {
		if x, ok = explainCoercion(wrapped); ok {
			shown.Path = wrapped.Path[:len(wrapped.Path)-1] // the field's, without the argument
		}
	}
	if !ok {
		requestID := r.RequestID(ctx)
		r.Logger.ErrorContext(ctx, "operation failed in the gateway", slog.String("request_id", requestID), slog.Any("error", describe(err)))
		shown.Message = "the gateway failed: report this with the requestId"
		shown.Extensions = map[string]any{"code": codeInternal, "requestId": requestID}
		return shown
	}
	shown.Message = x.message
	shown.Extensions = map[string]any{"code": x.code}
	if x.argument != "" {
		shown.Extensions["argument"] = x.argument
	}
	if x.limit > 0 {
		shown.Extensions["limit"], shown.Extensions["actual"] = x.limit, x.actual
	}
	if x.retryAfter > 0 {
		shown.Extensions["retryAfter"] = int(math.Ceil(x.retryAfter.Seconds()))
	}
	return shown
}

// locations leaves out those that the parser counted wrongly: it has columns below 1 behind a text with line breaks.
func locations(given []gqlerror.Location) []gqlerror.Location {
	return slices.DeleteFunc(slices.Clone(given), func(l gqlerror.Location) bool { return l.Line < 1 || l.Column < 1 })
}

// explainCoercion explains an argument's value that gqlgen could not turn into the argument's type: the last name of the
// error's path is the argument's.
func explainCoercion(err *gqlerror.Error) (explained, bool) {
	if len(err.Path) == 0 {
		return explained{}, false
	}
	name, _ := err.Path[len(err.Path)-1].(ast.PathName)
	argument := string(name)
	x := explained{code: codeBadUserInput, argument: argument}
	switch argument {
	case "first", "last", "nodeId":
		x.message = argument + " must be a whole number, without quotes, from -2147483648 to 2147483647"
	case "after", "before", "userId", "id", "ids", "vmId":
		x.message = argument + " must be a text"
	default:
		return explained{}, false
	}
	return x, true
}

// describe says what may be said of an error that is not in the table: where a panic was raised, the types of all others. Their texts
// may quote a caller, or the upstream.
func describe(err error) any {
	if e, ok := errors.AsType[*panics.Error](err); ok {
		return e
	}
	var types []string
	for ; err != nil; err = errors.Unwrap(err) {
		types = append(types, fmt.Sprintf("%T", err))
	}
	return strings.Join(types, ": ")
}
