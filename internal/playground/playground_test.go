package playground_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"cvmgraph/internal/playground"
)

const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func TestHandler_headers(t *testing.T) {
	t.Parallel()
	const forever = "public, max-age=31536000, immutable"
	for name, test := range map[string]struct {
		path             string
		wantStatus       int
		wantContentType  string
		wantCacheControl string
	}{
		"page":                     {path: "/", wantStatus: 200, wantContentType: "text/html; charset=utf-8", wantCacheControl: "no-store"},
		"script":                   {path: asset(t, "index-*.js"), wantStatus: 200, wantContentType: "text/javascript; charset=utf-8", wantCacheControl: forever},
		"worker":                   {path: asset(t, "graphql.worker-*.js"), wantStatus: 200, wantContentType: "text/javascript; charset=utf-8", wantCacheControl: forever},
		"style sheet":              {path: asset(t, "index-*.css"), wantStatus: 200, wantContentType: "text/css; charset=utf-8", wantCacheControl: forever},
		"font":                     {path: asset(t, "fira-code-*.woff2"), wantStatus: 200, wantContentType: "font/woff2", wantCacheControl: forever},
		"file name without a hash": {path: "/assets/licenses.txt", wantStatus: 200, wantContentType: "text/plain; charset=utf-8", wantCacheControl: "no-cache"},
		"index.html":               {path: "/index.html", wantStatus: 404, wantContentType: "text/plain; charset=utf-8"},
		"folder":                   {path: "/assets/", wantStatus: 404, wantContentType: "text/plain; charset=utf-8"},
		"unknown file":             {path: "/assets/nothing.js", wantStatus: 404, wantContentType: "text/plain; charset=utf-8"},
		"path outside the folder":  {path: "/assets/../playground.go", wantStatus: 404, wantContentType: "text/plain; charset=utf-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, playground.Options{}, http.MethodGet, test.path, "")
			if got.Code != test.wantStatus {
				t.Errorf("status: got %d, want %d", got.Code, test.wantStatus)
			}
			for header, want := range map[string]string{
				"Cache-Control":           test.wantCacheControl,
				"Content-Security-Policy": policy,
				"Content-Type":            test.wantContentType,
				"Referrer-Policy":         "no-referrer",
				"X-Content-Type-Options":  "nosniff",
			} {
				if got := got.Header().Get(header); got != want {
					t.Errorf("%s: got %q, want %q", header, got, want)
				}
			}
		})
	}
}

func TestHandler_compression(t *testing.T) {
	t.Parallel()
	script, font := asset(t, "index-*.js"), asset(t, "fira-code-*.woff2")
	for name, test := range map[string]struct {
		path, accept string
		wantEncoding string
		wantVary     string
	}{
		"accepted":           {path: script, accept: "gzip, deflate, br", wantEncoding: "gzip", wantVary: "Accept-Encoding"},
		"page":               {path: "/", accept: "br,GZIP", wantEncoding: "gzip", wantVary: "Accept-Encoding"},
		"no Accept-Encoding": {path: script, wantVary: "Accept-Encoding"},
		"other encoding":     {path: script, accept: "br", wantVary: "Accept-Encoding"},
		"rejected":           {path: script, accept: "gzip;q=0", wantVary: "Accept-Encoding"},
		"compressed font":    {path: font, accept: "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, playground.Options{}, http.MethodGet, test.path, test.accept)
			if encoding := got.Header().Get("Content-Encoding"); encoding != test.wantEncoding {
				t.Errorf("Content-Encoding: got %q, want %q", encoding, test.wantEncoding)
			}
			if vary := got.Header().Get("Vary"); vary != test.wantVary {
				t.Errorf("Vary: got %q, want %q", vary, test.wantVary)
			}
			body := got.Body.Bytes()
			if test.wantEncoding == "gzip" {
				body = gunzip(t, body)
			}
			plain := serve(t, playground.Options{}, http.MethodGet, test.path, "").Body.Bytes()
			if !bytes.Equal(body, plain) {
				t.Errorf("body: got %d bytes, want the %d of the plain response", len(body), len(plain))
			}
		})
	}
}

func TestHandler_methods(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{
		http.MethodGet: 200, http.MethodHead: 200, http.MethodPost: 405, http.MethodOptions: 405, http.MethodDelete: 405,
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			got := serve(t, playground.Options{}, method, "/", "")
			if got.Code != want {
				t.Errorf("status: got %d, want %d", got.Code, want)
			}
			if allow := got.Header().Get("Allow"); (allow == "GET, HEAD") != (want == 405) {
				t.Errorf("Allow: got %q", allow)
			}
		})
	}
}

