package graph

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
)

// headerExplain requests extensions.upstream if its value is 1.
const headerExplain = "X-Cvmgraph-Explain"

// paginationEntry is an element of extensions.pagination. It describes how a list changed.
type paginationEntry struct {
	Path         ast.Path `json:"path"`
	Exact        bool     `json:"exact"`
	Inserted     int      `json:"inserted"`
	Removed      int      `json:"removed"`
	Reordered    bool     `json:"reordered"`
	RepeatedFrom *int     `json:"repeatedFrom"`
}

// upstreamExtension is extensions.upstream, the upstream calls of an operation.
type upstreamExtension struct {
	Calls         []upstreamCall `json:"calls"`
	ItemsFetched  int            `json:"itemsFetched"`
	ItemsReturned int            `json:"itemsReturned"`
}

type upstreamCall struct {
	Page     int          `json:"page"`
	PageSize int          `json:"pageSize"`
	Reason   relay.Reason `json:"reason"`
	Status   int          `json:"status"`
	// Start is the time from the beginning of the operation's first call to the beginning of this
	// call, in ms. It is 0 for the first call and for a cached page.
	Start float64 `json:"start"`
	// Ms is the duration of the call with all attempts, in ms.
	Ms float64 `json:"ms"`
	// Attempts is the number of attempts if there was more than one.
	Attempts uint8 `json:"attempts,omitempty"`
	Bytes    int   `json:"bytes"`
	// Cached reports that no call was made. Coalesced reports that the call was coalesced with the
	// call of another operation.
	Cached    bool `json:"cached"`
	Coalesced bool `json:"coalesced"`
	// Age is the age of the page, in seconds.
	Age float64 `json:"age"`
}

// staleExtension is extensions.stale. The upstream failed, and older pages were used instead.
type staleExtension struct {
	// Age is the age of the oldest page, in seconds.
	Age float64 `json:"age"`
}

// stale reports whether older pages were used because the upstream failed, and the age of the
// oldest.
func (op *operation) stale() (age time.Duration, stale bool) {
	if op.loader == nil {
		return 0, false
	}
	return op.loader.Stale()
}

// report records the result of a connection.
func (op *operation) report(ctx context.Context, result *relay.Result) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.returned += result.Len()
	if realigned := result.Realigned; realigned != nil {
		entry := paginationEntry{
			Path: graphql.GetPath(ctx), Exact: realigned.Exact,
			Inserted: realigned.Inserted, Removed: realigned.Removed, Reordered: realigned.Reordered,
		}
		if realigned.RepeatedFrom >= 0 {
			entry.RepeatedFrom = &realigned.RepeatedFrom
		}
		op.realigned = append(op.realigned, entry)
	}
}

// Extensions returns the extensions of the operation's response, nil if there are none.
func (op *operation) Extensions() map[string]any {
	op.mu.Lock()
	defer op.mu.Unlock()
	age, stale := op.stale()
	if len(op.realigned) == 0 && !op.explain && !stale {
		return nil
	}
	extensions := make(map[string]any)
	if stale {
		extensions["stale"] = staleExtension{Age: age.Seconds()}
	}
	if len(op.realigned) > 0 {
		slices.SortFunc(op.realigned, func(a, b paginationEntry) int {
			return strings.Compare(a.Path.String(), b.Path.String())
		})
		extensions["pagination"] = op.realigned
	}
	if op.explain {
		extensions["upstream"] = op.upstream()
	}
	return extensions
}

// upstream returns extensions.upstream.
func (op *operation) upstream() upstreamExtension {
	e := upstreamExtension{Calls: []upstreamCall{}, ItemsReturned: op.returned}
	if op.search != nil {
		e.ItemsReturned += len(op.search.found)
	}
	if op.loader == nil {
		return e
	}
	calls := op.loader.PageLoads()
	first := firstStart(calls)
	for _, c := range calls {
		if !c.Cached {
			e.ItemsFetched += c.Items
		}
		call := upstreamCall{
			Page: c.Request.Page, PageSize: c.Request.PageSize, Reason: c.Reason, Status: c.Status,
			Ms: milliseconds(c.Duration), Bytes: c.Bytes, Cached: c.Cached, Coalesced: c.Coalesced,
			Age: float64(c.Age.Milliseconds()) / 1000,
		}
		if c.Attempts > 1 {
			call.Attempts = c.Attempts
		}
		if c.Started != 0 {
			call.Start = milliseconds(time.Duration(c.Started - first))
		}
		e.Calls = append(e.Calls, call)
	}
	return e
}

// firstStart returns when the first call began, in nanoseconds since 1970, 0 if there was none.
func firstStart(calls []pages.PageLoad) (first int64) {
	for _, c := range calls {
		if c.Started != 0 && (first == 0 || c.Started < first) {
			first = c.Started
		}
	}
	return first
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
