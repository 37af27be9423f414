package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"cvmgraph/restclient"
)

// interrupted is said of what was under way, and of what was still to come, when somebody ended the check.
const interrupted = "the check was interrupted"

// firstPage is what the upstream is asked for: as much as it gives at once, so that there is much to compare.
func firstPage() restclient.PageRequest { return restclient.PageRequest{Page: 1, PageSize: 100} }

// upstream checks the upstream.
type upstream struct{ Options }

// answer is what came of a call.
type answer struct {
	document restclient.Document
	compared restclient.Comparison // of the document
	err      error                 // also where there is a document that is no JSON
	trail    *trail
	took     time.Duration
}

// status returns the HTTP status, 0 where there was none, or the answer did not come whole.
func (a *answer) status() int {
	if a.err == nil {
		return http.StatusOK
	}
	if status, ok := errors.AsType[*restclient.StatusError](a.err); ok {
		return status.StatusCode
	}
	return 0
}

// impatience keeps a client from making a call again, which would hide what is being looked for.
type impatience struct{}

func (impatience) Deadline() (time.Time, bool) { return time.Now(), true }

// call makes one call with these headers, on a connection of its own: on one that has been used, the transport may send the request twice.
func (u *upstream) call(ctx context.Context, headers restclient.Headers) *answer {
	a := &answer{trail: &trail{}}
	client, err := restclient.New(u.Upstream)
	if err != nil {
		a.err = err
		return a
	}
	defer client.Close()
	begun := time.Now()
	credential := restclient.NewCredential(headers)
	a.document, a.err = client.Fetch(restclient.WithRetryDeadline(a.trail.follow(ctx), impatience{}), credential, firstPage())
	a.took = time.Since(begun)
	if a.err == nil {
		a.compared, a.err = restclient.Compare(a.document.Body, credential)
	}
	return a
}

// headers are what the credentials are sent as.
func (u *upstream) headers() restclient.Headers { return headersOf(u.Token, u.APIKey) }

func headersOf(token, key string) restclient.Headers {
	h := restclient.Headers{APIKey: key}
	if token != "" {
		h.Authorization = "Bearer " + token
	}
	return h
}

// check makes a call, and judges it step by step. What comes behind a step that failed is skipped.
func (u *upstream) check(ctx context.Context) (steps []Step) {
	a := u.call(ctx, u.headers())
	defer a.document.Release()
	failed := ""
	for _, step := range []struct {
		name  string
		judge func(context.Context, *answer) Step
	}{
		{StepReachability, u.reachability}, {StepTLS, u.tls}, {StepHTTP, u.http}, {StepCredential, u.credential}, {StepContract, u.contract},
	} {
		if failed != "" {
			steps = append(steps, found(step.name, Skipped, "cannot be checked before "+failed+" is all right"))
			continue
		}
		judged := step.judge(ctx, a)
		if judged.Status == Failed {
			failed = step.name
		}
		steps = append(steps, judged)
	}
	return steps
}

// reachability judges whether there was a connection, also through a proxy.
func (u *upstream) reachability(_ context.Context, a *answer) Step {
	w, p := wayTo(u.Upstream.BaseURL), a.trail.progress()
	if w.passed(p) {
		return found(StepReachability, OK, w.open())
	}
	return found(StepReachability, Failed, w.fault(a.err, p.connected))
}

