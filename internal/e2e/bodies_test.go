package e2e_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/testing/testmode"
)

// TestMemoryUnderAFloodOfBodies holds large bodies open on many connections, and sends others without end.
func TestMemoryUnderAFloodOfBodies(t *testing.T) {
	t.Parallel()
	needsResident(t)
	p := startWith(t, []string{"GOMEMLIMIT=200MiB"}, "--demo")
	const header = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunk := func(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
	send := func(text string) net.Conn {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Error(err)
			return nil
		}
		io.WriteString(conn, text)
		return conn
	}
	connections := 300
	if testmode.Full() {
		connections = 900
	}
	half := header + chunk(`{"query":"{ __typename }","operationName":"`+strings.Repeat("x", 255<<10))
	var flood sync.WaitGroup
	begun, enough := time.Now(), atomic.Bool{}
	for i := range connections {
		flood.Go(func() {
			for tick := time.Tick(100 * time.Millisecond); !enough.Load() && time.Since(begun) < 15*time.Second; <-tick { // whoever is refused comes again
				conn := send(half)
				if conn == nil {
					return
				}
				for err := error(nil); err == nil && i%3 == 0; { // without end
					_, err = io.WriteString(conn, chunk(strings.Repeat("x", 16<<10)))
				}
				io.Copy(io.Discard, conn) // until the program has had enough
				_ = conn.Close()
			}
		})
	}
	over := make(chan struct{})
	go func() {
		flood.Wait()
		close(over)
	}()
	var small, large int // answered, and refused
	for tick, during := time.Tick(100*time.Millisecond), true; during; {
		select {
		case <-over:
			during = false
		case <-tick:
		}
		if got, err := p.ask(t.Context(), `{ cvms(first: 1) { totalCount } }`, "sane"); err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"totalCount":`) {
			t.Errorf("a small request beside them: got %.200s, %v, want data", got, err)
		} else {
			small++
		}
		conn := send(header + chunk(`{"query":"{ __typename }"`+strings.Repeat(" ", 255<<10)+`}`) + "0\r\n\r\n")
		if conn == nil {
			continue
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("a large request beside them: got error %v, want an answer", err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		_ = conn.Close()
		const refused = `{"errors":[{"message":"other requests use all memory for large request bodies; try again later","extensions":{"code":"UNAVAILABLE","retryAfter":1}}]}`
		if got := strings.TrimSpace(string(body)); err != nil || got != refused && got != `{"data":{"__typename":"Query"}}` {
			t.Errorf("a large request beside them: got %.200s, %v, want data or that there is no room", got, err)
		} else if got == refused {
			large++
			enough.Store(large >= 2)
		}
	}
	got := p.resident(t)
	t.Logf("resident set: %d MiB at most; %d small requests answered, %d large ones refused", got>>20, small, large)
	if got > 256<<20 {
		t.Errorf("resident set: got %d MiB, want at most 256", got>>20)
	}
	if large == 0 {
		t.Error("got room for all large requests, want a flood that leaves none")
	}
}

// bodyFloods are requests that are too large in some way: how their bodies are announced, and what they are answered.
var bodyFloods = map[string]struct {
	encoding   string
	length     int64 // -1: not announced
	body       func() io.Reader
	wantStatus int
}{
	"announced":   {"", 64 << 20, func() io.Reader { return &endless{left: 64 << 20} }, http.StatusRequestEntityTooLarge},
	"unannounced": {"", -1, func() io.Reader { return &endless{left: 64 << 20} }, http.StatusRequestEntityTooLarge},
	"packed":      {"gzip", -1, func() io.Reader { return bytes.NewReader(packed()) }, http.StatusUnsupportedMediaType},
	"nested":      {"", -1, func() io.Reader { return strings.NewReader(strings.Repeat("[", 255<<10)) }, http.StatusBadRequest},
	"many keys": {
		"", -1,
		func() io.Reader {
			return strings.NewReader(`{"query":"{ __typename }","variables":{` + strings.Repeat(`"a":1,`, 40<<10) + `"a":1}}`)
		},
		http.StatusOK,
	},
	"one long name": {
		"", -1, func() io.Reader { return strings.NewReader(`{"query":"{ ` + strings.Repeat("x", 255<<10) + ` }"}`) }, http.StatusOK,
	},
}

// endless is a body of the same letter.
type endless struct{ left int }

func (e *endless) Read(b []byte) (int, error) {
	n := min(len(b), e.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range b[:n] {
		b[i] = ' '
	}
	e.left -= n
	return n, nil
}

// packed is a gzip file of 64 MiB, in small.
func packed() []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = io.Copy(zip, &endless{left: 1 << 20})
	_ = zip.Close()
	return bytes.Repeat(b.Bytes(), 64)
}

// floodBody sends one of them. The program may end the connection before it has read all, which the sender may see first.
func (p *process) floodBody(t *testing.T, kind string) {
	t.Helper()
	flood := bodyFloods[kind]
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", flood.body())
	if err != nil {
		t.Error(err)
		return
	}
	request.ContentLength = flood.length
	request.Header.Set("Content-Type", "application/json")
	if flood.encoding != "" {
		request.Header.Set("Content-Encoding", flood.encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode != flood.wantStatus {
		t.Errorf("a body that is %s: got status %d, want %d", kind, response.StatusCode, flood.wantStatus)
	}
}

// holdBody sends most of a body that is not too large, and not its end.
func (p *process) holdBody(t *testing.T) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	const size = 250 << 10
	head := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", size)
	if _, err := io.WriteString(conn, head+strings.Repeat(" ", size-1)); err != nil {
		t.Fatal(err)
	}
}
