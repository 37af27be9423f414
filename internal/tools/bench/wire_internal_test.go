// The tests are in the package itself: nobody else can use what a command holds.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wire   string
		status int
		body   string
		err    error
	}{
		"a length":               {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", nil},
		"a length in any case":   {"HTTP/1.1 200 OK\r\nX: y\r\ncontent-length:5\r\n\r\nhello", 200, "hello", nil},
		"no text of the status":  {"HTTP/1.1 204\r\ncontent-length: 0\r\n\r\n", 204, "", nil},
		"another status":         {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", 503, "no", nil},
		"chunks":                 {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 200, "abc0123456789", nil},
		"chunks with a trailer":  {"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n", 200, "a", nil},
		"no length":              {"HTTP/1.1 200 OK\r\n\r\n", 200, "", errNoLength},
		"a length that is none":  {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 200, "", errNoLength},
		"a chunk of no size":     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 200, "", errChunk},
		"a chunk that is longer": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", 200, "a", errChunk},
		"another protocol":       {"SSH-2.0-OpenSSH_9.2p1\r\n", 0, "", errNoHTTP},
		"no number as status":    {"HTTP/1.1 abc OK\r\n\r\n", 0, "", errNoHTTP},
		"an end in the header":   {"HTTP/1.1 200 OK\r\nContent-Le", 200, "", io.EOF},
		"an end in the body":     {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 200, "hel\x00\x00", io.ErrUnexpectedEOF},
		"nothing":                {"", 0, "", io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body, err := readAnswer(bufio.NewReader(strings.NewReader(tt.wire)), nil)
			if status != tt.status || string(body) != tt.body || !errors.Is(err, tt.err) {
				t.Errorf("got %d, %q, %v, want %d, %q, %v", status, body, err, tt.status, tt.body, tt.err)
			}
		})
	}
}

func TestAnswersOfOneConnectionAreReadOneByOne(t *testing.T) {
	t.Parallel()
	in := bufio.NewReader(strings.NewReader(
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" +
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndefghi\r\n0\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nj"))
	var body []byte
	for _, want := range []string{"abc", "defghi", "j"} {
		var err error
		if _, body, err = readAnswer(in, body); err != nil || string(body) != want {
			t.Fatalf("got %q, %v, want %q", body, err, want)
		}
	}
}

func TestARequestIsOneOfHTTP(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]request{
		"with a body":    {method: "POST", path: "/graphql", body: []byte(`{"query":"{ a }"}`)},
		"without a body": {method: "GET", path: "/api/v1/cvms/paginated?page=1&page_size=20"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(r.bytes("127.0.0.1:80", 12))))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(got.Body)
			if err != nil || !bytes.Equal(body, r.body) {
				t.Errorf("got the body %q, %v, want %q", body, err, r.body)
			}
			if got.Method != r.method || got.RequestURI != r.path || got.Header.Get("Authorization") != "Bearer benchmark-12" {
				t.Errorf("got %s %s with %v, want %s %s with the credential", got.Method, got.RequestURI, got.Header, r.method, r.path)
			}
		})
	}
}
