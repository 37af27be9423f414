// Package restclient is the typed client of the one call cvmgraph makes upstream, Phala Cloud's
// GET {base}/cvms/paginated in the shape of API version 2025-10-28. It bounds what it reads, tries again
// what may succeed then, spares an upstream that fails or is overloaded, and never shows the upstream's
// words, its address or a credential in an error. Caching and coalescing are its callers' business.
package restclient

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Defaults of [Options].
const (
	DefaultAPIVersion = "2025-10-28"
	DefaultTimeout    = 10 * time.Second
	DefaultUserAgent  = "cvmgraph"
)

// maxPageSize is the largest page_size the upstream allows.
const maxPageSize = 100

// Options are the settings of a [Client].
type Options struct {
	// BaseURL is the API's root, such as https://cloud-api.phala.com/api/v1. It is required, http or
	// https, and holds no user, query or fragment.
	BaseURL string
	// APIVersion is sent as X-Phala-Version; "" is DefaultAPIVersion.
	APIVersion string
	// Timeout bounds one attempt from the dialing to the last byte of the body; 0 is DefaultTimeout.
	Timeout time.Duration
	// UserAgent is sent as User-Agent; "" is DefaultUserAgent.
	UserAgent string
	// TLS says whom to trust; nil is the system's authorities (and SSL_CERT_FILE). It is copied,
	// and raised to TLS 1.2 where it allows less.
	TLS *tls.Config
	// Observer is told what happens.
	Observer Observer
}

// Filter restricts the list. It is comparable; the zero value restricts nothing.
type Filter struct {
	// NodeID is sent as teepod_id; 0 is every node.
	NodeID int32
	// UserID is sent as user_id: "0" for CVMs without an owner, or usr_…; "" is every owner.
	UserID string
}

// PageRequest names one page of the list. It is comparable.
type PageRequest struct {
	Filter Filter
	// Page is counted from 1; at most 2147483647.
	Page int
	// PageSize is the number of items of a full page, 1 to 100.
	PageSize int
}

func (r PageRequest) validate() error {
	if r.Page < 1 || r.Page > math.MaxInt32 {
		return &ArgumentError{"page", "is not between 1 and 2147483647"}
	}
	if r.PageSize < 1 || r.PageSize > maxPageSize {
		return &ArgumentError{"page_size", "is not between 1 and 100"}
	}
	return nil
}

// query is deterministic, so that caches on the way see equal requests as equal.
func (r PageRequest) query() string {
	query := "page=" + strconv.Itoa(r.Page) + "&page_size=" + strconv.Itoa(r.PageSize)
	if r.Filter.NodeID != 0 {
		query += "&teepod_id=" + strconv.Itoa(int(r.Filter.NodeID))
	}
	if r.Filter.UserID != "" {
		query += "&user_id=" + url.QueryEscape(r.Filter.UserID)
	}
	return query
}

// Client calls the upstream. It is safe for concurrent use and holds its own connections; make one
// with [New] and let everybody share it.
type Client struct {
	endpoint  *url.URL
	header    http.Header // of every request
	timeout   time.Duration
	transport *http.Transport
	policy    *policy
	large     places
}

