package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"cvmgraph/internal/demo"
)

// TestMemoryUnderFloods reads the resident set of one program that meets all the large answers of an upstream, several callers at a time
// each, while others send it bodies that are too large, and some hold theirs back.
func TestMemoryUnderFloods(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the resident set is read from /proc, which is Linux's")
	}
	if raceDetector {
		t.Skip("the race detector multiplies memory: .ci/run runs this without it too")
	}
	upstream := startFaulty(t)
	p := startAs(t, []string{"env", "GOMEMLIMIT=200MiB", os.Args[0]}, "--upstream-url", upstream.url+demo.BasePath,
		"--upstream-timeout=1m", "--request-timeout=2m") // it is not about time
	idle := p.resident(t)
	for range 50 {
		p.holdBody(t)
	}
	for _, name := range slices.Sorted(maps.Keys(matrix)) {
		want := matrix[name]
		if want.code == failed || want.memory == 0 && !strings.Contains(name, "flood") && !strings.Contains(name, "deep") {
			continue // of a status of 5xx, which would open the breaker, little is read
		}
		callers := 6
		if full() {
			callers = 16
		}
		if want.code == "" || want.partial {
			callers = 2 // the answers are as large, and callers take them
		}
		var group sync.WaitGroup
		for i := range callers {
			group.Go(func() {
				got, err := p.ask(t.Context(), `{ cvms { nodes { id name vcpu } } }`, upstream.tokenOf(name, fmt.Sprint(i)))
				if err != nil || (want.code != "") != strings.Contains(got, `"code":"`+want.code+`"`) {
					t.Errorf("%s: got %.300s, %v, want %q", name, got, err, want.code)
				}
			})
		}
		for kind := range bodyFloods {
			group.Go(func() { p.floodBody(t, kind) })
		}
		group.Wait()
		t.Logf("%s: %d MiB so far", name, p.resident(t)>>20)
	}
	got := p.resident(t)
	t.Logf("resident set: %d MiB, %d MiB idle", got>>20, idle>>20)
	if got >= 256<<20 {
		t.Errorf("resident set: got %d MiB, want less than 256", got>>20)
	}
	if got, err := p.ask(t.Context(), `{ cvms { totalCount } }`, "sane"); err != nil || !strings.Contains(got, `"totalCount":300`) {
		t.Errorf("the next query: got %s, %v, want data", got, err)
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
