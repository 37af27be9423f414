package restclient_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/testing/memorynet"
	"cvmgraph/restclient"
)

// counted makes the client count its dials.
func counted(client *restclient.Client, dial func(context.Context, string, string) (net.Conn, error)) *atomic.Int64 {
	var dials atomic.Int64
	client.SetDial(func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return dial(ctx, network, address)
	})
	return &dials
}

func TestConnections_idle(t *testing.T) {
	t.Parallel()
	inMemory(t, onePageResponse, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		dials := counted(client, client.Dial())
		fetch := func(wantDials int64) {
			t.Helper()
			if _, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage); err != nil || dials.Load() != wantDials {
				t.Errorf("got error %v after %d dials, want none after %d", err, dials.Load(), wantDials)
			}
		}
		fetch(1)
		<-time.After(89 * time.Second)
		fetch(1)
		<-time.After(89 * time.Second)
		fetch(1)
		<-time.After(180 * time.Second) // a sweep can come late by the time of one
		fetch(2)
		client.Close()
		fetch(3)
	})
}

// TestConnections_lost makes calls of a client with several idle connections that the upstream
// closes at their next request, as a proxy does that has lost their state.
func TestConnections_lost(t *testing.T) {
	t.Parallel()
	const connections = 5
	var calls atomic.Int64
	var gate chan struct{}
	used := sync.Map{}
	upstream := func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if _, again := used.LoadOrStore(r.RemoteAddr, true); again {
			panic(http.ErrAbortHandler)
		}
		<-gate
		onePageResponse(w, r)
	}
	synctest.Test(t, func(t *testing.T) {
		gate = make(chan struct{})
		client := newClient(t, restclient.Options{BaseURL: "http://upstream.test"})
		serveNamed(t, client, upstream)
		wait := callAll(t.Context(), client, connections)
		synctest.Wait()
		close(gate)
		if got := wait(); got[""] != connections {
			t.Errorf("got %v, want %d pages", got, connections)
		}
		calls.Store(0)
		page, err := client.Fetch(t.Context(), restclient.Credential{}, onePage)
		if err != nil || page.Attempts != 2 || calls.Load() != 2 {
			t.Errorf("got error %v after %d attempts and %d calls, want a page after 2", err, page.Attempts, calls.Load())
		}
	})
}

// namedConn is a connection whose remote address is unique.
type namedConn struct {
	net.Conn

	name string
}

func (c namedConn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: c.name} }

// namedListener gives each connection another remote address.
type namedListener struct {
	*memorynet.Listener

	accepted int
}

func (l *namedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.accepted++
	return namedConn{conn, string(rune('a' + l.accepted))}, nil
}

// serveNamed serves the client's connections in memory. Each has another remote address.
func serveNamed(t *testing.T, client *restclient.Client, handler http.HandlerFunc) {
	t.Helper()
	listener := memorynet.Listen()
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(&namedListener{Listener: listener}) }()
	t.Cleanup(func() { _ = server.Close() })
	client.SetDial(listener.Dial)
}

func TestConnections_callerLeavesDuringDial(t *testing.T) {
	t.Parallel()
	inMemory(t, onePageResponse, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		dial, proceed := client.Dial(), make(chan struct{})
		dials := counted(client, func(ctx context.Context, network, address string) (net.Conn, error) {
			<-proceed
			return dial(ctx, network, address)
		})
		ctx, cancel := context.WithCancel(t.Context())
		leaving := callAll(ctx, client, 1)
		synctest.Wait()
		cancel()
		if got := leaving(); got["upstream call canceled by its caller"] != 1 {
			t.Errorf("got %v, want a canceled call", got)
		}
		close(proceed)
		synctest.Wait()
		if _, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage); err != nil || dials.Load() != 1 {
			t.Errorf("got error %v after %d dials, want the connection of the caller that left", err, dials.Load())
		}
	})
}

// TestConnections_sharedDialFails makes concurrent first calls to an upstream with TLS, which can
// share the connection that is dialed.
func TestConnections_sharedDialFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, restclient.Options{BaseURL: "https://upstream.test"})
		dials := counted(client, func(context.Context, string, string) (net.Conn, error) {
			<-time.After(time.Second)
			return nil, &net.OpError{Op: "dial", Err: errors.New("s3cret")}
		})
		start := time.Now()
		if got := callAll(t.Context(), client, 50)(); got["upstream connection failed: other"] != 50 || dials.Load() != 1 {
			t.Errorf("got %v after %d dials, want 50 failures after 1", got, dials.Load())
		}
		wantAfter(t, start, time.Second, time.Second+1)
	})
}

func TestConnections_address(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"http://upstream.test":        "upstream.test:80",
		"https://upstream.test/api":   "upstream.test:443",
		"http://upstream.test:8080":   "upstream.test:8080",
		"http://127.0.0.1":            "127.0.0.1:80",
		"https://[::1]":               "[::1]:443",
		"http://my_upstream":          "my_upstream:80",
		"https://b\u00fccher.example": "xn--bcher-kva.example:443",
	} {
		client := newClient(t, restclient.Options{BaseURL: base})
		got := ""
		client.SetDial(func(_ context.Context, _, address string) (net.Conn, error) {
			got = address
			return nil, &net.DNSError{IsNotFound: true}
		})
		_, _ = client.Fetch(t.Context(), restclient.Credential{}, onePage)
		if got != want {
			t.Errorf("%s: got address %q, want %q", base, got, want)
		}
	}
}
