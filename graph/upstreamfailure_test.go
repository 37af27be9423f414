package graph_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
)

// fail answers with a status and a body.
func fail(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hang answers nothing until the caller has gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func flood(size int, gzipped bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		body := io.Writer(w)
		if gzipped {
			w.Header().Set("Content-Encoding", "gzip")
			zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			defer func() { _ = zip.Close() }()
			body = zip
		}
		_, _ = io.WriteString(body, `{"items": [], "padding": "`)
		chunk := bytes.Repeat([]byte("x"), 1<<20)
		for range size >> 20 {
			if _, err := body.Write(chunk); err != nil {
				return
			}
		}
		_, _ = io.WriteString(body, `"}`)
	}
}

func TestUpstreamFailures(t *testing.T) {
	t.Parallel()
	const secret = "internal-host.example/secret"
	tests := map[string]struct {
		upstream   http.HandlerFunc
		wantCode   string
		wantRetry  float64 // retryAfter, in seconds
		wantCalls  int
		wantWithin time.Duration
	}{
		"401":                       {fail(401, `{"detail":"Authentication required `+secret+`"}`), "UNAUTHENTICATED", 0, 1, 0},
		"403":                       {fail(403, `{"detail":"`+secret+`"}`), "FORBIDDEN", 0, 1, 0},
		"403 of the CDN":            {fail(403, `<html>`+secret+`</html>`, "Content-Type", "text/html"), "FORBIDDEN", 0, 1, 0},
		"404":                       {fail(404, `{"error_code":"ERR-03-001","message":"`+secret+`"}`), "NOT_FOUND", 0, 1, 0},
		"400":                       {fail(400, `{"detail":{"message":"`+secret+`","code":"x"}}`), "BAD_USER_INPUT", 0, 1, 0},
		"422":                       {fail(422, `{"detail":[{"loc":["query","teepod_id"],"msg":"`+secret+`","type":"int_parsing"}]}`), "BAD_USER_INPUT", 0, 1, 0},
		"429":                       {fail(429, `{"detail":"slow down"}`, "Retry-After", "7"), "RATE_LIMITED", 7, 1, 0},
		"429 without a time":        {fail(429, ``), "RATE_LIMITED", 0, 3, 0},
		"500":                       {fail(500, secret), "UPSTREAM_ERROR", 0, 3, 0},
		"503 with a time inside":    {fail(503, `{"detail":"KMS service temporarily unavailable","retry_after":30}`), "UPSTREAM_ERROR", 30, 1, 0},
		"another status of 4xx":     {fail(418, secret), "UPSTREAM_ERROR", 0, 1, 0},
		"a redirect":                {fail(302, ``, "Location", "http://"+secret), "UPSTREAM_ERROR", 0, 1, 0},
		"HTML":                      {fail(200, `<html>`+secret+`</html>`), "UPSTREAM_INVALID_RESPONSE", 0, 1, 0},
		"nothing":                   {fail(200, ``), "UPSTREAM_INVALID_RESPONSE", 0, 3, 0},
		"truncated JSON":            {fail(200, `{"items":[{"name":"`+secret), "UPSTREAM_INVALID_RESPONSE", 0, 3, 0},
		"less than announced":       {fail(200, `{"items":[`, "Content-Length", "1000"), "UPSTREAM_INVALID_RESPONSE", 0, 3, 0},
		"the flat shape":            {fail(200, `{"items":[{"id":"cvm_1","vm_uuid":"u","resource":{}}],"total":1,"page":1,"page_size":30,"pages":1}`), "UPSTREAM_INVALID_RESPONSE", 0, 1, 0},
		"an entry that is no CVM":   {fail(200, `{"items":["`+secret+`"],"total":1,"page":1,"page_size":30,"pages":1}`), "UPSTREAM_INVALID_RESPONSE", 0, 1, 0},
		"another page":              {fail(200, `{"items":[],"total":0,"page":2,"page_size":30,"pages":0}`), "UPSTREAM_INVALID_RESPONSE", 0, 1, 0},
		"a body of 200 MB":          {flood(200<<20, false), "UPSTREAM_INVALID_RESPONSE", 0, 1, 15 * time.Second},
		"a body of 200 MB, gzipped": {flood(200<<20, true), "UPSTREAM_INVALID_RESPONSE", 0, 1, 15 * time.Second},
		"nothing for long":          {hang, "UPSTREAM_TIMEOUT", 0, 3, 6 * time.Second},
		"half a body, then nothing": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"items":[`)
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		}, "UPSTREAM_TIMEOUT", 0, 3, 6 * time.Second},
		"a connection that is reset": {reset, "UPSTREAM_ERROR", 0, 3, 0},
		"no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "SSH-2.0-x\r\n"+secret+"\r\n\r\n")
			_ = conn.Close()
		}, "UPSTREAM_ERROR", 0, 1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			healthy := demo.New(demo.Options{})
			var mended atomic.Bool
			timeout := patience
			if test.wantCode == "UPSTREAM_TIMEOUT" {
				timeout = time.Second
			}
			g := newGatewayWithin(t, timeout, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if mended.Load() {
					healthy.ServeHTTP(w, r)
					return
				}
				test.upstream(w, r)
			}))
			g.within = max(test.wantWithin, 6*time.Second) // less than the upstream asks to wait
			start := time.Now()
			a := g.post(t, `{ cvms { nodes { id } } }`, nil, nil)
			if limit := max(test.wantWithin, 3*time.Second); time.Since(start) > limit {
				t.Errorf("took %v, want at most %v", time.Since(start), limit)
			}
			if calls := g.takeCalls(); len(calls) != test.wantCalls {
				t.Errorf("got %d calls, want %d", len(calls), test.wantCalls)
			}
			got := a.onlyError(t)
			if got.code() != test.wantCode || dotted(got.Path) != "cvms" {
				t.Errorf("got %+v, want %s at cvms", got, test.wantCode)
			}
			if retry, _ := got.Extensions["retryAfter"].(float64); retry != test.wantRetry {
				t.Errorf("retryAfter: got %v, want %v", got.Extensions["retryAfter"], test.wantRetry)
			}
			for _, leak := range []string{secret, "127.0.0.1", "http://", "paginated", tenant().Bearer} {
				if strings.Contains(a.raw, leak) || strings.Contains(g.log.String(), leak) {
					t.Errorf("got %q in the answer or the log: %s %s", leak, a.raw, g.log.String())
				}
			}
			mended.Store(true)
			if page := g.post(t, walkQuery, nil, nil).cvms(t); len(page.Nodes) != 30 {
				t.Errorf("the next query: got %d CVMs, want 30", len(page.Nodes))
			}
		})
	}
}

func TestAnUpstreamThatIsGone(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	g := newGatewayAt(t, fmt.Sprintf("http://%s/api/v1", address))
	if got := g.post(t, `{ cvms { totalCount } }`, nil, nil).onlyError(t); got.code() != "UPSTREAM_ERROR" || strings.Contains(got.Message, address) {
		t.Errorf("got %+v, want UPSTREAM_ERROR without the address", got)
	}
}

func TestOneFailedFieldLeavesTheOthers(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{})
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("teepod_id") {
			fail(403, `{"detail":"Admin only"}`)(w, r)
			return
		}
		upstream.ServeHTTP(w, r)
	}))
	a := g.post(t, `{ cvms(first: 3) { nodes { id } } node: cvms(nodeId: 18) { nodes { id } } }`, nil, nil)
	if got := a.onlyError(t); got.code() != "FORBIDDEN" || dotted(got.Path) != "node" {
		t.Errorf("got %+v, want FORBIDDEN at node", got)
	}
	if a.Errors = nil; len(a.cvms(t).Nodes) != 3 {
		t.Errorf("got %s, want 3 CVMs beside the error", a.raw)
	}
}
