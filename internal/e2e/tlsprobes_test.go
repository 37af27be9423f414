package e2e_test

import (
	"io"
	"net"
	"strings"
	"testing"
)

// TestTLS_probes opens connections to the TLS port as load balancers do, which close or reset them
// at once, and as clients do that speak plain HTTP. The first are no warnings, and the second are
// one.
func TestTLS_probes(t *testing.T) {
	t.Parallel()
	cert, key, _ := selfSigned(t)
	p := start(t, "--demo", "--log-level=debug", "--tls-cert", cert, "--tls-key", key)
	address := strings.TrimPrefix(p.url, "https://")
	const each = 5
	for range each {
		for _, sent := range []string{"", "reset", "GET / HTTP/1.1\r\n\r\n"} {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			if tcp, ok := conn.(*net.TCPConn); ok && sent == "reset" {
				_ = tcp.SetLinger(0) // Close resets the connection
			} else if _, err := io.WriteString(conn, sent); err != nil {
				t.Error(err)
			} else if sent != "" {
				_, _ = io.ReadAll(conn)
			}
			_ = conn.Close()
		}
	}
	count := func(level string) (n int) {
		for line := range strings.Lines(p.logged()) {
			if strings.Contains(line, "TLS handshake error") && strings.Contains(line, `"level":"`+level+`"`) {
				n++
			}
		}
		return n
	}
	waitFor(t, func() bool { return count("WARN")+count("DEBUG") == 3*each })
	if got := count("WARN"); got != 1 {
		t.Errorf("got %d warnings, want 1: %s", got, p.logged())
	}
}
