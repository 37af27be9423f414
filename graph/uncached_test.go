package graph_test

import (
	"fmt"
	"net/http"
	"testing"

	"cvmgraph/graph"
)

// BenchmarkUncachedDocument sends documents that the gateway has not parsed before.
func BenchmarkUncachedDocument(b *testing.B) {
	for name, query := range workloads(b) {
		b.Run(name, func(b *testing.B) {
			g := newGateway(b, http.NotFoundHandler(), func(r *graph.Resolver) {
				r.Pages, r.Projection = newCachedPages(b), true
			})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				c := newCaller(b, g.handler, fmt.Sprintf("%s # %d", query, i))
				b.StartTimer()
				c.call(b)
			}
		})
	}
}
