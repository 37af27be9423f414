package graph_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/testing/cost"
	"cvmgraph/restclient"
)

// speed is the gateway's speed relative to another server: by the CPU time of the servers' process
// alone, and by the CPU time of the whole machine, with the callers and the upstream.
type speed struct{ alone, whole float64 }

// TestRatios_budgets compares the cost of a request at the gateway with its cost at minimal
// servers. All servers are in one process with one core. The callers and the upstream are in
// another process. The servers run in turns, and a ratio is computed within a turn.
//
// The budgets, for a, b and c, are 0.45, 0.45 and 0.4 of the speed of a constant response if the
// page is cached, and 0.45, 0.45 and 0.25 of the speed of a reverse proxy with a call. On a quiet
// machine, two cores of an AMD EPYC give:
//
//	                             the whole             the servers alone
//	cached, constant response    0.48, 0.52, 0.38      0.39, 0.42, 0.27
//	called, proxy                0.57, 0.49, 0.32      0.40, 0.31, 0.21
//	called, proxy with a pool    0.47, 0.58, 0.38      0.35, 0.41, 0.28
//
// The whole machine reaches all budgets but c with a cached page. The servers alone reach none but
// c with a call, compared with the proxy with a pool. On a, with a call, they reach 0.35 to 0.40
// instead of 0.45, and 0.27 of the proxy with a pool if other programs run.
//
// The calls of callers with one credential are coalesced. The gateway is then faster than the proxy
// on a and b.
//
// The limits are about 15 % below the minimum of ten runs: on AMD beside a program that used all of
// the time that it got, on Intel without one. A proxy spends its time in the kernel's copies, which
// are 2.8 times as fast on an Intel Sapphire Rapids, so that the gateway is slower relative to it
// there: 0.45, 0.41 and 0.27 for the whole. The limits for AMD would then fail by chance. They
// catch a gateway that is slower by a third on a, by half on b and c with a call, and by nine
// tenths on b and c with a cached page.
func TestRatios_budgets(t *testing.T) { //nolint:paralleltest // what others use would count
	aloneOrSkip(t)
	servers := startServers(t, rawUpstream(t, demoPages(t)))
	operations := workloads(t)
	for _, tt := range []struct {
		name     string
		pageSize int
		// The minimum speeds: of cached responses and of cached pages relative to the constant
		// response, of calls relative to the proxy and to the proxy with a pool, and of
		// coalesced calls relative to the proxy.
		cached, constant, proxy, pooling, coalesced speed
	}{
		{name: "a", pageSize: 20, cached: speed{0.45, 0.45}, constant: speed{0.25, 0.30}, proxy: byProcessor(speed{0.30, 0.45}, speed{0.26, 0.37}), pooling: byProcessor(speed{0.22, 0.32}, speed{0.21, 0.30}), coalesced: speed{1, 1.2}},
		{name: "b", pageSize: 100, cached: speed{0.45, 0.45}, constant: speed{0.20, 0.25}, proxy: byProcessor(speed{0.20, 0.35}, speed{0.20, 0.31}), pooling: byProcessor(speed{0.20, 0.32}, speed{0.18, 0.28}), coalesced: speed{1.2, 1.5}},
		{name: "c", pageSize: 100, cached: speed{0.4, 0.4}, constant: speed{0.12, 0.18}, proxy: byProcessor(speed{0.15, 0.24}, speed{0.14, 0.22}), pooling: byProcessor(speed{0.15, 0.24}, speed{0.13, 0.20}), coalesced: speed{0.3, 0.4}},
	} {
		cached := servers.line(t, "cached", operations[tt.name], 0)
		cachedPage, called := servers.line(t, "cached page", operations[tt.name], 0), servers.line(t, "called", operations[tt.name], 0)
		called.apart() // so that no calls are coalesced
		coalesced := servers.line(t, "called", operations[tt.name], 0)
		constant := servers.line(t, "constant "+tt.name, operations[tt.name], 0)
		proxy, pooling := servers.line(t, "proxy", "", tt.pageSize), servers.line(t, "pooling proxy", "", tt.pageSize)
		lines := []*line{cached, cachedPage, called, coalesced, constant, proxy, pooling}
		for _, l := range lines {
			l.prepare(t)
		}
		var slow []string
		if !cost.InThreeTries(func() bool {
			slow = nil
			for _, l := range lines {
				l.alone, l.whole = nil, nil
			}
			for range 31 {
				for _, l := range lines {
					l.turn(t)
				}
			}
			for _, l := range lines {
				t.Logf("%s, %s: %v alone, %v the whole", tt.name, l.server, cost.Median(l.alone), cost.Median(l.whole))
			}
			for _, r := range []struct {
				own, peer *line
				least     speed
			}{{own: cached, peer: constant, least: tt.cached}, {own: cachedPage, peer: constant, least: tt.constant}, {own: called, peer: proxy, least: tt.proxy}, {own: called, peer: pooling, least: tt.pooling}, {own: coalesced, peer: proxy, least: tt.coalesced}} {
				got := speed{cost.Ratio(r.peer.alone, r.own.alone), cost.Ratio(r.peer.whole, r.own.whole)}
				said := fmt.Sprintf("%s, %s in the speed of %s: got %+.2v, want at least %+v", tt.name, r.own.server, r.peer.server, got, r.least)
				t.Log(said)
				if got.alone < r.least.alone || got.whole < r.least.whole {
					slow = append(slow, said)
				}
			}
			return len(slow) == 0
		}) {
			t.Errorf("three times, at last:\n%s", strings.Join(slow, "\n"))
		}
	}
}

