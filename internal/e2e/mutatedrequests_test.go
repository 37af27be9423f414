package e2e_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/testmode"
)

// failedMutations are seeds of requests that found something once.
var failedMutations = [][2]uint64{{fixedSeed, 143}, {fixedSeed, 5652}, {fixedSeed, 8464}, {fixedSeed, 9476}}

const (
	fixedSeed     = 20_251_028
	maxHeader     = 16 << 10         // bytes of a header that is taken for certain
	maxRefusal    = 64 << 10         // bytes of an answer without data
	maxAnswerTime = 10 * time.Second // of any answer, on a machine that is busy
	shownMessage  = 400 + len("…")   // bytes
)

// TestMutatedRequests sends random changes of valid requests to the program over TCP, and looks at each answer, at what reaches the
// upstream, and at the log.
func TestMutatedRequests(t *testing.T) {
	t.Parallel()
	const shards = 4
	cases := testmode.Count(2_000, 20_000)
	fresh := uint64(time.Now().UnixNano())
	judge := &mutationJudge{codes: documentedCodes(t), seen: map[string]int{}}
	list := demo.New(demo.Options{Items: 60})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		judge.upstream(t, r)
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	p := start(t, "--upstream-url", upstream.URL+demo.BasePath, "--log-level=debug")
	address := strings.TrimPrefix(p.url, "http://")
	begun := time.Now()
	try := func(seed [2]uint64) {
		sent := newMutator(seed).request()
		if problem := judge.answer(sent, exchange(address, sent)); problem != "" {
			t.Errorf("seed {%d, %d}: %s\nthe request: %.3000q", seed[0], seed[1], problem, sent)
		}
	}
	var group sync.WaitGroup
	for shard := range shards {
		group.Go(func() {
			if shard == 0 {
				for _, seed := range failedMutations {
					try(seed)
				}
			}
			for i := shard; i < cases/2; i += shards {
				try([2]uint64{fixedSeed, uint64(i)})
				try([2]uint64{fresh, uint64(i)})
			}
		})
	}
	group.Wait()
	t.Logf("%d cases in %v, the slowest in %v: %v; the fresh seed was %d", cases, time.Since(begun), judge.slowest, judge.seen, fresh)
	if t.Failed() {
		return
	}
	if n := judge.seen["data"]; n < cases/10 || n > cases*7/10 {
		t.Errorf("got data from %d of %d, want a part that says that much is changed and much is still understood", n, cases)
	}
	for _, code := range []string{"BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_COMPLEX", "UNAUTHENTICATED", "PERSISTED_QUERY_NOT_FOUND"} {
		if judge.seen[code] == 0 {
			t.Errorf("got no %s among the answers", code)
		}
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("exit: got %v, want status 0", err)
	}
	checkLog(t, p.logged())
}

// checkLog looks for what a log of requests must not have.
func checkLog(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var entry struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("got the line %.500q in the log, want JSON", line)
		}
		if entry.Level == "ERROR" || strings.Contains(entry.Msg, "panic") {
			t.Errorf("got %.2000s in the log", line)
		}
		if leaks(line) {
			t.Errorf("got what only the request has in the log: %.500s", line)
		}
	}
}

