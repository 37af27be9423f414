package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/panics"
	"cvmgraph/internal/querylimit"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// unavailable returns the error of an operation that the gateway gave up.
func unavailable(message string) *apierror.Error {
	return &apierror.Error{Code: apierror.CodeUnavailable, Message: message, RetryAfter: time.Second}
}

// invalidArgument returns the error of an argument with an invalid value.
func invalidArgument(name, reason string) error {
	return &relay.ArgumentError{Argument: name, Reason: reason}
}

// toClientError is the table from errors to what clients see. It returns false for an error that no
// client may see.
func toClientError(err error) (*apierror.Error, bool) {
	if e, ok := errors.AsType[*apierror.Error](err); ok {
		return e, true
	}
	if e, ok := errors.AsType[*relay.ArgumentError](err); ok {
		return &apierror.Error{Code: apierror.CodeBadUserInput, Message: e.Error(), Argument: e.Argument}, true
	}
	if e, ok := errors.AsType[*pages.CallBudgetError](err); ok {
		return apierror.TooComplex(e.Limit, e.Actual, e.Error()), true
	}
	if e, ok := errors.AsType[*restclient.StatusError](err); ok {
		shown := statusError(e)
		shown.UpstreamCode, shown.UpstreamRequestID = e.Code, e.RequestID
		return shown, true
	}
	if isTooLarge(err) {
		return apierror.New(apierror.CodeInvalidResponse,
			"the upstream's response is larger than 16 MiB: ask for fewer CVMs at a time (first or last)"), true
	}
	if e, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		return apierror.New(apierror.CodeInvalidResponse, e.Error()+invalidResponseAdvice(e.Reason)), true
	}
	if e, ok := errors.AsType[*restclient.NetworkError](err); ok {
		return apierror.New(apierror.CodeUpstream, "the gateway cannot reach the upstream ("+e.Kind+"): try again later; "+
			checkAdvice), true
	}
	if e, ok := errors.AsType[*restclient.UnavailableError](err); ok {
		return unavailableUpstream(e), true
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return apierror.New(apierror.CodeUpstreamTimeout,
			"the upstream took too long to answer: ask for fewer items, or try again"), true
	}
	if errors.Is(err, context.Canceled) {
		return apierror.New(apierror.CodeUpstreamTimeout, "the request ended before the upstream answered"), true
	}
	return nil, false
}

// checkAdvice is the end of a message about a failure that only the gateway's operator can repair.
const checkAdvice = "the gateway's operator can find the cause with cvmgraph check"

// versionAdvice is the end of a message about a response that another API version can explain.
const versionAdvice = "the gateway's operator must check --api-version: cvmgraph check finds the versions that work"

// invalidResponseAdvice returns what to do about a response that is not a valid page, as the end of
// the message.
func invalidResponseAdvice(reason restclient.Reason) string {
	switch reason { //nolint:exhaustive // the other reasons have the same advice
	case restclient.ReasonOtherShape, restclient.ReasonEnvelope, restclient.ReasonEntry:
		return "; " + versionAdvice
	case restclient.ReasonOtherNode:
		return filterAdvice("nodeId")
	case restclient.ReasonOtherOwner:
		return filterAdvice("userId")
	case restclient.ReasonTruncated, restclient.ReasonTooLarge, restclient.ReasonTooManyElements:
		return "" // another response, or a smaller one, can be valid
	default:
		return "; " + checkAdvice
	}
}

// filterAdvice returns what to do about a page that does not have what the argument selects. The
// upstream does not say that it ignores the argument.
func filterAdvice(argument string) string {
	return ", so the upstream's API version probably ignores " + argument + ": leave it out, or ask the gateway's operator for another --api-version"
}

// statusError translates a response of the upstream with an error status.
func statusError(e *restclient.StatusError) *apierror.Error {
	if e.Refused() {
		return apierror.New(apierror.CodeUpstream, fmt.Sprintf("something in front of the upstream's API, such as a CDN or a firewall, "+
			"refused the call (HTTP status %d), which says nothing about the credential: %s", e.StatusCode, checkAdvice))
	}
	if e.VersionRefused {
		return apierror.New(apierror.CodeInvalidResponse,
			fmt.Sprintf("the upstream refuses the gateway's API version (HTTP status %d); %s", e.StatusCode, versionAdvice))
	}
	switch e.StatusCode {
	case http.StatusUnauthorized:
		return apierror.New(apierror.CodeUnauthenticated, rejectedCredential(e))
	case http.StatusForbidden:
		return apierror.New(apierror.CodeForbidden,
			"the upstream does not allow this with this credential: nodeId and userId are for administrators")
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return rejectedParams(e.Params)
	case http.StatusNotFound:
		message := "the upstream has no such list for this credential: check X-Phala-Workspace, if it is sent, and the gateway's --upstream-url"
		if e.MayRefuseVersion() {
			message += " and --api-version"
		}
		return apierror.New(apierror.CodeNotFound, message)
	case http.StatusTooManyRequests:
		return &apierror.Error{
			Code: apierror.CodeRateLimited, Message: "the upstream's rate limit is reached: wait and try again",
			RetryAfter: e.RetryAfter,
		}
	}
	message := fmt.Sprintf("the upstream answered with HTTP status %d", e.StatusCode)
	if e.MayRefuseVersion() {
		message += ": the gateway's operator must check --api-version, with cvmgraph check"
	}
	if e.IsCDNFailure() {
		message = fmt.Sprintf("the CDN in front of the API cannot reach it (HTTP status %d): try again later", e.StatusCode)
	}
	return &apierror.Error{Code: apierror.CodeUpstream, Message: message, RetryAfter: e.RetryAfter}
}

