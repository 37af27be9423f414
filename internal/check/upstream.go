package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"cvmgraph/restclient"
)

const (
	// interrupted is the message of a step during which, or before which, the context ended.
	interrupted = "the check was interrupted"
	// baseURLAdvice is the advice if the upstream does not look like the API.
	baseURLAdvice = "--upstream-url must be the base of the API, which ends in /api/v1"
)

// firstPage is the request of all calls. The largest page size allows the most comparisons.
func firstPage() restclient.PageRequest { return restclient.PageRequest{Page: 1, PageSize: 100} }

// upstreamCheck runs the steps that concern the upstream.
type upstreamCheck struct{ Options }

// response is the result of a call.
type response struct {
	page     restclient.RawPage
	compared restclient.Comparison // of the page
	err      error                 // also if the page is not valid JSON
	trace    *connectionTrace
	took     time.Duration
	// otherVersionWorks reports that the upstream refuses the request, but not with another API
	// version or without one.
	otherVersionWorks bool
}

// status returns the HTTP status, or 0 if there was no complete response.
func (r *response) status() int {
	if r.err == nil {
		return http.StatusOK
	}
	if status, ok := errors.AsType[*restclient.StatusError](r.err); ok {
		return status.StatusCode
	}
	return 0
}

// fromIntermediary reports whether something in front of the API sent an error response.
func (r *response) fromIntermediary() bool {
	status, ok := errors.AsType[*restclient.StatusError](r.err)
	return ok && status.Intermediary
}

// noRetries is a [restclient.RetryDeadline] that prevents retries, which would hide failures.
type noRetries struct{}

func (noRetries) Deadline() (time.Time, bool) { return time.Now(), true }

// call makes one call with the headers. It uses a new connection: on a used one, the transport may
// send the request twice.
func (u *upstreamCheck) call(ctx context.Context, headers restclient.Headers) *response {
	r := &response{trace: &connectionTrace{}}
	client, err := restclient.New(u.Upstream)
	if err != nil {
		r.err = err
		return r
	}
	defer client.Close()
	started := time.Now()
	credential := restclient.NewCredential(headers)
	r.page, r.err = client.Fetch(restclient.WithRetryDeadline(r.trace.with(ctx), noRetries{}), credential, firstPage())
	r.took = time.Since(started)
	if r.err == nil {
		r.compared, r.err = restclient.ShapeOf(u.Upstream.APIVersion).Compare(r.page.Body, credential)
	}
	return r
}

// run makes a call and evaluates it step by step. It skips the steps after a failed one.
func (u *upstreamCheck) run(ctx context.Context) (steps []Step) {
	r := u.call(ctx, headersOf(u.Token, u.APIKey))
	defer r.page.Release()
	tries := u.tryVersions(ctx, r)
	failed := ""
	for _, step := range []struct {
		name     string
		evaluate func(context.Context, *response) Step
	}{
		{StepReachability, u.reachability}, {StepTLS, u.tls}, {StepHTTP, u.http}, {StepCredential, u.credential}, {StepContract, u.contract},
	} {
		if failed != "" {
			steps = append(steps, newStep(step.name, StatusSkipped, "not checked, because "+failed+" failed"))
			continue
		}
		evaluated := step.evaluate(ctx, r)
		if evaluated.Status == StatusFailed {
			failed = step.name
		}
		steps = append(steps, evaluated)
	}
	return append(steps, u.versions(r, tries, failed))
}

// reachability checks whether there was a connection.
func (u *upstreamCheck) reachability(_ context.Context, r *response) Step {
	route, p := routeTo(u.Upstream.BaseURL), r.trace.progress()
	if route.connected(p) {
		return newStep(StepReachability, StatusOK, route.success())
	}
	return newStep(StepReachability, StatusFailed, route.advice(r.err, p.connected))
}

