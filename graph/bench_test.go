package graph_test

import (
	"fmt"
	"testing"

	"cvmgraph/internal/demo"
)

// BenchmarkOperation answers whole operations over an upstream on loopback, which costs a part of it.
func BenchmarkOperation(b *testing.B) {
	upstream := demo.New(demo.Options{})
	for _, first := range []int{1, 20, 100} {
		b.Run(fmt.Sprintf("first %d", first), func(b *testing.B) {
			g := newGateway(b, upstream)
			query := fmt.Sprintf(`{ cvms(first: %d) { edges { node { id name status vcpu memory node { name } } } } }`, first)
			b.ReportAllocs()
			for b.Loop() {
				if a := g.post(b, query, nil, nil); len(a.Errors) > 0 {
					b.Fatal(a.Errors)
				}
			}
		})
	}
}