// rejectedCredential returns the message for a status 401.
func rejectedCredential(e *restclient.StatusError) string {
	message := "the upstream does not accept this credential: send an API key (phak_…) as X-API-Key; " +
		"only an access token is sent as Authorization: Bearer"
	if e.KeyAsToken {
		message = "the upstream does not accept an API key (phak_…) as a bearer token: send it as X-API-Key, without Authorization"
	}
	if e.Intermediary {
		message += "; something in front of the API sent this response: " + checkAdvice
	}
	return message
}

// rejectedParams returns the error of a request whose query parameters the upstream rejected. It
// names the GraphQL argument of the first parameter that has one. Paging parameters have none.
func rejectedParams(params []string) *apierror.Error {
	for _, p := range params {
		if argument, ok := map[string]string{"teepod_id": "nodeId", "user_id": "userId"}[p]; ok {
			return &apierror.Error{
				Code: apierror.CodeBadUserInput, Message: "the upstream does not accept this " + argument, Argument: argument,
			}
		}
	}
	return apierror.New(apierror.CodeBadUserInput, "the upstream does not accept this request: "+
		"if it accepts no request at all, the gateway's operator must check --api-version, with cvmgraph check")
}

// unavailableUpstream translates the error of a call that the REST client did not send.
func unavailableUpstream(e *restclient.UnavailableError) *apierror.Error {
	message := "the gateway has too many calls in flight: try again"
	switch e.Cause {
	case restclient.CausePaused:
		message = "calls with this credential are paused because they fail: try again after retryAfter seconds"
	case restclient.CauseBreaker:
		message = "calls to the upstream are paused because it fails: try again after retryAfter seconds"
	case restclient.CauseExhausted:
		message = "the gateway cannot open a connection: try again after retryAfter seconds"
	}
	return &apierror.Error{Code: apierror.CodeUnavailable, Message: message, RetryAfter: e.RetryAfter}
}

// codeOf returns the code of an error of an operation. It returns an empty string for nil.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := toClientError(err); ok {
		return e.Code
	}
	return apierror.CodeInternal
}

// presentError turns any error of an operation into what the client sees. An error that is not in
// the table of [toClientError] is logged, and the client receives only the request's ID.
func (r *Resolver) presentError(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{}
	if graphql.GetFieldContext(ctx) != nil {
		shown.Path = graphql.GetPath(ctx)
	}
	if wrapped, ok := errors.AsType[*gqlerror.Error](err); ok {
		shown.Path, shown.Locations = wrapped.Path, validLocations(wrapped.Locations)
		code := wrapped.Extensions["code"]
		if code == apierror.CodeParseFailed || code == apierror.CodeValidationFailed {
			shown.Message = wrapped.Message
			if !r.Introspection {
				shown.Message = querylimit.WithoutSuggestion(wrapped.Message)
			}
			shown.Extensions = map[string]any{"code": code}
			return shown
		}
	}
	e, ok := toClientError(err)
	if !ok {
		requestID := r.RequestID(ctx)
		r.Logger.ErrorContext(
			ctx, "operation failed in the gateway", slog.String("request_id", requestID), slog.Any("error", describe(err)),
		)
		shown.Message = "the gateway failed: report this with the requestId"
		shown.Extensions = map[string]any{"code": apierror.CodeInternal, "requestId": requestID}
		return shown
	}
	shown.Message, shown.Extensions = e.Message, e.Extensions()
	return shown
}

// validLocations leaves out the locations that the parser counted wrongly: after a string with line
// breaks it reports columns below 1.
func validLocations(given []gqlerror.Location) []gqlerror.Location {
	return slices.DeleteFunc(slices.Clone(given), func(l gqlerror.Location) bool { return l.Line < 1 || l.Column < 1 })
}

// describe returns what the log may contain of an error that is not in the table: the kind and the
// stack of a panic, and only the types of all other errors. Their messages may quote a caller or
// the upstream.
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
