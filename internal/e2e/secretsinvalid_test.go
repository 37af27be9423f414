package e2e_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// invalidBodies returns bodies that the program rejects, with the caller's strings in them.
func invalidBodies() map[string]string {
	hash := strings.Repeat("0", 64)
	return map[string]string{
		"not JSON":                   `{"query": canarytext`,
		"a batch":                    `[{"query":"canarytext"}]`,
		"a number":                   `7`,
		"no query":                   `{"canarytext":"canarytext"}`,
		"a syntax error":             `{"query":"{ canarytext("}`,
		"an unknown field":           `{"query":"{ canarytext }"}`,
		"an unknown operation name":  `{"query":"{ __typename }","operationName":"canarytext"}`,
		"an unknown type":            `{"query":"query q($a: canarytext) { __typename }"}`,
		"a variable's wrong type":    `{"query":"query q($a: Int) { cvms(first: $a) { totalCount } }","variables":{"a":"canarytext"}}`,
		"a literal's wrong type":     `{"query":"{ cvms(first: \"canarytext\") { totalCount } }"}`,
		"variables not an object":    `{"query":"{ __typename }","variables":"canarytext"}`,
		"an invalid cursor":          `{"query":"{ cvms(after: \"canarytext\") { totalCount nodes { name } } }"}`,
		"an invalid id":              `{"query":"{ node(id: \"canarytext\") { id } }"}`,
		"an unknown persisted query": `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"canarytext"}}}`,
		"a persisted query's wrong hash": `{"query":"{ __typename } # canarytext",` +
			`"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}}`,
		"a mutation":      `{"query":"mutation canarytext { canarytext }"}`,
		"too deep":        `{"query":"` + strings.Repeat("{ canarytext ", 50) + strings.Repeat("}", 50) + `"}`,
		"too many tokens": `{"query":"{ ` + strings.Repeat("canarytext ", 3000) + `}"}`,
		"too large":       `{"query":"` + strings.Repeat(canaryText, 30<<10) + `"}`,
		"not UTF-8":       `{"query":"canarytext ` + "\xff" + `"}`,
	}
}

// sendInvalid sends bodies, headers, targets and requests that the program rejects.
func (s *secretsTest) sendInvalid(t *testing.T) {
	t.Helper()
	for name, body := range invalidBodies() {
		got := s.postBody(t.Context(), t, body, "ok")
		if !strings.Contains(got, `"errors":[{`) && name != "an invalid id" {
			t.Errorf("%s: got %.300s, want an error", name, got)
		}
	}
	for _, headers := range [][]string{
		{"Authorization", "Bearer " + canaryBearer, "Authorization", "Bearer " + canaryBearer},
		{"Authorization", "Basic " + canaryBearer},
		{"Authorization", "Bearer " + canaryBearer + "\xe9"},
		{"Authorization", "Bearer " + strings.Repeat(canaryBearer, 1000)},
		{"Accept", "text/" + canaryText},
		{"Content-Type", "text/" + canaryText},
		{"X-Request-Id", canaryText + " is not an id"},
	} {
		s.postBody(t.Context(), t, operation(anySelection), "ok", headers...)
	}
	for _, target := range []string{
		"GET /graphql?query={canarytext}&operationName=canarytext&variables={%22canarytext%22:1}",
		"GET /graphql?query=canarytext%zz&query=canarytext",
		"GET /canarytext?canarytext", "DELETE /graphql?canarytext", "CANARYTEXT /graphql",
		"GET /debug/pprof/canarytext",
	} {
		method, path, _ := strings.Cut(target, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, s.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(path, "?")
		s.send(t, r, "ok")
	}
	s.sendMalformed(t)
}

// sendMalformed sends bytes that are not a valid HTTP request.
func (s *secretsTest) sendMalformed(t *testing.T) {
	t.Helper()
	for _, raw := range []string{
		canaryText + " " + canaryBearer + "\r\n\r\n",
		"GET /" + canaryText + " HTTP/9.9\r\nAuthorization: " + canaryBearer + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nAuthorization " + canaryBearer + "\r\n\r\n",
		"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: " + canaryText + "\r\nAuthorization: " + canaryBearer + "\r\n\r\n",
		"POST /graphql HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + strings.Repeat(canaryKey, 10000) + "\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + canaryBearer,
	} {
		conn, err := net.Dial("tcp", trimScheme(s.url))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, raw)
		_ = conn.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(conn) // the program may close the connection instead
		s.responses = append(s.responses, string(got))
		_ = conn.Close()
	}
}
