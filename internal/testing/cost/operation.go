package cost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"cvmgraph/graph"
	"cvmgraph/internal/querylimit"
	"cvmgraph/restclient"
)

// Operation is a GraphQL operation that can be executed any number of times. It is not safe for
// concurrent use.
type Operation struct {
	// Pages is the number of pages that the operation reads, and BytesRead their size.
	Pages, BytesRead int
	// BytesWritten is the size of the response body.
	BytesWritten int

	handler  http.Handler
	request  *http.Request
	body     *bytes.Reader
	response response
}

// response is an http.ResponseWriter that counts the bytes of the body. If body is not nil, the
// bytes are stored there too.
type response struct {
	header http.Header
	status int
	size   int
	body   *bytes.Buffer
}

func (r *response) Header() http.Header { return r.header }

func (r *response) Write(b []byte) (int, error) {
	r.size += len(b)
	if r.body != nil {
		r.body.Write(b)
	}
	return len(b), nil
}

func (r *response) WriteHeader(status int) { r.status = status }

// NewOperation returns an operation over a source. It executes the operation once and returns an
// error if the response has errors.
func NewOperation(source *Source, query string) (*Operation, error) {
	o := newOperation(source, query)
	body, err := o.firstRun()
	if err != nil {
		return nil, err
	}
	o.Pages, o.BytesRead, o.BytesWritten = int(source.pages.Load()), int(source.bytes.Load()), len(body)
	return o, nil
}

func newOperation(source *Source, query string) *Operation {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		panic(err) // strings can always be encoded
	}
	o := &Operation{body: bytes.NewReader(body), response: response{header: make(http.Header)}}
	o.handler = graph.NewHandler(&graph.Resolver{
		Pages: source, Projection: true, APIVersion: restclient.DefaultAPIVersion, MaxFirst: 1000,
		MaxUpstreamCalls: 100,
		Limits:           querylimit.Limits{Tokens: 2000, Depth: 15, Aliases: 30},
		RequestID:        func(context.Context) string { return "cost" },
		Logger:           slog.New(slog.DiscardHandler),
	})
	o.request = httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", nil)
	o.request.Header.Set("Content-Type", "application/json")
	o.request.Header.Set("Authorization", "Bearer cost")
	o.request.ContentLength = int64(len(body))
	o.request.Body = io.NopCloser(o.body)
	return o
}

// firstRun executes the operation and returns the response body.
func (o *Operation) firstRun() ([]byte, error) {
	var body bytes.Buffer
	o.response.body = &body
	o.Run()
	o.response.body = nil
	if o.response.status != http.StatusOK || !bytes.HasPrefix(body.Bytes(), []byte(`{"data":`)) {
		return nil, fmt.Errorf("got status %d and %.300s", o.response.status, body.Bytes())
	}
	return body.Bytes(), nil
}

// Run executes the operation once. It panics if the size of the response differs from the first
// one's.
func (o *Operation) Run() {
	_, _ = o.body.Seek(0, io.SeekStart)
	clear(o.response.header)
	o.response.size = 0
	o.handler.ServeHTTP(&o.response, o.request)
	if o.BytesWritten != 0 && o.response.size != o.BytesWritten {
		panic(fmt.Sprintf("cost: got a response of %d bytes, want %d", o.response.size, o.BytesWritten))
	}
}

// Cursors returns the cursors of the list's first n items.
func (l *List) Cursors(n int) ([]string, error) {
	o := newOperation(l.Cached(), fmt.Sprintf("{ cvms(first: %d) { edges { cursor } } }", n))
	body, err := o.firstRun()
	if err != nil {
		return nil, err
	}
	var decoded struct {
		Data struct {
			Cvms struct{ Edges []struct{ Cursor string } }
		}
	}
	if err := json.Unmarshal(body, &decoded); err != nil {
		return nil, err
	}
	cursors := make([]string, n)
	for i, edge := range decoded.Data.Cvms.Edges {
		cursors[i] = edge.Cursor
	}
	return cursors, nil
}
