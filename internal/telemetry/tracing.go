package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Tracing follows requests with spans of OpenTelemetry: one for an operation, below it one for each field that calls the upstream, and
// below that one for each attempt at a call. Its methods are for the structs of funcs that those who are observed take, and are safe for
// concurrent use. The zero value traces nothing, and only hands a caller's trace context on.
//
// No span holds a credential, an address of the upstream, or anything of a request but its method, its id and the operation's name.
type Tracing struct {
	tracer   trace.Tracer // nil: nothing is traced
	provider *sdk.TracerProvider
}

// closeTimeout is how long the last spans may take to be sent.
const closeTimeout = 2 * time.Second

// OpenTracing returns what follows requests, and sends spans by the exporter: console (to w), grpc or http; "" is none. The rest is
// for the standard variables of OpenTelemetry to say, such as where to. Failed is told of each time that spans were not sent, and the
// logger of what goes wrong. It waits for nobody.
func OpenTracing(ctx context.Context, exporter string, w io.Writer, failed func(), logger *slog.Logger) (*Tracing, error) {
	if exporter == "" {
		return &Tracing{}, nil
	}
	otel.SetErrorHandler(newExportLog(failed, logger))
	otel.SetLogger(logr.FromSlogHandler(withoutValues{logger.Handler()}))
	var sender sdk.SpanExporter
	var err error
	switch exporter {
	case "console":
		sender, err = stdouttrace.New(stdouttrace.WithWriter(w))
	case "grpc":
		sender, err = otlptracegrpc.New(ctx)
	case "http":
		sender, err = otlptracehttp.New(ctx)
	default:
		err = errors.New("no such exporter")
	}
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName("cvmgraph"), semconv.ServiceVersion(Version())),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, errors.New("traces: OTEL_RESOURCE_ATTRIBUTES is malformed") // the error would quote it
	}
	return NewTracing(sdk.NewTracerProvider(sdk.WithBatcher(sender), sdk.WithResource(about))), nil
}

// NewTracing returns what follows requests with the provider's spans.
func NewTracing(provider *sdk.TracerProvider) *Tracing {
	return &Tracing{provider.Tracer("cvmgraph", trace.WithInstrumentationVersion(Version()), trace.WithSchemaURL(semconv.SchemaURL)), provider}
}

// Close sends what is not sent yet, within two seconds.
func (t *Tracing) Close() error {
	if t.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// On says whether anything is traced.
func (t *Tracing) On() bool { return t.tracer != nil }

// Begin returns the context of a request to GraphQL that came with the header: that of its span, which is a child of the caller's.
func (t *Tracing) Begin(ctx context.Context, header http.Header, method string) context.Context {
	if len(header["Traceparent"]) > 0 {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
	}
	if t.tracer == nil || method == http.MethodOptions { // a browser's question, before the request
		return ctx
	}
	ctx, _ = t.tracer.Start(ctx, "GraphQL Operation", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(method),
		semconv.HTTPRoute("/graphql"),
		attribute.String("cvmgraph.request_id", RequestIDFrom(ctx)),
	))
	return ctx
}

// End ends a request's span, with the status that answered it; 0 where the connection was aborted before.
func (t *Tracing) End(ctx context.Context, status int) {
	if t.tracer == nil {
		return
	}
	span := trace.SpanFromContext(ctx)
	switch {
	case status == 0:
		span.SetStatus(codes.Error, "aborted")
	case status >= http.StatusInternalServerError:
		span.SetStatus(codes.Error, "")
	}
	if status != 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
	span.End()
}

// Operation notes what an operation was, "" where that is not known: its type and its name. Kept says that it was answered as an equal
// one was before. Problems are the codes of its errors, each once, and failed says that the first of them is not the caller's to mend.
func (t *Tracing) Operation(ctx context.Context, kind, name string, kept bool, problems []string, failed bool) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	attributes := make([]attribute.KeyValue, 0, 5)
	if kind != "" {
		span.SetName(kind)
		attributes = append(attributes, semconv.GraphQLOperationTypeKey.String(kind))
	}
	if name != "" {
		attributes = append(attributes, semconv.GraphQLOperationName(strings.Clone(name))) // alone: the document that it is a part of would be kept with it
	}
	if kept {
		attributes = append(attributes, attribute.Bool("cvmgraph.response_cache_hit", true))
	}
	if len(problems) > 0 {
		attributes = append(attributes, attribute.StringSlice("cvmgraph.error_codes", problems), semconv.ErrorTypeKey.String(problems[0]))
	}
	if failed {
		span.SetStatus(codes.Error, problems[0])
	}
	span.SetAttributes(attributes...)
}

// Field begins the span of a field of Query, and returns its context and what ends it, with the code of the field's error, "" for none, and
// whether the gateway or the upstream has to mend it.
func (t *Tracing) Field(ctx context.Context, name string) (context.Context, func(code string, failed bool)) {
	if t.tracer == nil {
		return ctx, func(string, bool) {}
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithAttributes(attribute.String("graphql.field.name", name)))
	return ctx, func(code string, failed bool) {
		if code != "" {
			span.SetAttributes(semconv.ErrorTypeKey.String(code))
		}
		if failed {
			span.SetStatus(codes.Error, code)
		}
		span.End()
	}
}

// PageEvent is a page that a field was made of.
type PageEvent struct {
	Page, PageSize int
	// Reason is what it was for.
	Reason string
	// Items is how many it has.
	Items int
	// Age is how long ago it was asked for; 0 where that was now.
	Age time.Duration
	// Cached, Coalesced and Stale say that it was at hand, that somebody else's call brought it, and that the upstream failed.
	Cached, Coalesced, Stale bool
}

// Page notes a page at the field's span.
func (t *Tracing) Page(ctx context.Context, p PageEvent) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.AddEvent("page", trace.WithAttributes(
		attribute.Int("cvmgraph.page", p.Page),
		attribute.Int("cvmgraph.page_size", p.PageSize),
		attribute.String("cvmgraph.reason", p.Reason),
		attribute.Int("cvmgraph.items", p.Items),
		attribute.Int64("cvmgraph.age_ms", p.Age.Milliseconds()),
		attribute.Bool("cvmgraph.cached", p.Cached),
		attribute.Bool("cvmgraph.coalesced", p.Coalesced),
		attribute.Bool("cvmgraph.stale", p.Stale),
	))
}

// Attempt begins the span of an attempt at a call, counted from 1, and writes its trace context to the header of the call. What it
// returns ends the span, with the status of the answer, 0 for none, and what was wrong, "" for nothing; it is nil where nothing is
// traced, and then the trace context is the caller's.
func (t *Tracing) Attempt(ctx context.Context, page, pageSize, number int, header http.Header) func(status int, failure string) {
	var span trace.Span
	if t.tracer != nil {
		ctx, span = t.tracer.Start(ctx, "GET /cvms/paginated", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			semconv.HTTPRequestMethodGet,
			semconv.URLTemplate("/cvms/paginated"),
			attribute.Int("cvmgraph.page", page),
			attribute.Int("cvmgraph.page_size", pageSize),
		))
		if number > 1 {
			span.SetAttributes(semconv.HTTPRequestResendCount(number - 1))
		}
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	if span == nil {
		return nil
	}
	return func(status int, failure string) {
		if status != 0 {
			span.SetAttributes(semconv.HTTPResponseStatusCode(status))
		}
		if failure != "" {
			span.SetAttributes(semconv.ErrorTypeKey.String(failure))
			span.SetStatus(codes.Error, failure)
		}
		span.End()
	}
}

// TraceIDFrom returns the id of the trace that the context is part of, "" for none.
func TraceIDFrom(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}
