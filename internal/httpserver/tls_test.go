package httpserver_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/httpserver"
)

// files has the names of a certificate file and its key file.
type files struct{ cert, key string }

func newFiles(t *testing.T) files {
	t.Helper()
	dir := t.TempDir()
	return files{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
}

// replace writes a certificate for localhost with the serial number, and its key. The modification
// time of the files is the serial number in minutes.
func (f files) replace(t *testing.T, serial int64) {
	t.Helper()
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	signed := must(x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private))
	f.write(t, f.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), serial)
	f.write(t, f.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(private))}), serial)
}

func (f files) write(t *testing.T, name string, content []byte, minute int64) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(time.Duration(minute) * time.Minute)
	if err := os.Chtimes(name, at, at); err != nil {
		t.Fatal(err)
	}
}

// trusting returns a client that trusts only the certificate in the files.
func (f files) trusting(t *testing.T) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(must(os.ReadFile(f.cert))) {
		t.Fatal("got no certificate")
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, ServerName: "localhost"},
		ForceAttemptHTTP2: true,
	}}
}

// countingListener counts the connections that it has accepted.
type countingListener struct {
	net.Listener
	accepted atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

// runTLS starts a server with the certificate on a socket, and stops it after the test.
func runTLS(t *testing.T, f files, o httpserver.Options) *countingListener {
	t.Helper()
	o.Certificate = must(httpserver.OpenCertificate(f.cert, f.key, o.Logger))
	return runTCP(t, o)
}

// runTCP starts a server on a port of its own, and stops it when the test ends.
func runTCP(t *testing.T, o httpserver.Options) *countingListener {
	t.Helper()
	l := &countingListener{Listener: must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- httpserver.New(o).Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: got error %v, want none", err)
		}
	})
	return l
}

func TestTLS_versions(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	f.replace(t, 1)
	l := runTLS(t, f, httpserver.Options{GraphQL: echo()})
	for name, test := range map[string]struct {
		protocols []string // offered by ALPN
		most      uint16   // maximum TLS version
		want      string   // HTTP version; empty if the connection must fail
	}{
		"HTTP/2":              {protocols: []string{"h2", "http/1.1"}, most: tls.VersionTLS13, want: "HTTP/2.0"},
		"HTTP/2 over TLS 1.2": {protocols: []string{"h2"}, most: tls.VersionTLS12, want: "HTTP/2.0"},
		"HTTP/1.1":            {protocols: []string{"http/1.1"}, most: tls.VersionTLS13, want: "HTTP/1.1"},
		"no ALPN":             {most: tls.VersionTLS12, want: "HTTP/1.1"},
		"TLS 1.1":             {protocols: []string{"http/1.1"}, most: tls.VersionTLS11},
		"TLS 1.0":             {most: tls.VersionTLS10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := f.trusting(t)
			transport := client.Transport.(*http.Transport)
			transport.TLSClientConfig.MinVersion, transport.TLSClientConfig.MaxVersion = tls.VersionTLS10, test.most
			transport.TLSClientConfig.NextProtos = test.protocols
			transport.ForceAttemptHTTP2 = len(test.protocols) > 0 && test.protocols[0] == "h2"
			defer client.CloseIdleConnections()
			resp, err := client.Do(must(http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+l.Addr().String()+"/graphql", bytes.NewBufferString("x"))))
			if err != nil {
				if test.want != "" {
					t.Errorf("got error %v, want %s", err, test.want)
				}
				return
			}
			defer resp.Body.Close()
			if body := must(io.ReadAll(resp.Body)); resp.Proto != test.want || string(body) != "POST x" {
				t.Errorf("got %s and %q, want %s and the response", resp.Proto, body, test.want)
			}
		})
	}
}

func TestTLS_plainHTTP(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	f.replace(t, 1)
	l := runTLS(t, f, httpserver.Options{GraphQL: echo()})
	got := roundTrip(t, http.DefaultClient, must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/healthz", nil)))
	if got.status != http.StatusBadRequest {
		t.Errorf("got status %d, want 400", got.status)
	}
}

// TestTLS_maxStreams makes requests at once until they take a second connection.
func TestTLS_maxStreams(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	f.replace(t, 1)
	for requests, want := range map[int]int64{100: 1, 101: 2} {
		var begun sync.WaitGroup
		release := make(chan struct{})
		begun.Add(requests)
		hold := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			begun.Done()
			<-release
		})
		l := runTLS(t, f, httpserver.Options{GraphQL: hold})
		client := f.trusting(t)
		get := func(path string) response {
			return roundTrip(t, client, must(http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+l.Addr().String()+path, nil)))
		}
		get("/healthz") // the client now knows the limit
		var answered sync.WaitGroup
		for range requests {
			answered.Go(func() { get("/graphql") })
		}
		begun.Wait()
		if got := l.accepted.Load(); got != want {
			t.Errorf("%d requests at once: got %d connections, want %d", requests, got, want)
		}
		close(release)
		answered.Wait()
		client.CloseIdleConnections()
	}
}

