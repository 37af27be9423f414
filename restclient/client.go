// Package restclient is a typed client of Phala Cloud's list of confidential VMs: the call GET
// {base}/cvms/paginated, the only one that cvmgraph makes. It decodes the items of all API versions
// into the same types.
//
// The client limits what it reads, retries calls that can succeed later, and stops calling an
// upstream that fails or is overloaded. Its errors never contain the upstream's words, its address
// or a credential. It does not cache pages and does not coalesce calls.
package restclient

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cvmgraph/internal/fair"
)

// Defaults of [Options].
const (
	DefaultAPIVersion = "2025-10-28"
	DefaultTimeout    = 30 * time.Second
	DefaultUserAgent  = "cvmgraph"
)

// Options configures a [Client].
type Options struct {
	// BaseURL is the root of the API, such as https://cloud-api.phala.com/api/v1. It is required.
	// Its scheme is http or https, and it has no user, query or fragment.
	BaseURL string
	// APIVersion is sent as X-Phala-Version. If empty, it is DefaultAPIVersion. It determines the
	// shape of the items: see [ShapeOf].
	APIVersion string
	// OmitAPIVersion sends no X-Phala-Version, so that the upstream uses the default of the
	// credential's token. The shape of the items is then unknown.
	OmitAPIVersion bool
	// Timeout limits one attempt, from dialing to the last byte of the body. If zero, it is
	// DefaultTimeout.
	Timeout time.Duration
	// UserAgent is sent as User-Agent. If empty, it is DefaultUserAgent.
	UserAgent string
	// TLS configures the connections to the upstream. It is copied, and its minimum version is
	// raised to TLS 1.2. If nil, the system's certificate authorities (and SSL_CERT_FILE) are
	// trusted.
	TLS *tls.Config
	// Observer is called for the client's events.
	Observer Observer
}

// Client calls the upstream. It is safe for concurrent use, and has its own pool of connections.
// Create one with [New] and share it.
type Client struct {
	endpoint *url.URL
	header   http.Header // of every request
	timeout  time.Duration
	shape    Shape
	pools    *pools
	policy   *policy
	large    largeBodies
}

