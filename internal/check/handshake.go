package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"
)

// handshakeAdvice explains why a TLS handshake failed, and what to do.
func handshakeAdvice(err error, now time.Time) string {
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
		return fmt.Sprintf("the upstream's certificate is not valid before %s: check this machine's clock", day(certificate.Cert.NotBefore))
	case errors.As(err, &certificate) && certificate.Reason == x509.Expired:
		return fmt.Sprintf("the upstream's certificate expired on %s: its operator must renew it, unless this machine's clock is wrong", day(certificate.Cert.NotAfter))
	case errors.As(err, &host):
		return "the upstream's certificate is for another host name: use the certificate's name in --upstream-url"
	case errors.As(err, &authority):
		return "the upstream's certificate is signed by an unknown authority: to trust a private authority, set SSL_CERT_FILE to a readable file with its certificates"
	case errors.As(err, &roots):
		return "no trusted certificate authorities: set SSL_CERT_FILE to a readable file with their certificates, or SSL_CERT_DIR to directories of such files"
	case errors.As(err, &certificate):
		return "the upstream's certificate is not valid for a server"
	case errors.As(err, &record):
		return "the upstream does not use TLS on this port: use http:// or another port in --upstream-url"
	case errors.As(err, &op) && op.Op == "remote error":
		return "the upstream rejects the TLS handshake: the gateway supports TLS 1.2 and 1.3, without a client certificate"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "the TLS handshake did not finish in time: check for a firewall or proxy that delays TLS"
	}
	return "the connection ended during the TLS handshake: check for a firewall or proxy (HTTPS_PROXY) that does not allow TLS"
}
