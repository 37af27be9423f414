package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"cvmgraph/internal/telemetry"
)

const (
	callersTrace = "0af7651916cd43dd8448eb211c80319c"
	callersSpan  = "b7ad6b7169203331"
)

// newTracing returns a Tracing and a recorder of its ended spans.
func newTracing(t *testing.T) (*telemetry.Tracing, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	tracing := telemetry.NewTracing(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)))
	t.Cleanup(func() {
		if err := tracing.Close(); err != nil {
			t.Error(err)
		}
	})
	return tracing, recorder
}

// attributesOf returns the attributes of a span as strings.
func attributesOf(span sdk.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range span.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// requestSpan has the calls for one request and the span that they create.
type requestSpan struct {
	follow func(ctx context.Context, tracing *telemetry.Tracing)
	name   string
	status sdk.Status
	want   map[string]string // besides the attributes of every request
}

func checkRequestSpans(t *testing.T, tests map[string]requestSpan) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracing, ended := newTracing(t)
			ctx := telemetry.WithRequestID(t.Context(), "the-id")
			header := http.Header{"Traceparent": {"00-" + callersTrace + "-" + callersSpan + "-01"}, "Tracestate": {"a=b"}}
			test.follow(tracing.Begin(ctx, header, "POST"), tracing)
			if n := len(ended.Ended()); n != 1 {
				t.Fatalf("got %d spans, want one", n)
			}
			span := ended.Ended()[0]
			want := maps.Clone(test.want)
			maps.Copy(want, map[string]string{"http.request.method": "POST", "http.route": "/graphql", "cvmgraph.request_id": "the-id"})
			if got := attributesOf(span); !maps.Equal(got, want) {
				t.Errorf("attributes: got %v, want %v", got, want)
			}
			if span.Name() != test.name || span.SpanKind() != trace.SpanKindServer || span.Status() != test.status {
				t.Errorf("got %q, %v, %+v, want %q, %v, %+v", span.Name(), span.SpanKind(), span.Status(), test.name, trace.SpanKindServer, test.status)
			}
			parent := span.Parent()
			if parent.TraceID().String() != callersTrace || parent.SpanID().String() != callersSpan || !parent.IsRemote() {
				t.Errorf("parent: got %+v, want the caller's", parent)
			}
		})
	}
}

func TestTracing_request(t *testing.T) {
	t.Parallel()
	checkRequestSpans(t, map[string]requestSpan{
		"no operation": {
			follow: func(ctx context.Context, tracing *telemetry.Tracing) { tracing.End(ctx, 413) },
			name:   "GraphQL Operation",
			want:   map[string]string{"http.response.status_code": "413"},
		},
		"aborted": {
			follow: func(ctx context.Context, tracing *telemetry.Tracing) { tracing.End(ctx, 0) },
			name:   "GraphQL Operation",
			status: sdk.Status{Code: codes.Error, Description: "aborted"},
			want:   map[string]string{},
		},
		"status 503": {
			follow: func(ctx context.Context, tracing *telemetry.Tracing) { tracing.End(ctx, 503) },
			name:   "GraphQL Operation",
			status: sdk.Status{Code: codes.Error},
			want:   map[string]string{"http.response.status_code": "503"},
		},
	})
}

