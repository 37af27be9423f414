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
	"math"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"cvmgraph/graph"
	"cvmgraph/internal/check"
	"cvmgraph/internal/config"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/httpserver"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/persisted"
	"cvmgraph/internal/playground"
	"cvmgraph/internal/querylimit"
	"cvmgraph/internal/redis"
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
	// The program has a logger of its own. What net/http logs beside it quotes what an upstream
	// sends unasked.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once the first signal has begun the drain, a second one ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the program without its process: it ends when ctx does, and returns the exit code.
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
	logger := telemetry.NewLogger(stderr, settings.LogLevel, telemetry.Format(settings.LogFormat), isTerminal(stderr))
	for _, w := range settings.Warnings {
		logger.Warn("setting ignored", "problem", w)
	}
	switch settings.Command {
	case config.CommandHelp:
	case config.CommandVersion:
		_, err = fmt.Fprintln(stdout, "cvmgraph", telemetry.Version())
	case config.CommandSchema:
		_, err = io.WriteString(stdout, schema)
	case config.CommandHealth:
		err = httpserver.Health(ctx, settings.Listen, settings.TLSCert != "")
	case config.CommandCheck:
		var ok bool
		if ok, err = inspect(ctx, settings, stdout); err == nil && !ok { // the report says why
			return exitFailure
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

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// heapFloor is memory that is never touched, in bytes. What lives is little, and a collection
// begins once as much again is garbage: without a floor that is after every handful of pages.
const heapFloor = 24 << 20

// app holds the dependencies of the components that serve wires together.
type app struct {
	settings *config.Config
	metrics  *telemetry.Metrics
	tracing  *telemetry.Tracing
	logger   *slog.Logger
}

// serve runs the gateway until ctx ends and all requests are answered.
func serve(ctx context.Context, settings *config.Config, stdout io.Writer, logger *slog.Logger) error {
	defer runtime.KeepAlive(make([]byte, heapFloor))
	limitMemory(logger)
	metrics := telemetry.NewMetrics()
	tracing, err := telemetry.OpenTracing(ctx, settings.Traces, stdout, metrics.TracesFailed, logger)
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
		resolver.DefaultCredential = restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + demoToken})
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
		resolver.PersistedQueries = shared.Strings("persisted query", persistedLife)
	}
	resolver.Pages = app.cache(client, shared)

	certificate, err := app.certificate()
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: end what listens there, or give another --listen", err)
	}
	if err != nil {
		return err
	}
	// Behind the public address, so that where both are the same it is the admin listener that a
	// demo does without.
	admin, err := app.listenAdmin(ctx)
	if err != nil {
		_ = listener.Close() // not served yet
		return err
	}
	server := app.server(graph.NewHandler(resolver), certificate)
	url := publicURL(listener, certificate != nil)
	serving := logger.With("version", telemetry.Version(), "graphql", url+"/graphql", "demo", settings.Demo)
	if settings.Playground {
		serving = serving.With("open", url+"/")
	}
	if admin != nil {
		serving = serving.With("admin", publicURL(admin, false))
		// It outlives the public server, so that a drain can be watched.
		defer httpserver.StartAdmin(admin, httpserver.AdminOptions{Metrics: app.metrics.Handler(logger), Logger: logger}).Close()
	}
	serving.Info("cvmgraph is serving")
	return server.Run(ctx, listener)
}

// inspect checks what serve would go by, writes what it finds, and tells whether nothing has
// failed.
func inspect(ctx context.Context, settings *config.Config, stdout io.Writer) (ok bool, err error) {
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
		TrustedDocuments: len(settings.Documents), TrustedDocumentsMode: settings.TrustedDocumentsMode,
	}
	if settings.Demo && settings.Token == "" && settings.APIKey == "" {
		options.Token = demoToken
	}
	if settings.RedisURL != "" {
		options.Redis = &redis.Options{URL: settings.RedisURL, Key: settings.SharedKey}
	}
	report, err := check.Run(ctx, options)
	if err != nil {
		return false, err
	}
	if telemetry.Format(settings.LogFormat).IsText(isTerminal(stdout)) {
		return report.OK, report.WriteText(stdout)
	}
	return report.OK, report.WriteJSON(stdout)
}

// resolver returns what operations are resolved with, but for the pages.
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
			MaxBytes: responseCacheBytes(a.settings), TTL: a.settings.CacheTTL, Hit: responses.Hit, Watch: responses.Watch,
		},
		TrustedDocuments: persisted.TrustedDocuments{
			Mode: persisted.TrustMode(a.settings.TrustedDocumentsMode), Documents: a.settings.Documents, Untrusted: a.metrics.UntrustedDocument,
		},
		RequestID: telemetry.RequestIDFrom,
		Tracer:    a.tracer(),
		Logger:    a.logger,
	}
}