// tls judges the handshake.
func (u *upstream) tls(_ context.Context, a *answer) Step {
	p := a.trail.progress()
	base, err := url.Parse(u.Upstream.BaseURL)
	switch {
	case err == nil && base.Scheme == "http" && isLoopback(base.Hostname()):
		return found(StepTLS, Skipped, "there is none: the upstream is http:// on this machine")
	case err == nil && base.Scheme == "http":
		return found(StepTLS, Warning, "there is none: credentials can be read on the way, unless --upstream-url is https://")
	case p.secured != nil && len(p.secured.PeerCertificates) > 0:
		until := p.secured.PeerCertificates[0].NotAfter
		if until.Sub(u.Now()) < endsSoon {
			return found(StepTLS, Warning, fmt.Sprintf("the upstream's certificate is trusted, and valid until %s only, %s: who runs it has to renew it", day(until), daysLeft(u.Now(), until)))
		}
		return found(StepTLS, OK, fmt.Sprintf("the upstream's certificate is trusted, and valid until %s, %s", day(until), daysLeft(u.Now(), until)))
	case errors.Is(a.err, context.Canceled):
		return found(StepTLS, Failed, interrupted)
	}
	return found(StepTLS, Failed, handshakeFault(errors.Join(p.refused, a.err), u.Now()))
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// http judges whether it is the API that answered.
func (u *upstream) http(_ context.Context, a *answer) Step {
	took := fmt.Sprintf(", in %s", a.took.Round(time.Millisecond))
	switch status := a.status(); status {
	case http.StatusOK:
		return found(StepHTTP, OK, "the upstream answers with JSON"+took)
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusBadRequest, http.StatusUnprocessableEntity:
		return found(StepHTTP, OK, fmt.Sprintf("the upstream answers with status %d%s", status, took))
	}
	if refused, ok := errors.AsType[*restclient.StatusError](a.err); ok {
		return found(StepHTTP, Failed, fmt.Sprintf("the upstream answers with status %d: %s", refused.StatusCode, u.statusAdvice(refused)))
	}
	if invalid, ok := errors.AsType[*restclient.InvalidResponseError](a.err); ok {
		return found(StepHTTP, Failed, notTheAPI(invalid.Reason))
	}
	message := "the connection ended without an answer: is it https:// where --upstream-url is http://, or does something in the way end it?"
	if errors.Is(a.err, context.Canceled) {
		message = interrupted
	} else if timeout, ok := errors.AsType[*restclient.TimeoutError](a.err); ok {
		message = "the upstream takes the request and does not answer in time"
		if timeout.Limit > 0 {
			message = fmt.Sprintf("the upstream takes the request and does not answer within %s: raise --upstream-timeout, or ask who runs it", timeout.Limit)
		}
	}
	return found(StepHTTP, Failed, message)
}

// notTheAPI says what to do about a 200 whose body the gateway refuses for what it is made of.
func notTheAPI(reason restclient.Reason) string {
	const base = "--upstream-url is to be the API's base, which ends in /api/v1"
	told, ok := map[restclient.Reason][2]string{ // what there is, and what to do
		restclient.ReasonTruncated: {"a body that is empty, or ends too soon", "does something in the way cut it?"},
		restclient.ReasonEncoding:  {"a body whose compression is broken", "does something in the way change it?"},
		restclient.ReasonTooLarge:  {"a body of more than 16 MiB", base + "; if it is, its CVMs are that large, and callers are to ask for fewer at a time"},
		restclient.ReasonTooDeep:   {"JSON that nests deeper than a page does", base},
	}[reason]
	if !ok {
		told = [2]string{"something else than a JSON document, such as a web page", base}
	}
	return fmt.Sprintf("the upstream answers with status 200 and %s (%s): %s", told[0], reason, told[1])
}

// statusAdvice says what to do about an answer that is none of the API, or one of an API that cannot answer.
func (u *upstream) statusAdvice(status *restclient.StatusError) string {
	switch code := status.StatusCode; {
	case code == http.StatusNotFound:
		return "it has no /cvms/paginated there; --upstream-url is to be the API's base, which ends in /api/v1"
	case code >= 300 && code < 400:
		return "it redirects, which is not followed, because the credential would go elsewhere; --upstream-url is to be where the redirect leads"
	case code == http.StatusTooManyRequests && status.RetryAfter > 0:
		return fmt.Sprintf("it is called too often; try again in %s", status.RetryAfter)
	case code == http.StatusTooManyRequests:
		return "it is called too often; try again later"
	case code == http.StatusProxyAuthRequired:
		return wayTo(u.Upstream.BaseURL).identify()
	case code >= http.StatusInternalServerError:
		return "it fails, or what stands in front of it does; try again later, or ask who runs it"
	}
	return "that is not what the API answers; is --upstream-url its base, which ends in /api/v1?"
}

// credential judges what the upstream says to the credential, and where it refuses it, whether it takes it in another header.
func (u *upstream) credential(ctx context.Context, a *answer) Step {
	given := u.headers()
	none := given == restclient.Headers{}
	switch status := a.status(); {
	case status == http.StatusOK && none:
		return found(StepCredential, Warning, "the upstream answers without a credential: it is not the API itself, or something in the way adds one, for everybody")
	case status == http.StatusOK:
		return found(StepCredential, OK, "the upstream takes it as "+sentAs(given))
	case status == http.StatusForbidden && none:
		return found(StepCredential, Failed, "the upstream answers with status 403 to a call without a credential, where the API answers 401: does something in the way refuse this machine?")
	case status == http.StatusForbidden:
		return found(StepCredential, Failed, "the upstream knows the credential and does not allow it to list CVMs, or something in the way refuses this machine (status 403)")
	case status == http.StatusUnauthorized && none:
		return found(StepCredential, Skipped, "none is given, and the upstream answers 401 to a call without one, as it should: give --token or --api-key to check more")
	case status == http.StatusUnauthorized:
		return found(StepCredential, Failed, u.elsewhere(ctx, given))
	}
	return found(StepCredential, Skipped, "the upstream refuses the request before it looks at a credential")
}

// sentAs names the headers that a credential is sent in.
func sentAs(h restclient.Headers) string {
	switch {
	case h.APIKey == "":
		return "a bearer token"
	case h.Authorization == "":
		return "X-API-Key"
	}
	return "both, a bearer token and X-API-Key"
}

// elsewhere tries a credential that was refused in the other header, or where both were sent, each of them alone.
func (u *upstream) elsewhere(ctx context.Context, given restclient.Headers) string {
	message := "the upstream refuses it as " + sentAs(given) + " (status 401)"
	others, alone := []restclient.Headers{headersOf(u.APIKey, u.Token)}, ""
	if u.Token != "" && u.APIKey != "" {
		others, alone = []restclient.Headers{headersOf(u.Token, ""), headersOf("", u.APIKey)}, " alone"
	}
	refused := 0
	for _, other := range others {
		a := u.call(ctx, other)
		a.document.Release()
		switch status := a.status(); {
		case status == http.StatusOK:
			return message + ", and takes the same secret as " + sentAs(other) + alone + ": " + advice(other)
		case status == http.StatusUnauthorized:
			refused++
			message += ", and as " + sentAs(other) + alone
		case status > 0:
			message += fmt.Sprintf(", and answers with status %d to %s%s", status, sentAs(other), alone)
		case errors.Is(a.err, context.Canceled):
			return message + ": " + interrupted
		default:
			message += ", and has no answer to " + sentAs(other) + alone
		}
	}
	if refused == len(others) {
		message += ": is it whole, of this upstream, and neither expired nor revoked?"
	}
	return message
}

// advice says what to do about a credential that is taken like this.
func advice(h restclient.Headers) string {
	if h.APIKey == "" {
		return "give it as --token, and have clients send Authorization: Bearer and no X-API-Key"
	}
	return "give it as --api-key, and have clients send X-API-Key and no Authorization"
}

// contract compares the page with what its API version promises.
func (u *upstream) contract(_ context.Context, a *answer) Step {
	switch status := a.status(); status {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return found(StepContract, Skipped, "cannot be checked without a credential: give --token or --api-key")
	default:
		return found(StepContract, Failed, fmt.Sprintf("the upstream refuses the request (status %d): does it have API version %s (--api-version), and is --upstream-url https:// where it speaks TLS?",
			status, u.version()))
	}
	_, unusable := restclient.DecodePage(a.document.Body, firstPage())
	status, message := u.judge(a.compared, unusable)
	return Step{Name: StepContract, Status: status, Message: message, Differences: a.compared.Differences, More: a.compared.Omitted()}
}

// judge says what a comparison means, and what the page's being unusable does.
func (u *upstream) judge(c restclient.Comparison, unusable error) (Status, string) {
	counted := fmt.Sprintf("it is not what API version %s promises (keys missing: %d, of another type: %d, unknown: %d)", u.version(), c.Missing, c.Changed, c.Unknown)
	switch {
	case c.Flat:
		return Failed, fmt.Sprintf("the items have the flat shape of another API version, which the gateway refuses: --api-version (now %s) is to be %s, "+
			"nothing in the way may drop the header X-Phala-Version, and the upstream must still have that version", u.version(), restclient.DefaultAPIVersion)
	case unusable != nil && c.Missing+c.Changed > 0:
		return Failed, "the gateway refuses the page, for " + counted + ": is --upstream-url the API's base, which ends in /api/v1, and --api-version right?"
	case unusable != nil:
		return Failed, "the gateway refuses the page: " + reasonOf(unusable)
	case c.Missing+c.Changed > 0:
		return Failed, "the page is served, but " + counted + ", so that fields have no value, or an error: is --api-version right, and is there a newer cvmgraph?"
	case c.Unknown > 0:
		return Warning, fmt.Sprintf("all that is promised is there, and more (keys unknown: %d), which is left out: a newer cvmgraph may have it", c.Unknown)
	case c.Items == 0:
		return Warning, "the list is empty, so that the shape of its items is not known: a credential that sees a CVM shows more"
	}
	return OK, fmt.Sprintf("the page is what API version %s promises (items compared: %d)", u.version(), c.Items)
}

func reasonOf(err error) string {
	if invalid, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		return string(invalid.Reason)
	}
	return "for a reason of its own"
}

// version returns the API version that is asked for.
func (u *upstream) version() string {
	if u.Upstream.APIVersion == "" {
		return restclient.DefaultAPIVersion
	}
	return u.Upstream.APIVersion
}
