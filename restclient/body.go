package restclient

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
)

const (
	// maxBody bounds the body of an answer, after decompression.
	maxBody = 16 << 20
	// trustedLength is how much memory an announced length gets before any byte has come.
	trustedLength = 1 << 20
)

// readBody reads the whole body. Its errors are *InvalidResponseError for a body that is too large, cut
// short or wrongly compressed; others are the connection's.
func readBody(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > maxBody {
		return nil, invalid(ReasonTooLarge)
	}
	// The extra byte lets the read that finds the end do so without growing the buffer.
	body := make([]byte, 0, max(min(resp.ContentLength, trustedLength), 0)+1)
	for {
		if len(body) == cap(body) {
			body = grown(body)
		}
		n, err := resp.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > maxBody:
			return nil, invalid(ReasonTooLarge)
		case err == io.EOF:
			if cap(body)-len(body) > len(body)/8 { // it did not say how much would come
				body = bytes.Clone(body)
			}
			return body, nil
		case err != nil:
			return nil, bodyError(err)
		}
	}
}

// grown returns body with room for more, and never for much more than maxBody.
func grown(body []byte) []byte {
	larger := make([]byte, len(body), min(max(2*cap(body), 32<<10), maxBody+1))
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

// endsEarly says whether the body is less than a JSON document. It does not notice one that was cut right behind an inner object.
func endsEarly(body []byte) bool {
	if bytes.HasSuffix(bytes.TrimRight(body, " \n\t\r"), []byte("}")) {
		return false
	}
	r := reader{data: body}
	var unusable *InvalidResponseError
	return errors.As(r.skip(), &unusable) && unusable.Reason == ReasonTruncated
}
