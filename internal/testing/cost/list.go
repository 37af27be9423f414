// Package cost measures what operations cost: CPU time and memory of the GraphQL handler, over a list in memory. No network is in
// its figures.
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

// total is how many items a list holds: more than any window asks for.
const total = 2000

// List is a list of CVMs in memory. It never changes, and is safe for concurrent use.
type List struct {
	itemBytes int
	upstream  *pages.Upstream

	mu     sync.Mutex
	items  map[int][]byte
	bodies map[restclient.PageRequest][]byte
	pages  map[restclient.PageRequest]*pages.Page
}

// NewList returns a list of items of about itemBytes, at least 1000; 0 is items as the demo upstream has them, of about 5 KB.
func NewList(itemBytes int) *List {
	return &List{
		itemBytes: itemBytes,
		upstream:  pages.NewDocuments(nil),
		items:     make(map[int][]byte),
		bodies:    make(map[restclient.PageRequest][]byte),
		pages:     make(map[restclient.PageRequest]*pages.Page),
	}
}

// Body returns the document of a page, as the upstream would send it. The caller does not change it.
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
	text := demo.NewItem(uint64(position + 1)).JSON
	if size == 0 {
		return text
	}
	item, err := restclient.DecodeItem(text)
	if err != nil {
		panic(err) // the demo's items are valid
	}
	return sized(&item.Cvm, size)
}

// sized returns the JSON of a CVM that has as many events, and as long a text of many lines, as it takes.
func sized(cvm *restclient.Cvm, size int) []byte {
	hosted := cvm.Hosted
	hosted.Events = nil
	if size < 4000 {
		hosted.Configuration, cvm.PublicURLs, cvm.KmsInfo, cvm.DappDashboardURL, cvm.SyslogEndpoint = nil, nil, nil, nil, nil
	} else {
		hosted.Configuration.ComposeFile = &restclient.ComposeFile{DockerComposeFile: new(string)}
	}
	var text strings.Builder
	for {
		encoded, err := json.Marshal(cvm)
		if err != nil {
			panic(err) // it was JSON before
		}
		switch lacking := size - len(encoded); {
		case lacking < 100:
			return encoded
		case hosted.Configuration != nil && text.Len() < size/2:
			for text.Len() < min(size/2, lacking) {
				text.WriteString("    image: ghcr.io/acme/app:latest\n")
			}
			*hosted.Configuration.ComposeFile.DockerComposeFile = text.String()
		default:
			for range lacking / 100 {
				kind, what, at := "boot.progress", "starting containers", int64(1781956833215)
				hosted.Events = append(hosted.Events, restclient.VmEvent{Event: &kind, Body: &what, Timestamp: &at})
			}
		}
	}
}

// Source hands out the pages of a list. It is a [pages.Source].
type Source struct {
	list *List
	held bool
	// pages and bytes count what was handed out.
	pages, bytes atomic.Int64
}

// AtHand returns a source whose pages are indexed before they are asked for.
func (l *List) AtHand() *Source { return &Source{list: l, held: true} }

// Unread returns a source that indexes a page each time that it is asked for.
func (l *List) Unread() *Source { return &Source{list: l} }

// Owner returns the same for all credentials: there is one caller.
func (s *Source) Owner(restclient.Credential) pages.Owner { return pages.Owner{} }

// Extents returns dst: pages are found by what was asked for.
func (s *Source) Extents(dst []relay.Extent, _ pages.Owner, _ restclient.Filter, _ time.Time) []relay.Extent {
	return dst
}

// Held returns a page that is at hand.
func (s *Source) Held(_ pages.Owner, request restclient.PageRequest) (pages.Got, bool) {
	if !s.held {
		return pages.Got{}, false
	}
	s.list.mu.Lock()
	defer s.list.mu.Unlock()
	page := s.list.pages[request]
	if page == nil {
		var err error
		if page, err = s.list.upstream.Page(s.list.body(request), request); err != nil {
			return pages.Got{}, false
		}
		s.list.pages[request] = page
	}
	s.count(page)
	return pages.Got{Page: page, Request: request, Cached: true}, true
}

// Fetch indexes a page.
func (s *Source) Fetch(_ context.Context, r pages.Request) (pages.Got, error) {
	page, err := s.list.upstream.Page(s.list.Body(r.PageRequest), r.PageRequest)
	if err == nil {
		s.count(page)
	}
	return pages.Got{Page: page, Request: r.PageRequest}, err
}

func (s *Source) count(page *pages.Page) {
	s.pages.Add(1)
	s.bytes.Add(int64(page.BodySize()))
}
