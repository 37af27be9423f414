package httpserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"cvmgraph/internal/httpserver"
)

// pipeListener is an in-memory listener. testing/synctest does not support network connections.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) Dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// running is a server that serves a pipeListener until stop is called. done receives the result of
// Run.
type running struct {
	listener *pipeListener
	client   *http.Client
	stop     context.CancelFunc
	done     chan error
}

// run starts a server in a synctest bubble, with a client.
func run(t *testing.T, o httpserver.Options) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{listener: newPipeListener(), stop: stop, done: make(chan error, 1)}
	r.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return r.listener.Dial(ctx) },
	}}
	go func() { r.done <- httpserver.New(o).Run(ctx, r.listener) }()
	return r
}

// end stops the server, and fails the test if Run returns an error.
func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		t.Errorf("Run: got error %v, want none", err)
	}
}

type response struct {
	status int
	header http.Header
	body   string
	last   bool // Connection: close
}

func (r *running) get(t *testing.T, path string) response {
	t.Helper()
	return roundTrip(t, r.client, must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server"+path, nil)))
}

func roundTrip(t *testing.T, client *http.Client, req *http.Request) response {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Errorf("%s %s: got error %v, want a response", req.Method, req.URL.Path, err)
		return response{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s %s: got error %v, want a whole body", req.Method, req.URL.Path, err)
	}
	return response{resp.StatusCode, resp.Header, string(body), resp.Close}
}

// serve serves one request without a connection.
func serve(o httpserver.Options, req *http.Request) response {
	rec := httptest.NewRecorder()
	httpserver.New(o).ServeHTTP(rec, req)
	return response{status: rec.Code, header: rec.Header(), body: rec.Body.String()}
}

func request(method, target, body string) *http.Request {
	return httptest.NewRequest(method, target, strings.NewReader(body))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// echo responds with the method and the body of the request.
func echo() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		io.WriteString(w, r.Method+" "+string(body))
	})
}

// logBook records log lines.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBook) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines returns the lines with the message.
func (b *logBook) lines(message string) []map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []map[string]any
	for text := range strings.Lines(b.buf.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			panic(err)
		}
		if line["msg"] == message {
			lines = append(lines, line)
		}
	}
	return lines
}
