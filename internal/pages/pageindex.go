package pages

import (
	"slices"
	"sync"
	"time"

	"cvmgraph/internal/relay"
)

// pageIndex lists the cached pages of each credential, so that a window can be served from any of
// them. Its zero value is empty.
type pageIndex struct{ shards [64]pageIndexShard }

type pageIndexShard struct {
	mu    sync.Mutex
	pages map[CredentialKey][]*cachedPage // in the order of their arrival
}

// maxCachedPages is the maximum number of pages considered for one window. The cache can still
// return other pages for their exact request.
const maxCachedPages = 64

// lock returns the locked shard of a credential.
func (x *pageIndex) lock(key CredentialKey) *pageIndexShard {
	s := &x.shards[key[0]%64]
	s.mu.Lock()
	return s
}

// add adds a page. It replaces the page with the same key, unless that page was requested later:
// then add returns false.
func (x *pageIndex) add(page *cachedPage) bool {
	s := x.lock(page.key.credential)
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.pages[page.key.credential], func(p *cachedPage) bool {
		return p.key == page.key && p.Requested.After(page.Requested)
	}) {
		return false
	}
	if s.pages == nil {
		s.pages = make(map[CredentialKey][]*cachedPage)
	}
	list := slices.DeleteFunc(s.pages[page.key.credential], func(p *cachedPage) bool { return p.key == page.key })
	s.pages[page.key.credential] = append(list, page)
	return true
}

// remove removes a page unless it was replaced.
func (x *pageIndex) remove(page *cachedPage) {
	s := x.lock(page.key.credential)
	defer s.mu.Unlock()
	list := slices.DeleteFunc(s.pages[page.key.credential], func(p *cachedPage) bool { return p == page })
	if len(list) == 0 {
		delete(s.pages, page.key.credential)
	} else {
		s.pages[page.key.credential] = list
	}
}

// list appends the pages of a list that were requested after a time, that show the list as of since
// or later, and that the floor admits, latest first. It leaves out irregular pages, whose items
// have unknown positions.
func (x *pageIndex) list(dst []relay.CachedPage, of listKey, floor floor, after, since time.Time) []relay.CachedPage {
	s := x.lock(of.credential)
	defer s.mu.Unlock()
	for _, p := range slices.Backward(s.pages[of.credential]) {
		if r := p.key.request; r.Filter == of.filter && p.Requested.After(after) && p.notBefore(since) && floor.admits(p.FetchTimes) && !p.page.Irregular {
			ref := relay.PageRef{Number: r.Page, Size: r.PageSize}
			if dst = append(dst, relay.CachedPage{Ref: ref, Len: p.page.Len(), Total: p.page.Total}); len(dst) == maxCachedPages {
				break
			}
		}
	}
	return dst
}

// purge removes and returns all pages of a credential.
func (x *pageIndex) purge(key CredentialKey) []*cachedPage {
	s := x.lock(key)
	defer s.mu.Unlock()
	pages := s.pages[key]
	delete(s.pages, key)
	return pages
}
