package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"cvmgraph/restclient"
)

// headersOf returns the headers for a token and a key, either of which may be empty.
func headersOf(token, key string) restclient.Headers {
	h := restclient.Headers{APIKey: key}
	if token != "" {
		h.Authorization = "Bearer " + token
	}
	return h
}

// credential checks whether the upstream accepts the credential. If not, it checks whether the
// upstream accepts it in another header.
func (u *upstreamCheck) credential(ctx context.Context, r *response) Step {
	given := headersOf(u.Token, u.APIKey)
	none := given == restclient.Headers{}
	switch status := r.status(); {
	case status == http.StatusOK && none:
		return newStep(StepCredential, StatusWarning, "the upstream accepts calls without a credential: it is not the API itself, or a proxy adds one for all callers")
	case status == http.StatusOK:
		return newStep(StepCredential, StatusOK, "the upstream accepts it as "+sentAs(given))
	case status == http.StatusForbidden && none:
		return newStep(StepCredential, StatusFailed, "the upstream responds with status 403 to a call without a credential, but the API responds with 401: something in front of it, such as a CDN or a firewall, refuses this machine's calls")
	case status == http.StatusForbidden && r.fromIntermediary():
		return newStep(StepCredential, StatusFailed, "something in front of the API, such as a CDN or a firewall, refuses this machine's calls (status 403), which says nothing about the credential: ask its operator to allow this machine's address, and the User-Agent cvmgraph")
	case status == http.StatusForbidden:
		return newStep(StepCredential, StatusFailed, "the upstream knows the credential but does not allow it to list CVMs (status 403)")
	case status == http.StatusUnauthorized && none:
		return newStep(StepCredential, StatusSkipped, "no credential given, and the upstream responds with 401 without one, as it should: set CVMGRAPH_TOKEN or CVMGRAPH_API_KEY to check more")
	case status == http.StatusUnauthorized:
		return newStep(StepCredential, StatusFailed, u.tryOtherHeaders(ctx, given, r))
	}
	return newStep(StepCredential, StatusSkipped, "the upstream rejects the request before it checks the credential")
}

// sentAs describes how a credential was sent.
func sentAs(h restclient.Headers) string {
	switch {
	case h.APIKey == "":
		return "a bearer token"
	case h.Authorization == "":
		return "X-API-Key"
	}
	return "both a bearer token and X-API-Key"
}

// tryOtherHeaders sends a credential that the first response rejects in the other header. If both
// headers were given, it sends each of them alone. It returns the message of the step.
func (u *upstreamCheck) tryOtherHeaders(ctx context.Context, given restclient.Headers, first *response) string {
	message := "the upstream rejects it as " + sentAs(given) + " (status 401)"
	others, alone := []restclient.Headers{headersOf(u.APIKey, u.Token)}, ""
	if u.Token != "" && u.APIKey != "" {
		others, alone = []restclient.Headers{headersOf(u.Token, ""), headersOf("", u.APIKey)}, " alone"
	}
	rejected := 0
	for _, other := range others {
		r := u.call(ctx, other)
		r.page.Release()
		switch status := r.status(); {
		case status == http.StatusOK:
			return message + ", but accepts the same secret as " + sentAs(other) + alone + ": " + headerAdvice(other)
		case status == http.StatusUnauthorized:
			rejected++
			message += ", and as " + sentAs(other) + alone
		case status > 0:
			message += fmt.Sprintf(", and responds with status %d to %s%s", status, sentAs(other), alone)
		case errors.Is(r.err, context.Canceled):
			return message + ": " + interrupted
		default:
			message += ", and does not respond to " + sentAs(other) + alone
		}
	}
	if rejected == len(others) {
		message += ": check that it is complete, for this upstream, and neither expired nor revoked"
	}
	if first.fromIntermediary() {
		message += "; something in front of the API sent this response: a proxy may require a credential of its own"
	}
	return message
}

// headerAdvice returns how to use a credential that was accepted in these headers.
func headerAdvice(h restclient.Headers) string {
	if h.APIKey == "" {
		return "set CVMGRAPH_TOKEN, and let clients send Authorization: Bearer without X-API-Key"
	}
	return "use --api-key, and let clients send X-API-Key without Authorization"
}