func TestTracing_operation(t *testing.T) {
	t.Parallel()
	checkRequestSpans(t, map[string]requestSpan{
		"operation": {
			follow: func(ctx context.Context, tracing *telemetry.Tracing) {
				tracing.Operation(ctx, "query", "Fleet", false, nil, false)
				tracing.End(ctx, 200)
			},
			name: "query",
			want: map[string]string{
				"graphql.operation.type": "query", "graphql.operation.name": "Fleet", "http.response.status_code": "200",
			},
		},
		"cached response": {
			follow: func(ctx context.Context, tracing *telemetry.Tracing) {
				tracing.Operation(ctx, "query", "", true, nil, false)
				tracing.End(ctx, 200)
			},
			name: "query",
			want: map[string]string{
				"graphql.operation.type": "query", "cvmgraph.response_cache_hit": "true", "http.response.status_code": "200",
			},
		},
		"error of the caller": {
			follow: func(ctx context.Context, tracing *telemetry.Tracing) {
				tracing.Operation(ctx, "query", "", false, []string{"BAD_USER_INPUT"}, false)
				tracing.End(ctx, 200)
			},
			name: "query",
			want: map[string]string{
				"graphql.operation.type": "query", "cvmgraph.error_codes": `["BAD_USER_INPUT"]`, "error.type": "BAD_USER_INPUT",
				"http.response.status_code": "200",
			},
		},
		"error of the upstream": {
			follow: func(ctx context.Context, tracing *telemetry.Tracing) {
				tracing.Operation(ctx, "query", "", false, []string{"UPSTREAM_ERROR", "BAD_USER_INPUT"}, true)
				tracing.End(ctx, 200)
			},
			name:   "query",
			status: sdk.Status{Code: codes.Error, Description: "UPSTREAM_ERROR"},
			want: map[string]string{
				"graphql.operation.type": "query", "cvmgraph.error_codes": `["UPSTREAM_ERROR","BAD_USER_INPUT"]`, "error.type": "UPSTREAM_ERROR",
				"http.response.status_code": "200",
			},
		},
	})
}

func TestTracing_fieldAndAttempts(t *testing.T) {
	t.Parallel()
	tracing, ended := newTracing(t)
	request := tracing.Begin(t.Context(), http.Header{}, "POST")
	field, done := tracing.Field(request, "cvms")
	for number, ending := range []string{"503", ""} {
		header := http.Header{}
		end := tracing.Attempt(field, 2, 30, number+1, header)
		status := 200
		if ending != "" {
			status = 503
		}
		end(status, ending)
		span := ended.Ended()[number]
		if got, want := header.Get("Traceparent"), "00-"+span.SpanContext().TraceID().String()+"-"+span.SpanContext().SpanID().String()+"-01"; got != want {
			t.Errorf("attempt %d: the upstream gets %q, want %q", number+1, got, want)
		}
	}
	tracing.Page(field, telemetry.PageEvent{Page: 2, PageSize: 30, Reason: "window", Items: 7, Age: 1500 * time.Millisecond, Cached: true, Stale: true})
	done("UPSTREAM_ERROR", true)
	tracing.End(request, 200)

	spans := ended.Ended()
	if len(spans) != 4 {
		t.Fatalf("got %d spans, want 4", len(spans))
	}
	for i, want := range []struct {
		name       string
		kind       trace.SpanKind
		status     sdk.Status
		parent     sdk.ReadOnlySpan
		attributes map[string]string
	}{
		{name: "GET /cvms/paginated", kind: trace.SpanKindClient, status: sdk.Status{Code: codes.Error, Description: "503"}, parent: spans[2], attributes: map[string]string{
			"http.request.method": "GET", "url.template": "/cvms/paginated", "cvmgraph.page": "2", "cvmgraph.page_size": "30",
			"http.response.status_code": "503", "error.type": "503",
		}},
		{name: "GET /cvms/paginated", kind: trace.SpanKindClient, status: sdk.Status{}, parent: spans[2], attributes: map[string]string{
			"http.request.method": "GET", "url.template": "/cvms/paginated", "cvmgraph.page": "2", "cvmgraph.page_size": "30",
			"http.response.status_code": "200", "http.request.resend_count": "1",
		}},
		{name: "cvms", kind: trace.SpanKindInternal, status: sdk.Status{Code: codes.Error, Description: "UPSTREAM_ERROR"}, parent: spans[3], attributes: map[string]string{
			"graphql.field.name": "cvms", "error.type": "UPSTREAM_ERROR",
		}},
	} {
		span := spans[i]
		if span.Name() != want.name || span.SpanKind() != want.kind || span.Status() != want.status {
			t.Errorf("span %d: got %q, %v, %+v, want %q, %v, %+v", i, span.Name(), span.SpanKind(), span.Status(), want.name, want.kind, want.status)
		}
		if got := attributesOf(span); !maps.Equal(got, want.attributes) {
			t.Errorf("span %d: got %v, want %v", i, got, want.attributes)
		}
		if span.Parent().SpanID() != want.parent.SpanContext().SpanID() {
			t.Errorf("span %d has another parent than %s", i, want.parent.Name())
		}
	}
	events := spans[2].Events()
	if len(events) != 1 || events[0].Name != "page" {
		t.Fatalf("events: got %+v, want one page", events)
	}
	page := map[string]string{}
	for _, a := range events[0].Attributes {
		page[string(a.Key)] = a.Value.String()
	}
	if want := map[string]string{
		"cvmgraph.page": "2", "cvmgraph.page_size": "30", "cvmgraph.reason": "window", "cvmgraph.items": "7", "cvmgraph.age_ms": "1500",
		"cvmgraph.cached": "true", "cvmgraph.coalesced": "false", "cvmgraph.stale": "true",
	}; !maps.Equal(page, want) {
		t.Errorf("got %v, want %v", page, want)
	}
}

