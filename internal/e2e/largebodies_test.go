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

// chunkedHeader begins a request with a chunked body.
const chunkedHeader = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

func chunk(data string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(data), data) }

// TestMemory_largeRequestBodies holds large bodies open on many connections and sends others
// without an end. Meanwhile small requests get data, and some large ones are rejected.
func TestMemory_largeRequestBodies(t *testing.T) {
	t.Parallel()
	needsResident(t)
	p := startWith(t, []string{"GOMEMLIMIT=200MiB"}, "--demo")
	var enough atomic.Bool
	over := make(chan struct{})
	go func() {
		p.sendLargeBodies(t, testmode.Count(300, 900), &enough)
		close(over)
	}()
	var small, rejected int
	for tick, during := time.Tick(100*time.Millisecond), true; during; {
		select {
		case <-over:
			during = false
		case <-tick:
		}
		got, err := p.query(t.Context(), `{ cvms(first: 1) { totalCount } }`, "sane")
		if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"totalCount":`) {
			t.Errorf("a small request: got %.200s, %v, want data", got, err)
		} else {
			small++
		}
		if p.rejectsLargeBody(t) {
			rejected++
			enough.Store(rejected >= 2)
		}
	}
	got := p.resident(t)
	t.Logf("resident set: at most %d MiB; %d small requests got data, %d large ones were rejected", got>>20, small, rejected)
	if got > 256<<20 {
		t.Errorf("resident set: got %d MiB, want at most 256", got>>20)
	}
	if rejected == 0 {
		t.Error("got no large request rejected, want the slots for large bodies to be in use")
	}
}

// dial connects to the program and sends data. It returns nil if it cannot connect.
func (p *process) dial(t *testing.T, data string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", trimScheme(p.url))
	if err != nil {
		t.Error(err)
		return nil
	}
	io.WriteString(conn, data)
	return conn
}

// sendLargeBodies sends large bodies without an end on that many connections, and reconnects when
// the program closes one, until enough is set or 15 seconds have passed.
func (p *process) sendLargeBodies(t *testing.T, connections int, enough *atomic.Bool) {
	t.Helper()
	half := chunkedHeader + chunk(`{"query":"{ __typename }","operationName":"`+strings.Repeat("x", 255<<10))
	var senders sync.WaitGroup
	defer senders.Wait()
	begun := time.Now()
	for i := range connections {
		senders.Go(func() {
			for tick := time.Tick(100 * time.Millisecond); !enough.Load() && time.Since(begun) < 15*time.Second; <-tick {
				conn := p.dial(t, half)
				if conn == nil {
					return
				}
				for err := error(nil); err == nil && i%3 == 0; { // every third never pauses
					_, err = io.WriteString(conn, chunk(strings.Repeat("x", 16<<10)))
				}
				io.Copy(io.Discard, conn) // until the program closes the connection
				_ = conn.Close()
			}
		})
	}
}

// rejectsLargeBody sends a complete large body, and reports whether the program rejects it because
// others use all memory for large bodies. Any other response than data fails the test.
func (p *process) rejectsLargeBody(t *testing.T) bool {
	t.Helper()
	conn := p.dial(t, chunkedHeader+chunk(`{"query":"{ __typename }"`+strings.Repeat(" ", 255<<10)+`}`)+"0\r\n\r\n")
	if conn == nil {
		return false
	}
	defer conn.Close()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("a large request: got error %v, want a response", err)
		return false
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	const rejected = `{"errors":[{"message":"other requests use all memory for large request bodies; try again later","extensions":{"code":"UNAVAILABLE","retryAfter":1}}]}`
	got := strings.TrimSpace(string(body))
	if err != nil || got != rejected && got != `{"data":{"__typename":"Query"}}` {
		t.Errorf("a large request: got %.200s, %v, want data or %s", got, err, rejected)
		return false
	}
	return got == rejected
}

// oversizedBodies are requests that are too large in some way.
var oversizedBodies = map[string]struct {
	encoding   string // Content-Encoding
	length     int64  // Content-Length; -1 sends a chunked body
	body       func() io.Reader
	wantStatus int
}{
	"with a length": {
		length:     64 << 20,
		body:       func() io.Reader { return &spaces{left: 64 << 20} },
		wantStatus: http.StatusRequestEntityTooLarge,
	},
	"chunked": {
		length:     -1,
		body:       func() io.Reader { return &spaces{left: 64 << 20} },
		wantStatus: http.StatusRequestEntityTooLarge,
	},
	"compressed": {
		encoding:   "gzip",
		length:     -1,
		body:       func() io.Reader { return bytes.NewReader(compressedSpaces()) },
		wantStatus: http.StatusUnsupportedMediaType,
	},
	"nested": {
		length:     -1,
		body:       func() io.Reader { return strings.NewReader(strings.Repeat("[", 255<<10)) },
		wantStatus: http.StatusBadRequest,
	},
	"of many keys": {
		length: -1,
		body: func() io.Reader {
			return strings.NewReader(`{"query":"{ __typename }","variables":{` + strings.Repeat(`"a":1,`, 40<<10) + `"a":1}}`)
		},
		wantStatus: http.StatusOK,
	},
	"of one long name": {
		length: -1,
		body: func() io.Reader {
			return strings.NewReader(`{"query":"{ ` + strings.Repeat("x", 255<<10) + ` }"}`)
		},
		wantStatus: http.StatusOK,
	},
}

// spaces is a body of spaces.
type spaces struct{ left int }

func (s *spaces) Read(b []byte) (int, error) {
	n := min(len(b), s.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range b[:n] {
		b[i] = ' '
	}
	s.left -= n
	return n, nil
}

// compressedSpaces returns a small gzip file of 64 MiB of spaces.
func compressedSpaces() []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = io.Copy(zip, &spaces{left: 1 << 20})
	_ = zip.Close()
	return bytes.Repeat(b.Bytes(), 64)
}

// sendOversizedBody sends one of oversizedBodies. An error of the connection is not a failure: the
// program may close it before it has read everything.
func (p *process) sendOversizedBody(t *testing.T, kind string) {
	t.Helper()
	oversized := oversizedBodies[kind]
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", oversized.body())
	if err != nil {
		t.Error(err)
		return
	}
	request.ContentLength = oversized.length
	request.Header.Set("Content-Type", "application/json")
	if oversized.encoding != "" {
		request.Header.Set("Content-Encoding", oversized.encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode != oversized.wantStatus {
		t.Errorf("a body %s: got status %d, want %d", kind, response.StatusCode, oversized.wantStatus)
	}
}

// holdBody sends a body of an acceptable size except for its last byte, and keeps the connection
// open.
func (p *process) holdBody(t *testing.T) {
	t.Helper()
	const size = 250 << 10
	head := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", size)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", trimScheme(p.url))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, head+strings.Repeat(" ", size-1)); err != nil {
		t.Fatal(err)
	}
}
