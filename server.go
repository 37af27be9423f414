// Command cvmgraph serves Phala Cloud's list of confidential VMs (CVMs) as a GraphQL connection.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"cvmgraph/docs"
	"cvmgraph/graph"
	"cvmgraph/internal/check"
	"cvmgraph/internal/config"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/httpserver"
	"cvmgraph/internal/memorylimit"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/persisted"
	"cvmgraph/internal/playground"
	"cvmgraph/internal/querylimit"
	"cvmgraph/internal/redis"
	"cvmgraph/internal/relay"
	"cvmgraph/internal/telemetry"
	"cvmgraph/restclient"
)

//go:generate go tool gqlgen generate

//go:embed schema.graphqls
var schema string

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	// The program has its own logger. net/http would log unexpected bytes from an upstream to this
	// one.
	log.SetOutput(io.Discard)
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	// The first signal begins the shutdown. After that, a second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run runs the program until ctx is done, and returns the exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	settings, err := config.Parse(args, environ, stdout)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		if _, ok := errors.AsType[*config.ProblemsError](err); ok {
			_, _ = fmt.Fprintln(stderr, "see cvmgraph --help")
			return exitUsage
		}
		return exitFailure
	}
	logger := telemetry.NewLogger(stderr, settings.LogLevel, telemetry.Format(settings.LogFormat), telemetry.IsTerminal(stderr))
	for _, warning := range settings.Warnings {
		logger.Warn("setting ignored", "problem", warning)
	}
	switch settings.Command {
	case config.CommandHelp:
	case config.CommandVersion:
		_, err = fmt.Fprintln(stdout, "cvmgraph", telemetry.Version())
	case config.CommandSchema:
		_, err = io.WriteString(stdout, schema)
	case config.CommandHealth:
		err = httpserver.Health(ctx, settings.Listen, settings.BasePath, settings.TLSCert != "")
	case config.CommandCheck:
		var ok bool
		if ok, err = runCheck(ctx, settings, stdout); err == nil && !ok {
			return exitFailure // the report has the reason
		}
	case config.CommandServe:
		err = serve(ctx, settings, stdout, logger)
	}
	if err != nil {
		logger.Error("cvmgraph failed", "error", err)
		return exitFailure
	}
	return exitOK
}

// isKnown reports whether the gateway was made for an API version.
func isKnown(version string) bool { return slices.Contains(restclient.KnownVersions(), version) }

// heapFloor is the size of an allocation that is never used, in bytes. The live heap is small, and
// without the allocation the garbage collector would run after every few pages.
const heapFloor = 24 << 20

// app holds the dependencies of the components that serve wires together.
type app struct {
	settings *config.Config
	metrics  *telemetry.Metrics
	tracing  *telemetry.Tracing
	logger   *slog.Logger
}

// serve runs the gateway until ctx is done and all requests have completed.
func serve(ctx context.Context, settings *config.Config, stdout io.Writer, logger *slog.Logger) error {
	defer runtime.KeepAlive(make([]byte, heapFloor))
	// If the reader of the log goes away, the log is lost, and requests are still served. Otherwise
	// the signal would end the program.
	signal.Ignore(syscall.SIGPIPE)
	memorylimit.Follow(ctx, int64(settings.CacheBytes), logger)
	if version := settings.APIVersion; !isKnown(version) {
		logger.Warn("API version is unknown; run cvmgraph check to test it", "version", version,
			"known", restclient.KnownVersions(), "assumed_shape", restclient.ShapeOf(version))
	}
	metrics := telemetry.NewMetrics()
	tracing, err := telemetry.OpenTracing(ctx, settings.Traces, stdout, metrics.TraceExportFailed, logger)
	if err != nil {
		return err
	}
	defer closeTracing(tracing, logger)
	app := app{settings, metrics, tracing, logger}
	resolver := app.resolver()
	upstreamURL, closeUpstream, err := openUpstream(settings)
	if err != nil {
		return err
	}
	defer closeUpstream()
	if settings.Demo {
		resolver.DefaultCredential = restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + demo.DefaultToken})
	}
	client, err := app.client(upstreamURL)
	if err != nil {
		return err
	}
	defer client.Close()
	shared, err := app.shared()
	if err != nil {
		return err
	}
	if shared != nil {
		defer shared.Close()
		resolver.PersistedQueries = shared.Strings("persisted query", persistedTTL)
	}
	resolver.Pages = app.cache(client, shared)

	certificate, err := app.certificate()
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: stop the other program, or set another --listen", err)
	}
	if err != nil {
		return err
	}
	// The public listener comes first: if both have the same address, a demo runs without the admin
	// listener.
	admin, err := app.listenAdmin(ctx)
	if err != nil {
		_ = listener.Close() // not served yet
		return err
	}
	server := app.server(graph.NewHandler(resolver), certificate)
	url := httpserver.LocalURL(listener, certificate != nil) + settings.BasePath
	serving := logger.With("version", telemetry.Version(), "graphql", url+"/graphql", "demo", settings.Demo)
	if settings.Playground {
		serving = serving.With("open", url+"/")
	}
	if admin != nil {
		serving = serving.With("admin", httpserver.LocalURL(admin, false))
		// The admin server closes after the public server, so that operators can observe the
		// shutdown.
		options := httpserver.AdminOptions{Metrics: metrics.Handler(logger), Logger: logger}
		defer httpserver.StartAdmin(admin, options).Close()
	}
	serving.Info("cvmgraph is serving")
	return server.Run(ctx, listener)
}

