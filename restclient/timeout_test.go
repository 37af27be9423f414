package restclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/restclient"
)

// pipeListener is a network in memory, which synctest can see through.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inMemory runs call in a bubble, with a client of a server that answers with handler.
func inMemory(t *testing.T, handler http.HandlerFunc, call func(*testing.T, *restclient.Client)) {
	t.Helper()
	observed(t, handler, restclient.Observer{}, call)
}

// observed is inMemory with an observer of the client.
func observed(t *testing.T, handler http.HandlerFunc, observer restclient.Observer, call func(*testing.T, *restclient.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: handler}
		go func() { _ = server.Serve(listener) }()
		defer func() { _ = server.Close() }()
		client, err := restclient.New(restclient.Options{BaseURL: "http://upstream.test", Timeout: 3 * time.Second, Observer: observer})
		if err != nil {
			t.Fatal(err)
		}
		client.SetDial(listener.dial)
		defer client.Close()
		call(t, client)
	})
}

// stalls are upstreams that never finish.
var stalls = map[string]http.HandlerFunc{
	"before the answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"inside the body": func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"items":[`))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	},
	"inside an announced body": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"items":[`))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	},
}

func TestAttemptsTimeOut(t *testing.T) {
	t.Parallel()
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, stall, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				start := time.Now()
				_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
				wantTimeout(t, err, 3*time.Second)
				wantAfter(t, start, 9*time.Second, 9600*time.Millisecond)
			})
		})
	}
}

// wantAfter checks how long it is since start: at least soonest, and less than latest.
func wantAfter(t *testing.T, start time.Time, soonest, latest time.Duration) {
	t.Helper()
	if got := time.Since(start); got < soonest || got >= latest {
		t.Errorf("got the result after %v, want %v to %v", got, soonest, latest)
	}
}

func TestTheCallersDeadlineIsKept(t *testing.T) {
	t.Parallel()
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, stall, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
				wantTimeout(t, err, 0)
				if got := time.Since(start); got != time.Second {
					t.Errorf("got an error after %v, want 1s", got)
				}
			})
		})
	}
}

// wantTimeout checks that err is a *TimeoutError of that limit.
func wantTimeout(t *testing.T, err error, limit time.Duration) {
	t.Helper()
	var timeout *restclient.TimeoutError
	if !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) || !timeout.Timeout() {
		t.Fatalf("got error %#v, want a *TimeoutError", err)
	}
	if timeout.Limit != limit {
		t.Errorf("got limit %v, want %v", timeout.Limit, limit)
	}
}

func TestTheCallerCancels(t *testing.T) {
	t.Parallel()
	errBored := errors.New("bored")
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, stall, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				ctx, cancel := context.WithCancelCause(t.Context())
				result := make(chan error)
				go func() {
					_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
					result <- err
				}()
				synctest.Wait()
				cancel(errBored)
				err := <-result
				if !errors.Is(err, context.Canceled) || !errors.Is(err, errBored) {
					t.Errorf("got error %v, want one of cancellation and its cause", err)
				}
				if got, want := err.Error(), "upstream call canceled by its caller"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got error %v, want none of time", err)
				}
			})
		})
	}
}

func TestAStalledErrorBodyCostsNoMoreThanTheTimeout(t *testing.T) {
	t.Parallel()
	stall := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	inMemory(t, stall, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		start := time.Now()
		_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
		wantStatus(t, err, http.StatusBadGateway)
		wantAfter(t, start, 9*time.Second, 9600*time.Millisecond)
	})
}

func TestRetryAfterCountsFromNow(t *testing.T) {
	t.Parallel()
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", time.Now().UTC().Add(90*time.Second).Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	inMemory(t, answer, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
		if got := statusOf(t, err, http.StatusServiceUnavailable).RetryAfter; got != 90*time.Second {
			t.Errorf("got %v, want 1m30s", got)
		}
	})
}

func TestRealSocketsTimeOut(t *testing.T) {
	t.Parallel()
	server := quiet(t, stalls["inside the body"])
	server.Start()
	client := newClient(t, restclient.Options{BaseURL: server.URL, Timeout: 50 * time.Millisecond})
	_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
	wantTimeout(t, err, 50*time.Millisecond)
}

// TestAnotherProtocolIsAStatus: the connection stays open, and is the answer's body.
func TestAnotherProtocolIsAStatus(t *testing.T) {
	t.Parallel()
	client := clientOf(t, hangUp(func(c *net.TCPConn) {
		_, _ = c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"))
		_, _ = io.Copy(io.Discard, c)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
	wantStatus(t, err, http.StatusSwitchingProtocols)
}
