package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/internal/httpserver"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/querylimit"
	"cvmgraph/internal/telemetry"
	"cvmgraph/restclient"
)

// servePanics is a program of the same parts whose pages panic, with what they know, where the credential says.
func servePanics(args []string) int {
	format := telemetry.FormatJSON
	if slices.Contains(args, "text") {
		format = telemetry.FormatText
	}
	logger := telemetry.NewLogger(os.Stderr, slog.LevelDebug, format, false)
	handler := graph.NewHandler(&graph.Resolver{
		Pages: newPanicking(), Projection: true, APIVersion: "2025-10-28", MaxFirst: 1000, MaxUpstreamCalls: 100,
		Limits: querylimit.Limits{Tokens: 2000, Depth: 15, Aliases: 30}, RequestID: telemetry.RequestIDFrom, Logger: logger,
	})
	server := httpserver.New(httpserver.Options{Logger: logger, GraphQL: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Panic") != "" {
			panic(r.Header)
		}
		handler.ServeHTTP(w, r)
	})})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return exitFailure
	}
	logger.Info("serving", "graphql", "http://"+listener.Addr().String()+"/graphql")
	if server.Run(ctx, listener) != nil {
		return exitFailure
	}
	return exitOK
}

// panicking is a Source that panics at the place that the token names.
type panicking struct{ *pages.Cache }

func newPanicking() panicking {
	return panicking{pages.NewCache(pages.NewUpstreamFunc(func(_ context.Context, c restclient.Credential, r restclient.PageRequest) (restclient.Document, error) {
		panicAt("document", c)
		items := strings.TrimPrefix(strings.Repeat(`,{"hosted":{}}`, r.PageSize), ",")
		return restclient.Document{Body: fmt.Appendf(nil, `{"items":[%s],"total":100000,"page":%d,"page_size":%d}`, items, r.Page, r.PageSize)}, nil
	}), pages.CacheOptions{})}
}

func panicAt(place string, c restclient.Credential) {
	_, where, _ := strings.Cut(c.Headers().Authorization, canaryBearer+"-")
	switch where {
	case place + "-text":
		panic(c.Headers().Authorization)
	case place + "-error":
		panic(fmt.Errorf("with %v: %w", c.Headers(), errors.New(canaryUpstream)))
	case place + "-struct":
		panic(&struct{ headers restclient.Headers }{c.Headers()})
	case place + "-runtime":
		_ = any(c.Headers()).(fmt.Stringer)
	}
}

func (p panicking) CredentialKey(c restclient.Credential) pages.CredentialKey {
	panicAt("owner", c)
	return p.Cache.CredentialKey(c)
}

func (p panicking) Fetch(ctx context.Context, r pages.FetchRequest) (pages.FetchResult, error) {
	if r.Page > 1 { // beside others
		panicAt("fetch", r.Credential)
	}
	panicAt("first", r.Credential)
	return p.Cache.Fetch(ctx, r)
}

// startPanicking starts the test binary as the panicking gateway.
func startPanicking(t *testing.T, format string) *process {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], format)
	command.Env = append(os.Environ(), panickingVariable+"=1")
	return startCommand(t, command)
}

// TestSecrets_panics lets a program panic with secrets in its hands, in all the places that catch it.
func TestSecrets_panics(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			c := &secretsTest{process: startPanicking(t, format)}
			var panics int
			for _, place := range []string{"owner", "first", "fetch", "document"} {
				for _, value := range []string{"text", "error", "struct", "runtime"} {
					got := c.postBody(t.Context(), t, strings.Replace(operation("totalCount nodes { name }"), "first: 3", "first: 500", 1), place+"-"+value)
					if !strings.Contains(got, `"code":"INTERNAL_SERVER_ERROR","requestId":"`) {
						t.Errorf("%s, %s: got %s, want an internal error", place, value, got)
					}
					panics++
				}
			}
			if got := c.postBody(t.Context(), t, operation("totalCount"), "ok", "X-Panic", "1"); !strings.Contains(got, `"code":"INTERNAL_SERVER_ERROR"`) {
				t.Errorf("a handler: got %s, want an internal error", got)
			}
			if got := c.postBody(t.Context(), t, operation("totalCount"), "ok"); !strings.Contains(got, `"totalCount":100000`) {
				t.Errorf("afterwards: got %s, want data", got)
			}
			c.checkResponses(t)
			c.terminate(t)
			log := c.logged()
			if found := findCanary(log, append(secrets(), canaryText)...); found != "" {
				at := strings.Index(strings.ToLower(log), found)
				t.Errorf("got %s in the log: %s", found, log[max(0, at-1000):min(len(log), at+100)])
			}
			if got := strings.Count(log, "panicAt"); got < panics {
				t.Errorf("got %d places of panics in the log, want %d", got, panics)
			}
		})
	}
}
