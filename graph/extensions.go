package graph

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
)

// headerExplain asks for extensions.upstream.
const headerExplain = "X-Cvmgraph-Explain"

// paginationEntry is an element of extensions.pagination: what was made of a list that moved.
type paginationEntry struct {
	Path         ast.Path `json:"path"`
	Exact        bool     `json:"exact"`
	Inserted     int      `json:"inserted"`
	Removed      int      `json:"removed"`
	Reordered    bool     `json:"reordered"`
	RepeatedFrom *int     `json:"repeatedFrom"`
}

// upstreamExtension is extensions.upstream: what an operation cost.
type upstreamExtension struct {
	Calls         []upstreamCall `json:"calls"`
	ItemsFetched  int            `json:"itemsFetched"`
	ItemsReturned int            `json:"itemsReturned"`
}

type upstreamCall struct {
	Page     int    `json:"page"`
	PageSize int    `json:"pageSize"`
	Reason   string `json:"reason"`
	Status   int    `json:"status"`
	// Start is how long after the operation's first call this one began, in ms: 0 for the first, and for a page that was at hand.
	Start float64 `json:"start"`
	Ms    float64 `json:"ms"`
	// Attempts is how many the call took, where that was more than one; Ms is the time of all.
	Attempts uint8 `json:"attempts,omitempty"`
	Bytes    int   `json:"bytes"`
	// Cached says that no call was made, Coalesced that another operation's call was shared.
	Cached    bool `json:"cached"`
	Coalesced bool `json:"coalesced"`
	// Age is how old the page was, in seconds.
	Age float64 `json:"age"`
}

// staleExtension is extensions.stale: the upstream failed, and older pages stand in.
type staleExtension struct {
	// Age is that of the oldest page, in seconds.
	Age float64 `json:"age"`
}

// explains says whether extensions.upstream was asked for.
func explains(header http.Header) bool { return header.Get(headerExplain) == "1" }

// stale says whether pages stood in for ones that the upstream did not send, and how old the oldest was.
func (op *operation) stale() (age time.Duration, stale bool) {
	if op.loader == nil {
		return 0, false
	}
	return op.loader.Stale()
}

// report notes what a connection returned.
func (op *operation) report(ctx context.Context, answer *relay.Result) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.returned += answer.Len()
	if moved := answer.Realigned; moved != nil {
		entry := paginationEntry{Path: graphql.GetPath(ctx), Exact: moved.Exact, Inserted: moved.Inserted, Removed: moved.Removed, Reordered: moved.Reordered}
		if moved.RepeatedFrom >= 0 {
			entry.RepeatedFrom = &moved.RepeatedFrom
		}
		op.moved = append(op.moved, entry)
	}
}

// extensions returns the extensions of the operation's answer, nil for none.
func (op *operation) extensions() map[string]any {
	op.mu.Lock()
	defer op.mu.Unlock()
	age, stale := op.stale()
	if len(op.moved) == 0 && !op.wantsUpstream && !stale {
		return nil
	}
	extensions := make(map[string]any)
	if stale {
		extensions["stale"] = staleExtension{Age: age.Seconds()}
	}
	if len(op.moved) > 0 {
		slices.SortFunc(op.moved, func(a, b paginationEntry) int { return slices.Compare(names(a.Path), names(b.Path)) })
		extensions["pagination"] = op.moved
	}
	if op.wantsUpstream {
		extensions["upstream"] = op.explain()
	}
	return extensions
}

func names(path ast.Path) []string { return []string{path.String()} }

func (op *operation) explain() upstreamExtension {
	e := upstreamExtension{Calls: []upstreamCall{}, ItemsReturned: op.returned + len(op.lookupFound)}
	if op.loader == nil {
		return e
	}
	calls := op.loader.PageLoads()
	first := firstBegun(calls)
	for _, c := range calls {
		if !c.Cached {
			e.ItemsFetched += c.Items
		}
		call := upstreamCall{
			Page: c.Request.Page, PageSize: c.Request.PageSize, Reason: c.Reason, Status: c.Status,
			Ms: milliseconds(c.Duration), Bytes: c.Bytes, Cached: c.Cached, Coalesced: c.Coalesced, Age: float64(c.Age.Milliseconds()) / 1000,
		}
		if c.Attempts > 1 { // nearly all take one
			call.Attempts = c.Attempts
		}
		if c.Started != 0 {
			call.Start = milliseconds(time.Duration(c.Started - first))
		}
		e.Calls = append(e.Calls, call)
	}
	return e
}

// firstBegun returns when the first call began, in nanoseconds since 1970; 0 where none was made.
func firstBegun(calls []pages.PageLoad) (first int64) {
	for _, c := range calls {
		if c.Started != 0 && (first == 0 || c.Started < first) {
			first = c.Started
		}
	}
	return first
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