// tracer returns what follows operations, nil where nothing is traced.
func (a app) tracer() *graph.Tracer {
	if !a.tracing.On() {
		return nil
	}
	return &graph.Tracer{Operation: a.tracing.Operation, Field: a.tracing.Field, Page: func(ctx context.Context, got pages.FetchResult, reason string) {
		a.tracing.Page(ctx, telemetry.PageEvent{
			Page: got.Request.Page, PageSize: got.Request.PageSize, Reason: reason, Items: got.Len(), Age: got.Age,
			Cached: got.Cached, Coalesced: got.Coalesced, Stale: got.Stale,
		})
	}}
}

func closeTracing(tracing *telemetry.Tracing, logger *slog.Logger) {
	if err := tracing.Close(); err != nil {
		logger.Warn("failed to export the last traces", "error", err)
	}
}

// responseCacheBytes returns the part of --cache-bytes that the response cache uses. Pages use the
// rest.
func responseCacheBytes(settings *config.Config) uint64 { return uint64(settings.CacheBytes) / 4 }

// clientOptions are those of the upstream's client, without its observer.
func clientOptions(upstreamURL string, settings *config.Config) restclient.Options {
	return restclient.Options{
		BaseURL:    upstreamURL,
		APIVersion: settings.APIVersion,
		Timeout:    settings.UpstreamTimeout,
		UserAgent:  "cvmgraph/" + telemetry.Version(),
	}
}

// client returns the client of the upstream.
func (a app) client(upstreamURL string) (*restclient.Client, error) {
	options := clientOptions(upstreamURL, a.settings)
	options.Observer = restclient.Observer{
		Attempted: a.metrics.UpstreamAttempted, Retried: a.metrics.UpstreamRetried, OverBudget: a.metrics.UpstreamOverBudget,
		Refused: a.metrics.UpstreamRefused,
		Breaker: func(state string) { logBreaker(a.logger, state) },
		Follow: func(ctx context.Context, attempt restclient.Attempt, header http.Header) func(int, string) {
			return a.tracing.Attempt(ctx, attempt.Request.Page, attempt.Request.PageSize, attempt.Number, header)
		},
	}
	client, err := restclient.New(options)
	if err != nil {
		return nil, err
	}
	a.metrics.WatchUpstream(func() (breaker string, limit, inFlight, queued int) {
		s := client.State()
		return s.Breaker, s.Limit, s.InFlight, s.Queued
	})
	return client, nil
}

// cache returns the cache of pages. Shared is where replicas share them, nil for nowhere.
func (a app) cache(client *restclient.Client, shared *redis.Store) *pages.Cache {
	failed := telemetry.FailedCalls(a.logger)
	seen := a.metrics.PageCache(uint64(a.settings.CacheBytes))
	cache := pages.NewCache(pages.NewUpstream(client), pages.CacheOptions{
		TTL:          a.settings.CacheTTL,
		StaleIfError: a.settings.StaleIfError,
		MaxBytes:     uint64(a.settings.CacheBytes) - responseCacheBytes(a.settings),
		APIVersion:   a.settings.APIVersion,
		HashKey:      a.settings.SharedKey,
		Shared:       shared,
		SharedWait:   a.settings.UpstreamTimeout * 3 / 2, // an attempt of the longest kind fits into the lock's life
		Observer: pages.CacheObserver{
			Hit: seen.Hit, Miss: seen.Miss, Coalesced: a.metrics.UpstreamCoalesced,
			Evicted: seen.Evicted, Stale: seen.Stale, Purged: seen.Purged,
			Called: func(outcome string, took time.Duration) {
				a.metrics.UpstreamCall(outcome, took)
				failed(outcome)
			},
			Compared: func(found restclient.Comparison, fresh []restclient.Difference) {
				a.metrics.UpstreamCompared(found.Missing, found.Changed, found.Unknown)
				logDifferences(a.logger, fresh)
			},
		},
	})
	seen.Watch(cache.Size)
	return cache
}

// server returns the public server. Certificate is nil where it serves no TLS.
func (a app) server(handler http.Handler, certificate *httpserver.Certificate) *httpserver.Server {
	var page http.Handler
	if a.settings.Playground {
		page = playground.New(playground.Options{Demo: a.settings.Demo})
	}
	return httpserver.New(httpserver.Options{
		GraphQL:        handler,
		Playground:     page,
		Certificate:    certificate,
		AllowedOrigins: a.settings.AllowedOrigins,
		SDL:            schema,
		Logger:         a.logger,
		Observer: httpserver.Observer{
			Begun: a.metrics.RequestBegun, Ended: a.metrics.RequestEnded, Follow: a.tracing.Begin, Followed: a.tracing.End,
		},
		RequestTimeout: a.settings.RequestTimeout,
		DrainDelay:     a.settings.DrainDelay,
		MaxBody:        int64(a.settings.MaxBody),
	})
}

