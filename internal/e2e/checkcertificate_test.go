package e2e_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/check"
	"cvmgraph/internal/demo"
)

// securedDemo serves the demo upstream with a certificate and returns its port.
func securedDemo(t *testing.T, cert, key string) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(demo.New(demo.Options{}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func dateOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func TestCheck_upstreamCertificate(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := time.Now()
	for name, test := range map[string]struct {
		from, until time.Time // of the certificate
		host        string
		trusted     bool
		want, says  string // see checkCase
	}{
		"of an unknown authority": {
			from: now.Add(-time.Hour), until: now.Add(time.Hour), host: "localhost",
			want: "oof----",
			says: "signed by an unknown authority: to trust a private authority, set SSL_CERT_FILE",
		},
		"expired": {
			from: now.Add(-9 * day), until: now.Add(-2 * day), host: "localhost", trusted: true,
			want: "oof----", says: "expired on " + dateOf(now.Add(-2*day)),
		},
		"not valid yet": {
			from: now.Add(2 * day), until: now.Add(9 * day), host: "localhost", trusted: true,
			want: "oof----", says: "is not valid before " + dateOf(now.Add(2*day)),
		},
		"for another host": {
			from: now.Add(-time.Hour), until: now.Add(time.Hour), host: "127.0.0.1", trusted: true,
			want: "oof----", says: "is for another host name",
		},
		"valid": {
			from: now.Add(-time.Hour), until: now.Add(8*day + time.Hour), host: "localhost", trusted: true,
			want: "ooooooo", says: "is trusted, and valid until " + dateOf(now.Add(8*day+time.Hour)) + " (8 days left)",
		},
		"valid for a day": {
			from: now.Add(-time.Hour), until: now.Add(36 * time.Hour), host: "localhost", trusted: true,
			want: "oowoooo",
			says: "is trusted, but valid only until " + dateOf(now.Add(36*time.Hour)) + " (1 day left): its operator must renew it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, key, _ := selfSignedFor(t, test.from, test.until)
			address := net.JoinHostPort(test.host, securedDemo(t, cert, key))
			var environ []string
			if test.trusted {
				environ = append(environ, "SSL_CERT_FILE="+cert)
			}
			got := runCheck(t, environ, "--token="+checkSecret, "--upstream-url=https://"+address+demo.BasePath)
			report := got.report(t)
			message := step(t, report, check.StepTLS).Message
			if statuses(report) != test.want+"---" || !strings.Contains(message, test.says) || (got.code == exitOK) != report.OK {
				t.Errorf("got %s, code %d and %q, want %s--- and %q", statuses(report), got.code, message, test.want, test.says)
			}
			got.checkOutput(t, address)
		})
	}
}

// TestCheck_noCertificateAuthorities sets SSL_CERT_FILE to a directory, so that there are no
// trusted authorities.
func TestCheck_noCertificateAuthorities(t *testing.T) {
	t.Parallel()
	cert, key, _ := selfSignedFor(t, time.Now().Add(-time.Hour), time.Now().AddDate(0, 1, 0))
	directory := t.TempDir()
	got := runCheck(t, []string{"SSL_CERT_FILE=" + directory, "SSL_CERT_DIR=" + t.TempDir()}, "--token="+checkSecret,
		"--upstream-url=https://localhost:"+securedDemo(t, cert, key)+demo.BasePath)
	report := got.report(t)
	const want = "no trusted certificate authorities: set SSL_CERT_FILE to a readable file"
	message := step(t, report, check.StepTLS).Message
	if statuses(report) != "oof-------" || !strings.Contains(message, want) {
		t.Errorf("got %s and %q, want oof------- and %q", statuses(report), message, want)
	}
	got.checkOutput(t, directory)
}

func TestCheck_ownCertificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		from, until time.Time
		want        check.Status
		says        string
	}{
		"valid": {
			from: now, until: now.AddDate(0, 0, 30).Add(time.Hour), want: check.StatusOK, says: "(30 days left)",
		},
		"valid for six days": {
			from: now, until: now.AddDate(0, 0, 6).Add(time.Hour), want: check.StatusWarning, says: "(6 days left): renew it",
		},
		"valid for an hour": {
			from: now, until: now.Add(time.Hour), want: check.StatusWarning, says: "(less than a day left)",
		},
		"expired": {
			from: now.AddDate(0, 0, -30), until: now.Add(-time.Hour),
			want: check.StatusFailed, says: "expired on " + dateOf(now.Add(-time.Hour)),
		},
		"not valid yet": {
			from: now.AddDate(0, 0, 3), until: now.AddDate(0, 0, 30), want: check.StatusFailed, says: "is not valid before",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, key, _ := selfSignedFor(t, test.from, test.until)
			got := runCheck(t, nil, "--demo", "--tls-cert", cert, "--tls-key", key)
			own := step(t, got.report(t), check.StepCertificate)
			if own.Status != test.want || !strings.Contains(own.Message, test.says) ||
				(got.code == exitFailure) != (test.want == check.StatusFailed) {
				t.Errorf("got code %d and %+v, want %s and %q", got.code, own, test.want, test.says)
			}
			if strings.Contains(got.stdout, cert) {
				t.Errorf("got the file in %s", got.stdout)
			}
		})
	}
}
