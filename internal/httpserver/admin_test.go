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

// admin starts an admin server in a synctest bubble and returns it with a client.
func admin(l *pipeListener, o httpserver.AdminOptions) (*httpserver.Admin, *http.Client) {
	if o.Metrics == nil {
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "up 1\n") })
	}
	return httpserver.StartAdmin(l, o), &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return l.Dial(ctx) },
	}}
}

func TestAdmin_routes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method, target string
		status         int
		body           string
	}{
		"metrics":                 {method: "GET", target: "/metrics", status: 200, body: "up 1\n"},
		"index of profiles":       {method: "GET", target: "/debug/pprof/", status: 200, body: "full goroutine stack dump"},
		"profile by name":         {method: "GET", target: "/debug/pprof/goroutine?debug=1", status: 200, body: "goroutine profile: total"},
		"symbols":                 {method: "GET", target: "/debug/pprof/symbol", status: 200, body: "num_symbols: 1"},
		"unknown profile":         {method: "GET", target: "/debug/pprof/secret", status: 404},
		"command line":            {method: "GET", target: "/debug/pprof/cmdline", status: 404},
		"POST /metrics":           {method: "POST", target: "/metrics", status: 405},
		"GraphQL":                 {method: "POST", target: "/graphql", status: 404},
		"GraphQL by GET":          {method: "GET", target: "/graphql?query={__typename}", status: 404},
		"page":                    {method: "GET", target: "/", status: 404},
		"schema":                  {method: "GET", target: "/schema.graphql", status: 404},
		"readiness":               {method: "GET", target: "/readyz", status: 404},
		"other path below /debug": {method: "GET", target: "/debug/vars", status: 404},
		"path below /metrics":     {method: "GET", target: "/metrics/x", status: 404},
		"parent of the profiles":  {method: "GET", target: "/debug/", status: 404},
		"path with dots":          {method: "GET", target: "/debug/pprof/..%2fgraphql", status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))
			server := httpserver.StartAdmin(l, httpserver.AdminOptions{
				Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "up 1\n") }),
			})
			defer server.Close()
			got := roundTrip(t, http.DefaultClient, must(http.NewRequestWithContext(t.Context(), test.method, "http://"+l.Addr().String()+test.target, nil)))
			if got.status != test.status || !strings.Contains(got.body, test.body) {
				t.Errorf("got status %d and %.200q, want %d and %q in it", got.status, got.body, test.status, test.body)
			}
		})
	}
}

func TestAdmin_slowClient(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sent string
		want time.Duration
	}{
		"incomplete header": {sent: "GET /metrics HTTP/1.1\r\nHost: x\r\n", want: 5 * time.Second},
		"idle connection":   {sent: "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", want: 60 * time.Second},
		"unused connection": {want: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newPipeListener()
				server, _ := admin(l, httpserver.AdminOptions{})
				conn := must(l.Dial(t.Context()))
				begun := time.Now()
				go io.WriteString(conn, test.sent)
				io.Copy(io.Discard, conn) // until the server closes it
				if got := time.Since(begun).Round(time.Second); got != test.want {
					t.Errorf("got the connection closed after %s, want %s", got, test.want)
				}
				conn.Close()
				server.Close()
			})
		})
	}
}

// TestAdmin_longProfile requests a profile that lasts longer than the time limit of a response.
func TestAdmin_longProfile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := admin(newPipeListener(), httpserver.AdminOptions{})
		begun := time.Now()
		got := roundTrip(t, client, must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://admin/debug/pprof/allocs?seconds=60", nil)))
		if got.status != http.StatusOK || !strings.HasPrefix(got.body, "\x1f\x8b") || time.Since(begun) < time.Minute {
			t.Errorf("got status %d, %d bytes after %s, want 200 and a profile after 1m", got.status, len(got.body), time.Since(begun))
		}
		server.Close()
	})
}

func TestAdmin_close(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		takes, want time.Duration
		responded   bool
	}{
		"response is fast": {takes: 500 * time.Millisecond, want: 500 * time.Millisecond, responded: true},
		"response is slow": {takes: time.Hour, want: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, client := admin(newPipeListener(), httpserver.AdminOptions{Metrics: slow(test.takes)})
				responded := make(chan bool, 1)
				go func() {
					resp, err := client.Get("http://admin/metrics")
					if err == nil {
						resp.Body.Close()
					}
					responded <- err == nil
				}()
				synctest.Wait()
				begun := time.Now()
				server.Close()
				// http.Server looks for idle connections every now and then.
				if got := time.Since(begun); got < test.want || got > test.want+500*time.Millisecond {
					t.Errorf("Close returned after %s, want %s", got, test.want)
				}
				if got := <-responded; got != test.responded {
					t.Errorf("got a response: %v, want %v", got, test.responded)
				}
			})
		})
	}
}

func TestAdmin_listenerError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &failingListener{newPipeListener(), make(chan struct{}), errors.New("no more sockets")}
		var book logBook
		server := httpserver.StartAdmin(l, httpserver.AdminOptions{Metrics: echo(), Logger: book.logger()})
		close(l.broken)
		synctest.Wait()
		if got := book.lines("admin server failed"); len(got) != 1 || got[0]["error"] != "no more sockets" || got[0]["level"] != "ERROR" {
			t.Errorf("got %v, want one line with the error", got)
		}
		server.Close()
	})
}
