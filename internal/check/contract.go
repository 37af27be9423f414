package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"cvmgraph/restclient"
)

// contract compares the page with the contract of its API version.
func (u *upstreamCheck) contract(_ context.Context, r *response) Step {
	switch status := r.status(); status {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return newStep(StepContract, Skipped, "needs a credential: use --token or --api-key")
	default:
		return newStep(StepContract, Failed, fmt.Sprintf("the upstream rejects the request (status %d): check that it has API version %s (--api-version), and that --upstream-url is https:// if it uses TLS",
			status, u.version()))
	}
	_, invalid := restclient.DecodePage(r.document.Body, firstPage())
	status, message := u.evaluate(r.compared, invalid)
	return Step{Name: StepContract, Status: status, Message: message, Differences: r.compared.Differences, More: r.compared.Omitted()}
}

// evaluate explains a comparison. Invalid is the gateway's error for the page, if any.
func (u *upstreamCheck) evaluate(c restclient.Comparison, invalid error) (Status, string) {
	differs := fmt.Sprintf("it differs from API version %s (keys missing: %d, of another type: %d, unknown: %d)", u.version(), c.Missing, c.Changed, c.Unknown)
	switch {
	case c.Flat:
		return Failed, fmt.Sprintf("the items have the flat shape of another API version, which the gateway rejects: set --api-version (now %s) to %s, "+
			"and check that no proxy removes the header X-Phala-Version, and that the upstream still has that version", u.version(), restclient.DefaultAPIVersion)
	case invalid != nil && c.Missing+c.Changed > 0:
		return Failed, "the gateway rejects the page: " + differs + "; check --api-version, and " + baseURLAdvice
	case invalid != nil:
		return Failed, "the gateway rejects the page: " + reasonOf(invalid)
	case c.Missing+c.Changed > 0:
		return Failed, "the gateway serves the page, but " + differs + ", so that fields are null or errors: check --api-version, or update cvmgraph"
	case c.Unknown > 0:
		return Warning, fmt.Sprintf("the page has all keys of API version %s, and others (keys unknown: %d), which are left out: a newer cvmgraph may have them", u.version(), c.Unknown)
	case c.Items == 0:
		return Warning, "the list is empty, so its items cannot be checked: use a credential that sees a CVM"
	}
	return OK, fmt.Sprintf("the page matches API version %s (items compared: %d)", u.version(), c.Items)
}

func reasonOf(err error) string {
	if invalid, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		return string(invalid.Reason)
	}
	return "unknown reason"
}

// version returns the requested API version.
func (u *upstreamCheck) version() string {
	if u.Upstream.APIVersion == "" {
		return restclient.DefaultAPIVersion
	}
	return u.Upstream.APIVersion
}
