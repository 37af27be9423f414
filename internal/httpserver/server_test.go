package httpserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/httpserver"
)

// slow responses after a time, and sooner with the cause if the request's context is done.
func slow(d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(d):
			io.WriteString(w, "done")
		case <-r.Context().Done():
			http.Error(w, context.Cause(r.Context()).Error(), http.StatusServiceUnavailable)
		}
	})
}

func TestRun_drain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, httpserver.Options{GraphQL: slow(20 * time.Second), DrainDelay: 5 * time.Second})
		if got := r.get(t, "/readyz"); got.status != http.StatusOK || got.body != `{"status":"ready"}` || got.last {
			t.Errorf("before: got status %d, %s, last %v, want 200, ready and false", got.status, got.body, got.last)
		}
		begun := time.Now()
		responses := make(chan response, 2)
		ask := func() { responses <- r.get(t, "/graphql") }
		go ask()
		synctest.Wait() // the request is in progress
		r.stop()
		synctest.Wait() // the server is draining

		got := r.get(t, "/readyz")
		if got.status != http.StatusServiceUnavailable || got.body != `{"status":"draining"}` || !got.last {
			t.Errorf("meanwhile: got status %d, %s, last %v, want 503, draining and true", got.status, got.body, got.last)
		}
		if got := r.get(t, "/healthz").status; got != http.StatusOK {
			t.Errorf("meanwhile: got status %d of healthz, want 200", got)
		}
		go ask() // a request that a load balancer still sends
		for range cap(responses) {
			if got := <-responses; got.status != http.StatusOK || got.body != "done" {
				t.Errorf("in flight: got status %d and %q, want 200 and done", got.status, got.body)
			}
		}
		if err := <-r.done; err != nil {
			t.Errorf("Run: got error %v, want none", err)
		}
		if got := time.Since(begun).Truncate(time.Second); got != 20*time.Second {
			t.Errorf("got all done after %s, want 20s", got)
		}
		if resp, err := r.client.Get("http://server/healthz"); err == nil {
			_ = resp.Body.Close()
			t.Error("after: got a response, want an error")
		}
	})
}

func TestRun_drainTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		causes := make(chan error, 1)
		graphql := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			causes <- context.Cause(r.Context())
		})
		r := run(t, httpserver.Options{GraphQL: graphql, RequestTimeout: time.Hour, DrainTimeout: 3 * time.Second})
		go func() {
			resp, err := r.client.Get("http://server/graphql")
			if err == nil {
				resp.Body.Close()
				t.Errorf("got status %d, want a closed connection", resp.StatusCode)
			}
		}()
		synctest.Wait()
		begun := time.Now()
		r.stop()
		err := <-r.done
		if err == nil || !strings.Contains(err.Error(), "cut off after 3s") {
			t.Errorf("Run: got error %v, want one that says that requests were cut off", err)
		}
		if got := time.Since(begun).Truncate(time.Second); got != 3*time.Second {
			t.Errorf("Run returned after %s, want 3s", got)
		}
		if <-causes == nil {
			t.Error("got no cause in the handler, want one")
		}
	})
}

// TestRun_newConnectionDuringDrain connects, and sends its request after the port has closed.
func TestRun_newConnectionDuringDrain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		after time.Duration // when the request is sent; 0 for no request
		want  time.Duration // until Run returns
	}{
		"request after 4 s": {after: 4 * time.Second, want: 4 * time.Second},
		"no request":        {want: 5 * time.Second},
		"immediate request": {after: time.Nanosecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := run(t, httpserver.Options{GraphQL: echo()})
				conn := must(r.listener.Dial(t.Context()))
				synctest.Wait() // it is accepted
				begun := time.Now()
				r.stop()
				if test.after > 0 {
					<-time.After(test.after)
					go io.WriteString(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
				}
				got := string(must(io.ReadAll(conn)))
				if answered := strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") && strings.Contains(got, "Connection: close\r\n") && strings.HasSuffix(got, "POST hi"); answered != (test.after > 0) {
					t.Errorf("got %q, want a response: %v", got, test.after > 0)
				}
				if err := <-r.done; err != nil {
					t.Errorf("Run: got error %v, want none", err)
				}
				if got := time.Since(begun).Round(100 * time.Millisecond); got != test.want {
					t.Errorf("Run returned after %s, want %s", got, test.want)
				}
				conn.Close()
			})
		})
	}
}

func TestRun_idleConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, httpserver.Options{GraphQL: echo()})
		if got := r.get(t, "/healthz").status; got != http.StatusOK {
			t.Errorf("got status %d, want 200", got)
		}
		begun := time.Now()
		r.end(t)
		if got := time.Since(begun); got > time.Second {
			t.Errorf("Run returned after %s, want at once", got)
		}
	})
}

// failingListener returns err from Accept after broken is closed.
type failingListener struct {
	*pipeListener
	broken chan struct{}
	err    error
}

func (l *failingListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.broken:
		return nil, l.err
	}
}

func TestRun_listenerError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &failingListener{newPipeListener(), make(chan struct{}), errors.New("no more sockets")}
		done := make(chan error, 1)
		go func() {
			done <- httpserver.New(httpserver.Options{GraphQL: slow(10 * time.Second)}).Run(t.Context(), l)
		}()
		client := &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return l.Dial(ctx) },
		}}
		answered := make(chan response, 1)
		go func() {
			req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server/graphql", nil))
			answered <- roundTrip(t, client, req)
		}()
		synctest.Wait()
		close(l.broken)
		if got := <-answered; got.body != "done" {
			t.Errorf("in flight: got %q, want done", got.body)
		}
		if err := <-done; !errors.Is(err, l.err) {
			t.Errorf("Run: got error %v, want %v", err, l.err)
		}
	})
}

func TestNew_withoutGraphQL(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("got a server, want a panic")
		}
	}()
	httpserver.New(httpserver.Options{})
}
