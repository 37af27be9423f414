package graphqlhttp

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// MaxErrors is the maximum number of errors of one response. If there are more, one error says so.
const MaxErrors = 100

const (
	// maxMessage is the maximum length of a message, in bytes. The parser's messages quote the
	// request.
	maxMessage = 400
	// gzipMinBytes is the minimum size of a response that is compressed, in bytes.
	gzipMinBytes = 2048
	// maxReusedBuffer is the maximum size of a buffer that is used for another response, in bytes.
	maxReusedBuffer = 1 << 20
	// maxAgeSeconds is how long a browser may reuse the response to a GET.
	maxAgeSeconds = 2
)

// vary lists the request headers that a response depends on.
const vary = "Accept, Accept-Encoding, Authorization, X-API-Key, X-Phala-Workspace"

// responder writes GraphQL responses. It is safe for concurrent use.
type responder struct {
	headers map[string][]string // header values, by their content or media type
	zips    sync.Pool           // of *gzip.Writer
	buffers sync.Pool           // of *[]byte
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

// buffer returns a buffer for a response.
func (rs *responder) buffer() *[]byte {
	if buffer, ok := rs.buffers.Get().(*[]byte); ok {
		return buffer
	}
	return new([]byte)
}

// release makes the memory of a response available to others. The response must not be used
// afterwards.
func (rs *responder) release(buffer *[]byte, body []byte) {
	if cap(body) <= maxReusedBuffer {
		*buffer = body
		rs.buffers.Put(buffer)
	}
}

// write writes a response. If it is complete, it has data and no errors.
func (rs *responder) write(
	w http.ResponseWriter, r *http.Request, media string, status int, body []byte, complete bool,
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
	if complete && r.Method == http.MethodGet {
		tag := entityTag(body)
		header.Set("ETag", tag)
		header.Set("Cache-Control", "private, max-age="+strconv.Itoa(maxAgeSeconds))
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
		body = rs.zip(body)
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

func (rs *responder) zip(body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body) / 4)
	zip, ok := rs.zips.Get().(*gzip.Writer)
	if !ok {
		zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // this level is valid
	}
	zip.Reset(&out)
	_, _ = zip.Write(body) // a bytes.Buffer returns no error
	_ = zip.Close()
	rs.zips.Put(zip)
	return out.Bytes()
}

// encode appends the JSON of a response to dst: errors first, and no data if the request was not
// executed. It returns an error if the response is too large.
func encode(dst []byte, response *graphql.Response, op Operation) ([]byte, *gqlerror.Error) {
	dst = append(dst, '{')
	if len(response.Errors) > 0 {
		dst = append(dst, `"errors":`...)
		dst = append(dst, marshal(response.Errors)...)
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
			if dst, tooLarge = op.AppendData(dst, response.Data); tooLarge != nil {
				return dst, tooLarge
			}
		}
	}
	if len(response.Extensions) > 0 {
		dst = append(dst, `,"extensions":`...)
		dst = append(dst, marshal(response.Extensions)...)
	}
	return append(dst, '}'), nil
}

// marshal returns the JSON of errors or extensions, which have only types that can be marshaled.
func marshal(value any) []byte {
	b, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("graphqlhttp: cannot marshal %T: %v", value, err))
	}
	return b
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
