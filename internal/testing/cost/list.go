// Package cost measures CPU time and memory of GraphQL operations. The GraphQL handler reads pages
// from a list in memory, so the figures do not include network I/O.
package cost

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// total is the number of items in a list. It is larger than every window.
const total = 2000

// List is an immutable list of CVMs in memory. It is safe for concurrent use.
type List struct {
	itemBytes int
	upstream  *pages.Upstream

	mu     sync.Mutex
	items  map[int][]byte
	bodies map[restclient.PageRequest][]byte
	pages  map[restclient.PageRequest]*pages.Page
}

// NewList returns a list with items of about itemBytes bytes, at least 1000. If itemBytes is 0, the
// items are the demo upstream's, of about 5 KB.
func NewList(itemBytes int) *List {
	return &List{
		itemBytes: itemBytes,
		upstream:  pages.NewUpstreamFunc(restclient.ShapeHosted, nil),
		items:     make(map[int][]byte),
		bodies:    make(map[restclient.PageRequest][]byte),
		pages:     make(map[restclient.PageRequest]*pages.Page),
	}
}

// Body returns the JSON of a page as the upstream sends it. The caller must not modify it.
func (l *List) Body(request restclient.PageRequest) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.body(request)
}

func (l *List) body(request restclient.PageRequest) []byte {
	if body, ok := l.bodies[request]; ok {
		return body
	}
	body := []byte(`{"items":[`)
	lo := min((request.Page-1)*request.PageSize, total)
	for i := lo; i < min(lo+request.PageSize, total); i++ {
		if i > lo {
			body = append(body, ',')
		}
		if l.items[i] == nil {
			l.items[i] = newItem(i, l.itemBytes)
		}
		body = append(body, l.items[i]...)
	}
	pages := (total + request.PageSize - 1) / request.PageSize
	body = fmt.Appendf(body, `],"total":%d,"page":%d,"page_size":%d,"pages":%d}`, total, request.Page, request.PageSize, pages)
	l.bodies[request] = body
	return body
}

// newItem returns the JSON of the item at a position.
func newItem(position, size int) []byte {
	body := demo.NewItem(uint64(position + 1)).JSON
	if size == 0 {
		return body
	}
	item, err := restclient.ShapeHosted.DecodeItem(body)
	if err != nil {
		panic(err) // the demo's items are valid
	}
	return sized(&item.Cvm, size)
}

// sized returns the JSON of a CVM of about size bytes. It removes large fields first, then adds a
// multi-line string and events.
func sized(cvm *restclient.Cvm, size int) []byte {
	hosted := cvm.Hosted
	hosted.Events = nil
	if size < 4000 {
		hosted.Configuration, cvm.PublicURLs, cvm.KmsInfo, cvm.DappDashboardURL, cvm.SyslogEndpoint = nil, nil, nil, nil, nil
	} else {
		if hosted.Configuration == nil { // some items of the demo have none
			hosted.Configuration = new(restclient.VmConfiguration)
		}
		hosted.Configuration.ComposeFile = &restclient.ComposeFile{DockerComposeFile: new(string)}
	}
	var compose strings.Builder
	for {
		encoded, err := json.Marshal(cvm)
		if err != nil {
			panic(err) // cvm was decoded from JSON
		}
		switch missing := size - len(encoded); {
		case missing < 100:
			return encoded
		case hosted.Configuration != nil && compose.Len() < size/2:
			for compose.Len() < min(size/2, missing) {
				compose.WriteString("    image: ghcr.io/acme/app:latest\n")
			}
			*hosted.Configuration.ComposeFile.DockerComposeFile = compose.String()
		default:
			for range missing / 100 {
				kind, body, timestamp := "boot.progress", "starting containers", int64(1781956833215)
				hosted.Events = append(hosted.Events, restclient.VmEvent{Event: &kind, Body: &body, Timestamp: &timestamp})
			}
		}
	}
}

// Source returns the pages of a list. It is a [pages.Source].
type Source struct {
	list   *List
	cached bool
	// pages and bytes count the returned pages and their bytes.
	pages, bytes atomic.Int64
}

// Cached returns a source that indexes each page once.
func (l *List) Cached() *Source { return &Source{list: l, cached: true} }

// Uncached returns a source that indexes a page at every request.
func (l *List) Uncached() *Source { return &Source{list: l} }

// CredentialKey returns the same key for all credentials: there is only one caller.
func (s *Source) CredentialKey(restclient.Credential) pages.CredentialKey {
	return pages.CredentialKey{}
}

// CachedPages returns dst unchanged: the source has no pages beyond the requested ones.
func (s *Source) CachedPages(dst []relay.CachedPage, _ pages.CredentialKey, _ restclient.Filter, _ time.Time) []relay.CachedPage {
	return dst
}

// Supersede does nothing: the list does not change.
func (s *Source) Supersede(context.Context, pages.CredentialKey, restclient.Filter, time.Time, []pages.FetchResult) {
}

// Cached returns a page if the source is cached.
func (s *Source) Cached(_ pages.CredentialKey, request restclient.PageRequest) (pages.FetchResult, bool) {
	if !s.cached {
		return pages.FetchResult{}, false
	}
	s.list.mu.Lock()
	defer s.list.mu.Unlock()
	page := s.list.pages[request]
	if page == nil {
		var err error
		if page, err = s.list.upstream.Page(s.list.body(request), request); err != nil {
			return pages.FetchResult{}, false
		}
		s.list.pages[request] = page
	}
	s.count(page)
	return pages.FetchResult{Page: page, Request: request, Cached: true}, true
}

// Fetch indexes a page.
func (s *Source) Fetch(_ context.Context, r pages.FetchRequest) (pages.FetchResult, error) {
	page, err := s.list.upstream.Page(s.list.Body(r.PageRequest), r.PageRequest)
	if err == nil {
		s.count(page)
	}
	return pages.FetchResult{Page: page, Request: r.PageRequest}, err
}

func (s *Source) count(page *pages.Page) {
	s.pages.Add(1)
	s.bytes.Add(int64(page.BodySize()))
}