// TestTracing_off checks that a valid trace context is forwarded unchanged if tracing is off.
func TestTracing_off(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header, want http.Header
	}{
		"no context": {header: http.Header{}, want: http.Header{}},
		"trace context": {
			header: http.Header{"Traceparent": {"00-" + callersTrace + "-" + callersSpan + "-00"}, "Tracestate": {"a=b,c=d"}, "Baggage": {"user=1"}},
			want:   http.Header{"Traceparent": {"00-" + callersTrace + "-" + callersSpan + "-00"}, "Tracestate": {"a=b,c=d"}},
		},
		"invalid tracestate": {
			header: http.Header{"Traceparent": {"00-" + callersTrace + "-" + callersSpan + "-01"}, "Tracestate": {"a=b\r\nX-Odd: 1"}},
			want:   http.Header{"Traceparent": {"00-" + callersTrace + "-" + callersSpan + "-01"}},
		},
		"invalid traceparent": {header: http.Header{"Traceparent": {"00-0-0-01"}, "Tracestate": {"a=b"}}, want: http.Header{}},
	} {
		tracing, err := telemetry.OpenTracing(t.Context(), "", nil, nil, slog.New(slog.DiscardHandler))
		if err != nil || tracing.On() {
			t.Fatalf("got error %v, on %t, want neither", err, tracing.On())
		}
		ctx := tracing.Begin(t.Context(), test.header, "POST")
		got := http.Header{}
		if end := tracing.Attempt(ctx, 1, 1, 1, got); end != nil {
			t.Errorf("%s: got a function for the end of the attempt, want nil", name)
		}
		_, done := tracing.Field(ctx, "cvms")
		done("", false)
		tracing.Operation(ctx, "query", "", false, nil, false)
		tracing.End(ctx, 200)
		if !maps.EqualFunc(got, test.want, slices.Equal) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
		if err := tracing.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTracing_offAllocations(t *testing.T) { //nolint:paralleltest // allocations of other tests would count
	tracing, ctx, header, upstream := &telemetry.Tracing{}, t.Context(), http.Header{"Authorization": {"x"}}, http.Header{"Accept": {"x"}}
	if n := testing.AllocsPerRun(100, func() {
		ctx := tracing.Begin(ctx, header, "POST")
		tracing.Attempt(ctx, 1, 1, 1, upstream)
		tracing.End(ctx, 200)
	}); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

func TestTraceIDFrom_traceparent(t *testing.T) {
	t.Parallel()
	if got := telemetry.TraceIDFrom(t.Context()); got != "" {
		t.Errorf("got %q, want none", got)
	}
	ctx := (&telemetry.Tracing{}).Begin(t.Context(), http.Header{"Traceparent": {"00-" + callersTrace + "-" + callersSpan + "-01"}}, "GET")
	if got := telemetry.TraceIDFrom(ctx); got != callersTrace {
		t.Errorf("got %q, want %s", got, callersTrace)
	}
}

func TestExportLog_oncePerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		failed := 0
		failures := telemetry.NewExportLog(func() { failed++ }, slog.New(slog.NewJSONHandler(&log, nil)))
		for range 150 { // seconds
			failures.Handle(errors.New("connection refused"))
			<-time.After(time.Second)
		}
		if failed != 150 {
			t.Errorf("got %d failures counted, want 150", failed)
		}
		if got := strings.Count(log.String(), `"msg":"trace export failed","error":"connection refused"`); got != 3 {
			t.Errorf("got %d lines, want 3: %s", got, &log)
		}
	})
}

