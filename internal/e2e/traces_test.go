package e2e_test

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"cvmgraph/internal/demo"
)

// receiver takes spans, over HTTP and over gRPC.
type receiver struct {
	collector.UnimplementedTraceServiceServer

	mu      sync.Mutex
	headers http.Header // of the last that came over HTTP
	service string      // of the last
	spans   []*otlp.Span
}

// Export takes what comes.
func (r *receiver) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range request.ResourceSpans {
		r.service = attributes(of.Resource.Attributes)["service.name"]
		for _, scope := range of.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.headers = request.Header
	r.mu.Unlock()
	_, _ = r.Export(request.Context(), &sent)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// attributes are those of a span or a resource, as text.
func attributes(of []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range of {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			all[a.Key] = fmt.Sprint(v.IntValue)
		default:
			all[a.Key] = a.Value.String()
		}
	}
	return all
}

// tree returns the spans of a trace as lines, each indented below its parent, in the order in which they began. An event is a line
// below its span.
func (r *receiver) tree(traceID string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	spans := slices.SortedFunc(slices.Values(r.spans), func(a, b *otlp.Span) int { return cmp.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano) })
	var lines []string
	var below func(parent, indent string)
	below = func(parent, indent string) {
		for _, s := range spans {
			if hex.EncodeToString(s.TraceId) != traceID || hex.EncodeToString(s.ParentSpanId) != parent {
				continue
			}
			has := attributes(s.Attributes)
			line := indent + strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_") + " " + s.Name
			for _, name := range []string{"graphql.operation.name", "cvmgraph.page", "cvmgraph.page_size", "http.response.status_code", "http.request.resend_count", "error.type"} {
				if has[name] != "" {
					line += " " + name[strings.LastIndex(name, ".")+1:] + "=" + has[name]
				}
			}
			if s.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR {
				line += " failed"
			}
			lines = append(lines, line)
			for _, e := range s.Events {
				about := attributes(e.Attributes)
				lines = append(lines, fmt.Sprintf("%s  - %s %s of %s for the %s", indent, e.Name, about["cvmgraph.page"], about["cvmgraph.page_size"], about["cvmgraph.reason"]))
			}
			below(hex.EncodeToString(s.SpanId), indent+"  ")
		}
	}
	below(callersSpan, "")
	return lines
}

// callersSpan is the span that the tests' requests are below of.
const callersSpan = "b7ad6b7169203331"

// traceParent is the context of a trace of which the caller has a span.
func traceParent(traceID string) string { return "00-" + traceID + "-" + callersSpan + "-01" }

// observedUpstream is a demo that notes what comes with its calls. The first call of a token that begins with flaky is answered with 503,
// and each call of one that begins with broken with 501.
type observedUpstream struct {
	list http.Handler

	mu    sync.Mutex
	calls []http.Header
}

func (o *observedUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	o.mu.Lock()
	first := !slices.ContainsFunc(o.calls, func(h http.Header) bool { return h.Get("Authorization") == "Bearer "+token })
	o.calls = append(o.calls, r.Header.Clone())
	o.mu.Unlock()
	switch {
	case strings.HasPrefix(token, "flaky") && first:
		w.WriteHeader(http.StatusServiceUnavailable)
	case strings.HasPrefix(token, "broken"):
		w.WriteHeader(http.StatusNotImplemented)
	default:
		o.list.ServeHTTP(w, r)
	}
}

// of returns the headers of the calls with a token.
func (o *observedUpstream) of(token string) []http.Header {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.calls), func(h http.Header) bool { return h.Get("Authorization") != "Bearer "+token })
}

// startTraced starts the program over an upstream, with variables of OpenTelemetry.
func startTraced(t *testing.T, variables ...string) (*process, *observedUpstream) {
	t.Helper()
	upstream := &observedUpstream{list: demo.New(demo.Options{})}
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	return startWith(t, variables, "--drain-delay=0", "--cache-ttl=1m", "--upstream-url="+server.URL+demo.BasePath), upstream
}