func TestCertificate_replaced(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	f.replace(t, 1)
	var book logBook
	c := must(httpserver.OpenCertificate(f.cert, f.key, book.logger()))
	serial := func() int64 {
		t.Helper()
		<-time.After(1100 * time.Millisecond) // files are checked once a second
		return must(c.Get(nil)).Leaf.SerialNumber.Int64()
	}
	if got := must(c.Get(nil)).Leaf.SerialNumber.Int64(); got != 1 {
		t.Errorf("at first: got number %d, want 1", got)
	}
	f.replace(t, 2)
	if got := must(c.Get(nil)).Leaf.SerialNumber.Int64(); got != 1 {
		t.Errorf("within the second: got number %d, want 1 still", got)
	}
	if got := serial(); got != 2 {
		t.Errorf("afterwards: got number %d, want 2", got)
	}
	key := must(os.ReadFile(f.key))
	f.replace(t, 3)
	f.write(t, f.key, key, 3)
	if got := serial(); got != 2 {
		t.Errorf("with the key of another: got number %d, want 2 still", got)
	}
	serial()
	if got := book.lines("TLS certificate not reloaded; using the previous one"); len(got) != 1 || got[0]["level"] != "WARN" {
		t.Errorf("got lines %v, want one warning", got)
	}
	f.replace(t, 4)
	if got := serial(); got != 4 {
		t.Errorf("once both are there: got number %d, want 4", got)
	}
	if err := os.Remove(f.cert); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 4 {
		t.Errorf("without a file: got number %d, want 4 still", got)
	}
	if got := len(book.lines("TLS certificate reloaded")); got != 2 {
		t.Errorf("got %d lines of renewals, want 2", got)
	}
}

func TestOpenCertificate_invalid(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	if _, err := httpserver.OpenCertificate(f.cert, f.key, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without files: got %v, want %v", err, os.ErrNotExist)
	}
	f.replace(t, 1)
	f.write(t, f.key, []byte("no key"), 1)
	if _, err := httpserver.OpenCertificate(f.cert, f.key, nil); err == nil {
		t.Error("without a key: got a certificate, want an error")
	}
}

func TestHealth_overTLS(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	f.replace(t, 1)
	l := runTLS(t, f, httpserver.Options{GraphQL: echo()})
	err := httpserver.Health(t.Context(), l.Addr().String(), "", true)
	for begun := time.Now(); err != nil && strings.Contains(err.Error(), "no response within") && time.Since(begun) < time.Minute; {
		// On a busy machine, the handshake takes long.
		err = httpserver.Health(t.Context(), l.Addr().String(), "", true)
	}
	if err != nil {
		t.Errorf("got error %v, want none", err)
	}
	if err := httpserver.Health(t.Context(), l.Addr().String(), "", false); err == nil {
		t.Error("without TLS: got no error, want one")
	}
}

// TestTLS_callerNotReading requests more than the buffers of the connection hold, and does not
// read.
func TestTLS_callerNotReading(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	f.replace(t, 1)
	const timeout = time.Second // plus 5 s for writing the response
	chunk := make([]byte, 1<<20)
	flood := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	l := runTLS(t, f, httpserver.Options{GraphQL: flood, RequestTimeout: timeout})
	for name, protocols := range map[string][]string{"HTTP/1.1": {"http/1.1"}, "HTTP/2": {"h2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}}
			conn := must(dialer.DialContext(t.Context(), "tcp", l.Addr().String()))
			defer conn.Close()
			if name == "HTTP/2" {
				io.WriteString(conn, floodOverHTTP2())
			} else {
				io.WriteString(conn, "GET /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n")
			}
			begun := time.Now()
			for time.Since(begun) < 30*time.Second {
				<-time.After(100 * time.Millisecond)
				if _, err := conn.Write([]byte("\x00\x00\x00\x20\x00\x00\x00\x00\x00")); err != nil { // of no meaning in either
					break
				}
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("got the connection open after %s, want it closed", took)
			}
		})
	}
}

// floodOverHTTP2 opens an HTTP/2 connection with the maximum window and requests /graphql.
func floodOverHTTP2() string {
	const (
		preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
		settings = "\x00\x00\x06\x04\x00\x00\x00\x00\x00" + "\x00\x04\x7f\xff\xff\xff" // the largest window of a stream
		window   = "\x00\x00\x04\x08\x00\x00\x00\x00\x00" + "\x7f\x00\x00\x00"         // and of the connection
		fields   = "\x82\x87" + "\x04\x08/graphql" + "\x01\x09localhost"               // GET, https, the path, the host
	)
	return preface + settings + window + "\x00\x00" + string(rune(len(fields))) + "\x01\x05\x00\x00\x00\x01" + fields
}
