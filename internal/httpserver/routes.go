package httpserver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
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
	graphql := s.bounded(s.options.GraphQL)
	mux.Handle("POST "+graphqlPath, s.crossOrigin(graphql))
	mux.Handle("GET "+graphqlPath, s.crossOrigin(graphql))
	mux.Handle("OPTIONS "+graphqlPath, s.crossOrigin(methodNotAllowed("GET, HEAD, POST")))
	mux.Handle("GET "+schemaPath, schema(s.options.SDL))
	mux.HandleFunc("GET "+healthzPath, healthz)
	mux.HandleFunc("GET "+readyzPath, s.readyz)

	// The mux's own 404 and 405 are plain text. With a pattern for every path it has neither to say.
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

// spelt says whether a path is spelt as the mux serves it. It would redirect from another spelling, and repeat the query in Location.
func spelt(p string) bool {
	clean := path.Clean("/" + p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return p == clean && p+"/" != assetsPath
}

// pathLabel is the path as the log shows it: one of a known few, never a caller's text.
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

// methodLabel does for the method what pathLabel does for the path.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "other"
}

// schema serves a text that changes with the program only, and is asked for anew by its ETag.
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

func healthz(w http.ResponseWriter, _ *http.Request) {
	writeStatus(w, http.StatusOK, "ok")
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	switch s.state.Load() {
	case starting:
		writeStatus(w, http.StatusServiceUnavailable, "starting")
	case ready:
		writeStatus(w, http.StatusOK, "ready")
	default:
		writeStatus(w, http.StatusServiceUnavailable, "draining")
	}
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusNotFound, "there is nothing at this path", extensions{"code": "NOT_FOUND"})
}

func methodNotAllowed(allow string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		writeError(w, http.StatusMethodNotAllowed, "this path takes "+allow, extensions{"code": "BAD_REQUEST"})
	})
}

func writeStatus(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, map[string]string{"status": text})
}

type extensions map[string]any

// writeError answers in the shape of a GraphQL error, for whatever went wrong before GraphQL was reached.
func writeError(w http.ResponseWriter, status int, message string, ext extensions) {
	header := w.Header()
	// What a handler may have said of the answer that it did not give.
	for _, name := range []string{"Cache-Control", "Content-Encoding", "ETag", "Last-Modified"} {
		header.Del(name)
	}
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
	_, _ = w.Write(body) // an error means that the caller has gone
}