// byProcessor returns the limit for the processor of this machine.
func byProcessor(amd, intel speed) speed {
	if cpu, err := os.ReadFile("/proc/cpuinfo"); err == nil && bytes.Contains(cpu, []byte("GenuineIntel")) {
		return intel
	}
	return amd
}

// TestRatios_index compares indexing a page with decoding it into the wire types.
func TestRatios_index(t *testing.T) { //nolint:paralleltest // what others use would count
	aloneOrSkip(t)
	const least = 8
	request := restclient.PageRequest{Page: 1, PageSize: 100}
	body, layout := cost.NewList(0).Body(request), pages.Layout(restclient.ShapeHosted)
	var page projection.IndexedPage
	times := cost.CPUTimes(25, func() {
		var decoded struct{ Items []restclient.Cvm }
		var wrong *json.UnmarshalTypeError // a user's id may be a number
		if err := json.Unmarshal(body, &decoded); err != nil && !errors.As(err, &wrong) || len(decoded.Items) != request.PageSize {
			t.Fatalf("got %d items, %v", len(decoded.Items), err)
		}
	}, func() {
		if err := layout.Index(&page, body, request.PageSize); err != nil {
			t.Fatal(err)
		}
	})
	got := cost.Ratio(times[0], times[1])
	t.Logf("encoding/json: %v, index: %v: %.1f times as fast", cost.Median(times[0]), cost.Median(times[1]), got)
	if got < least {
		t.Errorf("got %.1f times as fast as encoding/json, want at least %d", got, least)
	}
}

// servers are the addresses of the servers in the servers' process, by name.
type servers map[string]string

// line has the callers of one server in a comparison. They send their requests at the same time.
type line struct {
	server  string
	address string // of the server that returns the CPU time
	callers []*rawCaller
	count   int // number of calls in one turn
	// alone is the CPU time of a call in the servers' process, by turn. whole includes the CPU time
	// of the callers and of the upstream.
	alone, whole []time.Duration
}

func (s servers) line(t *testing.T, server, query string, pageSize int) *line {
	t.Helper()
	l := &line{server: server, address: s["cpu"], count: 1}
	for range 16 {
		c := newRawCaller(t, s[server], query)
		if pageSize > 0 {
			c.request = fmt.Appendf(nil, "GET %s?page=1&page_size=%d HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer budget\r\n\r\n", demo.ListPath, pageSize)
		}
		l.callers = append(l.callers, c)
	}
	return l
}

// apart sets a separate credential for each caller.
func (l *line) apart() {
	for i, c := range l.callers {
		c.request = bytes.Replace(c.request, []byte("Bearer budget"), fmt.Appendf(nil, "Bearer budge%c", 'a'+i), 1)
	}
}

