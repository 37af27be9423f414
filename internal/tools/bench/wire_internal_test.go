// The tests are in package main because a command cannot be imported.
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

func TestReadResponse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wire       string
		wantStatus int
		wantBody   string
		wantErr    error
	}{
		"length":               {wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", wantStatus: 200, wantBody: "hello"},
		"length in lower case": {wire: "HTTP/1.1 200 OK\r\nX: y\r\ncontent-length:5\r\n\r\nhello", wantStatus: 200, wantBody: "hello"},
		"no reason phrase":     {wire: "HTTP/1.1 204\r\ncontent-length: 0\r\n\r\n", wantStatus: 204},
		"status 503":           {wire: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", wantStatus: 503, wantBody: "no"},
		"chunks": {
			wire:       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
			wantStatus: 200, wantBody: "abc0123456789",
		},
		"chunks with a trailer": {
			wire:       "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n",
			wantStatus: 200, wantBody: "a",
		},
		"no length":          {wire: "HTTP/1.1 200 OK\r\n\r\n", wantStatus: 200, wantErr: errNoLength},
		"negative length":    {wire: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", wantStatus: 200, wantErr: errNoLength},
		"invalid chunk size": {wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", wantStatus: 200, wantErr: errChunk},
		"chunk longer than its size": {
			wire:       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
			wantStatus: 200, wantBody: "a", wantErr: errChunk,
		},
		"other protocol":       {wire: "SSH-2.0-OpenSSH_9.2p1\r\n", wantErr: errNoHTTP},
		"status not a number":  {wire: "HTTP/1.1 abc OK\r\n\r\n", wantErr: errNoHTTP},
		"truncated header":     {wire: "HTTP/1.1 200 OK\r\nContent-Le", wantStatus: 200, wantErr: io.EOF},
		"truncated body":       {wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", wantStatus: 200, wantBody: "hel\x00\x00", wantErr: io.ErrUnexpectedEOF},
		"connection is closed": {wantErr: io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body, err := readResponse(bufio.NewReader(strings.NewReader(tt.wire)), nil)
			if status != tt.wantStatus || string(body) != tt.wantBody || !errors.Is(err, tt.wantErr) {
				t.Errorf("got %d, %q, %v, want %d, %q, %v", status, body, err, tt.wantStatus, tt.wantBody, tt.wantErr)
			}
		})
	}
}

func TestReadResponse_readsResponsesOfOneConnectionInTurn(t *testing.T) {
	t.Parallel()
	in := bufio.NewReader(strings.NewReader(
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" +
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndefghi\r\n0\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nj"))
	var body []byte
	for _, want := range []string{"abc", "defghi", "j"} {
		var err error
		if _, body, err = readResponse(in, body); err != nil || string(body) != want {
			t.Fatalf("got %q, %v, want %q", body, err, want)
		}
	}
}

func TestRequest_isValidHTTP(t *testing.T) {
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
				t.Errorf("got body %q, %v, want %q", body, err, r.body)
			}
			if got.Method != r.method || got.RequestURI != r.path || got.Header.Get("Authorization") != "Bearer benchmark-12" {
				t.Errorf("got %s %s with %v, want %s %s with the credential", got.Method, got.RequestURI, got.Header, r.method, r.path)
			}
		})
	}
}