// runCheck runs the command check, writes its report, and reports whether no step has failed.
func runCheck(ctx context.Context, settings *config.Config, stdout io.Writer) (ok bool, err error) {
	upstreamURL, closeUpstream, err := openUpstream(settings)
	if err != nil {
		return false, err
	}
	defer closeUpstream()
	options := check.Options{
		Upstream: clientOptions(upstreamURL, settings),
		Token:    settings.Token, APIKey: settings.APIKey,
		Warnings: settings.Warnings,
		TLSCert:  settings.TLSCert, TLSKey: settings.TLSKey,
		TrustedDocumentCount: len(settings.Documents), TrustedDocumentsMode: settings.TrustedDocumentsMode,
	}
	if version := settings.APIVersion; !isKnown(version) {
		options.Warnings = append(slices.Clip(options.Warnings), fmt.Sprintf("API version %s is unknown; known are %s; its shape is assumed to be %s",
			version, strings.Join(restclient.KnownVersions(), ", "), restclient.ShapeOf(version)))
	}
	if warning := memorylimit.Warning(int64(settings.CacheBytes)); warning != "" {
		options.Warnings = append(slices.Clip(options.Warnings), warning)
	}
	if settings.Demo && settings.Token == "" && settings.APIKey == "" {
		options.Token = demo.DefaultToken
	}
	if settings.RedisURL != "" {
		options.Redis = &redis.Options{URL: settings.RedisURL, Key: settings.SharedKey}
	}
	report, err := check.Run(ctx, options)
	if err != nil {
		return false, err
	}
	if telemetry.Format(settings.LogFormat).IsText(telemetry.IsTerminal(stdout)) {
		return report.OK, report.WriteText(stdout)
	}
	return report.OK, report.WriteJSON(stdout)
}

// resolver returns the resolver without its pages.
func (a app) resolver() *graph.Resolver {
	responses := a.metrics.ResponseCache()
	return &graph.Resolver{
		APIVersion:       a.settings.APIVersion,
		MaxFirst:         a.settings.MaxFirst,
		MaxUpstreamCalls: a.settings.MaxUpstreamCalls,
		Limits: querylimit.Limits{
			Tokens:  a.settings.MaxTokens,
			Depth:   a.settings.MaxDepth,
			Aliases: a.settings.MaxAliases,
		},
		Introspection: a.settings.Introspection,
		Projection:    a.settings.Projection,
		ResponseCache: graphqlhttp.ResponseCacheOptions{
			MaxBytes: responseCacheBytes(a.settings),
			TTL:      a.settings.CacheTTL,
			Hit:      responses.Hit,
			Watch:    responses.Watch,
		},
		TrustedDocuments: persisted.TrustedDocuments{
			Mode:      persisted.TrustMode(a.settings.TrustedDocumentsMode),
			Documents: a.settings.Documents,
			Untrusted: a.metrics.UntrustedDocument,
		},
		RequestID: telemetry.RequestIDFrom,
		Tracer:    a.tracer(),
		Logger:    a.logger,
	}
}

// tracer returns the tracer of operations, or nil if tracing is off.
func (a app) tracer() *graph.Tracer {
	if !a.tracing.On() {
		return nil
	}
	return &graph.Tracer{
		Operation: a.tracing.Operation,
		Field:     a.tracing.Field,
		Page: func(ctx context.Context, result pages.FetchResult, reason relay.Reason) {
			a.tracing.Page(ctx, telemetry.PageEvent{
				Page: result.Request.Page, PageSize: result.Request.PageSize, Reason: string(reason),
				Items: result.Len(), Age: result.Age,
				Cached: result.Cached, Coalesced: result.Coalesced, Stale: result.Stale,
			})
		},
	}
}

