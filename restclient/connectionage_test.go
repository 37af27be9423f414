package restclient_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/memorynet"
	"cvmgraph/restclient"
)

// TestConnections_nameMoves makes a call every second while the upstream's name moves to another
// address and the old address lives.
func TestConnections_nameMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls [2]atomic.Int64 // by address
		var listeners [2]*memorynet.Listener
		for i := range listeners {
			listeners[i] = memorynet.Listen()
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls[i].Add(1)
				onePageResponse(w, r)
			})}
			go func() { _ = server.Serve(listeners[i]) }()
			defer server.Close()
		}
		var address atomic.Int64
		client := newClient(t, restclient.Options{BaseURL: "http://upstream.test"})
		defer client.Close()
		client.SetDial(func(ctx context.Context, network, name string) (net.Conn, error) {
			return listeners[address.Load()].Dial(ctx, network, name)
		})
		call := func() {
			t.Helper()
			if _, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage); err != nil {
				t.Fatal(err)
			}
		}
		call()
		address.Store(1)
		begun := time.Now()
		for ; calls[1].Load() == 0 && time.Since(begun) < time.Hour; <-time.After(time.Second) {
			call()
		}
		if got := time.Since(begun); got < 2*time.Minute || got > 6*time.Minute {
			t.Errorf("got the first call at the new address after %s, want minutes", got)
		}
		old := calls[0].Load()
		call()
		if calls[0].Load() != old {
			t.Error("got a call at the old address after one at the new address")
		}
	})
}

// TestConnections_oldInUse checks with the real protocols that a call on a connection that becomes
// old ends well, and that the connection is closed after it.
func TestConnections_oldInUse(t *testing.T) {
	t.Parallel()
	for name, server := range startProtocols(t).servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, restclient.Options{BaseURL: server.URL + demo.BasePath, TLS: trusting(server)})
			defer client.Close()
			var open, dials atomic.Int64
			dial := client.Dial()
			client.SetDial(func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if err == nil {
					open.Add(1)
					dials.Add(1)
					conn = closeCounter{conn, &open}
				}
				return conn, err
			})
			cred := restclient.NewCredential(restclient.Headers{Authorization: "Bearer tenant"})
			for call := range 3 {
				if _, err := client.ListCvms(t.Context(), cred, onePage); err != nil {
					t.Fatal(err)
				}
				if got := dials.Load(); got != int64(call+1) {
					t.Errorf("got %d connections after %d calls on old ones, want one each", got, call+1)
				}
				client.AgeConnections()
			}
			client.CloseIdle()
			for begun := time.Now(); open.Load() > 0; <-time.After(5 * time.Millisecond) {
				client.CloseIdle()
				if time.Since(begun) > 10*time.Second {
					t.Fatalf("got %d open connections, want none", open.Load())
				}
			}
		})
	}
}

// closeCounter counts down when it is closed first.
type closeCounter struct {
	net.Conn

	open *atomic.Int64
}

func (c closeCounter) Close() error {
	err := c.Conn.Close()
	if err == nil {
		c.open.Add(-1)
	}
	return err
}
