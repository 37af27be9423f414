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
	"cvmgraph/internal/httpserver"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/playground"
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
	// The program has a logger of its own. What net/http logs beside it quotes what an upstream sends unasked.
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
		err = serve(ctx, settings, logger)
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

// heapFloor is memory that is never touched, in bytes. What lives is little, and a collection begins once as much again is
// garbage: without a floor that is after every handful of pages.
const heapFloor = 24 << 20

// serve runs the gateway until ctx ends and all requests are answered.
func serve(ctx context.Context, settings *config.Config, logger *slog.Logger) error {
	defer runtime.KeepAlive(make([]byte, heapFloor))
	limitMemory(logger)
	metrics := telemetry.NewMetrics()
	resolver := newResolver(settings, metrics, logger)
	upstreamURL, closeUpstream, err := openUpstream(settings)
	if err != nil {
		return err
	}
	defer closeUpstream()
	if settings.Demo {
		resolver.DefaultCredential = restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + demoToken})
	}
	client, err := openClient(upstreamURL, settings, metrics, logger)
	if err != nil {
		return err
	}
	defer client.Close()
	shared, err := openShared(settings, metrics, logger)
	if err != nil {
		return err
	}
	if shared != nil {
		defer shared.Close()
		resolver.PersistedQueries = shared.Texts("persisted query", persistedLife)
	}
	resolver.Pages = newCache(client, shared, settings, metrics, logger)

	certificate, err := openCertificate(settings, logger)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.Listen)
	if err != nil {
		return err
	}
	// Behind the public address, so that where both are the same it is the admin listener that a demo does without.
	admin, err := listenAdmin(ctx, settings, logger)
	if err != nil {
		_ = listener.Close() // not served yet
		return err
	}
	server := newServer(graph.NewHandler(resolver), certificate, settings, metrics, logger)
	url := publicURL(listener, certificate != nil)
	serving := logger.With("version", telemetry.Version(), "graphql", url+"/graphql", "demo", settings.Demo)
	if settings.Playground {
		serving = serving.With("open", url+"/")
	}
	if admin != nil {
		serving = serving.With("admin", publicURL(admin, false))
		// It outlives the public server, so that a drain can be watched.
		defer httpserver.StartAdmin(admin, httpserver.AdminOptions{Metrics: metrics.Handler(logger), Logger: logger}).Close()
	}
	serving.Info("cvmgraph is serving")
	return server.Run(ctx, listener)
}

// inspect checks what serve would go by, writes what it finds, and tells whether nothing has failed.
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

// newResolver returns what operations are resolved with, but for the pages.
func newResolver(settings *config.Config, metrics *telemetry.Metrics, logger *slog.Logger) *graph.Resolver {
	repeats := metrics.Repeats()
	return &graph.Resolver{
		APIVersion:       settings.APIVersion,
		MaxFirst:         settings.MaxFirst,
		MaxUpstreamCalls: settings.MaxUpstreamCalls,
		Limits: graph.Limits{
			Tokens:  settings.MaxTokens,
			Depth:   settings.MaxDepth,
			Aliases: settings.MaxAliases,
		},
		Introspection: settings.Introspection,
		Projection:    settings.Projection,
		Repeats: graph.Repeats{
			Bytes: repeatsBytes(settings), Life: settings.CacheTTL, Hit: repeats.Hit, Watch: repeats.Watch,
		},
		TrustedDocuments: graph.TrustedDocuments{
			Mode: graph.TrustMode(settings.TrustedDocumentsMode), Texts: settings.Documents, Untrusted: metrics.UntrustedDocument,
		},
		RequestID: telemetry.RequestIDFrom,
		Logger:    logger,
	}
}

// repeatsBytes returns what the answers to repeated requests have of --cache-bytes; pages have the rest.
func repeatsBytes(settings *config.Config) uint64 { return uint64(settings.CacheBytes) / 4 }

// clientOptions are those of the upstream's client, without its observer.
func clientOptions(upstreamURL string, settings *config.Config) restclient.Options {
	return restclient.Options{
		BaseURL:    upstreamURL,
		APIVersion: settings.APIVersion,
		Timeout:    settings.UpstreamTimeout,
		UserAgent:  "cvmgraph/" + telemetry.Version(),
	}
}

// openClient returns the client of the upstream.
func openClient(upstreamURL string, settings *config.Config, metrics *telemetry.Metrics, logger *slog.Logger) (*restclient.Client, error) {
	options := clientOptions(upstreamURL, settings)
	options.Observer = restclient.Observer{
		Attempted: metrics.UpstreamAttempted, Retried: metrics.UpstreamRetried, OverBudget: metrics.UpstreamOverBudget,
		Refused: metrics.UpstreamRefused,
		Breaker: func(state string) { logBreaker(logger, state) },
	}
	client, err := restclient.New(options)
	if err != nil {
		return nil, err
	}
	metrics.WatchUpstream(func() (breaker string, limit, inFlight, queued int) {
		s := client.State()
		return s.Breaker, s.Limit, s.InFlight, s.Queued
	})
	return client, nil
}

