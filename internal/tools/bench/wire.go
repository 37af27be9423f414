package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// request is what a server is asked for a workload.
type request struct {
	method, path string
	body         []byte
}

// credentials begin with this; every request carries one, and the upstream must see it.
const credentials = "Bearer benchmark-"

// bytes returns the request as a caller sends it, with a credential of its own.
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
	errNoHTTP   = errors.New("not an HTTP/1.1 answer")
	errNoLength = errors.New("an answer of unknown length")
	errChunk    = errors.New("a damaged chunk")
)

// readAnswer reads one answer. The body is written over buffer, or a longer one where that is too small; it knows no more of HTTP than
// servers need that are asked for the same over and over.
func readAnswer(in *bufio.Reader, buffer []byte) (status int, body []byte, err error) {
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

// readHeader returns the announced length, -1 where there is none.
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

// readChunks appends a chunked body to body.
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

// grow returns b with n bytes more, of any value.
func grow(b []byte, n int) []byte {
	if need := len(b) + n; need > cap(b) {
		longer := make([]byte, need, need+need/2)
		copy(longer, b)
		return longer
	}
	return b[:len(b)+n]
}
