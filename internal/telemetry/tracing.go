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

// Tracing creates OpenTelemetry spans: one for an operation, a child for each field that calls the
// upstream, and a child of that for each attempt to call. Its methods are meant for the observers
// of other packages, and are safe for concurrent use. The zero value creates no spans; it only
// forwards the caller's trace context.
//
// A span contains no credential and no address of the upstream. Of a request, it contains only the
// method, the id and the name of the operation.
type Tracing struct {
	tracer   trace.Tracer // nil if tracing is off
	provider *sdk.TracerProvider
}

// closeTimeout is the time limit for exporting the last spans.
const closeTimeout = 2 * time.Second

// OpenTracing returns a Tracing that exports spans by an exporter: console, which writes to w, grpc
// or http. If exporter is "", tracing is off. The standard OpenTelemetry variables configure the
// rest, such as the endpoint. failed is called for each failed export, and errors are logged.
// OpenTracing does not wait for the receiver.
func OpenTracing(ctx context.Context, exporter string, w io.Writer, failed func(), logger *slog.Logger) (*Tracing, error) {
	if exporter == "" {
		return &Tracing{}, nil
	}
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
		err = errors.New("unknown exporter")
	}
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	res, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName("cvmgraph"), semconv.ServiceVersion(Version())),
		resource.WithFromEnv(),
	)
	if err != nil && !errors.Is(err, resource.ErrPartialResource) { // without the malformed attributes
		return nil, errors.New("traces: OTEL_RESOURCE_ATTRIBUTES is malformed") // err would contain the value
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(sender), sdk.WithResource(res))
	// Up to here, the library's errors are those of the variables, which package config reports.
	otel.SetErrorHandler(newExportLog(failed, logger))
	return NewTracing(provider), nil
}

// NewTracing returns a Tracing that creates the spans of a provider.
func NewTracing(provider *sdk.TracerProvider) *Tracing {
	return &Tracing{provider.Tracer("cvmgraph", trace.WithInstrumentationVersion(Version()), trace.WithSchemaURL(semconv.SchemaURL)), provider}
}

// Close exports the remaining spans. It waits at most two seconds.
func (t *Tracing) Close() error {
	if t.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// On reports whether tracing is on.
func (t *Tracing) On() bool { return t.tracer != nil }

// Begin starts the span of a GraphQL request, as a child of the span in the request's header, and
// returns its context.
func (t *Tracing) Begin(ctx context.Context, header http.Header, method string) context.Context {
	if len(header["Traceparent"]) > 0 {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
	}
	if t.tracer == nil || method == http.MethodOptions { // a preflight request of a browser
		return ctx
	}
	ctx, _ = t.tracer.Start(ctx, "GraphQL Operation", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(method),
		semconv.HTTPRoute("/graphql"),
		attribute.String("cvmgraph.request_id", RequestIDFrom(ctx)),
	))
	return ctx
}

// End ends the span of a request with the status of the response, which is 0 if the connection was
// aborted before a response.
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

// Operation sets the attributes of an operation:
//   - kind is its type, such as query, or "" if it is not known.
//   - name is its name, or "" if it has none.
//   - responseCacheHit reports whether the response was cached.
//   - errorCodes are the codes of its errors, each once.
//   - failed reports whether the gateway or the upstream is responsible for the first error.
func (t *Tracing) Operation(
	ctx context.Context, kind, name string, responseCacheHit bool, errorCodes []string, failed bool,
) {
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
		// The name is a substring of the document, which would stay in memory as long as the span.
		attributes = append(attributes, semconv.GraphQLOperationName(strings.Clone(name)))
	}
	if responseCacheHit {
		attributes = append(attributes, attribute.Bool("cvmgraph.response_cache_hit", true))
	}
	if len(errorCodes) > 0 {
		attributes = append(attributes,
			attribute.StringSlice("cvmgraph.error_codes", errorCodes), semconv.ErrorTypeKey.String(errorCodes[0]))
	}
	if failed {
		span.SetStatus(codes.Error, errorCodes[0])
	}
	span.SetAttributes(attributes...)
}

// Field starts the span of a field of Query, and returns its context and a function that ends the
// span. code is the code of the field's error, or "". failed reports whether the gateway or the
// upstream is responsible for it.
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

// PageEvent describes a page that a field was built from.
type PageEvent struct {
	Page, PageSize int
	// Reason is the reason for the fetch, such as window or total.
	Reason string
	// Items is the number of items on the page.
	Items int
	// Age is the time since the page was requested from the upstream, 0 if it was fetched for this
	// field.
	Age time.Duration
	// Cached, Coalesced and Stale report whether the page was cached, whether a call of another
	// request fetched it, and whether it was served after its TTL because the upstream failed.
	Cached, Coalesced, Stale bool
}

// Page adds an event for a page to the span of a field.
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

// Attempt starts the span of an attempt to call the upstream and writes its trace context to the
// header of the call. number is counted from 1. The returned function ends the span: status is the
// status of the response, or 0, and failure is the kind of failure, or "". If tracing is off, the
// function is nil, and the header gets the caller's trace context.
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

// TraceIDFrom returns the trace id of ctx, or "".
func TraceIDFrom(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}
