package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// nginxConfig is a configuration with the port of nginx, and the location and the upstream of the
// gateway.
const nginxConfig = `daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	server {
		listen 127.0.0.1:%s;
		location %s {
			proxy_pass %s;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
		}
	}
}
`

// startProxy starts nginx, which passes requests for the location to the target as its proxy_pass
// does: with a path, it replaces the location. Without nginx, httputil.ReverseProxy does the same.
// startProxy returns the URL of the proxy.
func startProxy(t *testing.T, location, target string) string {
	t.Helper()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		return startReverseProxy(t, location, target)
	}
	dir, port := t.TempDir(), freePort(t)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, nginxConfig, port, location, target), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), nginx, "-p", dir, "-c", "nginx.conf", "-e", "stderr", "-g", "master_process off;")
	var log strings.Builder
	command.Stderr = &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Wait() // the end of the test's context ends nginx
		if t.Failed() {
			t.Logf("nginx: %s", log.String())
		}
	})
	base := "http://127.0.0.1:" + port
	waitFor(t, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		_ = got.Body.Close()
		return true
	})
	return base
}

func startReverseProxy(t *testing.T, location, target string) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(location, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
		if to.Path != "" {
			r.Out.URL.Path = to.Path + strings.TrimPrefix(r.In.URL.Path, location)
		}
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		r.SetXForwarded()
	}})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// TestBasePath_proxies sends requests through a proxy that keeps the path, and through one that
// strips its prefix.
func TestBasePath_proxies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		path string // of proxy_pass
	}{
		"prefix kept":     {args: []string{"--base-path=/cvms"}},
		"prefix stripped": {path: "/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, append(test.args, "--demo")...)
			host := regexp.MustCompile(`^http://[^/]+`).FindString(p.url)
			proxy := startProxy(t, "/cvms/", host+test.path) + "/cvms"
			got, err := post(t.Context(), http.DefaultClient, proxy, "{ cvms(first: 1) { nodes { name } } }", http.Header{})
			if err != nil || !strings.Contains(got.body, `"nodes":[{`) {
				t.Errorf("got %v, %v, want data", got, err)
			}
			status, page := fetch(t, http.MethodGet, proxy+"/")
			script := regexp.MustCompile(`src="\./(assets/[^"]+\.js)"`).FindStringSubmatch(page)
			if status != http.StatusOK || script == nil {
				t.Fatalf("got status %d and %.500s, want the page with a script", status, page)
			}
			for _, path := range []string{"/" + script[1], "/schema.graphql", "/healthz", "/readyz"} {
				if status, body := fetch(t, http.MethodGet, proxy+path); status != http.StatusOK {
					t.Errorf("%s: got status %d and %.500s, want 200", path, status, body)
				}
			}
			if !strings.Contains(p.logged(), `"path":"/graphql","status":200`) {
				t.Errorf("got the log %.3000s, want the route of the request", p.logged())
			}
		})
	}
}

// TestBasePath_health runs the health check of a gateway with a base path.
func TestBasePath_health(t *testing.T) {
	t.Parallel()
	p := start(t, "--base-path=/cvms/", "--demo")
	address := regexp.MustCompile(`[^/]+:\d+`).FindString(p.url)
	if got := run(t, nil, "health", "--listen="+address, "--base-path=/cvms"); got.code != exitOK {
		t.Errorf("got %+v, want status 0", got)
	}
	if got := run(t, nil, "health", "--listen="+address); got.code != exitFailure {
		t.Errorf("without the base path: got %+v, want status 1", got)
	}
	if !strings.Contains(p.logged(), `"open":"http://`+address+`/cvms/"`) {
		t.Errorf("got the log %s, want the URL of the page", p.logged())
	}
}