// documentedCodes returns the error codes that docs/reference.md lists.
func documentedCodes(t *testing.T) map[string]bool {
	t.Helper()
	_, section, _ := strings.Cut(readFile(t, "docs/reference.md"), "\n## Errors\n")
	section, _, _ = strings.Cut(section, "\n## ")
	codes := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z_]+(?:, [A-Z_]+)*) \|`).FindAllStringSubmatch(section, -1) {
		for code := range strings.SplitSeq(row[1], ", ") {
			codes[code] = true
		}
	}
	if len(codes) < 10 {
		t.Fatalf("got the codes %v in docs/reference.md, want its table", codes)
	}
	return codes
}

// answered is what came back for the bytes of a request.
type answered struct {
	response *http.Response // nil: none
	body     []byte         // without its Content-Encoding
	err      error
	took     time.Duration
}

// exchange sends bytes on a connection of their own and reads one answer. Where they end before a request does, so does the connection.
func exchange(address string, sent []byte) answered {
	begun := time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return answered{err: err}
	}
	defer conn.Close()
	_ = conn.SetDeadline(begun.Add(2 * maxAnswerTime))
	var writing sync.WaitGroup
	writing.Go(func() {
		_, _ = conn.Write(sent) // the server need not read all of it
		if tcp, ok := conn.(*net.TCPConn); ok && !whole(sent) {
			_ = tcp.CloseWrite()
		}
	})
	defer writing.Wait()
	defer conn.Close() // ends the writing
	method, _, _ := strings.Cut(string(sent), " ")
	reader := bufio.NewReader(conn)
	const goOn = "HTTP/1.1 100 Continue\r\n\r\n"
	if ahead, err := reader.Peek(len(goOn)); err == nil && string(ahead) == goOn {
		_, _ = reader.Discard(len(goOn))
	}
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		return answered{err: err, took: time.Since(begun)}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 32<<20))
	if err != nil {
		return answered{err: err, took: time.Since(begun)}
	}
	if response.Header.Get("Content-Encoding") == "gzip" && len(body) > 0 {
		body, err = unzip(body)
	}
	return answered{response, body, err, time.Since(begun)}
}

func unzip(body []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zip)
}

// readRequest reads the bytes as an HTTP server does. With an error there is a request where only its header is at fault.
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

// validHeader says whether net/http takes a request with such a header, which [http.ReadRequest] is more lenient about.
func validHeader(header http.Header) bool {
	for name, values := range header {
		if !regexp.MustCompile("^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$").MatchString(name) || regexp.MustCompile("[\x00-\x08\x0a-\x1f\x7f]").MatchString(strings.Join(values, "")) {
			return false
		}
	}
	return true
}

// whole says whether the bytes are a request to its end.
func whole(sent []byte) bool {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sent)))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err == nil
}

// leaks says whether a text has what only the request may have.
func leaks(text string) bool {
	for _, secret := range []string{canary, canaryCredential} {
		if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
			return true
		}
	}
	return false
}

// mutationJudge says what is wrong with answers. It is safe for concurrent use.
type mutationJudge struct {
	codes map[string]bool

	mu      sync.Mutex
	seen    map[string]int // answers by their first code, or what they are
	slowest time.Duration
}

func (j *mutationJudge) count(kind string, took time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen[kind]++
	j.slowest = max(j.slowest, took)
}

// forwarded are the headers that may reach the upstream.
var forwarded = []string{"Accept", "Accept-Encoding", "Authorization", "Traceparent", "Tracestate", "User-Agent", "X-Api-Key", "X-Phala-Version", "X-Phala-Workspace"}

// upstream looks at a call of the gateway.
func (j *mutationJudge) upstream(t *testing.T, r *http.Request) {
	t.Helper()
	if r.Method != http.MethodGet || r.URL.Path != demo.ListPath {
		t.Errorf("upstream: got %s %s", r.Method, r.URL.Path)
	}
	for name, values := range r.Header {
		credential := name == "Authorization" || name == "X-Api-Key" || name == "X-Phala-Workspace" // as it came
		if !slices.Contains(forwarded, name) || len(values) != 1 || !credential && leaks(values[0]) {
			t.Errorf("upstream: got the header %s: %q", name, values)
		}
	}
}

// answer returns what is wrong with the answer to the bytes of a request, "" for nothing.
func (j *mutationJudge) answer(sent []byte, got answered) string {
	request, malformed := readRequest(sent)
	switch {
	case got.response == nil && malformed != nil:
		j.count("not answered", got.took)
		return ""
	case got.err != nil:
		return fmt.Sprintf("got no answer: %v after %v", got.err, got.took)
	case got.took > maxAnswerTime:
		return fmt.Sprintf("got the answer after %v", got.took)
	case got.response.StatusCode >= 500 && !refusedByProtocol(sent, got.response.StatusCode):
		return fmt.Sprintf("got status %d: %.500s", got.response.StatusCode, got.body)
	}
	for name, values := range got.response.Header {
		if leaks(name + strings.Join(values, "\n")) {
			return fmt.Sprintf("got what only the request has in the header %s: %q", name, values)
		}
	}
	if leaks(string(got.body)) {
		return fmt.Sprintf("got what only the request has: %.1000s", got.body)
	}
	media, _, _ := strings.Cut(got.response.Header.Get("Content-Type"), ";")
	switch status := got.response.StatusCode; {
	case bytes.HasPrefix(sent, []byte("HEAD ")) || status == http.StatusNotModified:
		if len(got.body) > 0 {
			return fmt.Sprintf("got %d bytes, want none", len(got.body))
		}
		j.count("without a body", got.took)
		return ""
	case (media == "text/plain" || media == "") && status >= 400: // net/http's own, in a few words or none
		if len(got.body) > 200 {
			return fmt.Sprintf("got status %d and %.1000q", status, got.body)
		}
		j.count(fmt.Sprint("status ", status), got.took)
		return ""
	case request != nil && request.URL.Path != "/graphql" && status == http.StatusOK:
		j.count("another path", got.took)
		return ""
	}
	kind, problem := j.graphQL(media, got)
	if problem == "" {
		j.count(kind, got.took)
	}
	return problem
}

// refusedByProtocol says whether net/http answers with the status because RFC 9112 says so: for a transfer coding, or a version of
// HTTP, that it does not know.
func refusedByProtocol(sent []byte, status int) bool {
	switch status {
	case http.StatusNotImplemented:
		return bytes.Contains(bytes.ToLower(sent), []byte("transfer-encoding"))
	case http.StatusHTTPVersionNotSupported:
		line, _, _ := bytes.Cut(sent, []byte("\n"))
		return !bytes.HasSuffix(bytes.TrimSpace(line), []byte(" HTTP/1.1"))
	}
	return false
}

// graphQL returns what kind of a GraphQL answer it is, and what is wrong with it.
func (j *mutationJudge) graphQL(media string, got answered) (kind, problem string) {
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
	if !executed && (members["errors"] == nil || len(got.body) > maxRefusal) {
		return wrong("got no data and %d bytes", len(got.body))
	}
	if executed != (got.response.StatusCode == http.StatusOK) && media != "application/json" || executed && got.response.StatusCode != http.StatusOK {
		return wrong("got data %v, and a status that does not go with it", executed)
	}
	if members["errors"] == nil {
		if string(data) == "null" {
			return wrong("got neither data nor errors")
		}
		return "data", ""
	}
	kind, objection := j.errors(members["errors"])
	if objection != "" {
		return wrong("%s", objection)
	}
	return kind, ""
}

// errors returns the first code, and what is wrong with a list of errors.
func (j *mutationJudge) errors(raw json.RawMessage) (kind, objection string) {
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
		if e.Message == "" || len(e.Message) > shownMessage || !j.codes[code] {
			return "", fmt.Sprintf("got an error of code %q with a message of %d bytes", code, len(e.Message))
		}
		if code == "INTERNAL_SERVER_ERROR" || strings.HasPrefix(code, "UPSTREAM_") {
			return "", "got what no request should bring about"
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
