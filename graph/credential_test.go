package graph_test

import (
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
	"cvmgraph/restclient"
)

// keyCounter is a source that counts how often a credential is hashed.
type keyCounter struct {
	pages.Source
	hashed atomic.Int32
}

func (c *keyCounter) CredentialKey(credential restclient.Credential) pages.CredentialKey {
	c.hashed.Add(1)
	return c.Source.CredentialKey(credential)
}

func TestCredential_hashedOncePerOperation(t *testing.T) {
	t.Parallel()
	var counter *keyCounter
	g := &gateway{timeout: upstreamTimeout, cache: pages.CacheOptions{TTL: time.Hour, MaxBytes: 16 << 20}}
	g.serveRecorded(t, demo.New(demo.Options{}), func(r *graph.Resolver) {
		r.ResponseCache = graphqlhttp.ResponseCacheOptions{MaxBytes: 1 << 20, TTL: time.Hour}
		counter = &keyCounter{Source: r.Pages}
		r.Pages = counter
	})
	for _, query := range []string{
		`{ cvms(first: 150) { totalCount nodes { id } } }`,
		`{ a: cvms(first: 3) { nodes { id } } b: cvms(last: 3) { nodes { id } } cvm(vmId: "x") { id } }`,
	} {
		for range 3 { // executed twice, then returned from the response cache
			counter.hashed.Store(0)
			if a := g.post(t, query, nil, nil); len(a.Errors) > 0 {
				t.Fatalf("got errors %+v", a.Errors)
			}
			if got := counter.hashed.Load(); got != 1 {
				t.Errorf("%s: got the credential hashed %d times, want once", query, got)
			}
		}
	}
}
