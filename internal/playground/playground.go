// Package playground serves the GraphiQL page. Its source is in web/, and the built files are in
// dist/.
package playground

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// Options configures the page.
type Options struct {
	// Demo is set if the gateway serves the demo API. The page then says that no credential is
	// needed, and sends its query at once.
	Demo bool
	// Version is the version of the gateway that the page shows. If empty, it shows none.
	Version string
	// Documents has the pages of the documentation, in Markdown. If nil, none is served.
	Documents fs.FS
}

// New returns a handler for GET and HEAD of the page at /, of its files under /assets/, and of the
// documentation under /assets/docs/. It responds to other paths with status 404. The page sends no
// request to other origins. All its URLs are relative, including the URL of the GraphQL endpoint,
// "graphql", so the page may be served under any path that ends in a slash.
func New(options Options) http.Handler {
	files := make(map[string]*file)
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[strings.TrimPrefix(name, "dist")] = newFile(name, func() []byte { return built(name) })
		return nil
	})
	if err == nil && options.Documents != nil {
		err = addDocuments(files, options.Documents)
	}
	if err != nil {
		panic(err) // the files are embedded
	}
	index := page(built("dist/index.html"), options)
	delete(files, "/index.html")
	files["/"] = newFile("index.html", func() []byte { return index })
	return handler(files)
}

// built returns a copy of an embedded file.
func built(name string) []byte {
	body, err := dist.ReadFile(name)
	if err != nil {
		panic(err) // the files are embedded
	}
	return body
}

// page returns the built page with the options.
func page(index []byte, options Options) []byte {
	for _, setting := range []struct{ name, built, value string }{
		{"demo", "false", strconv.FormatBool(options.Demo)},
		{"version", "", options.Version},
	} {
		format := `<meta name="cvmgraph-` + setting.name + `" content="%s" />`
		built := fmt.Appendf(nil, format, setting.built)
		if bytes.Count(index, built) != 1 {
			panic("playground: dist/index.html must contain exactly one " + string(built))
		}
		index = bytes.Replace(index, built, fmt.Appendf(nil, format, html.EscapeString(setting.value)), 1)
	}
	return index
}

// policy is the Content-Security-Policy of the page and of its workers. Monaco needs the
// permissions beyond files of the same origin: it writes style elements and attributes, and
// underlines errors with data: images.
const policy = "default-src 'none'; " +
	"script-src 'self'; " +
	"worker-src 'self'; " +
	"connect-src 'self'; " +
	"img-src 'self' data:; " +
	"font-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; " +
	"base-uri 'none'; " +
	"form-action 'none'; " +
	"frame-ancestors 'none'"

// handler serves files by the path of the URL.
type handler map[string]*file

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	f, ok := h[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this path accepts only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	body := f.plain
	if f.compressible {
		header.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			header.Set("Content-Encoding", "gzip")
			body = f.gzipped
		}
	}
	header.Set("Cache-Control", f.cacheControl)
	header.Set("Content-Type", f.contentType)
	content := body()
	header.Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // an error means that the caller has disconnected; net/http drops the body of HEAD
}

type file struct {
	plain        func() []byte
	gzipped      func() []byte // compresses at the first call
	compressible bool
	contentType  string
	cacheControl string
}

func newFile(name string, plain func() []byte) *file {
	return &file{
		plain:        plain,
		gzipped:      sync.OnceValue(func() []byte { return compress(plain()) }),
		compressible: path.Ext(name) != ".woff2", // already compressed
		contentType:  contentType(name),
		cacheControl: cacheControl(name),
	}
}

// contentType returns the content type of a file of the build. The results of package mime depend
// on the tables of the machine.
func contentType(name string) string {
	kind, ok := map[string]string{
		".css":   "text/css; charset=utf-8",
		".html":  "text/html; charset=utf-8",
		".js":    "text/javascript; charset=utf-8",
		".svg":   "image/svg+xml",
		".ttf":   "font/ttf",
		".txt":   "text/plain; charset=utf-8",
		".woff2": "font/woff2",
	}[path.Ext(name)]
	if !ok {
		panic("playground: no content type for " + name)
	}
	return kind
}

// hashed matches file names with a hash of the content.
var hashed = regexp.MustCompile(`-[\w-]{8}\.\w+$`)

func cacheControl(name string) string {
	switch {
	case path.Ext(name) == ".html":
		return "no-store" // it contains the gateway's settings
	case hashed.MatchString(name):
		return "public, max-age=31536000, immutable"
	default:
		return "no-cache"
	}
}

// acceptsGzip reports whether Accept-Encoding has gzip, in the form that browsers send. For other
// forms it returns false.
func acceptsGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				return true
			}
		}
	}
	return false
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // a Buffer returns no error
	_ = w.Close()
	return b.Bytes()
}
