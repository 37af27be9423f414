package e2e_test

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"cvmgraph/internal/demo"
)

// recordingUpstream is a demo upstream that records the headers of its calls. It fails the first
// call of a token with the prefix flaky with status 503, and each call of a token with the prefix
// broken with status 501.
type recordingUpstream struct {
	list http.Handler

	mu    sync.Mutex
	calls []http.Header
}

func (u *recordingUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	first := len(u.callsWith(token)) == 0
	u.mu.Lock()
	u.calls = append(u.calls, r.Header.Clone())
	u.mu.Unlock()
	switch {
	case strings.HasPrefix(token, "flaky") && first:
		w.WriteHeader(http.StatusServiceUnavailable)
	case strings.HasPrefix(token, "broken"):
		w.WriteHeader(http.StatusNotImplemented)
	default:
		u.list.ServeHTTP(w, r)
	}
}

// callsWith returns the headers of the calls with a token.
func (u *recordingUpstream) callsWith(token string) []http.Header {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(u.calls), func(h http.Header) bool {
		return h.Get("Authorization") != "Bearer "+token
	})
}

// startTraced starts the program with variables of OpenTelemetry.
func startTraced(t *testing.T, variables ...string) (*process, *recordingUpstream) {
	t.Helper()
	upstream := &recordingUpstream{list: demo.New(demo.Options{})}
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	return startWith(t, variables,
		"--drain-delay=0", "--cache-ttl=1m", "--upstream-url="+server.URL+demo.BasePath), upstream
}

// tracedOperations are operations, in the order in which the test sends them, and their spans.
var tracedOperations = []struct {
	trace        string // its id
	token, query string
	want         []string
}{
	{
		trace: "0af7651916cd43dd8448eb211c803100",
		token: canaryBearer, query: `query Fleet { secret: cvms(first: 3) { nodes { name } } }`,
		want: []string{
			"SERVER query name=Fleet status_code=200",
			"  INTERNAL cvms",
			"    - page 1 of 3 for the window",
			"    CLIENT GET /cvms/paginated page=1 page_size=3 status_code=200",
		},
	},
	{ // the page is cached
		trace: "0af7651916cd43dd8448eb211c803101",
		token: canaryBearer, query: `query Fleet { secret: cvms(first: 3) { nodes { name } } }`,
		want: []string{
			"SERVER query name=Fleet status_code=200",
			"  INTERNAL cvms",
			"    - page 1 of 3 for the window",
		},
	},
	{
		trace: flakyTrace,
		token: "flaky-1", query: `{ cvms(first: 1) { totalCount } }`,
		want: []string{
			"SERVER query status_code=200",
			"  INTERNAL cvms",
			"    - page 1 of 1 for the total",
			"    CLIENT GET /cvms/paginated page=1 page_size=1 status_code=503 type=503 failed",
			"    CLIENT GET /cvms/paginated page=1 page_size=1 status_code=200 resend_count=1",
		},
	},
	{
		trace: "0af7651916cd43dd8448eb211c803103",
		token: "broken-1", query: `{ cvms(first: 1) { totalCount } }`,
		want: []string{
			"SERVER query status_code=200 type=UPSTREAM_ERROR failed",
			"  INTERNAL cvms type=UPSTREAM_ERROR failed",
			"    CLIENT GET /cvms/paginated page=1 page_size=1 status_code=501 type=501 failed",
		},
	},
	{
		trace: "0af7651916cd43dd8448eb211c803104",
		token: canaryBearer, query: `{ cvms(first: "canarytext") { totalCount } }`,
		want: []string{"SERVER GraphQL Operation status_code=200 type=GRAPHQL_VALIDATION_FAILED"},
	},
}

const flakyTrace = "0af7651916cd43dd8448eb211c803102"

