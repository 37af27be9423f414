package restclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// protocols are servers of the same faulty upstream, by their protocol.
type protocols struct {
	upstream *faulty.Upstream
	servers  map[string]*httptest.Server
}

func startProtocols(t *testing.T) protocols {
	t.Helper()
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")
	first := httptest.NewUnstartedServer(upstream)
	first.Config.ErrorLog = log.New(io.Discard, "", 0)
	first.Start()
	servers := map[string]*httptest.Server{"HTTP/1.1": first, "HTTP/2": faulty.NewHTTP2Server(upstream, nil)}
	for _, server := range servers {
		t.Cleanup(server.Close)
	}
	return protocols{upstream, servers}
}

// trusting returns a configuration that trusts the server's certificate, if it has one.
func trusting(server *httptest.Server) *tls.Config {
	if server.Certificate() == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

const (
	attemptTimeout = 3 * time.Second // a page takes less, even if other programs use the machine
	timedOut       = "upstream did not respond within 3s"
)

// outcome is the end of a call: the type and the kind of the error, and the number of calls at the
// upstream.
type outcome struct {
	end   string
	calls int
}

// call makes a call of a new client that meets a fault.
func (p protocols) call(t *testing.T, protocol, fault string, when faulty.When) outcome {
	t.Helper()
	token := p.upstream.Token(fault, when, protocol)
	credential := restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + token})
	server, timeout := p.servers[protocol], time.Minute
	if wantAlways(fault).end == timedOut {
		timeout = attemptTimeout
	}
	client := newClient(t, restclient.Options{BaseURL: server.URL + demo.BasePath, Timeout: timeout, TLS: trusting(server)})
	page, err := client.ListCvms(t.Context(), credential, restclient.PageRequest{Page: 1, PageSize: 30})
	end := "a page"
	var network *restclient.NetworkError
	switch {
	case errors.As(err, &network):
		end = network.Kind
		if fault == "reset-in-header" && end == restclient.KindClosed { // net/http may hide a reset there
			end = restclient.KindReset
		}
	case err != nil:
		end = err.Error()
	case len(page.Items) != 30:
		end = fmt.Sprintf("%d items", len(page.Items))
	}
	if err != nil && (strings.Contains(err.Error(), faulty.Secret) || strings.Contains(err.Error(), "127.0.0.1")) {
		t.Errorf("got %v, want nothing of the response or the address", err)
	}
	return outcome{end, p.upstream.Calls(token)}
}

// wantAlways returns the outcome of a fault that each call meets.
func wantAlways(fault string) outcome {
	const truncated = "the upstream's response is not a valid page: it is truncated"
	switch {
	case fault == "last-response":
		return outcome{"a page", 1}
	case strings.HasPrefix(fault, "hang"), strings.HasPrefix(fault, "drip"):
		return outcome{timedOut, 3}
	case fault == "not-http", fault == "large-header":
		return outcome{restclient.KindProtocol, 1}
	case strings.HasPrefix(fault, "reset"):
		return outcome{restclient.KindReset, 3}
	case strings.HasPrefix(fault, "truncated"), strings.HasPrefix(fault, "goaway-in-body"):
		return outcome{truncated, 3}
	case fault == "503":
		return outcome{"upstream responded with status 503", 3}
	case fault == "404":
		return outcome{"upstream responded with status 404", 1}
	}
	return outcome{restclient.KindClosed, 3}
}

// rareCode matches the faults that only a full test checks.
var rareCode = regexp.MustCompile("-(flow-control-error|settings-timeout|stream-closed|frame-size-error|compression-error|connect-error|inadequate-security)$")

func TestListCvms_faultsOverBothProtocols(t *testing.T) {
	t.Parallel()
	p := startProtocols(t)
	check := func(protocol, fault string) {
		want := wantAlways(fault)
		if got := p.call(t, protocol, fault, faulty.Always); got != want {
			t.Errorf("%s, %s always: got %+v, want %+v", protocol, fault, got, want)
		}
		if want.calls > 1 {
			want = outcome{"a page", 2}
		}
		if got := p.call(t, protocol, fault, faulty.Once); got != want {
			t.Errorf("%s, %s once: got %+v, want %+v", protocol, fault, got, want)
		}
	}
	var group sync.WaitGroup
	defer group.Wait()
	slots := make(chan struct{}, 16) // most of the time is spent in pauses
	for _, fault := range append(p.upstream.HTTP2Faults(), "503", "404", "hang", "hang-in-body", "drip") {
		if !testmode.Full() && rareCode.MatchString(fault) {
			continue
		}
		for protocol := range p.servers {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				check(protocol, fault)
			})
		}
	}
}

// TestListCvms_connectionFaultsOverHTTP2 counts connections, because these faults precede requests.
func TestListCvms_connectionFaultsOverHTTP2(t *testing.T) {
	t.Parallel()
	for name, greet := range map[string]func(*http2.Framer){
		"GOAWAY": func(f *http2.Framer) { _ = f.WriteSettings(); _ = f.WriteGoAway(0, http2.ErrCodeNo, nil) },
		"GOAWAY with a code": func(f *http2.Framer) {
			_ = f.WriteSettings()
			_ = f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte(faulty.Secret))
		},
		"invalid settings": func(f *http2.Framer) {
			_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31})
		},
		"no settings":        func(f *http2.Framer) { _ = f.WritePing(false, [8]byte{}) },
		"a frame of HTTP/1.": func(f *http2.Framer) { _ = f.WriteRawFrame(0x54, 0x54, 0x502f312e, []byte("400 Bad Request\r\n\r\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			server := faulty.NewHTTP2Server(nil, func(f *http2.Framer) { connections.Add(1); greet(f) })
			t.Cleanup(server.Close)
			client := newClient(t, restclient.Options{BaseURL: server.URL, TLS: trusting(server), Timeout: 5 * time.Second})
			_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
			var network *restclient.NetworkError
			if !errors.As(err, &network) || network.Kind != restclient.KindClosed || connections.Load() != 3 {
				t.Errorf("got error %v after %d connections, want closed after 3", err, connections.Load())
			}
		})
	}
}

func TestNetworkError_http2Code(t *testing.T) {
	t.Parallel()
	p := startProtocols(t)
	server := p.servers["HTTP/2"]
	client := newClient(t, restclient.Options{BaseURL: server.URL + demo.BasePath, TLS: trusting(server)})
	token := p.upstream.Token("reset-refused-stream", faulty.Always, "")
	_, err := client.ListCvms(t.Context(), restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + token}), onePage)
	if got, want := fmt.Sprint(err), "upstream connection failed: reset (REFUSED_STREAM)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestListCvms_sharesConnections makes concurrent calls over HTTP/2.
func TestListCvms_sharesConnections(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")
	server := faulty.NewHTTP2Server(upstream, nil)
	t.Cleanup(server.Close)
	client := newClient(t, restclient.Options{BaseURL: server.URL + demo.BasePath, TLS: trusting(server)})
	dialer := &net.Dialer{}
	client.SetDial(func(ctx context.Context, network, address string) (net.Conn, error) {
		connections.Add(1)
		return dialer.DialContext(ctx, network, address)
	})
	for range 3 {
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				credential := restclient.NewCredential(restclient.Headers{Authorization: "Bearer healthy"})
				if _, err := client.ListCvms(t.Context(), credential, onePage); err != nil {
					t.Errorf("got error %v, want a page", err)
				}
			})
		}
		group.Wait()
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}
