package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Health requests /readyz, below a base path that may be empty, from the server that listens on
// listenAddr, an address in the format of net.Listen. It returns nil if the status is 200, and an
// error otherwise. If the host means every interface (":8080", "0.0.0.0:8080", "[::]:8080"), Health
// connects to 127.0.0.1. With overTLS, it does not verify the certificate: the request has no
// secrets, and the certificate is not for this address. Health waits at most 2 s and uses no proxy.
func Health(ctx context.Context, listenAddr, base string, overTLS bool) error {
	addr, err := dialAddr(listenAddr)
	if err != nil {
		return fmt.Errorf("readyz: %w", err)
	}
	const timeout = 2 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("no response within %s: %w", timeout, context.DeadlineExceeded))
	defer cancel()
	scheme := "http://"
	if overTLS {
		scheme = "https://"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+addr+base+readyzPath, nil)
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

func withoutURL(err error) error {
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		return withURL.Err
	}
	return err
}