func TestTraces_spans(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			spans, url := startTraceCollector(t, protocol)
			p, upstream := startTraced(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol,
				"OTEL_EXPORTER_OTLP_HEADERS=x-team=a", "OTEL_SERVICE_NAME=the-gateway", "OTEL_BSP_SCHEDULE_DELAY=60000")
			for _, test := range tracedOperations {
				if _, err := p.post(t.Context(), http.DefaultClient, test.query, http.Header{
					"Authorization": {"Bearer " + test.token}, "X-Phala-Workspace": {canaryWorkspace},
					"Traceparent": {traceParent(test.trace)}, "Tracestate": {"vendor=1"},
				}); err != nil {
					t.Fatal(err)
				}
			}
			p.terminate(t) // sends the remaining spans
			for _, test := range tracedOperations {
				if !strings.Contains(p.logged(), `"trace_id":"`+test.trace+`"`) {
					t.Errorf("got no trace %s in the log", test.trace)
				}
				if got := spans.tree(test.trace); !slices.Equal(got, test.want) {
					t.Errorf("got %s\nwant %s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
				}
			}
			spans.checkFlakyCalls(t, upstream.callsWith("flaky-1"))
			if spans.service != "the-gateway" || protocol != "grpc" && spans.headers.Get("X-Team") != "a" {
				t.Errorf("got the service %q and the headers %v", spans.service, spans.headers)
			}
			for _, s := range spans.spans {
				if found := findCanary(s.String(), append(secrets(), canaryText, "127.0.0.1", "secret")...); found != "" {
					t.Errorf("got %s in a span: %v", found, s)
				}
			}
		})
	}
}

// checkFlakyCalls checks that the two upstream calls of flakyTrace have the context of their spans.
func (c *traceCollector) checkFlakyCalls(t *testing.T, calls []http.Header) {
	t.Helper()
	if len(calls) != 2 {
		t.Fatalf("got %d calls, want 2", len(calls))
	}
	for i, call := range calls {
		span := ""
		for _, s := range c.spans {
			isRetry := attributes(s.Attributes)["http.request.resend_count"] == "1"
			if s.Name == "GET /cvms/paginated" && hex.EncodeToString(s.TraceId) == flakyTrace && isRetry == (i == 1) {
				span = hex.EncodeToString(s.SpanId)
			}
		}
		want := "00-" + flakyTrace + "-" + span + "-01"
		if got := call.Get("Traceparent"); got != want || call.Get("Tracestate") != "vendor=1" {
			t.Errorf("call %d: the upstream got %q and %q, want %q and vendor=1", i+1, got, call.Get("Tracestate"), want)
		}
	}
}

// TestTraces_contextForwarded has a gateway without tracing, which forwards the caller's context.
func TestTraces_contextForwarded(t *testing.T) {
	t.Parallel()
	p, upstream := startTraced(t)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	header := bearer("tester")
	header.Set("Traceparent", traceParent(trace))
	header.Set("Tracestate", "vendor=1")
	header.Set("Baggage", "user=1")
	if _, err := p.post(t.Context(), http.DefaultClient, `{ cvms(first: 1) { totalCount } }`, header); err != nil {
		t.Fatal(err)
	}
	p.terminate(t)
	call := upstream.callsWith("tester")[0]
	if call.Get("Traceparent") != traceParent(trace) || call.Get("Tracestate") != "vendor=1" || call.Get("Baggage") != "" {
		t.Errorf("the upstream got %v", call)
	}
	if !strings.Contains(p.logged(), `"trace_id":"`+trace+`"`) {
		t.Error("got no trace id in the log")
	}
}

// TestTraces_exportFails has no collector. Requests must succeed, and the log must have one
// warning.
func TestTraces_exportFails(t *testing.T) {
	t.Parallel()
	p, _ := startTraced(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY=10")
	for range 20 {
		got, err := p.query(t.Context(), `{ cvms(first: 1) { totalCount } }`, "tester")
		if err != nil || strings.Contains(got, "errors") {
			t.Fatalf("got %s, %v, want data", got, err)
		}
	}
	p.terminate(t)
	if n := strings.Count(p.logged(), `"msg":"trace export failed"`); n != 1 {
		t.Errorf("got %d warnings, want one: %s", n, p.logged())
	}
}

func TestTraces_console(t *testing.T) {
	t.Parallel()
	p, _ := startTraced(t, "OTEL_TRACES_EXPORTER=console")
	if _, err := p.query(t.Context(), `query Fleet { cvms(first: 1) { totalCount } }`, "tester"); err != nil {
		t.Fatal(err)
	}
	p.terminate(t)
	for _, want := range []string{
		`"Name":"query"`, `"Name":"cvms"`, `"Name":"GET /cvms/paginated"`, `"Value":"Fleet"`,
	} {
		if !strings.Contains(p.logged(), want) {
			t.Errorf("got no %s in %s", want, p.logged())
		}
	}
}
