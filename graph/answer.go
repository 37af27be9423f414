package graph

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
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
)

const (
	// maxErrors bounds the errors of one answer; a last one says that there are more.
	maxErrors = 100
	// maxMessage bounds a message, in bytes: those of the parser repeat names from the request.
	maxMessage = 400
	// gzipFrom is the size, in bytes, from which an answer is worth compressing.
	gzipFrom = 2048
	// maxKeptAnswer is the size, in bytes, up to which an answer's memory is used again.
	maxKeptAnswer = 1 << 20
	// cacheSeconds is how long a browser may show the answer of a GET again.
	cacheSeconds = 2
)

// varies are the request's headers that an answer depends on.
const varies = "Accept, Accept-Encoding, Authorization, X-API-Key, X-Phala-Workspace"

// answerWriter writes GraphQL answers to HTTP. It is safe for concurrent use.
type answerWriter struct {
	values  map[string][]string // of headers, by what they stand for
	zips    sync.Pool           // *gzip.Writer
	buffers sync.Pool           // *[]byte, of answers
}

func newAnswerWriter() *answerWriter {
	a := &answerWriter{values: make(map[string][]string)}
	for _, value := range []string{"nosniff", "no-store", varies} {
		a.values[value] = []string{value}
	}
	for _, media := range []string{mediaJSON, mediaGraphQL} {
		a.values[media] = []string{media + "; charset=utf-8"}
	}
	return a
}

// refuse answers a request that was not executed.
func (a *answerWriter) refuse(w http.ResponseWriter, r *http.Request, media string, e *apierror.Error) {
	response := &graphql.Response{Errors: gqlerror.List{{Message: e.Message, Extensions: e.Extensions()}}}
	a.write(w, r, media, e.Status, encode(nil, response, nil), false)
}

// answer answers with what gqlgen made of a request: data, or the errors of a request that was not executed. Keep, if any, is given an
// answer without errors; its bytes are written to again later. It returns the errors of the answer.
func (a *answerWriter) answer(
	w http.ResponseWriter, r *http.Request, media string, response *graphql.Response, parts *splices, keep func([]byte),
) gqlerror.List {
	status := http.StatusOK
	if response.Data == nil && media == mediaGraphQL {
		status = http.StatusBadRequest
	}
	response.Errors = boundErrors(response.Errors)
	buffer, ok := a.buffers.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	body := encode((*buffer)[:0], response, parts)
	if parts != nil {
		if tooLarge := parts.tooLarge.Load(); tooLarge != nil {
			response = withoutData(tooLarge, response.Extensions)
			body = encode(nil, response, new(splices)) // the memory of what was written is given up
		}
	}
	good := response.Data != nil && len(response.Errors) == 0
	if good && keep != nil {
		keep(body)
	}
	a.write(w, r, media, status, body, good)
	if cap(body) <= maxKeptAnswer {
		*buffer = body
		a.buffers.Put(buffer)
	}
	return response.Errors
}

// withoutData returns the response of an operation whose response is too large.
func withoutData(tooLarge *gqlerror.Error, extensions map[string]any) *graphql.Response {
	return &graphql.Response{Errors: gqlerror.List{tooLarge}, Data: json.RawMessage("null"), Extensions: extensions}
}

func (a *answerWriter) write(w http.ResponseWriter, r *http.Request, media string, status int, body []byte, good bool) {
	header := w.Header()
	// The values are shared between answers: whoever adds one to such a header makes a copy.
	header["Content-Type"] = a.values[media]
	header["X-Content-Type-Options"] = a.values["nosniff"]
	if others := header["Vary"]; others == nil {
		header["Vary"] = a.values[varies]
	} else {
		header["Vary"] = append(others, varies)
	}
	if good && r.Method == http.MethodGet {
		sum := sha256.Sum256(body)
		tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		header.Set("ETag", tag)
		header.Set("Cache-Control", "private, max-age="+strconv.Itoa(cacheSeconds))
		if matches(r.Header.Values("If-None-Match"), tag) {
			header.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	} else {
		header["Cache-Control"] = a.values["no-store"]
	}
	if len(body) >= gzipFrom && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
		body = a.zip(body)
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the caller has gone
}

// matches says whether If-None-Match names the tag; weak tags are compared weakly.
func matches(ifNoneMatch []string, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(ifNoneMatch, ","), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

func (a *answerWriter) zip(body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body) / 4)
	zip, ok := a.zips.Get().(*gzip.Writer)
	if !ok {
		zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
	}
	zip.Reset(&out)
	_, _ = zip.Write(body) // a bytes.Buffer takes everything
	_ = zip.Close()
	a.zips.Put(zip)
	return out.Bytes()
}

// encode appends the JSON of a response: errors first, data with its parts, and no data where the request was not executed.
func encode(body []byte, response *graphql.Response, parts *splices) []byte {
	body = append(body, '{')
	if len(response.Errors) > 0 {
		body = append(body, `"errors":`...)
		body = append(body, marshal(response.Errors)...)
	}
	if response.Data != nil {
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = append(body, `"data":`...)
		body = parts.append(body, response.Data)
	}
	if len(response.Extensions) > 0 {
		body = append(body, `,"extensions":`...)
		body = append(body, marshal(response.Extensions)...)
	}
	return append(body, '}')
}

// marshal returns the JSON of what the gateway itself made: errors and extensions, which always have one.
func marshal(value any) []byte {
	b, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("graph: %T has no JSON: %v", value, err))
	}
	return b
}

func boundErrors(errs gqlerror.List) gqlerror.List {
	if len(errs) > maxErrors {
		errs = append(errs[:maxErrors:maxErrors], &gqlerror.Error{
			Message:    "more errors are left out",
			Extensions: map[string]any{"code": errs[0].Extensions["code"]},
		})
	}
	for _, e := range errs {
		if len(e.Message) > maxMessage {
			end := maxMessage
			for !utf8.RuneStart(e.Message[end]) {
				end--
			}
			e.Message = e.Message[:end] + "…"
		}
	}
	return errs
}
