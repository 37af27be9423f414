package pages

import (
	"slices"
	"sync"
	"time"

	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// holdings knows which pages a cache has of each list, so that a window can be served from any of them. Its zero value is empty.
type holdings struct{ shards [64]holdingShard }

type holdingShard struct {
	mu     sync.Mutex
	owners map[Owner][]holding
}

// holding is a page that the cache has. It does not hold the page itself: what the cache lets go of is gone.
type holding struct {
	key pageKey
	Times
	extent relay.Extent
}

// maxExtents bounds the pages that are looked at for one window; others are found by their own key only.
const maxExtents = 64

func (h *holdings) shard(owner Owner) *holdingShard { return &h.shards[owner[0]%64] }

// add notes a page. It takes the place of an older one of the same key.
func (h *holdings) add(key pageKey, k *kept) {
	s := h.shard(key.owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owners == nil {
		s.owners = make(map[Owner][]holding)
	}
	list := slices.DeleteFunc(s.owners[key.owner], func(held holding) bool { return held.key == key })
	s.owners[key.owner] = append(list, holding{key, k.Times, relay.Extent{
		Page: relay.Page{Number: key.request.Page, Size: key.request.PageSize}, Len: k.page.Len(), Total: k.page.Total,
	}})
}

// remove forgets a page, unless a newer one has its key.
func (h *holdings) remove(key pageKey, k *kept) {
	s := h.shard(key.owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.DeleteFunc(s.owners[key.owner], func(held holding) bool { return held.key == key && !held.Asked.After(k.Asked) })
	if len(list) == 0 {
		delete(s.owners, key.owner)
	} else {
		s.owners[key.owner] = list
	}
}

// extents appends the pages of a list that were asked for after one time, and since another or were there just then; those that came
// last first.
func (h *holdings) extents(dst []relay.Extent, owner Owner, filter restclient.Filter, after, since time.Time) []relay.Extent {
	s := h.shard(owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, held := range slices.Backward(s.owners[owner]) {
		if held.key.request.Filter == filter && held.Asked.After(after) && held.shows(since) {
			if dst = append(dst, held.extent); len(dst) == maxExtents {
				break
			}
		}
	}
	return dst
}

// purge forgets all pages of a credential, and returns their keys.
func (h *holdings) purge(owner Owner) []pageKey {
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
