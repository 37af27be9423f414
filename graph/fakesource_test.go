package graph_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// fakeSource is a source of pages with a list for each caller.
type fakeSource struct {
	lists sync.Map // *fakeList by pages.CredentialKey
	index *pages.Upstream
	pause func() // is called by Fetch, unless it is nil
	// fetched is the number of fetched pages.
	fetched atomic.Int64
}

// fakeList is the list of one caller: the upstream's documents and their indexed pages.
type fakeList struct {
	body   func(restclient.PageRequest) []byte
	cached bool // all pages are cached
	mu     sync.Mutex
	pages  map[restclient.PageRequest]*pages.Page
}

func newFakeSource() *fakeSource { return newFakeSourceOf(restclient.ShapeHosted) }

// newFakeSourceOf returns a source of pages whose items have the shape.
func newFakeSourceOf(shape restclient.Shape) *fakeSource {
	return &fakeSource{index: pages.NewUpstreamFunc(shape, nil)}
}

func (s *fakeSource) of(owner pages.CredentialKey) *fakeList {
	list, _ := s.lists.Load(owner)
	return list.(*fakeList)
}

// put stores the list of the caller with this Authorization header. body returns the JSON of a
// page. If cached is true, the source has all pages in its cache.
func (s *fakeSource) put(caller string, body func(restclient.PageRequest) []byte, cached bool) {
	owner := s.CredentialKey(restclient.NewCredential(restclient.Headers{Authorization: caller}))
	s.lists.Store(owner, &fakeList{body: body, cached: cached, pages: make(map[restclient.PageRequest]*pages.Page)})
}

func (s *fakeSource) CredentialKey(credential restclient.Credential) pages.CredentialKey {
	return sha256.Sum256([]byte(credential.Headers().Authorization))
}

func (s *fakeSource) CachedPages(dst []relay.CachedPage, _ pages.CredentialKey, _ restclient.Filter, _ time.Time) []relay.CachedPage {
	return dst
}

func (s *fakeSource) Cached(owner pages.CredentialKey, request restclient.PageRequest) (pages.FetchResult, bool) {
	list := s.of(owner)
	if !list.cached {
		return pages.FetchResult{}, false
	}
	got, err := s.load(list, request)
	return got, err == nil
}

func (s *fakeSource) Fetch(_ context.Context, request pages.FetchRequest) (pages.FetchResult, error) {
	s.fetched.Add(1)
	if s.pause != nil {
		s.pause()
	}
	return s.load(s.of(request.CredentialKey), request.PageRequest)
}

func (s *fakeSource) load(list *fakeList, request restclient.PageRequest) (pages.FetchResult, error) {
	list.mu.Lock()
	defer list.mu.Unlock()
	page, ok := list.pages[request]
	if !ok {
		var err error
		if page, err = s.indexed(list, request); err != nil {
			return pages.FetchResult{}, err
		}
		list.pages[request] = page
	}
	return pages.FetchResult{Page: page, Request: request}, nil
}

func (s *fakeSource) Supersede(context.Context, pages.CredentialKey, restclient.Filter, time.Time, []pages.FetchResult) {
}

// indexed indexes a page of a list.
func (s *fakeSource) indexed(list *fakeList, request restclient.PageRequest) (*pages.Page, error) {
	return s.index.Page(list.body(request), request)
}

var graphqlURL = &url.URL{Path: "/graphql"}

func serve(ctx context.Context, handler http.Handler, authorization string, body []byte) []byte {
	request := &http.Request{
		Method: http.MethodPost, URL: graphqlURL, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {authorization}},
	}
	w := &capture{header: make(http.Header)}
	handler.ServeHTTP(w, request.WithContext(ctx))
	return w.body
}

// capture records the body of a response.
type capture struct {
	header http.Header
	body   []byte
}

func (c *capture) Header() http.Header { return c.header }

func (c *capture) WriteHeader(int) {}

func (c *capture) Write(b []byte) (int, error) {
	c.body = append(c.body, b...)
	return len(b), nil
}
