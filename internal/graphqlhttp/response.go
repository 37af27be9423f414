package graphqlhttp

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/buffers"
)

// MaxErrors is the maximum number of errors of one response. If there are more, one error says so.
const MaxErrors = 100

const (
	// maxMessage is the maximum length of a message, in bytes. The parser's messages quote the
	// request.
	maxMessage = 400
	// gzipMinBytes is the minimum size of a response that is compressed, in bytes.
	gzipMinBytes = 2048
	// MaxAge is the longest time for which a browser may reuse the response to a GET.
	MaxAge = 2 * time.Second
	// notStored is the age of a response that a browser must not store.
	notStored = time.Duration(-1)
)

// vary lists the request headers that the body of a response depends on.
const vary = "Accept, Accept-Encoding, Authorization, Cache-Control, X-API-Key, X-Cvmgraph-Explain, X-Phala-Workspace"

// responder writes GraphQL responses. It is safe for concurrent use.
type responder struct {
	headers map[string][]string // header values, by their content or media type
	buffers buffers.Pool        // of the memory of responses
	zips    sync.Pool           // of *zipper
}

func newResponder() *responder {
	rs := &responder{headers: make(map[string][]string)}
	for _, value := range []string{"nosniff", "no-store", vary} {
		rs.headers[value] = []string{value}
	}
	for _, media := range []string{mediaJSON, mediaGraphQL} {
		rs.headers[media] = []string{media + "; charset=utf-8"}
	}
	return rs
}

// write writes a response. A browser may reuse the response to a GET until maxAge, and longer if it
// has not changed then. It must not store a response whose maxAge is notStored.
func (rs *responder) write(
	w http.ResponseWriter, r *http.Request, media string, status int, body []byte, maxAge time.Duration,
) {
	header := w.Header()
	// The values are shared between responses. A middleware that adds a value copies them.
	header["Content-Type"] = rs.headers[media]
	header["X-Content-Type-Options"] = rs.headers["nosniff"]
	if others := header["Vary"]; others == nil {
		header["Vary"] = rs.headers[vary]
	} else {
		header["Vary"] = append(others, vary)
	}
	if maxAge != notStored && r.Method == http.MethodGet {
		tag := entityTag(body)
		header.Set("ETag", tag)
		header.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(min(maxAge, MaxAge)/time.Second)))
		if matchesTag(r.Header.Values("If-None-Match"), tag) {
			header.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	} else {
		header["Cache-Control"] = rs.headers["no-store"]
	}
	if len(body) >= gzipMinBytes && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
		z := rs.zipper()
		defer rs.release(z)
		body = z.compress(body)
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client has closed the connection
}

// entityTag returns a weak tag: the compressed response has the same.
func entityTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// matchesTag reports whether If-None-Match has the tag, by weak comparison.
func matchesTag(ifNoneMatch []string, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(ifNoneMatch, ","), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// zipper compresses one response at a time.
type zipper struct {
	gzip   *gzip.Writer // it writes to the zipper
	buffer *buffers.Buffer
	body   []byte // the compressed response, in the buffer
}

func (rs *responder) zipper() *zipper {
	z, ok := rs.zips.Get().(*zipper)
	if !ok {
		z = &zipper{}
		z.gzip, _ = gzip.NewWriterLevel(z, gzip.BestSpeed) // this level is valid
	}
	z.buffer = rs.buffers.Get()
	z.body = z.buffer.Bytes()
	return z
}

// release makes a zipper and the memory of its response available to others.
func (rs *responder) release(z *zipper) {
	z.buffer.Release(z.body)
	z.buffer, z.body = nil, nil
	rs.zips.Put(z)
}

// compress returns a compressed response, which is valid until the zipper is released.
func (z *zipper) compress(body []byte) []byte {
	z.gzip.Reset(z)
	_, _ = z.gzip.Write(body) // a zipper returns no error
	_ = z.gzip.Close()
	return z.body
}

// Write appends to the compressed response.
func (z *zipper) Write(p []byte) (int, error) {
	z.body = append(z.buffer.Grow(z.body, len(p)), p...)
	return len(p), nil
}

// encode returns the JSON of a response in the buffer: errors first, and no data if the request was
// not executed. It returns an error if the response is too large.
func encode(buffer *buffers.Buffer, response *graphql.Response, op Operation) ([]byte, *gqlerror.Error) {
	dst := append(buffer.Bytes(), '{')
	if len(response.Errors) > 0 {
		dst = append(dst, `"errors":`...)
		dst = appendJSON(buffer, dst, response.Errors)
	}
	if response.Data != nil {
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		dst = append(dst, `"data":`...)
		if op == nil {
			dst = append(dst, response.Data...)
		} else {
			var tooLarge *gqlerror.Error
			if dst, tooLarge = op.AppendData(buffer, dst, response.Data); tooLarge != nil {
				return dst, tooLarge
			}
		}
	}
	if len(response.Extensions) > 0 {
		dst = append(dst, `,"extensions":`...)
		dst = appendJSON(buffer, dst, response.Extensions)
	}
	return append(dst, '}'), nil
}

// appendJSON appends the JSON of errors or extensions, which have only types that can be marshaled.
func appendJSON(buffer *buffers.Buffer, dst []byte, value any) []byte {
	b, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("graphqlhttp: cannot marshal %T: %v", value, err))
	}
	return append(buffer.Grow(dst, len(b)), b...)
}

// limitErrors limits the number of errors and the length of their messages.
func limitErrors(errs gqlerror.List) gqlerror.List {
	if len(errs) > MaxErrors {
		errs = append(errs[:MaxErrors:MaxErrors], &gqlerror.Error{
			Message:    "there are more errors",
			Extensions: map[string]any{"code": errs[0].Extensions["code"]},
		})
	}
	for _, e := range errs {
		if len(e.Message) > maxMessage {
			e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "") + "…"
		}
	}
	return errs
}