func TestTraces_spans(t *testing.T) {
	t.Parallel()
	for protocol, listen := range map[string]func(t *testing.T, r *receiver) string{
		"http/protobuf": func(t *testing.T, r *receiver) string {
			t.Helper()
			server := httptest.NewServer(r)
			t.Cleanup(server.Close)
			return server.URL
		},
		"grpc": func(t *testing.T, r *receiver) string {
			t.Helper()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer()
			collector.RegisterTraceServiceServer(server, r)
			go func() { _ = server.Serve(listener) }()
			t.Cleanup(server.Stop)
			return "http://" + listener.Addr().String()
		},
	} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			spans := &receiver{}
			p, upstream := startTraced(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+listen(t, spans), "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol,
				"OTEL_EXPORTER_OTLP_HEADERS=x-team=a", "OTEL_SERVICE_NAME=the-gateway", "OTEL_BSP_SCHEDULE_DELAY=60000")
			want := map[string][]string{}
			for i, test := range []struct {
				token, query string
				want         []string
			}{
				{canaryBearer, `query Fleet { secret: cvms(first: 3) { nodes { name } } }`, []string{
					"SERVER query name=Fleet status_code=200", "  INTERNAL cvms", "    - page 1 of 3 for the window", "    CLIENT GET /cvms/paginated page=1 page_size=3 status_code=200",
				}},
				{canaryBearer, `query Fleet { secret: cvms(first: 3) { nodes { name } } }`, []string{
					"SERVER query name=Fleet status_code=200", "  INTERNAL cvms", "    - page 1 of 3 for the window",
				}},
				{"flaky-1", `{ cvms(first: 1) { totalCount } }`, []string{
					"SERVER query status_code=200", "  INTERNAL cvms", "    - page 1 of 1 for the total",
					"    CLIENT GET /cvms/paginated page=1 page_size=1 status_code=503 type=503 failed", "    CLIENT GET /cvms/paginated page=1 page_size=1 status_code=200 resend_count=1",
				}},
				{"broken-1", `{ cvms(first: 1) { totalCount } }`, []string{
					"SERVER query status_code=200 type=UPSTREAM_ERROR failed", "  INTERNAL cvms type=UPSTREAM_ERROR failed",
					"    CLIENT GET /cvms/paginated page=1 page_size=1 status_code=501 type=501 failed",
				}},
				{canaryBearer, `{ cvms(first: "canarytext") { totalCount } }`, []string{"SERVER GraphQL Operation status_code=200 type=GRAPHQL_VALIDATION_FAILED"}},
			} {
				trace := fmt.Sprintf("0af7651916cd43dd8448eb211c8031%02d", i)
				want[trace] = test.want
				if _, err := p.post(t.Context(), http.DefaultClient, test.query, http.Header{
					"Authorization": {"Bearer " + test.token}, "Traceparent": {traceParent(trace)}, "Tracestate": {"vendor=1"}, "X-Phala-Workspace": {canaryWorkspace},
				}); err != nil {
					t.Fatal(err)
				}
			}
			p.terminate(t) // which sends what waits to be sent
			for trace, want := range want {
				if !strings.Contains(p.logged(), `"trace_id":"`+trace+`"`) {
					t.Errorf("trace %s is not in the log", trace)
				}
				if got := spans.tree(trace); !slices.Equal(got, want) {
					t.Errorf("got %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			calls := upstream.of("flaky-1")
			if len(calls) != 2 {
				t.Fatalf("got %d calls, want 2", len(calls))
			}
			for i, call := range calls {
				span := ""
				for _, s := range spans.spans {
					if a := attributes(s.Attributes); s.Name == "GET /cvms/paginated" && hex.EncodeToString(s.TraceId) == "0af7651916cd43dd8448eb211c803102" && (a["http.request.resend_count"] == "1") == (i == 1) {
						span = hex.EncodeToString(s.SpanId)
					}
				}
				if got, want := call.Get("Traceparent"), "00-0af7651916cd43dd8448eb211c803102-"+span+"-01"; got != want || call.Get("Tracestate") != "vendor=1" {
					t.Errorf("call %d: the upstream got %q and %q, want %q and vendor=1", i+1, got, call.Get("Tracestate"), want)
				}
			}
			if spans.service != "the-gateway" || protocol != "grpc" && spans.headers.Get("X-Team") != "a" {
				t.Errorf("got the service %q and the headers %v", spans.service, spans.headers)
			}
			for _, s := range spans.spans {
				if found := findCanary(s.String(), append(secrets(), canaryText, "127.0.0.1", "secret")...); found != "" {
					t.Errorf("%s is in a span: %v", found, s)
				}
			}
		})
	}
}

// TestTraces_contextForwarded holds what a gateway that traces nothing does with a trace: the upstream's spans are below the caller's.
func TestTraces_contextForwarded(t *testing.T) {
	t.Parallel()
	p, upstream := startTraced(t)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	if _, err := p.post(t.Context(), http.DefaultClient, `{ cvms(first: 1) { totalCount } }`, http.Header{
		"Authorization": {"Bearer " + "tester"}, "Traceparent": {traceParent(trace)}, "Tracestate": {"vendor=1"}, "Baggage": {"user=1"},
	}); err != nil {
		t.Fatal(err)
	}
	p.terminate(t)
	call := upstream.of("tester")[0]
	if call.Get("Traceparent") != traceParent(trace) || call.Get("Tracestate") != "vendor=1" || call.Get("Baggage") != "" {
		t.Errorf("the upstream got %v", call)
	}
	if !strings.Contains(p.logged(), `"trace_id":"`+trace+`"`) {
		t.Error("the trace's id is not in the log")
	}
}

func TestTraces_exportFails(t *testing.T) {
	t.Parallel()
	p, _ := startTraced(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY=10")
	for range 20 {
		if got, err := p.query(t.Context(), `{ cvms(first: 1) { totalCount } }`, "tester"); err != nil || strings.Contains(got, "errors") {
			t.Fatalf("got %s, %v, want an answer", got, err)
		}
	}
	p.terminate(t)
	if n := strings.Count(p.logged(), `"msg":"trace export failed"`); n != 1 {
		t.Errorf("got %d lines about it, want one: %s", n, p.logged())
	}
}

func TestTraces_console(t *testing.T) {
	t.Parallel()
	p, _ := startTraced(t, "OTEL_TRACES_EXPORTER=console")
	if _, err := p.query(t.Context(), `query Fleet { cvms(first: 1) { totalCount } }`, "tester"); err != nil {
		t.Fatal(err)
	}
	p.terminate(t)
	for _, want := range []string{`"Name":"query"`, `"Name":"cvms"`, `"Name":"GET /cvms/paginated"`, `"Value":"Fleet"`} {
		if !strings.Contains(p.logged(), want) {
			t.Errorf("%s is not there: %s", want, p.logged())
		}
	}
}