// New returns a client, or an error that joins everything that is wrong with the options. It does
// no I/O. The error names options but not their values.
func New(options Options) (*Client, error) {
	if options.APIVersion == "" {
		options.APIVersion = DefaultAPIVersion
	}
	if options.UserAgent == "" {
		options.UserAgent = DefaultUserAgent
	}
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	endpoint, problem := parseBase(options.BaseURL)
	problems := []error{problem}
	if options.Timeout < 0 {
		problems = append(problems, errors.New("Timeout is negative"))
	}
	if !isHeaderValue(options.APIVersion) {
		problems = append(problems, errors.New("APIVersion is no header value"))
	}
	if !isHeaderValue(options.UserAgent) {
		problems = append(problems, errors.New("UserAgent is no header value"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	header := http.Header{}
	header.Set("Accept", "application/json")
	header.Set("User-Agent", options.UserAgent)
	header.Set("X-Phala-Version", options.APIVersion)
	return &Client{
		endpoint:  endpoint,
		header:    header,
		timeout:   options.Timeout,
		transport: newTransport(options.TLS),
		policy:    newPolicy(options.Observer),
		large:     make(places, largeBodies),
	}, nil
}

// parseBase checks the API's root and returns the address of the list below it.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil: // its text holds the URL, and a URL can hold a password
		return nil, errors.New("BaseURL is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("BaseURL is neither http nor https")
	case u.Hostname() == "":
		return nil, errors.New("BaseURL has no host")
	case u.User != nil:
		return nil, errors.New("BaseURL has a user")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("BaseURL has a query or a fragment")
	}
	if u.Path == "" {
		u.Path = "/" // or else JoinPath returns a relative path
	}
	return u.JoinPath("cvms", "paginated"), nil
}

// Close releases the idle connections. Calls under way go on, and the client stays usable.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// State returns how the client stands with its upstream.
func (c *Client) State() State { return c.policy.state() }

// ListCvms fetches one page on behalf of whom cred belongs to, and decodes it. The page belongs to the
// caller. The errors are those of [Client.Fetch], and *InvalidResponseError.
func (c *Client) ListCvms(ctx context.Context, cred Credential, req PageRequest) (*CvmPage, error) {
	document, err := c.Fetch(ctx, cred, req)
	if err != nil {
		return nil, err
	}
	defer document.Release()
	return DecodePage(document.Body, req)
}

// Document is an answer as it came.
type Document struct {
	// Body is what came, after decompression.
	Body []byte
	// NoStore says that the upstream forbids to keep it (Cache-Control: no-store).
	NoStore bool
	// Attempts is how many it took. It is set beside an error too.
	Attempts int

	leave func() // what Done calls; nil: nothing
}

// Release says that the work on a document is over. Only a few large ones are worked on at a time: until then,
// others wait. It may be called more than once.
func (d Document) Release() {
	if d.leave != nil {
		d.leave()
	}
}

// Fetch fetches the document of one page on behalf of whom cred belongs to; a zero cred is sent as none.
// The document belongs to the caller, who calls [Document.Release]; all that has been looked at is whether it
// ends as one.
//
// There are up to three attempts, each within Options.Timeout: after status 500, 502, 503, 504 or 429,
// a connection that was reset or closed, a body that did not arrive whole, or a timeout, where not too
// many calls are being retried already. Between them it waits for a short random time, and no shorter
// than the upstream wishes; where ctx, or the [RetryDeadline] that goes with it, ends before, it returns at
// once. (The transport may send a request again on another connection, when an idle one turns out to be
// dead.) Where the upstream mostly fails, or too many attempts are in flight, it is not called.
//
// The errors are *ArgumentError before any I/O, *UnavailableError, then those of the last attempt:
// *StatusError, *TimeoutError, *NetworkError and, for a body that is too large or does not arrive whole,
// *InvalidResponseError. When ctx is canceled, errors.Is finds [context.Canceled] in the error.
func (c *Client) Fetch(ctx context.Context, cred Credential, req PageRequest) (Document, error) {
	if err := req.validate(); err != nil {
		return Document{}, err
	}
	headers := cred.Headers()
	if err := headers.validate(); err != nil {
		return Document{}, err
	}
	c.policy.begin()
	document, err := c.attempt(ctx, headers, Attempt{req, 1})
	c.policy.end()
	if retryReason(err) == "" || ctx.Err() != nil {
		return document, err
	}
	next := Attempt{req, 1}
	return c.policy.again(ctx, err, func() (Document, error) {
		next.Number++
		return c.attempt(ctx, headers, next)
	})
}

// attempt calls the upstream once, unless that is to be spared. It counts as an attempt of the document.
func (c *Client) attempt(ctx context.Context, headers Headers, a Attempt) (Document, error) {
	permit, err := c.policy.admit(ctx)
	if err != nil {
		return Document{}, err
	}
	header := c.headerFor(headers)
	ended := c.policy.observer.follow(ctx, a, header)
	document, err := c.call(ctx, header, a.Request)
	if ended != nil {
		ended(ending(err))
	}
	c.policy.settle(ctx, permit, err)
	document.Attempts = 1
	return document, err
}

// call calls the upstream once.
func (c *Client) call(ctx context.Context, header http.Header, req PageRequest) (Document, error) {
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	document, err := c.fetch(attempt, header, req)
	if err == nil {
		return document, nil
	}
	var (
		status      *StatusError
		unusable    *InvalidResponseError
		unavailable *UnavailableError
	)
	if errors.As(err, &unusable) || (errors.As(err, &status) || errors.As(err, &unavailable)) && ctx.Err() == nil {
		return Document{}, err
	}
	return Document{}, c.failure(ctx, attempt, err)
}

// fetch sends the request and returns the document of a 200. Its errors are *StatusError,
// *InvalidResponseError, *UnavailableError, and what the transport says, which is not fit to be shown.
func (c *Client) fetch(ctx context.Context, header http.Header, req PageRequest) (Document, error) {
	resp, err := c.transport.RoundTrip(c.request(ctx, header, req))
	if err != nil {
		return Document{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return Document{}, statusError(resp)
	}
	return c.large.document(ctx, resp)
}

// forbidsStoring tells whether Cache-Control has the directive no-store.
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

// headerFor returns the headers of a call: these and no others, but what carries a trace, and what net/http adds for compression.
func (c *Client) headerFor(cred Headers) http.Header {
	header := maps.Clone(c.header)
	setIfAny(header, "Authorization", cred.Authorization)
	setIfAny(header, "X-Api-Key", cred.APIKey)
	setIfAny(header, "X-Phala-Workspace", cred.Workspace)
	return header
}

// request builds the call.
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
