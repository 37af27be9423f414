// Package pages loads pages of the upstream's list, each at most once an operation.
package pages

import (
	"context"
	"sync"

	"github.com/graph-gophers/dataloader/v7"

	"cvmgraph/restclient"
)

// parallelCalls bounds how many upstream calls one operation has in flight.
const parallelCalls = 16

// Loader loads pages for one operation with one credential. A page is asked for once, however many fields of the
// operation need it; a page that failed may be asked for again. It is safe for concurrent use.
type Loader struct {
	batches *dataloader.Loader[restclient.PageRequest, *restclient.Page]
}

// NewLoader returns a loader for the operation that runs under ctx. It holds no pages yet. The credential is bound to it
// for good, so that no page can reach another caller.
func NewLoader(client *restclient.Client, credential restclient.Credential) *Loader {
	slots := make(chan struct{}, parallelCalls)
	fetch := func(ctx context.Context, request restclient.PageRequest) *dataloader.Result[*restclient.Page] {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-ctx.Done():
			return &dataloader.Result[*restclient.Page]{Error: dataloader.NewSkipCacheError(context.Cause(ctx))}
		}
		page, err := client.Page(ctx, credential, request)
		if err != nil {
			return &dataloader.Result[*restclient.Page]{Error: dataloader.NewSkipCacheError(err)}
		}
		return &dataloader.Result[*restclient.Page]{Data: page}
	}
	batch := func(ctx context.Context, requests []restclient.PageRequest) []*dataloader.Result[*restclient.Page] {
		results := make([]*dataloader.Result[*restclient.Page], len(requests))
		var group sync.WaitGroup
		for i, request := range requests[1:] {
			group.Go(func() { results[i+1] = fetch(ctx, request) })
		}
		results[0] = fetch(ctx, requests[0])
		group.Wait()
		return results
	}
	return &Loader{dataloader.NewBatchedLoader(batch)}
}

// Load returns the pages in the order of the requests, fetching in parallel those that the operation does not have yet. The
// error is that of the first request that failed, as the client returned it. Pages are shared: callers do not change them.
func (l *Loader) Load(ctx context.Context, requests []restclient.PageRequest) ([]*restclient.Page, error) {
	thunks := make([]dataloader.Thunk[*restclient.Page], len(requests))
	for i, request := range requests {
		thunks[i] = l.batches.Load(ctx, request)
	}
	// Everything this call needs is queued, so the batch does not wait for the dataloader's timer.
	l.batches.Flush()

	pages := make([]*restclient.Page, len(requests))
	var first error
	for i, thunk := range thunks {
		page, err := thunk()
		if err != nil && first == nil {
			first = err
		}
		pages[i] = page
	}
	return pages, first
}