func closeTracing(tracing *telemetry.Tracing, logger *slog.Logger) {
	if err := tracing.Close(); err != nil {
		logger.Warn("failed to export the last traces", "error", err)
	}
}

// responseCacheBytes returns the part of --cache-bytes that the response cache uses. Pages use the
// rest.
func responseCacheBytes(settings *config.Config) uint64 { return uint64(settings.CacheBytes) / 4 }

// clientOptions returns the options of the upstream client, without an observer.
func clientOptions(upstreamURL string, settings *config.Config) restclient.Options {
	return restclient.Options{
		BaseURL:    upstreamURL,
		APIVersion: settings.APIVersion,
		Timeout:    settings.UpstreamTimeout,
		UserAgent:  "cvmgraph/" + telemetry.Version(),
	}
}

// client returns the upstream client.
func (a app) client(upstreamURL string) (*restclient.Client, error) {
	options := clientOptions(upstreamURL, a.settings)
	options.Observer = restclient.Observer{
		Attempted: a.metrics.UpstreamAttempted, Retried: a.metrics.UpstreamRetried, OverBudget: a.metrics.UpstreamOverBudget,
		Suppressed: a.metrics.UpstreamSuppressed,
		Exhausted:  telemetry.NewExhaustedLog(a.logger),
		Breaker:    func(state string) { logBreaker(a.logger, state) },
		StartAttempt: func(ctx context.Context, attempt restclient.Attempt, header http.Header) func(int, string) {
			return a.tracing.Attempt(ctx, attempt.Request.Page, attempt.Request.PageSize, attempt.Number, header)
		},
	}
	client, err := restclient.New(options)
	if err != nil {
		return nil, err
	}
	a.metrics.WatchUpstream(func() (breaker string, limit, inFlight, queued, paused int) {
		s := client.State()
		return s.Breaker, s.Limit, s.InFlight, s.Queued, s.Paused
	})
	return client, nil
}

// cache returns the page cache. Replicas share its pages through shared, which may be nil.
func (a app) cache(client *restclient.Client, shared *redis.Store) *pages.Cache {
	failed := telemetry.NewFailedCallLog(a.logger)
	metrics := a.metrics.PageCache(uint64(a.settings.CacheBytes))
	cache := pages.NewCache(pages.NewUpstream(client), pages.CacheOptions{
		TTL:          a.settings.CacheTTL,
		StaleIfError: a.settings.StaleIfError,
		MaxBytes:     uint64(a.settings.CacheBytes) - responseCacheBytes(a.settings),
		APIVersion:   a.settings.APIVersion,
		HashKey:      a.settings.SharedKey,
		Shared:       shared,
		SharedWait:   a.settings.UpstreamTimeout * 3 / 2, // longer than one attempt
		Observer: pages.CacheObserver{
			Hit: metrics.Hit, Miss: metrics.Miss, Coalesced: a.metrics.UpstreamCoalesced,
			Evicted: metrics.Evicted, Stale: metrics.Stale, Purged: metrics.Purged,
			Called: func(outcome string, took time.Duration, err error) {
				a.metrics.UpstreamCall(outcome, took)
				if outcome != "client_error" || mayRefuseVersion(err) {
					failed(outcome, func() []any { return failureDetails(err) })
				}
			},
			Compared: func(found restclient.Comparison, fresh []restclient.Difference) {
				a.metrics.UpstreamCompared(found.Missing, found.Changed, found.Unknown)
				logDifferences(a.logger, fresh)
			},
		},
	})
	metrics.Watch(cache.Size)
	return cache
}

// server returns the public server. If certificate is nil, it serves plain HTTP.
func (a app) server(handler http.Handler, certificate *httpserver.Certificate) *httpserver.Server {
	var page http.Handler
	if a.settings.Playground {
		page = playground.New(playground.Options{Demo: a.settings.Demo, Version: telemetry.Version(), Documents: docs.Pages})
	}
	return httpserver.New(httpserver.Options{
		GraphQL:        handler,
		BasePath:       a.settings.BasePath,
		Playground:     page,
		Certificate:    certificate,
		AllowedOrigins: a.settings.AllowedOrigins,
		SDL:            schema,
		Logger:         a.logger,
		Observer: httpserver.Observer{
			Begun: a.metrics.RequestBegun, Ended: a.metrics.RequestEnded,
			StartSpan: a.tracing.Begin, EndSpan: a.tracing.End,
		},
		RequestTimeout: a.settings.RequestTimeout,
		IdleTimeout:    a.settings.IdleTimeout,
		DrainDelay:     a.settings.DrainDelay,
		MaxHeader:      int64(a.settings.MaxHeader),
		MaxBody:        int64(a.settings.MaxBody),
		TrustedProxies: a.settings.TrustedProxies,
	})
}

