package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/internal/demo"
)

// listSize is the number of items of the upstream's list.
const listSize = 300

// upstream serves pages of a list that never changes, from memory. It uses little CPU time, because
// it shares a core with the load.
type upstream struct {
	latency  time.Duration // before each response
	listener net.Listener
	calls    atomic.Int64
	items    [][]byte
	pages    sync.Map // pageKey to the bytes of the response
	serving  sync.WaitGroup
	closed   chan struct{}
}

// pageKey identifies a page. Pages are counted from 1.
type pageKey struct{ page, size int }

// newItems returns the items of the list. They are realistic and always the same.
func newItems() [][]byte {
	items := make([][]byte, listSize)
	for i := range items {
		items[i] = demo.NewItem(uint64(i + 1)).JSON
	}
	return items
}

// startUpstream starts an upstream on the loopback interface. It runs until Close.
func startUpstream(items [][]byte, latency time.Duration) (*upstream, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{latency: latency, listener: listener, items: items, closed: make(chan struct{})}
	u.serving.Go(u.accept)
	return u, nil
}

// addr returns the host and the port.
func (u *upstream) addr() string { return u.listener.Addr().String() }

// base returns the base URL of the REST API.
func (u *upstream) base() string { return "http://" + u.addr() + demo.BasePath }

// Close closes all connections and waits until their goroutines have returned.
func (u *upstream) Close() {
	close(u.closed)
	_ = u.listener.Close()
	u.serving.Wait()
}

func (u *upstream) accept() {
	for {
		conn, err := u.listener.Accept()
		if err != nil {
			return // closed
		}
		done := make(chan struct{})
		u.serving.Go(func() {
			defer close(done)
			u.serve(conn)
		})
		u.serving.Go(func() {
			defer conn.Close()
			select {
			case <-done:
			case <-u.closed:
			}
		})
	}
}

// serve serves the requests of one connection in order.
func (u *upstream) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return // the connection is closed
		}
		response := u.respond(r)
		if !u.wait() {
			return
		}
		if _, err := conn.Write(response); err != nil || r.Close {
			return
		}
	}
}

// wait waits for the latency. It returns false if the upstream is closed meanwhile.
func (u *upstream) wait() bool {
	if u.latency <= 0 {
		return true
	}
	timer := time.NewTimer(u.latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-u.closed:
		return false
	}
}

// respond returns the bytes of the response. It rejects credentials other than the load's, which
// means that a server does not forward the credential.
func (u *upstream) respond(r *http.Request) []byte {
	u.calls.Add(1)
	switch {
	case r.Method != http.MethodGet || r.URL.Path != demo.ListPath:
		return httpResponse(http.StatusNotFound, []byte(`{"detail":"Not Found"}`))
	case !strings.HasPrefix(r.Header.Get("Authorization"), credentials):
		return httpResponse(http.StatusUnauthorized, []byte(`{"detail":"Invalid token"}`))
	}
	key, err := parsePageKey(r.URL.Query().Get("page"), r.URL.Query().Get("page_size"))
	if err != nil {
		return httpResponse(http.StatusUnprocessableEntity, []byte(`{"detail":"Invalid page"}`))
	}
	if response, ok := u.pages.Load(key); ok {
		return response.([]byte)
	}
	response := httpResponse(http.StatusOK, u.page(key))
	u.pages.Store(key, response)
	return response
}

// page returns the body of a page.
func (u *upstream) page(key pageKey) []byte {
	total := len(u.items)
	lo := min((key.page-1)*key.size, total)
	hi := min(lo+key.size, total)
	body := []byte(`{"items":[`)
	for i, item := range u.items[lo:hi] {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, item...)
	}
	return fmt.Appendf(body, `],"total":%d,"page":%d,"page_size":%d,"pages":%d}`, total, key.page, key.size, (total+key.size-1)/key.size)
}

func parsePageKey(page, size string) (pageKey, error) {
	p, err := strconv.Atoi(page)
	if err != nil {
		return pageKey{}, err
	}
	s, err := strconv.Atoi(size)
	if err != nil {
		return pageKey{}, err
	}
	if p < 1 || p > listSize || s < 1 || s > 100 {
		return pageKey{}, errors.New("page or page_size is out of range")
	}
	return pageKey{p, s}, nil
}

// httpResponse returns the bytes of a response.
func httpResponse(status int, body []byte) []byte {
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		status, http.StatusText(status), len(body))
	return append([]byte(head), body...)
}
