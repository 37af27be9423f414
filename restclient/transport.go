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
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http2"
)

const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	// maxDialTime is enough for all parts of a dial, such as the handshakes with an HTTPS proxy and
	// with the upstream.
	maxDialTime = dialTimeout + 2*handshakeTimeout
	// idleTimeout is the time after which an idle connection is closed.
	idleTimeout = 90 * time.Second
	// maxConnectionAge is the age at which a connection takes no more requests. The next connection
	// resolves the upstream's name again, so calls follow a name that moves while its old address
	// is alive.
	maxConnectionAge       = 5 * time.Minute
	maxResponseHeaderBytes = 64 << 10
)

// newTransport returns the transport that opens the connections of one client. Requests are sent on
// a connection directly, so that redirects are not followed, cookies are not stored, and errors
// have no URL. There is no timeout for the response header, because the timeout of the attempt
// covers it.
func newTransport(trust *tls.Config) *http.Transport {
	trust = trust.Clone()
	if trust == nil {
		trust = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	trust.MinVersion = max(trust.MinVersion, tls.VersionTLS12)
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: proxyRejection,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true, // a custom TLSClientConfig disables it otherwise
		TLSClientConfig:        trust,
		TLSHandshakeTimeout:    handshakeTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		// All calls can share one HTTP/2 connection. Pings detect that the connection is dead
		// before the kernel does.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
}

// proxyRejection returns an error with the status of a proxy that rejects a tunnel. The
// transport's own error would contain the proxy's words.
func proxyRejection(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return &NetworkError{Kind: KindProxy, ProxyStatus: resp.StatusCode}
	}
	return nil
}

// transportError returns the error of an attempt that got no complete response. caller is the
// context of the call, and attempt is the one that is limited by the client's timeout, too.
func (c *Client) transportError(caller, attempt context.Context, err error) error {
	switch {
	case caller.Err() != nil:
		return callerError(caller)
	case attempt.Err() != nil:
		return &TimeoutError{Limit: c.timeout}
	}
	if rejection, ok := errors.AsType[*NetworkError](err); ok {
		return rejection
	}
	// The deadline of a connection can be its own, or pass a moment before its context's deadline.
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return &TimeoutError{}
	}
	failure := &NetworkError{Kind: networkKind(err)}
	if stream, ok := errors.AsType[http2.StreamError](err); ok {
		failure.HTTP2Code = stream.Code.String()
	}
	return failure
}

// callerError returns the error for a caller's context that has ended.
func callerError(caller context.Context) error {
	if errors.Is(caller.Err(), context.Canceled) {
		return &canceledError{cause: context.Cause(caller)}
	}
	return &TimeoutError{}
}

// exhaustedPause is the time after which this process may have a free resource.
const exhaustedPause = time.Second

// exhausted returns the resource that this process lacks for a connection, or "".
func exhausted(err error) string {
	dns, _ := errors.AsType[*net.DNSError](err)
	is := func(number syscall.Errno) bool {
		// A DNSError has only the text of its cause.
		return errors.Is(err, number) || dns != nil && strings.HasSuffix(dns.Err, number.Error())
	}
	switch {
	case err == nil:
	case is(syscall.EMFILE), is(syscall.ENFILE):
		return "file descriptors"
	case is(syscall.EADDRNOTAVAIL) && !toIPv6(err):
		return "ports"
	case is(syscall.ENOBUFS), is(syscall.ENOMEM):
		return "memory"
	}
	return ""
}

// toIPv6 reports whether an error is of a connection to an address of IPv6. Without IPv6, this
// machine has no address for it, which has the same errno as a lack of ports.
func toIPv6(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok {
		return false
	}
	address, ok := op.Addr.(*net.TCPAddr)
	return ok && address.IP.To4() == nil
}

// networkKind returns the kind of a transport's error.
func networkKind(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		authority   x509.UnknownAuthorityError
		op          *net.OpError
		stream      http2.StreamError
		exchange    *exchangeError
	)
	switch {
	case errors.As(err, &dns):
		return KindDNS
	case errors.Is(err, syscall.ECONNREFUSED):
		return KindRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return KindUnreachable
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &authority),
		errors.Is(err, http.ErrSchemeMismatch):
		return KindTLS
	case errors.As(err, &op) && op.Op == "remote error": // a TLS alert, whose type is not exported
		return KindTLS
	case errors.As(err, &stream) && !isReset(stream):
		return KindProtocol
	case errors.As(err, &stream), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return KindReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return KindClosed
	case !errors.As(err, &exchange):
		return KindOther
	case exchange.lost:
		return KindClosed
	}
	return KindProtocol
}

// isReset reports whether the upstream has reset a stream of HTTP/2. The other errors of a stream
// are violations of the protocol that this side has found.
func isReset(stream http2.StreamError) bool {
	return stream.Cause != nil && stream.Cause.Error() == "received from peer"
}
