package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Health asks the server that listens on listenAddr, as net.Listen takes it, whether it is ready. A host that means
// every interface (":8080", "0.0.0.0:8080", "[::]:8080") is asked at 127.0.0.1. With overTLS it does not look at the certificate,
// which is one for names, and nothing that it says is a secret. It waits at most 2 s and uses no proxy. The error is nil for
// status 200 and for no other.
func Health(ctx context.Context, listenAddr string, overTLS bool) error {
	addr, err := dialAddr(listenAddr)
	if err != nil {
		return fmt.Errorf("readyz: %w", err)
	}
	const wait = 2 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, wait, fmt.Errorf("no answer within %s: %w", wait, context.DeadlineExceeded))
	defer cancel()
	scheme := "http://"
	if overTLS {
		scheme = "https://"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+addr+readyzPath, nil)
	if err != nil {
		return fmt.Errorf("readyz: %w", withoutURL(err))
	}
	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("readyz: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("readyz: status %d", resp.StatusCode)
	}
	return nil
}

// dialAddr returns where to reach a server that listens on listenAddr.
func dialAddr(listenAddr string) (string, error) {
	host, port, err := net.SplitHostPort(listenAddr)
	if err != nil {
		return "", err
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

func withoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}
