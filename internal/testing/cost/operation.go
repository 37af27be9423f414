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
	"cvmgraph/restclient"
)

// Operation is a GraphQL operation that can be sent to a gateway over and over. It is not safe for concurrent use.
type Operation struct {
	// Pages and Read are how many pages an answer takes, and their bytes. Written is the size of the answer, in bytes.
	Pages, Read, Written int

	handler http.Handler
	request *http.Request
	body    *bytes.Reader
	answer  sink
}

// sink takes an answer and keeps its size, and the answer itself as long as keep is set.
type sink struct {
	header http.Header
	status int
	size   int
	keep   *bytes.Buffer
}

func (s *sink) Header() http.Header { return s.header }

func (s *sink) Write(b []byte) (int, error) {
	s.size += len(b)
	if s.keep != nil {
		s.keep.Write(b)
	}
	return len(b), nil
}

func (s *sink) WriteHeader(status int) { s.status = status }

// NewOperation returns an operation over a source, after it was answered once. The error says that the answer is not one of data
// alone.
func NewOperation(source *Source, query string) (*Operation, error) {
	o := newOperation(source, query)
	answer, err := o.first()
	if err != nil {
		return nil, err
	}
	o.Pages, o.Read, o.Written = int(source.pages.Load()), int(source.bytes.Load()), len(answer)
	return o, nil
}

func newOperation(source *Source, query string) *Operation {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		panic(err) // a text
	}
	o := &Operation{body: bytes.NewReader(body), answer: sink{header: make(http.Header)}}
	o.handler = graph.NewHandler(&graph.Resolver{
		Pages: source, Projection: true, APIVersion: restclient.DefaultAPIVersion, MaxFirst: 1000,
		MaxUpstreamCalls: 100,
		Limits:           graph.Limits{Tokens: 2000, Depth: 15, Aliases: 30},
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

// first runs the operation and returns its answer.
func (o *Operation) first() ([]byte, error) {
	o.answer.keep = new(bytes.Buffer)
	o.Run()
	answer := o.answer.keep.Bytes()
	o.answer.keep = nil
	if o.answer.status != http.StatusOK || !bytes.HasPrefix(answer, []byte(`{"data":`)) {
		return nil, fmt.Errorf("got status %d and %.300s", o.answer.status, answer)
	}
	return answer, nil
}

// Run sends the operation once. It panics where the answer is another one than the first.
func (o *Operation) Run() {
	_, _ = o.body.Seek(0, io.SeekStart)
	clear(o.answer.header)
	o.answer.size = 0
	o.handler.ServeHTTP(&o.answer, o.request)
	if o.Written != 0 && o.answer.size != o.Written {
		panic(fmt.Sprintf("cost: got an answer of %d bytes, want %d", o.answer.size, o.Written))
	}
}

// Cursors returns the cursors of the list's first n items.
func (l *List) Cursors(n int) ([]string, error) {
	o := newOperation(l.AtHand(), fmt.Sprintf("{ cvms(first: %d) { edges { cursor } } }", n))
	answer, err := o.first()
	if err != nil {
		return nil, err
	}
	var decoded struct {
		Data struct {
			Cvms struct{ Edges []struct{ Cursor string } }
		}
	}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		return nil, err
	}
	cursors := make([]string, n)
	for i, edge := range decoded.Data.Cvms.Edges {
		cursors[i] = edge.Cursor
	}
	return cursors, nil
}
