package httpserver

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
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
	seen    [2]fileVersion // versions of the files that were read last
	checked time.Time
}

// fileVersion distinguishes a file from its replacement.
type fileVersion struct {
	modified time.Time
	bytes    int64
}

// OpenCertificate reads two PEM files: a certificate, followed by its intermediate certificates,
// and its key. The certificate logs to the logger when it reloads the files. If logger is nil,
// nothing is logged.
func OpenCertificate(certFile, keyFile string, logger *slog.Logger) (*Certificate, error) {
	logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
	c := &Certificate{certFile: certFile, keyFile: keyFile, logger: logger, checked: time.Now()}
	seen, err := c.versions()
	if err == nil {
		c.seen = seen
		err = c.read()
	}
	if err != nil {
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
		c.reload()
	}
	return c.pair, nil
}

// reload reads the files if they have changed. The caller holds the lock.
func (c *Certificate) reload() {
	seen, err := c.versions()
	if err == nil {
		if seen == c.seen {
			return
		}
		c.seen = seen // before read, so that invalid files are read only once
		err = c.read()
	}
	if err != nil {
		c.logger.Warn("TLS certificate not reloaded; using the previous one", "error", err)
		return
	}
	c.logger.Info("TLS certificate reloaded", "not_after", c.pair.Leaf.NotAfter)
}

func (c *Certificate) read() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair = &pair
	return nil
}

func (c *Certificate) versions() (seen [2]fileVersion, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return seen, err
		}
		seen[i] = fileVersion{info.ModTime(), info.Size()}
	}
	return seen, nil
}