func TestPage_demo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		demo bool
		want string
	}{
		"over the demo upstream": {demo: true, want: `<meta name="cvmgraph-demo" content="true" />`},
		"over a real upstream":   {want: `<meta name="cvmgraph-demo" content="false" />`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, playground.Options{Demo: test.demo}, http.MethodGet, "/", "").Body.String()
			if strings.Count(got, test.want) != 1 || strings.Count(got, "cvmgraph-demo") != 1 {
				t.Errorf("page: got %s, want %s", got, test.want)
			}
		})
	}
}

func TestPage_version(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"0.9.0+0123456789ab": `<meta name="cvmgraph-version" content="0.9.0+0123456789ab" />`,
		`"><script>`:         `<meta name="cvmgraph-version" content="&#34;&gt;&lt;script&gt;" />`,
		"":                   `<meta name="cvmgraph-version" content="" />`,
	} {
		got := serve(t, playground.Options{Version: version}, http.MethodGet, "/", "").Body.String()
		if strings.Count(got, want) != 1 || strings.Count(got, "cvmgraph-version") != 1 {
			t.Errorf("page: got %s, want %s", got, want)
		}
	}
}

// TestPage_relativeURLs checks that the page loads only existing files by relative URLs, and has no
// inline script.
func TestPage_relativeURLs(t *testing.T) {
	t.Parallel()
	page := serve(t, playground.Options{}, http.MethodGet, "/", "").Body.String()
	references := regexp.MustCompile(`\b(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(references) < 3 {
		t.Fatalf("references: got %q, want a script, a style sheet and an icon at least", references)
	}
	for _, reference := range references {
		file, ok := strings.CutPrefix(reference[1], "./")
		if !ok {
			t.Errorf("reference: got %q, want a relative one", reference[1])
			continue
		}
		if got := serve(t, playground.Options{}, http.MethodGet, "/"+file, "").Code; got != http.StatusOK {
			t.Errorf("%s: got %d, want 200", reference[1], got)
		}
	}
	if inline := regexp.MustCompile(`<script[^>]*>[^<]|<style| on\w+=| style=`).FindString(page); inline != "" {
		t.Errorf("page: got %q, which the policy forbids", inline)
	}
}

// TestStyleSheets_relativeURLs checks that style sheets load existing files, and no font from a
// data: URL, which the policy forbids.
func TestStyleSheets_relativeURLs(t *testing.T) {
	t.Parallel()
	references := 0
	for _, sheet := range assets(t, "*.css") {
		body := serve(t, playground.Options{}, http.MethodGet, sheet, "").Body.String()
		for _, match := range regexp.MustCompile(`url\(["']?([^"')]*)`).FindAllStringSubmatch(body, -1) {
			references++
			target := match[1]
			if strings.HasPrefix(target, "data:image/") {
				continue
			}
			if got := serve(t, playground.Options{}, http.MethodGet, path.Join("/assets", target), "").Code; got != http.StatusOK {
				t.Errorf("%s: %.80s: got %d, want 200", sheet, target, got)
			}
		}
	}
	if references == 0 {
		t.Error("references: got none, want the fonts at least")
	}
}

func TestHandler_everyBuiltFile(t *testing.T) {
	t.Parallel()
	handler := playground.New(playground.Options{})
	for _, file := range assets(t, "*") {
		want, err := os.ReadFile("dist" + file)
		if err != nil {
			t.Fatal(err)
		}
		got := httptest.NewRecorder()
		handler.ServeHTTP(got, httptest.NewRequest(http.MethodGet, file, nil))
		if got.Code != http.StatusOK || !bytes.Equal(got.Body.Bytes(), want) {
			t.Errorf("%s: got %d and %d bytes, want 200 and %d bytes", file, got.Code, got.Body.Len(), len(want))
		}
		if strings.HasSuffix(file, ".map") || bytes.Contains(want, []byte("sourceMappingURL=")) {
			t.Errorf("%s: got a source map, want none", file)
		}
	}
}

func serve(t *testing.T, options playground.Options, method, target, acceptEncoding string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(method, target, nil)
	if acceptEncoding != "" {
		request.Header.Set("Accept-Encoding", acceptEncoding)
	}
	recorder := httptest.NewRecorder()
	playground.New(options).ServeHTTP(recorder, request)
	return recorder
}

// asset returns the path of the only built file that matches the pattern.
func asset(t *testing.T, pattern string) string {
	t.Helper()
	found := assets(t, pattern)
	if len(found) != 1 {
		t.Fatalf("%s: got %d files, want one", pattern, len(found))
	}
	return found[0]
}

func assets(t *testing.T, pattern string) []string {
	t.Helper()
	entries, err := os.ReadDir("dist/assets")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		matches, err := path.Match(pattern, entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if matches {
			found = append(found, "/assets/"+entry.Name())
		}
	}
	return found
}

func gunzip(t *testing.T, body []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
