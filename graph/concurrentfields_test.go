package graph_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// TestProjection_concurrentFields sends random operations with several fields, which gqlgen
// resolves concurrently. The list does not change and each of its CVMs has a VM of its own, so the
// response does not depend on the pages that the fields share: it must be the same as if the fields
// are resolved one after another, with and without projections.
func TestProjection_concurrentFields(t *testing.T) {
	t.Parallel()
	rounds := testmode.Count(150, 2_000)
	fresh := uint64(time.Now().UnixNano())
	var compared, skipped atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d operations compared, %d skipped; the fresh seed was %d", compared.Load(), skipped.Load(), fresh)
		if n := compared.Load(); !t.Failed() && (n < int64(rounds) || skipped.Load() > n/10) {
			t.Error("got too few operations with several fields and few errors")
		}
	})
	for shard := range 4 {
		t.Run(fmt.Sprintf("shard %d", shard), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, restclient.ShapeHosted, &tally{})
			p.stock.pause = func() { // varies which field loads a page first
				for range rand.IntN(20) {
					runtime.Gosched()
				}
			}
			for i := shard; i < rounds; i += 4 {
				for _, s := range []seeds{{fixedSeed, uint64(i)}, {fresh, uint64(i)}} {
					p.concurrentRound(t, s, &compared, &skipped)
				}
			}
		})
	}
}

// concurrentRound tests one document over one list.
func (p *pair) concurrentRound(t *testing.T, s seeds, compared, skipped *atomic.Int64) {
	t.Helper()
	if p.callers > manyCallers {
		p.renew(t)
	}
	r := random{rand.New(rand.NewPCG(s[0], s[1]))}
	list := newDistinctList(r)
	doc := newDocument(r, p.schema)
	ids, vmIDs, cursors, err := p.marks(list)
	if err != nil {
		t.Fatalf("seeds {%d, %d}: %v", s[0], s[1], err)
	}
	for range 3 {
		c := &oneCase{document: doc, operation: pick(r, doc.operations).name, variables: variables(r, ids, vmIDs, cursors), list: list}
		want, _ := p.responses(c)
		if several, complete := kind(want); !several || !complete {
			if several {
				skipped.Add(1)
			}
			continue
		}
		compared.Add(1)
		c.concurrent = true
		projected, plain := p.responses(c)
		for name, got := range map[string][]byte{"with": projected, "without": plain} {
			if d := unorderedDifference(got, want); d != "" {
				t.Fatalf("seeds {%d, %d}, %s projections: %s\n%s", s[0], s[1], name, d, c)
			}
		}
	}
}

// kind reports whether a response has several fields of Query, and whether it has all of its
// errors: which of too many errors are left out may vary.
func kind(body []byte) (several, complete bool) {
	var response struct {
		Data   map[string]json.RawMessage
		Errors []json.RawMessage
	}
	_ = json.Unmarshal(body, &response) // a malformed response has no fields
	return len(response.Data) > 1, len(response.Errors) <= graphqlhttp.MaxErrors
}

// unorderedDifference is difference without cursors, and without the order of the errors of
// different fields of Query.
func unorderedDifference(got, want []byte) string {
	return difference(sortedErrors(withoutCursors(got)), sortedErrors(withoutCursors(want)))
}

var cursorPattern = regexp.MustCompile(`"A[A-Za-z0-9_-]{25,}"`)

// withoutCursors removes the cursors from a response: the neighbors in them depend on the pages
// that were loaded.
func withoutCursors(response []byte) []byte {
	return cursorPattern.ReplaceAll(response, []byte(`"cursor"`))
}

// sortedErrors sorts the errors of a response by their fields of Query.
func sortedErrors(body []byte) []byte {
	var response struct {
		Errors     []json.RawMessage `json:"errors"`
		Data       json.RawMessage   `json:"data"`
		Extensions json.RawMessage   `json:"extensions,omitempty"`
	}
	if json.Unmarshal(body, &response) != nil {
		return body // difference reports it
	}
	field := func(e json.RawMessage) string {
		var at struct{ Path []any }
		_ = json.Unmarshal(e, &at) // it is valid JSON
		if len(at.Path) == 0 {
			return ""
		}
		return fmt.Sprint(at.Path[0])
	}
	slices.SortStableFunc(response.Errors, func(a, b json.RawMessage) int { return strings.Compare(field(a), field(b)) })
	sorted, err := json.Marshal(response)
	if err != nil {
		panic(err) // the parts are valid JSON
	}
	return sorted
}
