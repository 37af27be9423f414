package restclient_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"cvmgraph/restclient"
)

// hangUp calls act with the request's connection, and closes the connection.
func hangUp(act func(*net.TCPConn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		act(conn.(*net.TCPConn))
		_ = conn.Close()
	}
}

func TestListCvms_networkErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		client func(*testing.T) *restclient.Client
		want   string
	}{
		"reset before the response":  {client: served(hangUp(func(c *net.TCPConn) { _ = c.SetLinger(0) })), want: restclient.KindReset},
		"closed before the response": {client: served(hangUp(func(*net.TCPConn) {})), want: restclient.KindClosed},
		"closed inside the header": {
			client: served(hangUp(func(c *net.TCPConn) { _, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n")) })),
			want:   restclient.KindClosed,
		},
		"no HTTP":              {client: served(hangUp(func(c *net.TCPConn) { _, _ = c.Write([]byte("SSH-2.0-x\r\n\r\n")) })), want: restclient.KindProtocol},
		"refused":              {client: refused, want: restclient.KindRefused},
		"unknown host":         {client: dialing(&net.DNSError{Err: "no such host", Name: "s3cret", IsNotFound: true}), want: restclient.KindDNS},
		"no route":             {client: dialing(&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}), want: restclient.KindUnreachable},
		"an unknown authority": {client: overTLS(nil), want: restclient.KindTLS},
		"an old TLS":           {client: overTLS(&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}), want: restclient.KindTLS},
		"no TLS":               {client: plainForHTTPS, want: restclient.KindTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.client(t).ListCvms(t.Context(), restclient.NewCredential(restclient.Headers{APIKey: "s3cret"}), onePage)
			var network *restclient.NetworkError
			if !errors.As(err, &network) || network.Kind != tt.want {
				t.Fatalf("got error %v, want a *NetworkError of kind %s", err, tt.want)
			}
			if shown := fmt.Sprintf("%v %#v", err, err); strings.Contains(shown, "127.0.0.1") || strings.Contains(shown, "s3cret") {
				t.Errorf("got %s, want no address and no credential", shown)
			}
		})
	}
}

func served(handler http.HandlerFunc) func(*testing.T) *restclient.Client {
	return func(t *testing.T) *restclient.Client {
		t.Helper()
		return clientOf(t, handler)
	}
}

func refused(t *testing.T) *restclient.Client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return newClient(t, restclient.Options{BaseURL: "http://" + listener.Addr().String()})
}

func dialing(err error) func(*testing.T) *restclient.Client {
	return func(t *testing.T) *restclient.Client {
		t.Helper()
		client := newClient(t, restclient.Options{BaseURL: "http://upstream.test"})
		client.SetDial(func(context.Context, string, string) (net.Conn, error) { return nil, err })
		return client
	}
}

func overTLS(trust *tls.Config) func(*testing.T) *restclient.Client {
	return func(t *testing.T) *restclient.Client {
		t.Helper()
		server := quiet(t, func(http.ResponseWriter, *http.Request) { t.Errorf("got a request, want none") })
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
		server.StartTLS()
		return newClient(t, restclient.Options{BaseURL: server.URL, TLS: trust})
	}
}

func plainForHTTPS(t *testing.T) *restclient.Client {
	t.Helper()
	server := quiet(t, func(http.ResponseWriter, *http.Request) {})
	server.Start()
	return newClient(t, restclient.Options{BaseURL: strings.Replace(server.URL, "http:", "https:", 1)})
}

func TestListCvms_proxyRejects(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		handler    http.HandlerFunc
		wantKind   string
		wantStatus int
	}{
		"a missing password": {
			handler:    rejecting(http.StatusProxyAuthRequired),
			wantKind:   restclient.KindProxy,
			wantStatus: http.StatusProxyAuthRequired,
		},
		"a rule":              {handler: rejecting(http.StatusForbidden), wantKind: restclient.KindProxy, wantStatus: http.StatusForbidden},
		"no route":            {handler: rejecting(http.StatusBadGateway), wantKind: restclient.KindProxy, wantStatus: http.StatusBadGateway},
		"another 2xx":         {handler: rejecting(http.StatusNoContent), wantKind: restclient.KindProxy, wantStatus: http.StatusNoContent},
		"a closed connection": {handler: hangUp(func(*net.TCPConn) {}), wantKind: restclient.KindClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				tt.handler(w, r)
			})
			server.Start()
			proxy, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			proxy.User = url.UserPassword("user", "s3cret")
			client := newClient(t, restclient.Options{BaseURL: "https://upstream.invalid"})
			client.SetProxy(proxy)
			_, err = client.ListCvms(t.Context(), restclient.NewCredential(restclient.Headers{APIKey: "s3cret"}), onePage)
			var network *restclient.NetworkError
			if !errors.As(err, &network) || network.Kind != tt.wantKind || network.ProxyStatus != tt.wantStatus {
				t.Fatalf("got error %v, want a *NetworkError of kind %s with status %d", err, tt.wantKind, tt.wantStatus)
			}
			if tt.wantKind == restclient.KindProxy && calls.Load() != 1 {
				t.Errorf("got %d calls, want one", calls.Load())
			}
			if shown := fmt.Sprintf("%v %#v", err, err); strings.Contains(shown, "127.0.0.1") || strings.Contains(shown, "s3cret") || strings.Contains(shown, "invalid") {
				t.Errorf("got %s, want no address, no credential, and no words of the proxy", shown)
			}
		})
	}
}