func logBreaker(logger *slog.Logger, state string) {
	switch state {
	case restclient.BreakerOpen:
		logger.Warn("circuit breaker opened; the calls of several credentials fail, and none succeeds")
	case restclient.BreakerClosed:
		logger.Info("circuit breaker closed; an upstream call has succeeded")
	}
}

// mayRefuseVersion reports whether the API version can be the reason of an upstream call's failure.
func mayRefuseVersion(err error) bool {
	status, ok := errors.AsType[*restclient.StatusError](err)
	return ok && status.MayRefuseVersion()
}

// failureDetails returns what the log may contain of a failed upstream call: a status, the
// upstream's error code and the id that its operator can search for, or what is wrong with the
// connection or the response.
func failureDetails(err error) []any {
	var details []any
	add := func(key, value string) {
		if value != "" {
			details = append(details, key, value)
		}
	}
	if e, ok := errors.AsType[*restclient.StatusError](err); ok {
		details = append(details, "status", e.StatusCode)
		add("upstream_code", e.Code)
		add("upstream_request_id", e.RequestID)
		if e.Intermediary {
			add("sent_by", "intermediary")
		}
	}
	if e, ok := errors.AsType[*restclient.NetworkError](err); ok {
		add("kind", e.Kind)
		add("http2_code", e.HTTP2Code)
	}
	if e, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		add("reason", string(e.Reason))
	}
	return details
}

// logDifferences logs differences between the upstream's pages and the API contract.
func logDifferences(logger *slog.Logger, differences []restclient.Difference) {
	if len(differences) == 0 {
		return
	}
	messages := make([]string, len(differences))
	for i, d := range differences {
		messages[i] = d.String()
	}
	logger.Warn("upstream pages differ from the API contract; run cvmgraph check for details", "differences", messages)
}

// persistedTTL is the time for which replicas share a persisted query after it was sent last.
const persistedTTL = 24 * time.Hour

// shared opens the store that replicas share, or returns nil without --redis-url. It does not wait
// for Redis.
func (a app) shared() (*redis.Store, error) {
	if a.settings.RedisURL == "" {
		return nil, nil
	}
	metrics := a.metrics.Redis()
	logRefused := telemetry.NewRefusedWriteLog(a.logger)
	return redis.Open(redis.Options{URL: a.settings.RedisURL, Key: a.settings.SharedKey, Observer: redis.Observer{
		Hit: metrics.Hit, Miss: metrics.Miss, Error: metrics.Error,
		Refused: func(code string) {
			metrics.Refused(code)
			logRefused(code)
		},
		Down: func(err error) {
			metrics.Down()
			a.logger.Warn("redis is unavailable; continuing without it", "error", err)
		},
		Up: func() {
			metrics.Up()
			a.logger.Info("redis is available again")
		},
	}})
}

// certificate opens the certificate, or returns nil without --tls-cert.
func (a app) certificate() (*httpserver.Certificate, error) {
	if a.settings.TLSCert == "" {
		return nil, nil
	}
	return httpserver.OpenCertificate(a.settings.TLSCert, a.settings.TLSKey, a.logger)
}

// listenAdmin opens the admin listener, or returns nil without --admin-listen. If its address is in
// use, a demo runs without it.
func (a app) listenAdmin(ctx context.Context) (net.Listener, error) {
	if a.settings.AdminListen == "" {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.settings.AdminListen)
	if a.settings.Demo && errors.Is(err, syscall.EADDRINUSE) {
		a.logger.Warn("admin listener disabled; its address is in use: stop the other program, or set another --admin-listen", "error", err)
		return nil, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("admin: %w: stop the other program, or set another --admin-listen", err)
	}
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	return listener, nil
}

// openUpstream returns the base URL of the upstream, and a function that closes it. With --demo, it
// starts the embedded upstream.
func openUpstream(settings *config.Config) (baseURL string, closeUpstream func(), err error) {
	if !settings.Demo {
		return settings.UpstreamURL.String(), func() {}, nil
	}
	server, err := demo.Start()
	if err != nil {
		return "", nil, err
	}
	return server.URL, server.Close, nil
}