func logBreaker(logger *slog.Logger, state string) {
	switch state {
	case restclient.BreakerOpen:
		logger.Warn("circuit breaker opened; upstream calls are paused")
	case restclient.BreakerClosed:
		logger.Info("circuit breaker closed; the upstream has recovered")
	}
}

// logDifferences logs differences between what the upstream promises and what it sends.
func logDifferences(logger *slog.Logger, differences []restclient.Difference) {
	if len(differences) == 0 {
		return
	}
	texts := make([]string, len(differences))
	for i, d := range differences {
		texts[i] = d.String()
	}
	logger.Warn("upstream pages differ from the API contract; run cvmgraph check for details", "differences", texts)
}

// memoryShare is Go's part of the memory that the container may take; stacks of threads and the
// like come on top.
const memoryShare = 0.9

// limitMemory makes the collector keep below the memory limit of the container, where there is one
// and GOMEMLIMIT does not say another.
func limitMemory(logger *slog.Logger) {
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare))
	switch {
	case errors.Is(err, memlimit.ErrCgroupsNotSupported), errors.Is(err, memlimit.ErrNoCgroup):
	case err != nil:
		logger.Warn("cannot read the memory limit of the container; set GOMEMLIMIT", "error", err)
	case limit < math.MaxInt64:
		logger.Info("memory limit set", "bytes", limit)
	}
}

// persistedLife is how long replicas share a persisted query from when it was sent last.
const persistedLife = 24 * time.Hour

// shared opens what replicas share, nil where there is nothing. It does not wait for Redis.
func (a app) shared() (*redis.Store, error) {
	if a.settings.RedisURL == "" {
		return nil, nil
	}
	seen := a.metrics.Redis()
	return redis.Open(redis.Options{URL: a.settings.RedisURL, Key: a.settings.SharedKey, Observer: redis.Observer{
		Hit: seen.Hit, Miss: seen.Miss, Error: seen.Error,
		Down: func(err error) {
			seen.Down()
			a.logger.Warn("redis is unavailable; continuing without it", "error", err)
		},
		Up: func() {
			seen.Up()
			a.logger.Info("redis is available again")
		},
	}})
}

// certificate opens the certificate to serve with, nil where that is plain HTTP.
func (a app) certificate() (*httpserver.Certificate, error) {
	if a.settings.TLSCert == "" {
		return nil, nil
	}
	return httpserver.OpenCertificate(a.settings.TLSCert, a.settings.TLSKey, a.logger)
}

// listenAdmin listens for operators, nil where they are not served. A demo does without an address
// that is in use.
func (a app) listenAdmin(ctx context.Context) (net.Listener, error) {
	if a.settings.AdminListen == "" {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.settings.AdminListen)
	if a.settings.Demo && errors.Is(err, syscall.EADDRINUSE) {
		a.logger.Warn("admin listener disabled; its address is in use", "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	return listener, nil
}

// publicURL returns where a person on this machine reaches the listener.
func publicURL(l net.Listener, overTLS bool) string {
	scheme := "http"
	if overTLS {
		scheme = "https"
	}
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok || !address.IP.IsUnspecified() {
		return scheme + "://" + l.Addr().String()
	}
	return fmt.Sprintf("%s://localhost:%d", scheme, address.Port)
}

// How the demo upstream behaves: about as slow as a good API, and alive enough to watch.
const (
	demoLatency     = 4 * time.Millisecond
	demoChangeEvery = 5 * time.Second
	// demoToken is that of who brings no credential.
	demoToken = "demo"
)

// openUpstream returns the address of the upstream, which for a demo is opened, and what closes it.
func openUpstream(settings *config.Config) (address string, closeIt func(), err error) {
	if !settings.Demo {
		return settings.UpstreamURL.String(), func() {}, nil
	}
	upstream, err := startDemo()
	if err != nil {
		return "", nil, err
	}
	return upstream.url, upstream.Close, nil
}

// demoUpstream is the embedded upstream on a loopback port of its own.
type demoUpstream struct {
	url    string
	server *http.Server
	served chan struct{} // closed once the server has ended
}

func startDemo() (*demoUpstream, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo upstream: %w", err)
	}
	d := &demoUpstream{
		url: "http://" + listener.Addr().String() + demo.BasePath,
		server: &http.Server{
			Handler:           demo.New(demo.Options{Latency: demoLatency, ChangeEvery: demoChangeEvery}),
			ReadHeaderTimeout: 5 * time.Second,
		},
		served: make(chan struct{}),
	}
	go func() {
		defer close(d.served)
		_ = d.server.Serve(listener) // ends by Close; should it end before, the gateway says that its upstream is gone
	}()
	return d, nil
}

// Close ends the upstream and waits until it has ended.
func (d *demoUpstream) Close() {
	_ = d.server.Close() // its listener is gone in any case
	<-d.served
}
