package restclient

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"unicode/utf8"

	"cvmgraph/internal/wire"
)

const (
	// maxBody bounds the body of an answer, after decompression.
	maxBody = 16 << 20
	// largeBody is what a body takes without a place among the large ones. It is how much memory an
	// announced length gets before any byte has come.
	largeBody = 1 << 20
	// largeBodies is how many of them there may be at a time.
	largeBodies = 4
)

// places are those of large bodies.
type places chan struct{}

// document reads the whole body. Its errors are *InvalidResponseError for a body that is too large,
// cut short or wrongly compressed, *UnavailableError for one that is large beside too many others,
// and those of the connection.
func (p places) document(ctx context.Context, resp *http.Response) (Document, error) {
	body, large, err := p.readBody(ctx, resp)
	if err == nil && endsEarly(body) {
		err = invalid(ReasonTruncated)
	}
	d := Document{Body: body, NoStore: forbidsStoring(resp.Header)}
	if large {
		d.leave = sync.OnceFunc(func() { <-p })
	}
	if err != nil {
		d.Release()
		return Document{}, err
	}
	return d, nil
}

// readBody reads the whole body, and says whether it has taken a place, with an error too.
func (p places) readBody(ctx context.Context, resp *http.Response) (body []byte, large bool, err error) {
	if resp.ContentLength > maxBody {
		return nil, false, invalid(ReasonTooLarge)
	}
	// The extra byte lets the read that finds the end do so without growing the buffer.
	body = make([]byte, 0, max(min(resp.ContentLength, largeBody), 0)+1)
	for {
		if len(body) == cap(body) {
			if !large && cap(body) >= largeBody {
				select {
				case p <- struct{}{}:
					large = true
				case <-ctx.Done():
					return nil, false, &UnavailableError{Cause: CauseOverload, RetryAfter: maxQueueing}
				}
			}
			body = grown(body, int(resp.ContentLength))
		}
		n, err := resp.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > maxBody:
			return nil, large, invalid(ReasonTooLarge)
		case err == io.EOF:
			if cap(body)-len(body) > len(body)/8 { // it did not say how much would come
				body = bytes.Clone(body)
			}
			return body, large, nil
		case err != nil:
			return nil, large, bodyError(err)
		}
	}
}

// grown returns body with room for more, for all that was announced once it is a large one, and
// never for much more than maxBody.
func grown(body []byte, announced int) []byte {
	size := max(2*cap(body), 32<<10)
	if cap(body) > largeBody {
		size = max(size, announced+1)
	}
	larger := make([]byte, len(body), min(size, maxBody+1))
	copy(larger, body)
	return larger
}

// bodyError tells an answer that is wrong from a connection that failed.
func bodyError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return invalid(ReasonTruncated)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return invalid(ReasonEncoding)
	}
	return err
}

// endsEarly reports whether the body is an incomplete JSON document. It does not notice a body that
// was cut right after an inner object.
func endsEarly(body []byte) bool {
	if bytes.HasSuffix(bytes.TrimRight(body, " \n\t\r"), []byte("}")) {
		return false
	}
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("?")) // invalid characters do not matter here, and the last one may be cut
	}
	s := wire.Scanner{Data: body}
	return !s.Skip() && s.Failure == wire.Truncated
}