// rejecting rejects a tunnel with a status.
func rejecting(status int) http.HandlerFunc {
	return hangUp(func(c *net.TCPConn) { _, _ = fmt.Fprintf(c, "HTTP/1.1 %d s3cret words\r\n\r\n", status) })
}

func TestListCvms_dialTimeout(t *testing.T) {
	t.Parallel()
	client := dialing(&net.DNSError{Err: "i/o timeout", IsTimeout: true})(t)
	_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
	wantTimeout(t, err, 0)
}

func TestListCvms_unusableResponses(t *testing.T) {
	t.Parallel()
	page := string(pageOf(1, exampleItem(t)))
	write := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	encoded := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte(body))
		}
	}
	zipped := gzipped(t, page)
	corrupt := []byte(zipped)
	corrupt[len(corrupt)-5] ^= 1 // in the checksum
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    restclient.Reason
	}{
		"a page":         {handler: write(page)},
		"a page in gzip": {handler: encoded(zipped)},
		"HTML":           {handler: write("<html></html>"), want: restclient.ReasonNotJSON},
		"nothing":        {handler: write(""), want: restclient.ReasonTruncated},
		"text after it":  {handler: write(page + "x"), want: restclient.ReasonNotJSON},
		"half a page":    {handler: write(page[:len(page)/2]), want: restclient.ReasonTruncated},
		"less than announced": {
			handler: hangUp(func(c *net.TCPConn) { _, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")) }),
			want:    restclient.ReasonTruncated,
		},
		"half of its chunks": {
			handler: hangUp(func(c *net.TCPConn) {
				_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"))
			}),
			want: restclient.ReasonTruncated,
		},
		"half its gzip":                {handler: encoded(zipped[:len(zipped)/2]), want: restclient.ReasonTruncated},
		"gzip in name only":            {handler: encoded(page), want: restclient.ReasonEncoding},
		"a wrong checksum":             {handler: encoded(string(corrupt)), want: restclient.ReasonEncoding},
		"gzip without a header":        {handler: write(zipped), want: restclient.ReasonNotJSON},
		"a large announced length":     {handler: announced(16<<20 + 1), want: restclient.ReasonTooLarge},
		"the largest announced length": {handler: announced(1 << 62), want: restclient.ReasonTooLarge},
		"16 MiB, announced":            {handler: write(page + strings.Repeat(" ", 16<<20-len(page)))},
		"16 MiB in chunks":             {handler: chunked(page, 16<<20)},
		"a byte more than 16 MiB":      {handler: chunked(page, 16<<20+1), want: restclient.ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := clientOf(t, tt.handler).ListCvms(t.Context(), restclient.Credential{}, onePage)
			if got := reasonOf(t, err); got != tt.want {
				t.Errorf("got reason %q, want %q", got, tt.want)
			}
		})
	}
}

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b strings.Builder
	zip := gzip.NewWriter(&b)
	_, _ = zip.Write([]byte(content))
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bombOf returns the given number of MiB as gzip, with one member for each MiB.
func bombOf(t *testing.T, mebibytes int) string {
	t.Helper()
	return strings.Repeat(gzipped(t, strings.Repeat(" ", 1<<20)), mebibytes)
}

// announced announces a length and sends two bytes.
func announced(length int64) http.HandlerFunc {
	return hangUp(func(c *net.TCPConn) { _, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{}", length) })
}

// chunked sends the page and white space up to a length that it does not announce.
func chunked(page string, length int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(page))
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write([]byte(strings.Repeat(" ", length-len(page))))
	}
}

//nolint:paralleltest // it measures the allocations of the whole process
func TestListCvms_hugeResponse(t *testing.T) {
	chunk := []byte(strings.Repeat(" ", 1<<20))
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 200 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	wantTooLargeWithin(t, client, 64<<20)
}

//nolint:paralleltest // it measures the allocations of the whole process
func TestListCvms_compressionBomb(t *testing.T) {
	bomb := bombOf(t, 200)
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte(bomb))
	})
	wantTooLargeWithin(t, client, 64<<20)
}

// wantTooLargeWithin checks that the response is rejected, with at most the given number of bytes
// allocated.
func wantTooLargeWithin(t *testing.T, client *restclient.Client, memory uint64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
	runtime.ReadMemStats(&after)
	if got := reasonOf(t, err); got != restclient.ReasonTooLarge {
		t.Errorf("got reason %q, want %q", got, restclient.ReasonTooLarge)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > memory {
		t.Errorf("got %d bytes allocated, want at most %d", got, memory)
	}
}
