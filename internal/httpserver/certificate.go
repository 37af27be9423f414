package httpserver

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is how often the files of a certificate are looked at, at most.
const certificateCheck = time.Second

// Certificate is a server's certificate with its key, of two files that may be replaced at any time. It is safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	logger            *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	seen    [2]fileVersion // of the files when they were last read
	checked time.Time
}

// fileVersion tells a file from what replaces it.
type fileVersion struct {
	modified time.Time
	bytes    int64
}

// OpenCertificate reads a certificate, with those that sign it behind it, and its key, both in PEM. The logger gets what becomes of
// files that replace them; nil discards it.
func OpenCertificate(certFile, keyFile string, logger *slog.Logger) (*Certificate, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
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

// Get returns the certificate for a handshake: that of the files as they are, or, where they cannot be read or do not fit each
// other, the one before. It does not fail.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certificateCheck {
		c.checked = now
		c.renew()
	}
	return c.pair, nil
}

// renew reads files that have changed. The caller holds the lock.
func (c *Certificate) renew() {
	seen, err := c.versions()
	if err == nil {
		if seen == c.seen {
			return
		}
		c.seen = seen // or else those that do not fit would be read again and again
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
