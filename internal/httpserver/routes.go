package httpserver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"cvmgraph/internal/apierror"
)

const (
	graphqlPath = "/graphql"
	schemaPath  = "/schema.graphql"
	healthzPath = "/healthz"
	readyzPath  = "/readyz"
	assetsPath  = "/assets/" // of the playground
)

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	graphql := s.limited(s.options.GraphQL)
	mux.Handle("POST "+graphqlPath, s.crossOrigin(graphql))
	mux.Handle("GET "+graphqlPath, s.crossOrigin(graphql))
	mux.Handle("OPTIONS "+graphqlPath, s.crossOrigin(methodNotAllowed("GET, HEAD, POST")))
	mux.Handle("GET "+schemaPath, schema(s.options.SDL))
	mux.HandleFunc("GET "+healthzPath, healthz)
	mux.HandleFunc("GET "+readyzPath, s.readyz)

	// The mux's own responses with 404 and 405 are plain text. Patterns for all paths replace them.
	mux.Handle(graphqlPath, methodNotAllowed("GET, HEAD, POST"))
	for _, path := range []string{schemaPath, healthzPath, readyzPath} {
		mux.Handle(path, methodNotAllowed("GET, HEAD"))
	}
	if page := s.options.Playground; page != nil {
		mux.Handle("GET /{$}", page)
		mux.Handle("GET "+assetsPath, page)
		mux.Handle("/{$}", methodNotAllowed("GET, HEAD"))
	}
	mux.HandleFunc("/", notFound)
	return mux
}

// routed returns the URL of a route for the URL of a request: its path is the path below BasePath,
// or empty for other paths. A slash after /graphql is ignored.
func (s *Server) routed(u *url.URL) *url.URL {
	below, ok := strings.CutPrefix(u.Path, s.options.BasePath)
	raw, rawOK := strings.CutPrefix(u.RawPath, s.options.BasePath)
	switch {
	case !ok || !rawOK && u.RawPath != "":
		below, raw = "", ""
	case below == graphqlPath+"/":
		below, raw = graphqlPath, ""
	case s.options.BasePath == "":
		return u
	}
	route := *u
	route.Path, route.RawPath = below, raw
	return &route
}

// isCanonical reports whether a path is in the form that the mux serves. The mux redirects from
// other forms, and the Location header would repeat the query.
func isCanonical(p string) bool {
	clean := path.Clean("/" + p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return p == clean && p+"/" != assetsPath
}

// pathLabel returns the path for the log and the metrics: a known path or "other", never a string
// of the caller.
func pathLabel(path string) string {
	switch path {
	case graphqlPath, schemaPath, healthzPath, readyzPath, "/":
		return path
	}
	if strings.HasPrefix(path, assetsPath) {
		return assetsPath
	}
	return "other"
}

// methodLabel returns the method for the log and the metrics: a known method or "other".
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "other"
}

// schema serves the SDL, which changes only with the program. Clients revalidate it by its ETag.
func schema(sdl string) http.Handler {
	sum := sha256.Sum256([]byte(sdl))
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Type", "text/plain; charset=utf-8")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-cache")
		header.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(sdl))
	})
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusNotFound, "there is nothing at this path", extensions{"code": apierror.CodeNotFound})
}

// methodNotAllowed returns the handler of a path's other methods. Allow lists the methods of the
// path, at least two.
func methodNotAllowed(allow string) http.Handler {
	last := strings.LastIndex(allow, ", ")
	message := "this path accepts only " + allow[:last] + " and " + allow[last+len(", "):]
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		writeError(w, http.StatusMethodNotAllowed, message, extensions{"code": apierror.CodeBadRequest})
	})
}

type extensions map[string]any

// writeError writes a GraphQL error for a request that does not reach the GraphQL handler.
func writeError(w http.ResponseWriter, status int, message string, ext extensions) {
	header := w.Header()
	// A handler may have set these headers for the response that it did not complete.
	for _, name := range []string{"Content-Encoding", "ETag", "Last-Modified"} {
		header.Del(name)
	}
	header.Set("Cache-Control", "no-store")
	type gqlError struct {
		Message    string     `json:"message"`
		Extensions extensions `json:"extensions"`
	}
	writeJSON(w, status, map[string][]gqlError{"errors": {{message, ext}}})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the caller has disconnected
}
