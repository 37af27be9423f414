package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"sync"
	"time"
)

// trail is how far the connection of a call came. The transport writes it, also when the call has ended.
type trail struct {
	mu        sync.Mutex
	connected bool
	secured   *tls.ConnectionState // nil without a handshake that succeeded
	refused   error                // of the handshake
}

// follow returns a context whose calls leave the trail.
func (t *trail) follow(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.connected = t.connected || err == nil
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.refused = err; err == nil {
				t.secured = &state
			}
		},
	})
}

// steps returns how far the connection has come by now.
func (t *trail) steps() (connected bool, secured *tls.ConnectionState, refused error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.connected, t.secured, t.refused
}

// handshakeFault says why a handshake failed, and what to do.
func handshakeFault(err error, now time.Time) string {
	var (
		certificate x509.CertificateInvalidError
		host        x509.HostnameError
		authority   x509.UnknownAuthorityError
		record      tls.RecordHeaderError
		op          *net.OpError
		timeout     net.Error
	)
	switch {
	case errors.As(err, &certificate) && certificate.Reason == x509.Expired && now.Before(certificate.Cert.NotBefore):
		return fmt.Sprintf("the upstream's certificate is not valid before %s: is this machine's clock right?", day(certificate.Cert.NotBefore))
	case errors.As(err, &certificate) && certificate.Reason == x509.Expired:
		return fmt.Sprintf("the upstream's certificate has expired on %s: who runs it has to renew it, if this machine's clock is right", day(certificate.Cert.NotAfter))
	case errors.As(err, &host):
		return "the upstream's certificate is for another host name: --upstream-url is to have the name that is in it"
	case errors.As(err, &authority):
		return "the upstream's certificate is signed by an unknown authority: trust a private one by a file of its certificates, which SSL_CERT_FILE names"
	case errors.As(err, &certificate):
		return "the upstream's certificate is not valid for a server"
	case errors.As(err, &record):
		return "the upstream does not speak TLS there: is it http:// in --upstream-url, or another port?"
	case errors.As(err, &op) && op.Op == "remote error":
		return "the upstream refuses the handshake: TLS 1.2 or 1.3 without a client's certificate is what the gateway has"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "the handshake did not end in time: is something in the way that holds up TLS?"
	}
	return "the connection ended during the handshake: is something in the way, such as a proxy (HTTPS_PROXY), that does not let TLS through?"
}
