package e2e_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// exchanged is the response to the bytes of a request.
type exchanged struct {
	response *http.Response // nil without a response
	body     []byte         // decoded
	err      error
	took     time.Duration
}

// exchange sends bytes on a new connection and reads one response. If the bytes are not a complete
// request, exchange closes the sending side of the connection.
func exchange(address string, sent []byte) exchanged {
	begun := time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return exchanged{err: err}
	}
	defer conn.Close()
	_ = conn.SetDeadline(begun.Add(2 * maxResponseTime))
	var writing sync.WaitGroup
	writing.Go(func() {
		_, _ = conn.Write(sent) // the server need not read all of it
		if tcp, ok := conn.(*net.TCPConn); ok && !isComplete(sent) {
			_ = tcp.CloseWrite()
		}
	})
	defer writing.Wait()
	defer conn.Close() // ends the writing
	method, _, _ := strings.Cut(string(sent), " ")
	reader := bufio.NewReader(conn)
	const interim = "HTTP/1.1 100 Continue\r\n\r\n"
	if begin, err := reader.Peek(len(interim)); err == nil && string(begin) == interim {
		_, _ = reader.Discard(len(interim))
	}
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		return exchanged{err: err, took: time.Since(begun)}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 32<<20))
	if err != nil {
		return exchanged{err: err, took: time.Since(begun)}
	}
	if response.Header.Get("Content-Encoding") == "gzip" && len(body) > 0 {
		body, err = unzip(body)
	}
	return exchanged{response, body, err, time.Since(begun)}
}

func unzip(body []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zip)
}

// readRequest parses the bytes as an HTTP server does. If only the header is invalid, it returns
// both a request and an error.
func readRequest(sent []byte) (*http.Request, error) {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sent)))
	if err != nil {
		return nil, err
	}
	if !regexp.MustCompile(`^[A-Za-z0-9!$%&'()*+,.:;=\[\]_~-]+$`).MatchString(request.Host) || !validHeader(request.Header) || bytes.Index(sent, []byte("\r\n\r\n")) > maxHeader {
		return request, errors.New("the header is not valid")
	}
	return request, nil
}

// validHeader reports whether net/http's server accepts the header. [http.ReadRequest] accepts
// more.
func validHeader(header http.Header) bool {
	for name, values := range header {
		if !regexp.MustCompile("^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$").MatchString(name) || regexp.MustCompile("[\x00-\x08\x0a-\x1f\x7f]").MatchString(strings.Join(values, "")) {
			return false
		}
	}
	return true
}

// isComplete reports whether the bytes are a complete request.
func isComplete(sent []byte) bool {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sent)))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err == nil
}

// leaks reports whether a string contains a canary of the requests.
func leaks(s string) bool {
	for _, secret := range []string{canary, canaryCredential} {
		if strings.Contains(s, secret) || strings.Contains(s, url.QueryEscape(secret)) {
			return true
		}
	}
	return false
}
