package pages

import (
	"slices"
	"sync"
	"time"

	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// holdings knows which pages a cache has of each list, so that a window can be served from any of them. Its zero value is empty.
type pageIndex struct{ shards [64]pageIndexShard }

type pageIndexShard struct {
	mu     sync.Mutex
	owners map[CredentialKey][]holding
}

// holding is a page that the cache has. It does not hold the page itself: what the cache lets go of is gone.
type holding struct {
	key pageKey
	FetchTimes
	extent relay.CachedPage
}

// maxExtents bounds the pages that are looked at for one window; others are found by their own key only.
const maxCachedPages = 64

func (h *pageIndex) shard(owner CredentialKey) *pageIndexShard { return &h.shards[owner[0]%64] }

// add notes a page. It takes the place of an older one of the same key.
func (h *pageIndex) add(key pageKey, k *kept) {
	s := h.shard(key.credential)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owners == nil {
		s.owners = make(map[CredentialKey][]holding)
	}
	list := slices.DeleteFunc(s.owners[key.credential], func(held holding) bool { return held.key == key })
	s.owners[key.credential] = append(list, holding{key, k.FetchTimes, relay.CachedPage{
		Ref: relay.PageRef{Number: key.request.Page, Size: key.request.PageSize}, Len: k.page.Len(), Total: k.page.Total,
	}})
}

// remove forgets a page, unless a newer one has its key.
func (h *pageIndex) remove(key pageKey, k *kept) {
	s := h.shard(key.credential)
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.DeleteFunc(s.owners[key.credential], func(held holding) bool { return held.key == key && !held.Requested.After(k.Requested) })
	if len(list) == 0 {
		delete(s.owners, key.credential)
	} else {
		s.owners[key.credential] = list
	}
}

// extents appends the pages of a list that were asked for after one time, and since another or were there just then; those that came
// last first.
func (h *pageIndex) extents(dst []relay.CachedPage, owner CredentialKey, filter restclient.Filter, after, since time.Time) []relay.CachedPage {
	s := h.shard(owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, held := range slices.Backward(s.owners[owner]) {
		if held.key.request.Filter == filter && held.Requested.After(after) && held.showsListAt(since) {
			if dst = append(dst, held.extent); len(dst) == maxCachedPages {
				break
			}
		}
	}
	return dst
}

// purge forgets all pages of a credential, and returns their keys.
func (h *pageIndex) purge(owner CredentialKey) []pageKey {
	s := h.shard(owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := make([]pageKey, len(s.owners[owner]))
	for i, held := range s.owners[owner] {
		keys[i] = held.key
	}
	delete(s.owners, owner)
	return keys
}
