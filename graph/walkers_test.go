package graph_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/querylimit"
	"cvmgraph/restclient"
)

// walkers run walks in a synctest bubble, one at a time. They have one gateway for each TTL, and a
// credential for each walk.
type walkers struct {
	shape   restclient.Shape // of the upstream's items
	plans   chan walkPlan
	results chan walkResult
	ended   chan struct{}

	gateways map[time.Duration]http.Handler
	walk     *clientWalk // the current one
	number   int         // of walks
}

// walkResult is what is wrong with a walk, and its history.
type walkResult struct {
	faults  []string
	history string
	// moved reports that items moved. steady reports that the promises held at each step.
	moved, steady bool
}

// startWalkers starts walkers, which end with the test. Plans come from outside of the bubble:
// rapid measures the time that it takes to shrink them.
func startWalkers(t *testing.T, shape restclient.Shape) *walkers {
	t.Helper()
	w := &walkers{shape: shape, plans: make(chan walkPlan), results: make(chan walkResult), ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		synctest.Test(t, w.run)
	}()
	t.Cleanup(func() {
		close(w.plans)
		<-w.ended
	})
	return w
}

// do runs a walk.
func (w *walkers) do(plan walkPlan) walkResult {
	w.plans <- plan
	return <-w.results
}

// run runs walks until there are no more plans.
func (w *walkers) run(t *testing.T) {
	w.gateways = make(map[time.Duration]http.Handler)
	for _, ttl := range walkTTLs() {
		w.gateways[ttl] = w.gateway(ttl)
	}
	for plan := range w.plans {
		w.results <- w.runOne(t.Context(), plan)
	}
	// A cache's goroutine ends at a tick after the cache was collected.
	w.gateways, w.walk = nil, nil
	for range 5 {
		runtime.GC()
		pass(3 * time.Second)
	}
}

// pass lets time pass in the bubble.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the bubble's time
}

func (w *walkers) gateway(ttl time.Duration) http.Handler {
	upstream := pages.NewUpstreamFunc(w.shape, func(ctx context.Context, _ restclient.Credential, r restclient.PageRequest) (restclient.RawPage, error) {
		return w.walk.serve(ctx, r)
	})
	resolver := &graph.Resolver{
		Pages:            pages.NewCache(upstream, pages.CacheOptions{TTL: ttl, MaxBytes: 16 << 20}),
		Projection:       true,
		APIVersion:       versionOf(w.shape),
		MaxFirst:         1000,
		MaxUpstreamCalls: 100,
		Limits:           querylimit.Limits{Tokens: 2000, Depth: 15, Aliases: 30},
		RequestID:        func(context.Context) string { return "walk" },
		Logger:           slog.New(slog.DiscardHandler),
	}
	if ttl > 0 {
		resolver.ResponseCache = graphqlhttp.ResponseCacheOptions{MaxBytes: 1 << 20, TTL: ttl}
	}
	return graph.NewHandler(resolver)
}

func (w *walkers) runOne(ctx context.Context, plan walkPlan) (result walkResult) {
	w.number++
	plan.shape = w.shape
	w.walk = newClientWalk(plan, w.gateways[plan.ttl], fmt.Sprintf("Bearer walk-%d", w.number))
	defer func() {
		if value := recover(); value != nil {
			w.walk.fault("panic: %v", value)
		}
		result = walkResult{faults: w.walk.faults, history: w.walk.log.String(), moved: w.walk.moved, steady: !w.walk.unsteady}
	}()
	w.walk.run(ctx)
	return result
}
