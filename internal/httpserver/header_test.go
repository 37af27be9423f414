package httpserver_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cvmgraph/internal/httpserver"
)

// net/http rejects these requests without reading all of them. The caller gets the response.
func TestRequest_rejectedBeforeItsEnd(t *testing.T) {
	t.Parallel()
	listener := runTCP(t, httpserver.Options{GraphQL: echo()})
	var callers sync.WaitGroup
	body := strings.Repeat("x", 200<<10)
	for name, test := range map[string]struct {
		header string
		want   int
	}{
		"invalid host":            {header: "POST /graphql HTTP/1.1\r\nHost: a b\r\nContent-Length: 204800\r\n\r\n", want: http.StatusBadRequest},
		"invalid request line":    {header: "POST /graphql\r\nHost: a\r\nContent-Length: 204800\r\n\r\n", want: http.StatusBadRequest},
		"unknown transfer coding": {header: "POST /graphql HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: zip\r\n\r\n", want: http.StatusNotImplemented},
	} {
		for range 2 {
			callers.Go(func() {
				for range 40 {
					begun := time.Now()
					got, err := send(t, listener.Addr().String(), test.header+body)
					if err != nil && time.Since(begun) > 4*time.Second {
						continue // on a busy machine, the server's timeout has ended the connection
					}
					if got != test.want || err != nil {
						t.Errorf("%s: got status %d and error %v, want status %d", name, got, err, test.want)
					}
				}
			})
		}
	}
	callers.Wait()
}

// send sends the bytes on a new connection while it reads, and returns the status of the response.
func send(t *testing.T, address, sent string) (int, error) {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, sent)
		written <- err
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	return response.StatusCode, errors.Join(err, <-written)
}
