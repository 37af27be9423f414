package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cvmgraph/internal/demo"
)

// responseChecker checks the responses to mutated requests and counts them. It is safe for
// concurrent use.
type responseChecker struct {
	codes map[string]bool // that docs/reference.md lists

	mu      sync.Mutex
	seen    map[string]int // responses by the last error code, or by their kind
	slowest time.Duration
}

func (c *responseChecker) count(kind string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[kind]++
	c.slowest = max(c.slowest, took)
}

// forwarded are the headers that may reach the upstream.
var forwarded = []string{"Accept", "Accept-Encoding", "Authorization", "Traceparent", "Tracestate", "User-Agent", "X-Api-Key", "X-Phala-Version", "X-Phala-Workspace"}

// checkCall checks an upstream call.
func (c *responseChecker) checkCall(t *testing.T, r *http.Request) {
	t.Helper()
	if r.Method != http.MethodGet || r.URL.Path != demo.ListPath {
		t.Errorf("upstream: got %s %s", r.Method, r.URL.Path)
	}
	for name, values := range r.Header {
		credential := name == "Authorization" || name == "X-Api-Key" || name == "X-Phala-Workspace" // forwarded unchanged
		if !slices.Contains(forwarded, name) || len(values) != 1 || !credential && leaks(values[0]) {
			t.Errorf("upstream: got the header %s: %q", name, values)
		}
	}
}

// check returns a description of what is wrong with the response to the bytes of a request, or an
// empty string.
func (c *responseChecker) check(sent []byte, got exchanged) string {
	request, malformed := readRequest(sent)
	switch {
	case got.response == nil && malformed != nil && !hasWholeHeader(sent):
		c.count("no response", got.took)
		return ""
	case got.err != nil:
		return fmt.Sprintf("got no response: %v after %v", got.err, got.took)
	case got.took > maxResponseTime:
		return fmt.Sprintf("got the response after %v", got.took)
	case got.response.StatusCode >= 500 && !rejectedByProtocol(sent, got.response.StatusCode):
		return fmt.Sprintf("got status %d: %.500s", got.response.StatusCode, got.body)
	}
	for name, values := range got.response.Header {
		if leaks(name + strings.Join(values, "\n")) {
			return fmt.Sprintf("got a string of the request in the header %s: %q", name, values)
		}
	}
	if leaks(string(got.body)) {
		return fmt.Sprintf("got a string of the request: %.1000s", got.body)
	}
	media, _, _ := strings.Cut(got.response.Header.Get("Content-Type"), ";")
	switch status := got.response.StatusCode; {
	case bytes.HasPrefix(sent, []byte("HEAD ")) || status == http.StatusNotModified:
		if len(got.body) > 0 {
			return fmt.Sprintf("got %d bytes, want none", len(got.body))
		}
		c.count("without a body", got.took)
		return ""
	case (media == "text/plain" || media == "") && status >= 400: // a short one of net/http
		if len(got.body) > 200 {
			return fmt.Sprintf("got status %d and %.1000q", status, got.body)
		}
		c.count(fmt.Sprint("status ", status), got.took)
		return ""
	case request != nil && request.URL.Path != "/graphql" && status == http.StatusOK:
		c.count("another path", got.took)
		return ""
	}
	kind, problem := c.checkGraphQL(media, got)
	if problem == "" {
		c.count(kind, got.took)
	}
	return problem
}

// hasWholeHeader reports whether the bytes contain the empty line after a header.
func hasWholeHeader(sent []byte) bool {
	return bytes.Contains(sent, []byte("\n\n")) || bytes.Contains(sent, []byte("\n\r\n"))
}

// rejectedByProtocol reports whether RFC 9112 requires the status, because the request has an
// unknown transfer coding or version of HTTP.
func rejectedByProtocol(sent []byte, status int) bool {
	switch status {
	case http.StatusNotImplemented:
		return bytes.Contains(bytes.ToLower(sent), []byte("transfer-encoding"))
	case http.StatusHTTPVersionNotSupported:
		line, _, _ := bytes.Cut(sent, []byte("\n"))
		return !bytes.HasSuffix(bytes.TrimSpace(line), []byte(" HTTP/1.1"))
	}
	return false
}

// checkGraphQL returns the kind of a GraphQL response, and a description of what is wrong with it.
func (c *responseChecker) checkGraphQL(media string, got exchanged) (kind, problem string) {
	wrong := func(format string, args ...any) (string, string) {
		return "", fmt.Sprintf(format, args...) + fmt.Sprintf(": status %d, %s, %.1000s", got.response.StatusCode, media, got.body)
	}
	if media != "application/json" && media != "application/graphql-response+json" {
		return wrong("got another media type")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(got.body, &members); err != nil {
		return wrong("got no JSON object")
	}
	for name := range maps.Keys(members) {
		if name != "data" && name != "errors" && name != "extensions" {
			return wrong("got the member %s", name)
		}
	}
	data, executed := members["data"]
	if !executed && (members["errors"] == nil || len(got.body) > maxErrorBody) {
		return wrong("got neither data nor a short response but %d bytes", len(got.body))
	}
	if executed != (got.response.StatusCode == http.StatusOK) && media != "application/json" || executed && got.response.StatusCode != http.StatusOK {
		return wrong("got data %v, and a status that does not fit", executed)
	}
	if members["errors"] == nil {
		if string(data) == "null" {
			return wrong("got neither data nor errors")
		}
		return "data", ""
	}
	kind, objection := c.checkErrors(members["errors"])
	if objection != "" {
		return wrong("%s", objection)
	}
	return kind, ""
}

// checkErrors returns the last code, and a description of what is wrong with a list of errors.
func (c *responseChecker) checkErrors(raw json.RawMessage) (kind, objection string) {
	var list []struct {
		Message    string
		Path       []any
		Locations  []struct{ Line, Column int }
		Extensions map[string]any
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil || len(list) == 0 || len(list) > 101 {
		return "", fmt.Sprintf("got %d errors, %v", len(list), err)
	}
	for _, e := range list {
		code, _ := e.Extensions["code"].(string)
		if e.Message == "" || len(e.Message) > maxMessage || !c.codes[code] {
			return "", fmt.Sprintf("got an error of code %q with a message of %d bytes", code, len(e.Message))
		}
		if code == "INTERNAL_SERVER_ERROR" || strings.HasPrefix(code, "UPSTREAM_") {
			return "", "got " + code + ", which no request may cause"
		}
		for _, element := range e.Path {
			switch element.(type) {
			case string, float64:
			default:
				return "", fmt.Sprintf("got the path %v", e.Path)
			}
		}
		for _, at := range e.Locations {
			if at.Line < 1 || at.Column < 1 {
				return "", fmt.Sprintf("got the location %v", at)
			}
		}
		kind = code
	}
	return kind, ""
}
