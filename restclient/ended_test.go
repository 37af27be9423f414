package restclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/restclient"
)

// TestRetry_callerLeavesAfterPage cancels a call when a retry has a page. Nobody else can release
// that page.
func TestRetry_callerLeavesAfterPage(t *testing.T) {
	t.Parallel()
	inMemory(t, onePageResponse, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		released := 0
		page, err := client.Retry(ctx, &restclient.StatusError{StatusCode: http.StatusServiceUnavailable}, func() (restclient.RawPage, error) {
			cancel()
			return restclient.PageReleasedBy(func() { released++ }), nil
		})
		if err == nil {
			page.Release()
		} else if !errors.Is(err, context.Canceled) || page.Body != nil {
			t.Errorf("got a body of %d bytes and error %v, want none and context.Canceled", len(page.Body), err)
		}
		if released != 1 {
			t.Errorf("got %d releases, want 1", released)
		}
	})
}

// TestBody_attemptEnds reads a body that ends because its attempt does. It is not truncated.
func TestBody_attemptEnds(t *testing.T) {
	t.Parallel()
	inMemory(t, onePageResponse, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		body := io.NopCloser(io.MultiReader(strings.NewReader(`{"items":`), failingReader{}))
		for _, canceled := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			if canceled {
				cancel()
			}
			err := client.ReadBody(ctx, &http.Response{Body: body, ContentLength: -1})
			var invalid *restclient.InvalidResponseError
			if truncated := errors.As(err, &invalid) && invalid.Reason == restclient.ReasonTruncated; truncated == canceled {
				t.Errorf("canceled %t: got error %v", canceled, err)
			}
			cancel()
		}
	})
}

// failingReader is a connection that has ended.
type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestConnections_callerLeaves cancels a call on one of two connections. The other one is used for
// the next call.
func TestConnections_callerLeaves(t *testing.T) {
	t.Parallel()
	var hang atomic.Bool
	var both chan struct{}
	upstream := func(w http.ResponseWriter, r *http.Request) {
		if hang.Load() {
			<-r.Context().Done()
			return
		}
		<-both
		onePageResponse(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		both = make(chan struct{})
		dials := counted(client, client.Dial())
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() { _, _ = client.ListCvms(t.Context(), as(1), onePage) })
		}
		synctest.Wait()
		close(both)
		group.Wait()
		hang.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.ListCvms(ctx, as(1), onePage); err == nil {
			t.Error("got a page from an upstream that hangs")
		}
		hang.Store(false)
		if _, err := client.ListCvms(t.Context(), as(1), onePage); err != nil || dials.Load() != 2 {
			t.Errorf("got error %v after %d dials, want none after 2", err, dials.Load())
		}
	})
}

// TestConnections_proxyHangs dials through a SOCKS proxy that accepts a connection and then says
// nothing. The dial that all callers share ends, and the next one succeeds or fails by itself.
func TestConnections_proxyHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := restclient.New(restclient.Options{BaseURL: "https://upstream.test", Timeout: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		client.SetProxy(&url.URL{Scheme: "socks5", Host: "proxy.test:1080"})
		dials := counted(client, func(context.Context, string, string) (net.Conn, error) {
			conn, proxy := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, proxy) }()
			return conn, nil
		})
		for range 2 {
			if _, err := client.ListCvms(t.Context(), as(1), onePage); err == nil {
				t.Error("got a page through a proxy that hangs")
			}
			<-time.After(time.Minute)
		}
		if dials.Load() != 2 {
			t.Errorf("got %d dials, want 2", dials.Load())
		}
	})
}

// TestConnections_noIPv6 dials an address of IPv6 on a machine that has none. That is no lack of
// ports.
func TestConnections_noIPv6(t *testing.T) {
	t.Parallel()
	inMemory(t, onePageResponse, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		client.SetDial(func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{
				Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv6loopback, Port: 443}, Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL),
			}
		})
		_, err := client.ListCvms(t.Context(), as(1), onePage)
		var failure *restclient.NetworkError
		if !errors.As(err, &failure) || failure.Kind != restclient.KindUnreachable {
			t.Errorf("got error %v, want a *NetworkError, unreachable", err)
		}
	})
}
