package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/demo"
)

// TestDescriptors_exhausted opens more connections than the program may have open files. Requests
// are UNAVAILABLE meanwhile, the log says why, and the upstream's calls are not paused afterwards.
func TestDescriptors_exhausted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no ulimit")
	}
	upstream := startFaulty(t)
	p := startIn(t, []string{"sh", "-c", `ulimit -n 64; exec "$0" "$@"`}, nil, "--upstream-url", upstream.url+demo.BasePath, "--cache-ttl=0")
	const connections, enough = 70, 30 // more than the 20 failures that would pause the credential
	query := `{"query":"{ cvms(first: 1) { nodes { name } } }"}`
	request := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
		"Authorization: Bearer tenant\r\nContent-Length: %d\r\n\r\n%s", len(query), query)
	var conns []net.Conn
	for range connections {
		conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	defer func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	for begun := time.Now(); !strings.Contains(p.logged(), "too many open files"); <-time.After(10 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("the program still accepts connections: %.3000s", p.logged())
		}
	}
	bodies := make(chan string, connections)
	for _, conn := range conns {
		go func() {
			_, _ = io.WriteString(conn, request)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil { // the connection was not accepted
				return
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			bodies <- string(body)
		}()
	}
	for range enough {
		select {
		case body := <-bodies:
			if !strings.Contains(body, `"UNAVAILABLE"`) || !strings.Contains(body, "the gateway cannot open a connection") {
				t.Errorf("got %s, want UNAVAILABLE", body)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("got no response: %.3000s", p.logged())
		}
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	p.wantDataAgain(t)
	if n := strings.Count(p.logged(), `"resource":"file descriptors"`); n != 1 {
		t.Errorf("got %d lines that name the resource, want one: %.3000s", n, p.logged())
	}
}

// wantDataAgain requests data until the program has closed the test's connections.
func (p *process) wantDataAgain(t *testing.T) {
	t.Helper()
	for begun := time.Now(); ; <-time.After(50 * time.Millisecond) {
		body, err := p.query(t.Context(), `{ cvms(first: 1) { nodes { name } } }`, "tenant")
		if err == nil && strings.Contains(body, `"nodes":[{`) {
			return
		}
		if strings.Contains(body, "paused") || time.Since(begun) > 20*time.Second {
			t.Fatalf("got %s, %v, want data", body, err)
		}
	}
}
