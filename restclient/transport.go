package restclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 90 * time.Second
	// maxIdleConns is the number of callers that find a connection waiting; the default of 2
	// would make nearly every call of a busy gateway dial.
	maxIdleConns           = 512
	maxResponseHeaderBytes = 64 << 10
)

// newTransport builds the connection pool of one client. Its RoundTrip is used bare: it follows no
// redirect, keeps no cookie, and puts no URL in its errors. There is no limit on the wait for the
// response's header here, for the attempt's deadline covers it.
func newTransport(trust *tls.Config) *http.Transport {
	trust = trust.Clone()
	if trust == nil {
		trust = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	trust.MinVersion = max(trust.MinVersion, tls.VersionTLS12)
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: proxyRefusal,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true, // a TLS configuration of one's own switches it off
		TLSClientConfig:        trust,
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		// All calls may share one HTTP/2 connection. Without pings, one that died silently
		// would fail them until the kernel notices.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
}

// proxyRefusal keeps the status with which a proxy refuses a tunnel. The transport would have its words.
func proxyRefusal(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return &NetworkError{Kind: KindProxy, ProxyStatus: resp.StatusCode}
	}
	return nil
}

// failure names what ended an attempt before its answer was complete. caller is the context the
// caller gave, attempt the one bounded by the client's own timeout as well.
func (c *Client) failure(caller, attempt context.Context, err error) error {
	switch {
	case caller.Err() != nil:
		return ended(caller)
	case attempt.Err() != nil:
		return &TimeoutError{Limit: c.timeout}
	}
	if refusal, ok := errors.AsType[*NetworkError](err); ok {
		return refusal
	}
	// A connection's deadline can fire a moment before the context that set it, or be its own.
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return &TimeoutError{}
	}
	return &NetworkError{Kind: networkKind(err)}
}

// ended says how a caller's context ended.
func ended(caller context.Context) error {
	if errors.Is(caller.Err(), context.Canceled) {
		return &canceledError{cause: context.Cause(caller)}
	}
	return &TimeoutError{}
}

// networkKind sorts a transport's error.
func networkKind(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		authority   x509.UnknownAuthorityError
		op          *net.OpError
	)
	switch {
	case errors.As(err, &dns):
		return KindDNS
	case errors.Is(err, syscall.ECONNREFUSED):
		return KindRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return KindUnreachable
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &authority),
		errors.Is(err, http.ErrSchemeMismatch):
		return KindTLS
	case errors.As(err, &op) && op.Op == "remote error": // a TLS alert, whose type is not exported
		return KindTLS
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return KindReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return KindClosed
	}
	return KindOther
}
