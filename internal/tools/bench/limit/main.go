// Command limit is an HTTP server without GraphQL, which shows an upper limit for the speed of
// gateways. Below /api/v1/ it is a reverse proxy for the upstream. At /responses/NAME it sends a
// file from memory.
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
	upstream := flag.String("upstream", "http://127.0.0.1:8082/api/v1", "base URL of the REST API")
	responses := flag.String("responses", "", "directory of the constant responses (default none)")
	flag.Parse()
	fmt.Fprintln(os.Stderr, "limit:", serve(*listen, *upstream, *responses))
	os.Exit(1)
}

func serve(listen, upstream, responses string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", newProxy(&url.URL{Scheme: target.Scheme, Host: target.Host}))
	if responses != "" {
		files, err := filepath.Glob(filepath.Join(responses, "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			mux.Handle("/responses/"+filepath.Base(file), constant(body))
		}
	}
	return http.ListenAndServe(listen, mux)
}

// constant returns a handler that sends body in every response.
func constant(body []byte) http.Handler {
	length := strconv.Itoa(len(body))
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", length)
		w.Write(body)
	})
}

// newProxy returns a proxy with persistent connections and reused buffers.
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

// buffers is a pool of copy buffers.
type buffers struct{ pool sync.Pool }

// Get returns a buffer.
func (b *buffers) Get() []byte { return b.pool.Get().([]byte) }

// Put returns a buffer to the pool.
func (b *buffers) Put(buffer []byte) { b.pool.Put(buffer) } //nolint:staticcheck // a slice header is small compared with 64 KiB
