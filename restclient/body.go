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

	"cvmgraph/internal/fair"
	"cvmgraph/internal/wire"
)

const (
	// MaxPageBytes is the maximum size of a response's body, after decompression.
	MaxPageBytes = 16 << 20
	// largeBodyBytes is the size up to which a body needs no slot. It is also the maximum memory
	// that is allocated for an announced length before any byte has arrived.
	largeBodyBytes = 1 << 20
	// largeBodySlots is the number of slots. Others get extraSlots more if one caller has more than
	// its fair share.
	largeBodySlots, extraSlots = 4, 2
)

// largeBodies limits the number of large bodies in use.
type largeBodies struct{ slots *fair.Limit }

func newLargeBodies() largeBodies {
	return largeBodies{fair.NewLimit(fair.Options{
		Max:     func(int) int { return largeBodySlots },
		Reserve: 1, Extra: extraSlots, StrangersExtra: 1,
	})}
}

// rawPage reads the whole body. Its errors are *InvalidResponseError for a body that is too large,
// incomplete or wrongly compressed, *UnavailableError for a large one that gets no slot in time,
// and errors of the connection.
func (l largeBodies) rawPage(ctx context.Context, from fair.Caller, resp *http.Response) (RawPage, error) {
	body, slot, err := l.readBody(ctx, from, resp)
	if err == nil && endsEarly(body) {
		err = invalidResponse(ReasonTruncated)
	}
	page := RawPage{Body: body, NoStore: forbidsStoring(resp.Header)}
	if slot != (fair.Unit{}) {
		page.release = sync.OnceFunc(slot.Release)
	}
	if err != nil {
		page.Release()
		return RawPage{}, err
	}
	return page, nil
}

// readBody reads the whole body. The slot that it has taken is not zero, also with an error.
func (l largeBodies) readBody(ctx context.Context, from fair.Caller, resp *http.Response) (body []byte, slot fair.Unit, err error) {
	if resp.ContentLength > MaxPageBytes {
		return nil, slot, invalidResponse(ReasonTooLarge)
	}
	// One byte more, so that the read that finds the end does not need a larger buffer.
	body = make([]byte, 0, max(min(resp.ContentLength, largeBodyBytes), 0)+1)
	for {
		if len(body) == cap(body) {
			if slot == (fair.Unit{}) && cap(body) >= largeBodyBytes {
				if slot, err = l.slots.Acquire(ctx, from, 0); err != nil {
					return nil, slot, &UnavailableError{Cause: CauseOverload, RetryAfter: maxQueueing}
				}
			}
			body = grown(body, int(resp.ContentLength))
		}
		n, err := resp.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > MaxPageBytes:
			return nil, slot, invalidResponse(ReasonTooLarge)
		case err == io.EOF:
			if cap(body)-len(body) > len(body)/8 { // the length was not announced
				body = bytes.Clone(body)
			}
			return body, slot, nil
		case err != nil && ctx.Err() != nil: // the body is not truncated, the attempt has ended
			return nil, slot, err
		case err != nil:
			return nil, slot, bodyError(err)
		}
	}
}

// grown returns body with a larger capacity, at most one byte more than MaxPageBytes. The announced
// length counts only if the body is large already.
func grown(body []byte, announced int) []byte {
	size := max(2*cap(body), 32<<10)
	if cap(body) > largeBodyBytes {
		size = max(size, announced+1)
	}
	larger := make([]byte, len(body), min(size, MaxPageBytes+1))
	copy(larger, body)
	return larger
}

// bodyError returns an *InvalidResponseError if the body is wrong, and err if the connection
// failed.
func bodyError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case networkKind(err) == KindClosed:
		return invalidResponse(ReasonTruncated)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return invalidResponse(ReasonEncoding)
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
		// Invalid characters do not matter here, and the last one may be cut.
		body = bytes.ToValidUTF8(body, []byte("?"))
	}
	s := wire.Scanner{Data: body}
	return !s.Skip() && s.Failure == wire.Truncated
}
