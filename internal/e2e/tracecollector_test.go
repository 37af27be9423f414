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
)

// traceCollector is an OpenTelemetry collector for spans, over HTTP and over gRPC.
type traceCollector struct {
	collector.UnimplementedTraceServiceServer

	mu      sync.Mutex
	headers http.Header // of the last HTTP request
	service string      // of the last request
	spans   []*otlp.Span
}

// startTraceCollector starts a collector for a value of OTEL_EXPORTER_OTLP_PROTOCOL.
func startTraceCollector(t *testing.T, protocol string) (c *traceCollector, url string) {
	t.Helper()
	c = &traceCollector{}
	if protocol == "http/protobuf" {
		server := httptest.NewServer(c)
		t.Cleanup(server.Close)
		return c, server.URL
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return c, "http://" + listener.Addr().String()
}

// Export records the spans of a request.
func (c *traceCollector) Export(
	_ context.Context, request *collector.ExportTraceServiceRequest,
) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, spans := range request.ResourceSpans {
		c.service = attributes(spans.Resource.Attributes)["service.name"]
		for _, scope := range spans.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func (c *traceCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.headers = r.Header
	c.mu.Unlock()
	_, _ = c.Export(r.Context(), &sent)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// attributes returns the attributes of a span or a resource as strings.
func attributes(list []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range list {
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

// callersSpan is the id of the caller's span in the tests.
const callersSpan = "b7ad6b7169203331"

// traceParent returns a traceparent header with the caller's span.
func traceParent(traceID string) string { return "00-" + traceID + "-" + callersSpan + "-01" }

// tree returns the descendants of the caller's span, one a line in the order of their start. Each
// level is indented by two spaces. The events of a span follow it.
func (c *traceCollector) tree(traceID string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	spans := slices.SortedFunc(slices.Values(c.spans), func(a, b *otlp.Span) int {
		return cmp.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano)
	})
	var lines []string
	var addChildren func(parent, indent string)
	addChildren = func(parent, indent string) {
		for _, s := range spans {
			if hex.EncodeToString(s.TraceId) != traceID || hex.EncodeToString(s.ParentSpanId) != parent {
				continue
			}
			lines = append(lines, indent+spanLine(s))
			for _, e := range s.Events {
				a := attributes(e.Attributes)
				lines = append(lines, fmt.Sprintf("%s  - %s %s of %s for the %s",
					indent, e.Name, a["cvmgraph.page"], a["cvmgraph.page_size"], a["cvmgraph.reason"]))
			}
			addChildren(hex.EncodeToString(s.SpanId), indent+"  ")
		}
	}
	addChildren(callersSpan, "")
	return lines
}

// spanLine returns the kind, the name, some attributes and the status of a span.
func spanLine(s *otlp.Span) string {
	all := attributes(s.Attributes)
	line := strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_") + " " + s.Name
	for _, name := range []string{
		"graphql.operation.name", "cvmgraph.page", "cvmgraph.page_size",
		"http.response.status_code", "http.request.resend_count", "error.type",
	} {
		if all[name] != "" {
			line += " " + name[strings.LastIndex(name, ".")+1:] + "=" + all[name]
		}
	}
	if s.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR {
		line += " failed"
	}
	return line
}
