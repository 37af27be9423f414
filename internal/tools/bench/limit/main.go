// Command limit answers with no GraphQL at all, to tell what a gateway cannot be faster than: below /api/v1/ it is a reverse proxy to
// the upstream, and at /answers/NAME it writes a file that it holds in memory.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "address to listen on")
	upstream := flag.String("upstream", "http://127.0.0.1:8082/api/v1", "base of the REST API")
	answers := flag.String("answers", "", "folder of the constant answers; empty is none")
	flag.Parse()
	fmt.Fprintln(os.Stderr, "limit:", serve(*listen, *upstream, *answers))
	os.Exit(1)
}

func serve(listen, upstream, answers string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", newProxy(&url.URL{Scheme: target.Scheme, Host: target.Host}))
	if answers != "" {
		files, err := filepath.Glob(filepath.Join(answers, "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			mux.Handle("/answers/"+filepath.Base(file), constant(body))
		}
	}
	return http.ListenAndServe(listen, mux)
}

// constant answers every request with body.
func constant(body []byte) http.Handler {
	length := strconv.Itoa(len(body))
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", length)
		w.Write(body)
	})
}

// newProxy returns a proxy that keeps its connections and reuses its buffers.
func newProxy(target *url.URL) http.Handler {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 512, 512
	transport.DisableCompression = true
	return &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:  transport,
		BufferPool: &buffers{sync.Pool{New: func() any { return make([]byte, 64<<10) }}},
	}
}

// buffers is a pool of buffers to copy through.
type buffers struct{ pool sync.Pool }

// Get returns a buffer.
func (b *buffers) Get() []byte { return b.pool.Get().([]byte) }

// Put takes a buffer back.
func (b *buffers) Put(buffer []byte) { b.pool.Put(buffer) } //nolint:staticcheck // a slice's header is little beside 64 KB
