package httpserver

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// certificateCheck is the shortest time between two checks of the files of a certificate.
const certificateCheck = time.Second

// Certificate is a TLS certificate and its key, read from two files that may be replaced at any
// time. It is safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	logger            *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	seen    [2][]byte // content of the files that were read last
	failure string    // of the last check; empty if it succeeded
	checked time.Time
}

// OpenCertificate reads two PEM files: a certificate, followed by its intermediate certificates,
// and its key. The certificate logs to the logger when it reloads the files. If logger is nil,
// nothing is logged.
func OpenCertificate(certFile, keyFile string, logger *slog.Logger) (*Certificate, error) {
	logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
	c := &Certificate{certFile: certFile, keyFile: keyFile, logger: logger, checked: time.Now()}
	if _, err := c.reload(); err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	return c, nil
}

// Get returns the certificate for a TLS handshake. It reloads files that have changed. If they
// cannot be read or do not match, Get returns the previous certificate. The error is always nil.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certificateCheck {
		c.checked = now
		c.check()
	}
	return c.pair, nil
}

// check reloads the files if they have changed, and logs the result. A failure is logged once,
// until the files can be read again or fail in another way. The caller holds the lock.
func (c *Certificate) check() {
	changed, err := c.reload()
	if err != nil {
		if failure := err.Error(); changed || failure != c.failure {
			c.failure = failure
			c.logger.Warn("TLS certificate not reloaded; using the previous one", "error", err)
		}
		return
	}
	c.failure = ""
	if changed {
		c.logger.Info("TLS certificate reloaded", "not_after", c.pair.Leaf.NotAfter)
	}
}

// reload reads the files, and replaces the certificate if their content has changed. Sizes and
// times can be equal: configuration management often sets the times.
func (c *Certificate) reload() (changed bool, err error) {
	var content [2][]byte
	for i, name := range []string{c.certFile, c.keyFile} {
		if content[i], err = os.ReadFile(name); err != nil {
			return false, err
		}
	}
	if slices.EqualFunc(content[:], c.seen[:], bytes.Equal) {
		return false, nil
	}
	c.seen = content // also if they are invalid, so that they are reported only once
	pair, err := tls.X509KeyPair(content[0], content[1])
	if err != nil {
		return true, err
	}
	c.pair = &pair
	return true, nil
}