func TestFailedCallLog_oncePerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		failed := telemetry.NewFailedCallLog(slog.New(slog.NewJSONHandler(&log, nil)))
		for range 90 { // seconds
			for _, outcome := range []string{"ok", "client_error", "network", "timeout", "invalid", "unavailable", "canceled"} {
				failed(outcome, func() []any { return []any{"status", 502} })
			}
			<-time.After(time.Second)
		}
		var got []string
		for line := range strings.Lines(log.String()) {
			var logged struct {
				Level, Msg, Outcome string
				Status              int
			}
			if err := json.Unmarshal([]byte(line), &logged); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(logged.Level, " ", logged.Outcome, " ", logged.Status, " ", strings.Contains(logged.Msg, "--api-version")))
		}
		minute := []string{"WARN client_error 502 true", "WARN network 502 false", "WARN timeout 502 false", "WARN invalid 502 true"}
		if want := slices.Concat(minute, minute); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestExportLog_longError(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	failures := telemetry.NewExportLog(func() {}, slog.New(slog.NewJSONHandler(&log, nil)))
	failures.Handle(errors.New("400: " + strings.Repeat("ä", 1<<20)))
	var line struct{ Error string }
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if want := "400: " + strings.Repeat("ä", 147) + "…"; line.Error != want {
		t.Errorf("got %q, want %q", line.Error, want)
	}
}

func TestWithoutValues_dropsAttributes(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := telemetry.WithoutValues(slog.NewJSONHandler(&log, nil))
	slog.New(h).With("input", "secret").WithGroup("secret").Error("parse headers", "value", "secret")
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	if want := map[string]any{"level": "ERROR", "msg": "OpenTelemetry: parse headers"}; !maps.Equal(line, want) {
		t.Errorf("got %v, want %v", line, want)
	}
}

func TestTracing_fieldErrorOfCaller(t *testing.T) {
	t.Parallel()
	tracing, ended := newTracing(t)
	_, done := tracing.Field(t.Context(), "cvms")
	done("BAD_USER_INPUT", false)
	span := ended.Ended()[0]
	if got := attributesOf(span)["error.type"]; got != "BAD_USER_INPUT" || span.Status() != (sdk.Status{}) {
		t.Errorf("got %q, %+v, want BAD_USER_INPUT and no status", got, span.Status())
	}
}

// TestTracing_retainsNoDocument checks that a span does not keep the document that contains the
// operation name in memory.
func TestTracing_retainsNoDocument(t *testing.T) { //nolint:paralleltest // allocations of other tests would count
	tracing, ended := newTracing(t)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for range 200 {
		document := "Fleet" + strings.Repeat("x", 200<<10)
		ctx := tracing.Begin(t.Context(), http.Header{}, "POST")
		tracing.Operation(ctx, "query", document[:5], false, nil, false)
		tracing.End(ctx, 200)
	}
	if got := heap() - before; got > 8<<20 {
		t.Errorf("got %d MiB more, want at most 8", got>>20)
	}
	if spans := ended.Ended(); len(spans) != 200 || attributesOf(spans[199])["graphql.operation.name"] != "Fleet" {
		t.Errorf("got %d spans, want 200 of Fleet", len(spans))
	}
}

func TestTracing_preflightRequest(t *testing.T) {
	t.Parallel()
	tracing, ended := newTracing(t)
	tracing.End(tracing.Begin(t.Context(), http.Header{}, "OPTIONS"), 204)
	if got := ended.Ended(); len(got) != 0 {
		t.Errorf("got %d spans, want none", len(got))
	}
}

func TestOpenTracing_unknownExporter(t *testing.T) {
	t.Parallel()
	if _, err := telemetry.OpenTracing(t.Context(), "zipkin", nil, nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("got no error, want one")
	}
}
