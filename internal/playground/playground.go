// Package playground serves the GraphiQL page, whose source is in web/ and whose built files are in
// dist/.
package playground

import (
	"bytes"
	"compress/gzip"
	"embed"
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

// Options say what the page shows.
type Options struct {
	// Demo is for a gateway over its demo upstream: the page says that no credential is needed, and
	// runs its query at once.
	Demo bool
}

// New returns a handler for GET and HEAD of the page at / and of its files under /assets/; anything
// else is a 404. What it serves asks no other origin for anything, and stands under any path as
// long as a slash ends it: its addresses are relative, that of the GraphQL endpoint ("graphql")
// too.
func New(options Options) http.Handler {
	files := make(map[string]*file)
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[strings.TrimPrefix(name, "dist")] = newFile(name, func() []byte { return built(name) })
		return nil
	})
	if err != nil {
		panic(err) // the files are in the program
	}
	index := page(built("dist/index.html"), options)
	delete(files, "/index.html")
	files["/"] = newFile("index.html", func() []byte { return index })
	return handler(files)
}

// built returns a copy of a file.
func built(name string) []byte {
	body, err := dist.ReadFile(name)
	if err != nil {
		panic(err) // the files are in the program
	}
	return body
}

const demoOff = `<meta name="cvmgraph-demo" content="false" />`

// page fills the settings into the page as it was built.
func page(index []byte, options Options) []byte {
	if bytes.Count(index, []byte(demoOff)) != 1 {
		panic("playground: dist/index.html has not one " + demoOff)
	}
	demo := strings.Replace(demoOff, "false", strconv.FormatBool(options.Demo), 1)
	return bytes.Replace(index, []byte(demoOff), []byte(demo), 1)
}

// policy is the Content-Security-Policy of the page, and of the workers, which take theirs from
// their own scripts. What it allows beyond files of the same origin, Monaco needs: it writes style
// elements and attributes, and underlines errors with data: images.
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

// handler serves files by their path in the URL.
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
		http.Error(w, "this path takes GET, HEAD", http.StatusMethodNotAllowed)
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
	_, _ = w.Write(content) // an error means that the caller has gone; net/http drops it for HEAD
}

type file struct {
	plain        func() []byte
	gzipped      func() []byte // made at the first call and kept
	compressible bool
	contentType  string
	cacheControl string
}

func newFile(name string, plain func() []byte) *file {
	return &file{
		plain:        plain,
		gzipped:      sync.OnceValue(func() []byte { return compress(plain()) }),
		compressible: path.Ext(name) != ".woff2", // which is compressed in itself
		contentType:  contentType(name),
		cacheControl: cacheControl(name),
	}
}

// contentType knows what the build writes. Package mime's answers depend on the machine's tables.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".ttf":
		return "font/ttf"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	default:
		panic("playground: no content type for " + name)
	}
}

// hashed matches the names in which the build puts a hash of the content.
var hashed = regexp.MustCompile(`-[\w-]{8}\.\w+$`)

func cacheControl(name string) string {
	switch {
	case path.Ext(name) == ".html":
		return "no-store" // it holds the gateway's settings
	case hashed.MatchString(name):
		return "public, max-age=31536000, immutable"
	default:
		return "no-cache"
	}
}

// acceptsGzip reads Accept-Encoding as browsers write it. It errs towards the plain body.
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
	_, _ = w.Write(body) // a Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}