// newCache returns the cache of pages. Shared is where replicas share them, nil for nowhere.
func newCache(
	client *restclient.Client, shared *redis.Store, settings *config.Config, metrics *telemetry.Metrics, logger *slog.Logger,
) *pages.Cache {
	seen := metrics.PageCache()
	cache := pages.NewCache(pages.NewUpstream(client), pages.CacheOptions{
		TTL:          settings.CacheTTL,
		StaleIfError: settings.StaleIfError,
		Bytes:        uint64(settings.CacheBytes) - repeatsBytes(settings),
		APIVersion:   settings.APIVersion,
		Key:          settings.SharedKey,
		Shared:       shared,
		SharedWait:   settings.UpstreamTimeout * 3 / 2, // an attempt of the longest kind fits into the lock's life
		Observer: pages.CacheObserver{
			Hit: seen.Hit, Miss: seen.Miss, Coalesced: metrics.UpstreamCoalesced,
			Evicted: seen.Evicted, Stale: seen.Stale, Purged: seen.Purged,
			Called: metrics.UpstreamCall,
			Compared: func(found restclient.Comparison, fresh []restclient.Difference) {
				metrics.UpstreamCompared(found.Missing, found.Changed, found.Unknown)
				logDifferences(logger, fresh)
			},
		},
	})
	seen.Watch(cache.Size)
	return cache
}

// newServer returns the public server. Certificate is nil where it serves no TLS.
func newServer(
	handler http.Handler, certificate *httpserver.Certificate, settings *config.Config, metrics *telemetry.Metrics, logger *slog.Logger,
) *httpserver.Server {
	var page http.Handler
	if settings.Playground {
		page = playground.New(playground.Options{Demo: settings.Demo})
	}
	return httpserver.New(httpserver.Options{
		GraphQL:        handler,
		Playground:     page,
		Certificate:    certificate,
		AllowedOrigins: settings.AllowedOrigins,
		SDL:            schema,
		Logger:         logger,
		Observer:       httpserver.Observer{Begun: metrics.RequestBegun, Ended: metrics.RequestEnded},
		RequestTimeout: settings.RequestTimeout,
		DrainDelay:     settings.DrainDelay,
		MaxBody:        int64(settings.MaxBody),
	})
}

func logBreaker(logger *slog.Logger, state string) {
	switch state {
	case restclient.BreakerOpen:
		logger.Warn("the upstream fails: not calling it for a moment")
	case restclient.BreakerClosed:
		logger.Info("the upstream has recovered")
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
	logger.Warn("the upstream's pages differ from its contract: cvmgraph check says what that means", "differences", texts)
}

// memoryShare is Go's part of the memory that the container may take; stacks of threads and the like come on top.
const memoryShare = 0.9

// limitMemory makes the collector keep below the memory limit of the container, where there is one and GOMEMLIMIT does not say
// another.
func limitMemory(logger *slog.Logger) {
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare))
	switch {
	case errors.Is(err, memlimit.ErrCgroupsNotSupported), errors.Is(err, memlimit.ErrNoCgroup):
	case err != nil:
		logger.Warn("the container's memory limit is unknown: set GOMEMLIMIT", "error", err)
	case limit < math.MaxInt64:
		logger.Info("memory is limited", "bytes", limit)
	}
}

// persistedLife is how long replicas share a persisted query from when it was sent last.
const persistedLife = 24 * time.Hour

// openShared opens what replicas share, nil where there is nothing. It does not wait for Redis.
func openShared(settings *config.Config, metrics *telemetry.Metrics, logger *slog.Logger) (*redis.Store, error) {
	if settings.RedisURL == "" {
		return nil, nil
	}
	seen := metrics.Redis()
	return redis.Open(redis.Options{URL: settings.RedisURL, Key: settings.SharedKey, Observer: redis.Observer{
		Hit: seen.Hit, Miss: seen.Miss, Error: seen.Error,
		Down: func(err error) {
			seen.Down()
			logger.Warn("redis is not available: going on without it", "error", err)
		},
		Up: func() {
			seen.Up()
			logger.Info("redis is available again")
		},
	}})
}

// openCertificate opens the certificate to serve with, nil where that is plain HTTP.
func openCertificate(settings *config.Config, logger *slog.Logger) (*httpserver.Certificate, error) {
	if settings.TLSCert == "" {
		return nil, nil
	}
	return httpserver.OpenCertificate(settings.TLSCert, settings.TLSKey, logger)
}

// listenAdmin listens for operators, nil where they are not served. A demo does without an address that is in use.
func listenAdmin(ctx context.Context, settings *config.Config, logger *slog.Logger) (net.Listener, error) {
	if settings.AdminListen == "" {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.AdminListen)
	if settings.Demo && errors.Is(err, syscall.EADDRINUSE) {
		logger.Warn("no metrics and profiles", "error", err)
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
