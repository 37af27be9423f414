package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// selfSigned returns files with a certificate for localhost and its key, and a pool with the
// certificate.
func selfSigned(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	return selfSignedFor(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
}

// selfSignedFor is like selfSigned, with a validity period.
func selfSignedFor(t *testing.T, from, until time.Time) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost", proxiedHost},
		NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for name, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: signed},
		key:  {Type: "PRIVATE KEY", Bytes: encoded},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	leaf, err := x509.ParseCertificate(signed)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(leaf)
	return cert, key, pool
}

func TestTLS_flags(t *testing.T) {
	t.Parallel()
	cert, key, pool := selfSigned(t)
	p := start(t, "--demo", "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") || !strings.Contains(p.logged(), `"open":"https://127.0.0.1:`) {
		t.Errorf("got %s, want https addresses", p.logged())
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}, ForceAttemptHTTP2: true,
	}}
	defer client.CloseIdleConnections()
	response, err := client.Post(p.url+"/graphql", "application/json", strings.NewReader(`{"query":"{ __typename }"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil || response.Proto != "HTTP/2.0" || string(got) != `{"data":{"__typename":"Query"}}` {
		t.Errorf("got %s, %s, %v, want data over HTTP/2.0", response.Proto, got, err)
	}

	address := "--listen=" + strings.TrimPrefix(p.url, "https://")
	for name, test := range map[string]struct {
		args, environ []string
		want          int
	}{
		"health with flags": {
			args: []string{"health", address, "--tls-cert", cert, "--tls-key", key}, want: exitOK,
		},
		"health with variables": {
			args:    []string{"health", address},
			environ: []string{"CVMGRAPH_TLS_CERT=" + cert, "CVMGRAPH_TLS_KEY=" + key}, want: exitOK,
		},
		"health without TLS": {
			args: []string{"health", address}, want: exitFailure,
		},
		"a key without a certificate": {
			args: []string{"--demo", address, "--tls-key", key}, want: exitUsage,
		},
		"a key file without a key": {
			args: []string{"--demo", address, "--tls-cert", cert, "--tls-key", cert}, want: exitUsage,
		},
	} {
		if got := run(t, test.environ, test.args...); got.code != test.want {
			t.Errorf("%s: got exit code %d and %s, want %d", name, got.code, got.stderr, test.want)
		}
	}
}