// tls checks the TLS handshake with the upstream.
func (u *upstreamCheck) tls(_ context.Context, r *response) Step {
	p := r.trace.progress()
	base, err := url.Parse(u.Upstream.BaseURL)
	switch {
	case err == nil && base.Scheme == "http" && isLoopback(base.Hostname()):
		return newStep(StepTLS, StatusSkipped, "no TLS: the upstream is http:// on this machine")
	case err == nil && base.Scheme == "http":
		return newStep(StepTLS, StatusWarning, "no TLS: the network can read credentials; use https:// in --upstream-url")
	case p.tls != nil && len(p.tls.PeerCertificates) > 0:
		until := p.tls.PeerCertificates[0].NotAfter
		if until.Sub(u.Now()) < renewBefore {
			return newStep(StepTLS, StatusWarning, fmt.Sprintf("the upstream's certificate is trusted, but valid only until %s (%s): its operator must renew it", day(until), daysLeft(u.Now(), until)))
		}
		return newStep(StepTLS, StatusOK, fmt.Sprintf("the upstream's certificate is trusted, and valid until %s (%s)", day(until), daysLeft(u.Now(), until)))
	case errors.Is(r.err, context.Canceled):
		return newStep(StepTLS, StatusFailed, interrupted)
	}
	return newStep(StepTLS, StatusFailed, handshakeAdvice(errors.Join(p.handshakeErr, r.err), u.Now()))
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// http checks whether the response comes from the API.
func (u *upstreamCheck) http(_ context.Context, r *response) Step {
	took := fmt.Sprintf(", in %s", r.took.Round(time.Millisecond))
	switch status := r.status(); status {
	case http.StatusOK:
		return newStep(StepHTTP, StatusOK, "the upstream responds with JSON"+took)
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusBadRequest, http.StatusUnprocessableEntity: // also of a CDN
		return newStep(StepHTTP, StatusOK, fmt.Sprintf("the upstream responds with status %d%s", status, took))
	}
	if status, ok := errors.AsType[*restclient.StatusError](r.err); ok {
		if status.VersionRefused || r.otherVersionWorks || status.MayRefuseVersion() && status.StatusCode != http.StatusNotFound {
			return newStep(StepHTTP, StatusOK, fmt.Sprintf("the upstream responds with status %d%s", status.StatusCode, took))
		}
		return newStep(StepHTTP, StatusFailed, fmt.Sprintf("the upstream responds with status %d: %s", status.StatusCode, u.statusAdvice(status)))
	}
	if invalid, ok := errors.AsType[*restclient.InvalidResponseError](r.err); ok {
		return newStep(StepHTTP, StatusFailed, bodyAdvice(invalid.Reason))
	}
	message := "the connection ended without a response: if the upstream uses TLS, use https:// in --upstream-url; else check for a firewall or proxy in between"
	if errors.Is(r.err, context.Canceled) {
		message = interrupted
	} else if timeout, ok := errors.AsType[*restclient.TimeoutError](r.err); ok {
		message = "the upstream accepts the request but does not respond in time"
		if timeout.Limit > 0 {
			message = fmt.Sprintf("the upstream accepts the request but does not respond within %s: raise --upstream-timeout, or ask its operator", timeout.Limit)
		}
	}
	return newStep(StepHTTP, StatusFailed, message)
}

// bodyAdvice explains a response of status 200 that is not usable JSON, and what to do.
func bodyAdvice(reason restclient.Reason) string {
	found, ok := map[restclient.Reason]struct{ body, advice string }{
		restclient.ReasonTruncated: {"an empty or truncated body", "check for a proxy that truncates responses"},
		restclient.ReasonEncoding:  {"a body with broken compression", "check for a proxy that changes responses"},
		restclient.ReasonTooLarge:  {"a body of more than 16 MiB", baseURLAdvice + "; if it is, its CVMs are that large, and callers must request fewer at a time"},
		restclient.ReasonTooDeep:   {"JSON that nests deeper than a page", baseURLAdvice},
	}[reason]
	if !ok {
		found.body, found.advice = "a body that is not JSON, such as a web page", baseURLAdvice
	}
	return fmt.Sprintf("the upstream responds with status 200 and %s: %s", found.body, found.advice)
}

// statusAdvice explains a status that the API does not use, or with which it fails, and what to do.
func (u *upstreamCheck) statusAdvice(status *restclient.StatusError) string {
	switch code := status.StatusCode; {
	case code == http.StatusNotFound:
		return "it has no /cvms/paginated; " + baseURLAdvice
	case code >= 300 && code < 400:
		return "the gateway does not follow redirects, which would send the credential elsewhere; set --upstream-url to the redirect's target"
	case code == http.StatusTooManyRequests && status.RetryAfter > 0:
		return fmt.Sprintf("there were too many calls; try again in %s", status.RetryAfter)
	case code == http.StatusTooManyRequests:
		return "there were too many calls; try again later"
	case code == http.StatusProxyAuthRequired:
		return routeTo(u.Upstream.BaseURL).authAdvice()
	case status.IsCDNFailure():
		return "the CDN in front of the API cannot reach it; try again later, or ask the API's operator"
	case code >= http.StatusInternalServerError:
		return "the upstream, or a proxy in front of it, fails; try again later, or ask its operator"
	}
	return "the API does not use this status; " + baseURLAdvice
}

// contract compares the page with the contract of its API version.
func (u *upstreamCheck) contract(_ context.Context, r *response) Step {
	switch status := r.status(); status {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return newStep(StepContract, StatusSkipped, "needs a credential: set CVMGRAPH_TOKEN or CVMGRAPH_API_KEY")
	default:
		message := fmt.Sprintf("the upstream rejects the request (status %d): check that it has API version %s (--api-version), and that --upstream-url is https:// if it uses TLS", status, u.version())
		refusal, ok := errors.AsType[*restclient.StatusError](r.err)
		if r.otherVersionWorks || ok && refusal.VersionRefused {
			message = fmt.Sprintf("the upstream refuses API version %s (status %d): set another --api-version", u.version(), status)
		} else if r.fromIntermediary() {
			message = fmt.Sprintf("something in front of the API rejects the request (status %d, without an error of the API): check that --upstream-url is https:// if it uses TLS; else ask the operator of the CDN, firewall or proxy", status)
		}
		return newStep(StepContract, StatusFailed, message)
	}
	page, invalid := restclient.ShapeOf(u.Upstream.APIVersion).DecodePage(r.page.Body, firstPage())
	status, message := u.evaluate(r.compared, invalid)
	if status == StatusOK && page.Irregular {
		status, message = StatusWarning, fmt.Sprintf("the page has %d items, but not those that its total of %d implies: "+
			"the gateway reads such a list from its front, which takes more calls", len(page.Items), page.Total)
	}
	return Step{Name: StepContract, Status: status, Message: message, Differences: r.compared.Differences, More: r.compared.Omitted()}
}

// evaluate explains a comparison. Invalid is the gateway's error for the page, if any.
func (u *upstreamCheck) evaluate(c restclient.Comparison, invalid error) (Status, string) {
	differs := fmt.Sprintf("it differs from API version %s (keys missing: %d, of another type: %d, unknown: %d)", u.version(), c.Missing, c.Changed, c.Unknown)
	switch {
	case c.OtherShape:
		return StatusFailed, fmt.Sprintf("the items have the format of another API version than %s (--api-version), so that the gateway rejects the page: "+
			"check that no proxy removes the header X-Phala-Version, and that the upstream still has that version", u.version())
	case invalid != nil && c.Missing+c.Changed > 0:
		return StatusFailed, "the gateway rejects the page: " + differs + "; check --api-version, and " + baseURLAdvice
	case invalid != nil:
		return StatusFailed, "the gateway rejects the page: " + reasonOf(invalid)
	case c.Missing+c.Changed > 0:
		return StatusFailed, "the gateway serves the page, but " + differs + ", so that fields are null or errors: check --api-version, or update cvmgraph"
	case c.Unknown > 0:
		return StatusWarning, fmt.Sprintf("the page has all keys of API version %s, and others (keys unknown: %d), which are left out: a newer cvmgraph may have them", u.version(), c.Unknown)
	case c.Items == 0:
		return StatusWarning, "the list is empty, so its items cannot be checked: use a credential that sees a CVM"
	}
	return StatusOK, fmt.Sprintf("the page matches API version %s (items compared: %d)", u.version(), c.Items)
}

func reasonOf(err error) string {
	if invalid, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		return string(invalid.Reason)
	}
	return "unknown reason"
}

// version returns the requested API version.
func (u *upstreamCheck) version() string {
	return cmp.Or(u.Upstream.APIVersion, restclient.DefaultAPIVersion)
}
