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
	mu  sync.Mutex
	now progress
}

// progress is how far a connection has come.
type progress struct {
	connected  bool                 // to the upstream, or to the proxy before it
	handshakes int                  // that have begun; one with a proxy is the first
	secured    *tls.ConnectionState // by the last of them; nil where it did not succeed
	refused    error                // of the last of them
	ready      bool                 // for the request
}

// follow returns a context whose calls leave the trail.
func (t *trail) follow(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			t.note(func(p *progress) { p.connected = p.connected || err == nil })
		},
		TLSHandshakeStart: func() {
			t.note(func(p *progress) { p.handshakes, p.secured, p.refused = p.handshakes+1, nil, nil })
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			t.note(func(p *progress) {
				if p.refused = err; err == nil {
					p.secured = &state
				}
			})
		},
		GotConn: func(httptrace.GotConnInfo) { t.note(func(p *progress) { p.ready = true }) },
	})
}

func (t *trail) note(what func(*progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	what(&t.now)
}

// progress returns how far the connection has come by now.
func (t *trail) progress() progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// handshakeFault says why a handshake failed, and what to do.
func handshakeFault(err error, now time.Time) string {
	var (
		certificate x509.CertificateInvalidError
		host        x509.HostnameError
		authority   x509.UnknownAuthorityError
		roots       x509.SystemRootsError
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
		return "the upstream's certificate is signed by an unknown authority: trust a private one by a file of its certificates, which SSL_CERT_FILE names and this program can read"
	case errors.As(err, &roots):
		return "there are no authorities to trust: SSL_CERT_FILE is to name a file of their certificates, and SSL_CERT_DIR directories of such, that this program can read"
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