// prepare computes the number of calls in a turn.
func (l *line) prepare(t *testing.T) {
	t.Helper()
	const long = 6 * time.Millisecond
	for {
		begun := l.cpu(t)
		l.call(t)
		if l.cpu(t)-begun > long {
			return
		}
		l.count *= 2
	}
}

// turn makes the calls of one turn and records the CPU time of a call.
func (l *line) turn(t *testing.T) {
	t.Helper()
	others, own := l.cpu(t), cost.CPU()
	l.call(t)
	used := l.cpu(t) - others
	calls := time.Duration(l.count * len(l.callers))
	l.alone = append(l.alone, used/calls)
	l.whole = append(l.whole, (used+cost.CPU()-own)/calls)
}

// call makes all callers call at the same time.
func (l *line) call(t *testing.T) {
	t.Helper()
	for range l.count {
		for _, c := range l.callers {
			c.send(t)
		}
		for _, c := range l.callers {
			c.receive(t)
		}
	}
}

// cpu returns the CPU time of the servers' process.
func (l *line) cpu(t *testing.T) time.Duration {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	used, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(used)
}

// upstreamVariable names the environment variable that makes this program the servers' process. It
// has the upstream's address.
const upstreamVariable = "CVMGRAPH_TEST_SERVERS_UPSTREAM"

// startServers starts the servers' process, which ends with the test.
func startServers(t *testing.T, upstream string) servers {
	t.Helper()
	p := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServers_forRatios$")
	p.Env = append(os.Environ(), upstreamVariable+"="+upstream, "GOMAXPROCS=1")
	p.Stderr = os.Stderr
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = p.Wait() // it may have been killed, because the test's context is done
	})
	said, err := bufio.NewReader(out).ReadBytes('\n')
	var s servers
	if err != nil || json.Unmarshal(said, &s) != nil {
		t.Fatalf("the servers said %q, %v", said, err)
	}
	return s
}

// TestServers_forRatios is the servers' process.
func TestServers_forRatios(t *testing.T) { //nolint:paralleltest // it is alone
	upstream := os.Getenv(upstreamVariable)
	if upstream == "" {
		t.Skip("TestRatios_budgets starts this in a process of its own")
	}
	floor := make([]byte, 24<<20) // as in the gateway, so that garbage collections are as rare
	cachedPage := newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) { r.Pages, r.Projection = newCachedPages(t), true })
	called := &gateway{timeout: upstreamTimeout}
	called.serve(t, upstream, func(r *graph.Resolver) { r.Projection = true })
	cached := &gateway{timeout: upstreamTimeout, cache: pages.CacheOptions{TTL: time.Hour, MaxBytes: 48 << 20}}
	cached.serve(t, upstream, func(r *graph.Resolver) {
		r.Projection, r.ResponseCache = true, graphqlhttp.ResponseCacheOptions{MaxBytes: 16 << 20, TTL: time.Hour}
	})
	handlers := map[string]http.Handler{
		"cached": cached.handler, "cached page": cachedPage.handler, "called": called.handler,
		"proxy": newProxy(t, upstream, nil), "pooling proxy": newProxy(t, upstream, &buffers{}),
		"cpu": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, int64(cost.CPU())) }),
	}
	for name, query := range workloads(t) {
		body := []byte(cachedPage.post(t, query, nil, http.Header{"Authorization": {"Bearer budget"}}).raw)
		handlers["constant "+name] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.Write(body)
		})
	}
	addresses := make(servers)
	for name, handler := range handlers {
		addresses[name] = listen(t, handler)
	}
	said, err := json.Marshal(addresses)
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.Write(append(said, '\n'))
	_, _ = io.Copy(io.Discard, os.Stdin) // until the other process is done
	runtime.KeepAlive(floor)
}

// newProxy returns a reverse proxy that reuses its connections.
func newProxy(t *testing.T, upstream string, pool httputil.BufferPool) http.Handler {
	t.Helper()
	target, err := url.Parse(strings.TrimSuffix(upstream, demo.BasePath))
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.DisableCompression = true
	t.Cleanup(transport.CloseIdleConnections)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport, BufferPool: pool,
	}
}

// buffers is a pool of copy buffers.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 64<<10)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }
