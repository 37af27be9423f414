package graph_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// demoPages returns pages of the demo upstream, by their sizes.
func demoPages(tb testing.TB) map[int][]byte {
	tb.Helper()
	list := demo.New(demo.Options{})
	bodies := make(map[int][]byte)
	for _, size := range []int{1, 20, 100} {
		request := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, fmt.Sprintf("%s?page=1&page_size=%d", demo.ListPath, size), nil)
		request.Header.Set("Authorization", "Bearer budget")
		request.Header.Set("X-Phala-Version", "2025-10-28")
		w := httptest.NewRecorder()
		list.ServeHTTP(w, request)
		if w.Code != http.StatusOK {
			tb.Fatalf("got status %d of the demo upstream", w.Code)
		}
		bodies[size] = w.Body.Bytes()
	}
	return bodies
}

// rawUpstream serves first pages over TCP without allocations, so that only the gateway's are
// measured. It returns its address.
func rawUpstream(tb testing.TB, bodies map[int][]byte) string {
	tb.Helper()
	responses := make(map[string][]byte)
	for size, body := range bodies {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
		responses[fmt.Sprintf("page_size=%d ", size)] = append([]byte(head), body...)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	serve := func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		request := make([]byte, 0, 4096)
		for {
			n, err := conn.Read(request[len(request):cap(request)])
			if err != nil {
				return
			}
			request = request[:len(request)+n]
			if !bytes.HasSuffix(request, []byte("\r\n\r\n")) {
				continue
			}
			for size, response := range responses {
				if bytes.Contains(request, []byte(size)) {
					_, _ = conn.Write(response)
				}
			}
			request = request[:0]
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String() + demo.BasePath
}

// rawCaller calls a server over one connection without allocations.
type rawCaller struct {
	conn    net.Conn
	request []byte
	reader  *bufio.Reader
	// size is the length of the last response's body.
	size int
}

func newRawCaller(tb testing.TB, address, query string) *rawCaller {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		tb.Fatal(err)
	}
	head := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"+
		"Authorization: Bearer budget\r\nContent-Length: %d\r\n\r\n", len(body))
	return &rawCaller{conn: conn, request: append([]byte(head), body...), reader: bufio.NewReaderSize(conn, 64<<10)}
}

func (c *rawCaller) call(tb testing.TB) {
	tb.Helper()
	c.send(tb)
	c.receive(tb)
}

func (c *rawCaller) send(tb testing.TB) {
	tb.Helper()
	if _, err := c.conn.Write(c.request); err != nil {
		tb.Fatal(err)
	}
}

func (c *rawCaller) receive(tb testing.TB) {
	tb.Helper()
	length := -1
	for line := 0; ; line++ {
		text, err := c.reader.ReadSlice('\n')
		if err != nil {
			tb.Fatal(err)
		}
		if line == 0 && !bytes.HasPrefix(text, []byte("HTTP/1.1 200 ")) {
			tb.Fatalf("got %q", text)
		}
		if value, ok := bytes.CutPrefix(text, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(string(value)))
		}
		if len(text) == 2 {
			break
		}
	}
	if length < 1000 {
		tb.Fatalf("got a body of %d bytes", length)
	}
	if n, err := c.reader.Discard(length); err != nil {
		tb.Fatalf("got %d bytes, %v, want %d", n, err, length)
	}
	c.size = length
}

// listen serves a handler and returns its address.
func listen(tb testing.TB, handler http.Handler) string {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// TestAllocations_overHTTP checks the allocations of an operation with net/http, on the gateway's
// side.
func TestAllocations_overHTTP(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testmode.Race {
		t.Skip("the race detector allocates")
	}
	upstream, cached, operations := rawUpstream(t, demoPages(t)), newCachedPages(t), workloads(t)
	for name, most := range map[string]struct{ cached, called budget }{
		"a": {cached: budget{115, 9500}, called: budget{230, 1.25*pageBytes(cached, 20) + 28000}},
		"b": {cached: budget{115, 9500}, called: budget{230, 1.25*pageBytes(cached, 100) + 28000}},
		"c": {cached: budget{130, 20000}, called: budget{230, 1.25*pageBytes(cached, 100) + 28000}},
	} {
		for source, most := range map[pages.Source]budget{cached: most.cached, nil: most.called} {
			g := &gateway{timeout: upstreamTimeout}
			g.serve(t, upstream, func(r *graph.Resolver) {
				if r.Projection = true; source != nil {
					r.Pages = source
				}
			})
			c := newRawCaller(t, listen(t, g.handler), operations[name])
			got := allocated(func() { c.call(t) })
			t.Logf("%s, cached: %t: %.0f allocations, %.0f bytes", name, source != nil, got.allocations, got.bytes)
			if got.allocations > most.allocations || got.bytes > most.bytes {
				t.Errorf("%s, cached: %t: got %+v, want at most %+v", name, source != nil, got, most)
			}
		}
	}
}

func pageBytes(cached *cachedPages, size int) float64 {
	return float64(cached.pages[restclient.PageRequest{Page: 1, PageSize: size}].BodySize())
}

func BenchmarkHTTP(b *testing.B) {
	upstream := rawUpstream(b, demoPages(b))
	source := newCachedPages(b)
	for name, query := range workloads(b) {
		for _, isCached := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/cached=%t", name, isCached), func(b *testing.B) {
				g := &gateway{timeout: upstreamTimeout}
				g.serve(b, upstream, func(r *graph.Resolver) {
					r.Projection = true
					if isCached {
						r.Pages = source
					}
				})
				c := newRawCaller(b, listen(b, g.handler), query)
				b.ReportAllocs()
				for b.Loop() {
					c.call(b)
				}
				b.SetBytes(int64(c.size))
			})
		}
	}
}
