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

// servePanics serves a gateway that panics: its source of pages at the place that the credential
// selects, and its handler if the request has the header X-Panic. It returns the exit code.
func servePanics(args []string) int {
	format := telemetry.FormatJSON
	if slices.Contains(args, "text") {
		format = telemetry.FormatText
	}
	logger := telemetry.NewLogger(os.Stderr, slog.LevelDebug, format, false)
	handler := graph.NewHandler(&graph.Resolver{
		Pages: newPanickingPages(), Projection: true, APIVersion: "2025-10-28", MaxFirst: 1000, MaxUpstreamCalls: 100,
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

// panickingPages is a source of pages that panics at the place that the token selects.
type panickingPages struct{ *pages.Cache }

func newPanickingPages() panickingPages {
	return panickingPages{pages.NewCache(pages.NewUpstreamFunc(restclient.ShapeHosted, func(_ context.Context, c restclient.Credential, r restclient.PageRequest) (restclient.RawPage, error) {
		panicAt("document", c)
		items := strings.TrimPrefix(strings.Repeat(`,{"hosted":{},`+owned+`}`, r.PageSize), ",")
		return restclient.RawPage{Body: fmt.Appendf(nil, `{"items":[%s],"total":100000,"page":%d,"page_size":%d}`, items, r.Page, r.PageSize)}, nil
	}), pages.CacheOptions{})}
}

// panicAt panics if the credential selects the place. It also selects the type of the panic's
// value.
func panicAt(place string, c restclient.Credential) {
	_, selected, _ := strings.Cut(c.Headers().Authorization, canaryBearer+"-")
	switch selected {
	case place + "-string":
		panic(c.Headers().Authorization)
	case place + "-error":
		panic(fmt.Errorf("with %v: %w", c.Headers(), errors.New(canaryUpstream)))
	case place + "-struct":
		panic(&struct{ headers restclient.Headers }{c.Headers()})
	case place + "-runtime":
		_ = any(c.Headers()).(fmt.Stringer)
	}
}

func (p panickingPages) CredentialKey(c restclient.Credential) pages.CredentialKey {
	panicAt("credential-key", c)
	return p.Cache.CredentialKey(c)
}

func (p panickingPages) Fetch(ctx context.Context, r pages.FetchRequest) (pages.FetchResult, error) {
	if r.Page > 1 { // concurrently with other pages
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

// TestSecrets_panics makes the gateway panic with secrets in the panic's value, in each goroutine
// that recovers. Responses and the log must not contain the secrets, and the gateway must go on.
func TestSecrets_panics(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := &secretsTest{process: startPanicking(t, format)}
			var panics int
			manyPages := strings.Replace(operation("totalCount nodes { name }"), "first: 3", "first: 500", 1)
			for _, place := range []string{"credential-key", "first", "fetch", "document"} {
				for _, value := range []string{"string", "error", "struct", "runtime"} {
					got := s.postBody(t.Context(), t, manyPages, place+"-"+value)
					if !strings.Contains(got, `"code":"INTERNAL_SERVER_ERROR","requestId":"`) {
						t.Errorf("%s, %s: got %s, want an internal error", place, value, got)
					}
					panics++
				}
			}
			got := s.postBody(t.Context(), t, operation("totalCount"), "ok", "X-Panic", "1")
			if !strings.Contains(got, `"code":"INTERNAL_SERVER_ERROR"`) {
				t.Errorf("in the handler: got %s, want an internal error", got)
			}
			if got := s.postBody(t.Context(), t, operation("totalCount"), "ok"); !strings.Contains(got, `"totalCount":100000`) {
				t.Errorf("afterwards: got %s, want data", got)
			}
			s.checkResponses(t)
			s.terminate(t)
			log := s.logged()
			if found := findCanary(log, append(secrets(), canaryText)...); found != "" {
				at := strings.Index(strings.ToLower(log), found)
				t.Errorf("got %s in the log: %s", found, log[max(0, at-1000):min(len(log), at+100)])
			}
			if got := strings.Count(log, "panicAt"); got < panics {
				t.Errorf("got %d stacks of panics in the log, want %d", got, panics)
			}
		})
	}
}
