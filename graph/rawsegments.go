package graph

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/buffers"
	"cvmgraph/internal/projection"
)

// placeholder takes the place of a segment in gqlgen's data. JSON never contains this byte: in
// strings it is escaped.
const placeholder = "\x00"

const (
	// maxResponse is the maximum size of a response, in bytes.
	maxResponse = 32 << 20
	// maxExecuted is the maximum size of what gqlgen executes of a response, in bytes. Its memory
	// is about ten times as large.
	maxExecuted = 8 << 20
)

// rawSegments are the parts of a response that projections write instead of gqlgen, in the order of
// their placeholders in gqlgen's data.
type rawSegments struct {
	list  []segment
	first [1]segment // the memory of list for one segment, as most responses have

	executed atomic.Int64 // bytes of what gqlgen executes
	tooLarge atomic.Pointer[gqlerror.Error]
}

// segment is the part of a response that one projection writes.
type segment interface {
	// appendJSON appends the segment to dst.
	appendJSON(dst []byte, out projection.Output) []byte
	// name returns the name of the field in the response.
	name() string
}

// reject rejects the whole response, which has at least actual bytes, and returns the error. If
// field is not empty, it is the field that exceeds the limit.
func (s *rawSegments) reject(field string, limit, actual int) error {
	e := apierror.TooComplex(limit, actual, fmt.Sprintf(
		"the response has %d bytes or more: at most %d are allowed; ask for fewer items or fields", actual, limit,
	))
	shown := e.GraphQL()
	if field != "" {
		shown.Path = ast.Path{ast.PathName(field)}
	}
	s.tooLarge.CompareAndSwap(nil, shown)
	return e
}

// execute counts the bytes of a field that gqlgen executes. It returns an error if they are too
// many.
func (s *rawSegments) execute(field string, size int) error {
	if all := s.executed.Add(int64(size)); all > maxExecuted {
		return s.reject(field, maxExecuted, int(all))
	}
	return nil
}

// add writes the placeholder of a segment.
func (s *rawSegments) add(w io.Writer, segment segment) {
	if s.list == nil {
		s.list = s.first[:0]
	}
	s.list = append(s.list, segment)
	_, _ = io.WriteString(w, placeholder) // gqlgen's buffer returns no error
}

// appendData appends gqlgen's data to dst and replaces each placeholder by its segment. The buffer
// has the memory of dst. If the response is too large, appendData returns the error, and the
// appended bytes are not JSON.
func (s *rawSegments) appendData(buffer *buffers.Buffer, dst, data []byte) ([]byte, *gqlerror.Error) {
	out := projection.Output{Limit: maxResponse, Memory: buffer}
	for s.tooLarge.Load() == nil {
		dst = buffer.Grow(dst, len(data))
		i := bytes.IndexByte(data, placeholder[0])
		if last := i < 0; last || len(dst)+i > maxResponse {
			if dst = append(dst, data...); len(dst) > maxResponse {
				_ = s.reject("", maxResponse, len(dst))
			}
			break
		}
		dst = s.list[0].appendJSON(append(dst, data[:i]...), out)
		if len(dst) > maxResponse {
			_ = s.reject(s.list[0].name(), maxResponse, len(dst))
		}
		s.list, data = s.list[1:], data[i+1:]
	}
	return dst, s.tooLarge.Load()
}