// New returns a client. It does no I/O. The error joins all problems of the options; it has the
// names of options, but not their values.
func New(options Options) (*Client, error) {
	options.APIVersion = cmp.Or(options.APIVersion, DefaultAPIVersion)
	options.UserAgent = cmp.Or(options.UserAgent, DefaultUserAgent)
	options.Timeout = cmp.Or(options.Timeout, DefaultTimeout)
	endpoint, problem := parseBase(options.BaseURL)
	problems := []error{problem}
	if options.Timeout < 0 {
		problems = append(problems, errors.New("Timeout must not be negative"))
	}
	if !isHeaderValue(options.APIVersion) {
		problems = append(problems, errors.New("APIVersion is not a valid header value"))
	}
	if !isHeaderValue(options.UserAgent) {
		problems = append(problems, errors.New("UserAgent is not a valid header value"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	header := http.Header{}
	header.Set("Accept", "application/json")
	header.Set("User-Agent", options.UserAgent)
	if !options.OmitAPIVersion {
		header.Set("X-Phala-Version", options.APIVersion)
	}
	return &Client{
		endpoint: endpoint,
		header:   header,
		timeout:  options.Timeout,
		shape:    ShapeOf(options.APIVersion),
		pools:    newPools(newTransport(options.TLS), endpoint),
		policy:   newPolicy(options.Observer),
		large:    newLargeBodies(),
	}, nil
}

// parseBase validates the root of the API and returns the URL of the list.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil: // err is dropped: it has the URL, which can have a password
		return nil, errors.New("BaseURL is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("BaseURL must start with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("BaseURL has no host")
	case u.User != nil:
		return nil, errors.New("BaseURL must not have a user")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("BaseURL must not have a query or a fragment")
	}
	if u.Path == "" {
		u.Path = "/" // otherwise JoinPath returns a relative path
	}
	return u.JoinPath("cvms", "paginated"), nil
}

// Shape returns the shape of the list's items in the client's API version.
func (c *Client) Shape() Shape { return c.shape }

// Close closes the idle connections. Running calls continue, and the client can still be used.
func (c *Client) Close() { c.pools.CloseIdleConnections() }

// State returns the current state of the breaker and of the limit of attempts in flight.
func (c *Client) State() State { return c.policy.state() }

// ListCvms fetches and decodes one page of the list. The page belongs to the caller. It
// returns the errors of [Client.Fetch], and *InvalidResponseError for a body that is not the page.
func (c *Client) ListCvms(ctx context.Context, cred Credential, req PageRequest) (*CvmPage, error) {
	page, err := c.Fetch(ctx, cred, req)
	if err != nil {
		return nil, err
	}
	defer page.Release()
	return c.shape.DecodePage(page.Body, req)
}

// RawPage is the response to a call, not decoded.
type RawPage struct {
	// Body is the response's body, after decompression.
	Body []byte
	// NoStore reports whether the upstream forbids storing the response (Cache-Control: no-store).
	NoStore bool
	// Attempts is the number of attempts of the call. It is also set if the call failed.
	Attempts int

	release func() // what Release calls, or nil
}

// Release ends the use of the page. Only a few large pages are in use at a time, and calls
// with further ones wait until one of them is released. It may be called more than once.
func (p RawPage) Release() {
	if p.release != nil {
		p.release()
	}
}

// Fetch fetches one page of the list without decoding it. A zero cred sends no credential. The page
// belongs to the caller, who must call [RawPage.Release]. Its body is only checked for a missing
// end.
//
// A call has up to three attempts, each limited by Options.Timeout, over HTTP/1.1 and HTTP/2 alike.
// An attempt sends one request. The call is retried after status 500, 502, 503, 504, 429, 520 to
// 526 or 530, a connection or a stream that was reset or closed, an incomplete body, or a timeout,
// unless too many calls are being retried already. The pause before a retry is short and random,
// and at least as long as the upstream's Retry-After. If that is longer than 2 s, the call returns
// at once. So it does if ctx's deadline, or the [RetryDeadline] that replaces it, would pass before
// the pause is over or, after a timeout, before another attempt could last as long.
//
// The upstream is not called while the credential's calls mostly fail, while the whole upstream
// fails, or while too many attempts are in flight. Credentials share attempts, retries and large
// pages fairly: one that fails or hangs does not prevent the calls of another.
//
// The error is an *ArgumentError before any I/O, an *UnavailableError, or the error of the last
// attempt: *StatusError, *TimeoutError, *NetworkError, or *InvalidResponseError for a body that is
// too large or incomplete. If ctx is canceled, errors.Is finds [context.Canceled] in the error.
func (c *Client) Fetch(ctx context.Context, cred Credential, req PageRequest) (RawPage, error) {
	if err := req.validate(); err != nil {
		return RawPage{}, err
	}
	headers := cred.Headers()
	if err := headers.validate(); err != nil {
		return RawPage{}, err
	}
	c.policy.calls.Add(1)
	defer c.policy.calls.Add(-1)
	from := c.policy.callerOf(headers)
	page, err := c.attempt(ctx, from, headers, Attempt{req, 1})
	if retryReason(err) == "" || ctx.Err() != nil {
		return page, err
	}
	next := Attempt{req, 1}
	return c.policy.retry(ctx, from, err, func() (RawPage, error) {
		next.Number++
		return c.attempt(ctx, from, headers, next)
	})
}

// attempt makes one attempt, unless the policy forbids it.
func (c *Client) attempt(ctx context.Context, from caller, headers Headers, a Attempt) (RawPage, error) {
	permit, err := c.policy.admit(ctx, from)
	if err != nil {
		return RawPage{}, err
	}
	header := c.headerFor(headers)
	end := c.policy.observer.startAttempt(ctx, a, header)
	page, err := c.call(ctx, permit.caller, header, a.Request)
	if end != nil {
		end(spanOutcome(err))
	}
	if isLoss(err) {
		c.pools.lost(permit.caller)
	}
	c.policy.settle(ctx, from, permit, err)
	page.Attempts = 1
	return page, err
}

// call sends one request, and returns an error that may be shown to clients.
func (c *Client) call(ctx context.Context, from fair.Caller, header http.Header, req PageRequest) (RawPage, error) {
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	page, err := c.fetch(attempt, from, header, req)
	if err == nil {
		return page, nil
	}
	var (
		status      *StatusError
		unusable    *InvalidResponseError
		unavailable *UnavailableError
	)
	if errors.As(err, &unusable) || (errors.As(err, &status) || errors.As(err, &unavailable)) && ctx.Err() == nil {
		return RawPage{}, err
	}
	return RawPage{}, c.transportError(ctx, attempt, err)
}

// fetch sends the request and returns the body of a response with status 200. Its errors are
// *StatusError, *InvalidResponseError, *UnavailableError, and errors of the transport, which
// must not be shown to clients.
func (c *Client) fetch(ctx context.Context, from fair.Caller, header http.Header, req PageRequest) (RawPage, error) {
	resp, err := c.pools.of(from).RoundTrip(c.request(ctx, header, req))
	if resource := exhausted(err); resource != "" {
		notifyWith(c.policy.observer.Exhausted, resource)
		return RawPage{}, c.policy.suppress(CauseExhausted, exhaustedPause)
	}
	if err != nil {
		return RawPage{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		failure := statusError(resp)
		failure.KeyAsToken = isKey(header.Get("Authorization"))
		return RawPage{}, failure
	}
	return c.large.rawPage(ctx, from, resp)
}

// forbidsStoring reports whether Cache-Control has the directive no-store.
func forbidsStoring(header http.Header) bool {
	for _, value := range header["Cache-Control"] {
		for directive := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "no-store") {
				return true
			}
		}
	}
	return false
}

// headerFor returns the header of a call. Only trace headers, and the headers of net/http
// for compression, are added to it later.
func (c *Client) headerFor(cred Headers) http.Header {
	header := maps.Clone(c.header)
	setIfAny(header, "Authorization", cred.Authorization)
	setIfAny(header, "X-Api-Key", cred.APIKey)
	setIfAny(header, "X-Phala-Workspace", cred.Workspace)
	return header
}

// request returns the HTTP request of a call.
func (c *Client) request(ctx context.Context, header http.Header, req PageRequest) *http.Request {
	address := *c.endpoint
	address.RawQuery = req.query()
	r := &http.Request{Method: http.MethodGet, URL: &address, Host: address.Host, Header: header}
	return r.WithContext(ctx)
}

func setIfAny(header http.Header, name, value string) {
	if value != "" {
		header.Set(name, value)
	}
}
