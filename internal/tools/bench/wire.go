package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// request is an HTTP request for a workload.
type request struct {
	method, path string
	body         []byte
}

// credentials is the prefix of the credentials. Every request has one, and servers must forward it
// to the upstream.
const credentials = "Bearer benchmark-"

// bytes returns the bytes of the request with the credential of a caller.
func (r request) bytes(host string, caller int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s%d\r\nAccept: application/json\r\n",
		r.method, r.path, host, credentials, caller)
	if r.body != nil {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(r.body))
	}
	b.WriteString("\r\n")
	b.Write(r.body)
	return b.Bytes()
}

var (
	errNoHTTP   = errors.New("not an HTTP/1.1 response")
	errNoLength = errors.New("response without a valid length")
	errChunk    = errors.New("invalid chunk")
)

// readResponse reads one response. It stores the body in buffer if it fits, and otherwise in a new
// buffer. It supports only the parts of HTTP that the measured servers use.
func readResponse(in *bufio.Reader, buffer []byte) (status int, body []byte, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, buffer, err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) || len(line) < len("HTTP/1.1 200\r\n") {
		return 0, buffer, errNoHTTP
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, buffer, errNoHTTP
	}
	length, chunked, err := readHeader(in)
	switch {
	case err != nil:
		return status, buffer, err
	case chunked:
		body, err = readChunks(in, buffer[:0])
		return status, body, err
	case length < 0:
		return status, buffer, errNoLength
	}
	body = grow(buffer[:0], length)
	_, err = io.ReadFull(in, body)
	return status, body, err
}

// readHeader reads the header. The length is -1 if there is no Content-Length.
func readHeader(in *bufio.Reader) (length int, chunked bool, err error) {
	length = -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return length, chunked, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return length, chunked, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return -1, false, errNoLength
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
}

// readChunks reads a chunked body and appends it to body.
func readChunks(in *bufio.Reader, body []byte) ([]byte, error) {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return body, err
		}
		digits, _, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(";"))
		size, err := strconv.ParseUint(string(digits), 16, 31)
		if err != nil {
			return body, errChunk
		}
		if size == 0 {
			_, _, err := readHeader(in) // trailers
			return body, err
		}
		begin := len(body)
		body = grow(body, int(size))
		if _, err := io.ReadFull(in, body[begin:]); err != nil {
			return body, err
		}
		if line, err := in.ReadSlice('\n'); err != nil || len(bytes.TrimRight(line, "\r\n")) > 0 {
			return body, errors.Join(errChunk, err)
		}
	}
}

// grow returns b with n more bytes, whose values are unspecified.
func grow(b []byte, n int) []byte {
	if need := len(b) + n; need > cap(b) {
		longer := make([]byte, need, need+need/2)
		copy(longer, b)
		return longer
	}
	return b[:len(b)+n]
}
