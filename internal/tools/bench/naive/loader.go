package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"cvmgraph/internal/tools/bench/naive/model"
)

// pageKey identifies an upstream page. Pages are counted from 1.
type pageKey struct{ page, size int }

type (
	loader    = dataloader.Loader[pageKey, *model.Page]
	loaderKey struct{}
)

// withLoader adds a page loader with the request's credential to each request.
func withLoader(c *client, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization := r.Header.Get("Authorization")
		batch := func(ctx context.Context, keys []pageKey) []*dataloader.Result[*model.Page] {
			results := make([]*dataloader.Result[*model.Page], len(keys))
			var group sync.WaitGroup
			for i, key := range keys {
				group.Go(func() {
					page, err := c.page(ctx, authorization, key)
					results[i] = &dataloader.Result[*model.Page]{Data: page, Error: err}
				})
			}
			group.Wait()
			return results
		}
		pages := dataloader.NewBatchedLoader(batch, dataloader.WithWait[pageKey, *model.Page](time.Millisecond))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), loaderKey{}, pages)))
	})
}

func loaderFrom(ctx context.Context) *loader {
	return ctx.Value(loaderKey{}).(*loader)
}
