package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/testmode"
)

func TestTrustedDocumentsAreAnsweredAlone(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--trusted-documents=internal/config/testdata/documents/relay-md5.json", "--trusted-documents-mode=enforce", "--admin-listen=127.0.0.1:0")
	const list = `/graphql?documentId=86f3fc9d4827aee3f91ceb7f99561135&variables={"first":1}`
	if _, got := answer(t, http.MethodGet, p.url+strings.ReplaceAll(list, `"`, "%22")); !strings.HasPrefix(got, `{"data":{"cvms":{"edges":[`) {
		t.Errorf("got %s, want the list", got)
	}
	if got, err := p.ask(t.Context(), `{ __typename }`, ""); err != nil || !strings.Contains(got, `"code":"DOCUMENT_NOT_TRUSTED"`) {
		t.Errorf("got %s, %v, want DOCUMENT_NOT_TRUSTED", got, err)
	}
	p.waitForMetrics(t, "cvmgraph_untrusted_documents_total 1")
}

func TestDemoAnswers(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo")
	tests := map[string]struct {
		query, token string
		want         *regexp.Regexp
	}{
		"without a credential": {`{ cvms(first: 2) { totalCount nodes { id name } } }`, "", regexp.MustCompile(`^\{"data":\{"cvms":\{"totalCount":3\d\d,"nodes":\[\{"id":"\w+","name":"[\w-]+"\},`)},
		"with a token":         {`{ cvms { pageInfo { hasNextPage } } }`, "any", regexp.MustCompile(`^\{"data":\{"cvms":\{"pageInfo":\{"hasNextPage":true\}\}\}\}$`)},
		"with a wrong token":   {`{ cvms { totalCount } }`, "invalid", regexp.MustCompile(`"code":"UNAUTHENTICATED"`)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := p.ask(t.Context(), test.query, test.token)
			if err != nil || !test.want.MatchString(got) {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	serving := start(t, "--demo")
	address := strings.TrimPrefix(serving.url, "http://")
	tests := map[string]struct {
		args       []string
		environ    []string
		wantCode   int
		wantStdout string
		wantStderr []string
	}{
		"version":        {[]string{"--version"}, nil, 0, `^cvmgraph \S+\n$`, nil},
		"help":           {[]string{"--help"}, nil, 0, `--upstream-url`, nil},
		"schema":         {[]string{"schema"}, nil, 0, `(?s)^"""\nA whole number.*type CvmConnection \{`, nil},
		"health":         {[]string{"health", "--listen", address}, nil, 0, `^$`, nil},
		"health of none": {[]string{"health", "--listen", "127.0.0.1:1"}, nil, 1, `^$`, []string{"refused"}},
		"an occupied port": {
			[]string{"serve", "--demo", "--listen", address}, nil, 1, `^$`, []string{"in use"},
		},
		"all problems at once": {
			[]string{"--what", "--max-first=many", "--demo"},
			[]string{"CVMGRAPH_LOG_LEVEL=loud", "CVMGRAPH_UPSTREAM_URL=http://127.0.0.1:1"},
			2, `^$`,
			[]string{"--what", "--max-first (CVMGRAPH_MAX_FIRST)", "--log-level (CVMGRAPH_LOG_LEVEL)", "--demo (CVMGRAPH_DEMO)"},
		},
		"an unknown variable is a warning": {
			[]string{"schema"}, []string{"CVMGRAPH_PORT_8080_TCP=tcp://10.0.0.1:8080"}, 0, `type Query`, []string{"CVMGRAPH_PORT_8080_TCP"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, test.environ, test.args...)
			if got.code != test.wantCode {
				t.Errorf("exit code: got %d, want %d", got.code, test.wantCode)
			}
			if !regexp.MustCompile(test.wantStdout).MatchString(got.stdout) {
				t.Errorf("standard output: got %.200q, want %s", got.stdout, test.wantStdout)
			}
			for _, want := range test.wantStderr {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("standard error: got %q, want %q in it", got.stderr, want)
				}
			}
		})
	}
}

func TestSchemaIsServed(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo")
	response, err := http.Get(p.url + "/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err != nil || string(got) != fileText(t, "schema.graphqls") {
		t.Errorf("got %.80q, %v, want the schema", got, err)
	}
}

// TestTerminationLosesNoRequest ends the program while requests wait for the upstream.
func TestTerminationLosesNoRequest(t *testing.T) {
	t.Parallel()
	const clients = 10
	arrived, answer := make(chan struct{}, clients), make(chan struct{})
	list := demo.New(demo.Options{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-answer
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	p := start(t, "--upstream-url", upstream.URL+demo.BasePath, "--drain-delay=0")

	var asking sync.WaitGroup
	for i := range clients {
		asking.Go(func() {
			got, err := p.ask(t.Context(), `{ cvms(first: 3) { nodes { id } } }`, fmt.Sprint("load-", i)) // or else they share a call
			if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"nodes":[{`) {
				t.Errorf("a request was lost: got %.200s, %v", got, err)
			}
		})
	}
	for range clients {
		<-arrived
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for refused := false; !refused; {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if refused = errors.Is(err, syscall.ECONNREFUSED); err == nil {
			_ = conn.Close()
		}
	}
	close(answer)
	asking.Wait()
	if err := p.Wait(); err != nil {
		t.Errorf("exit: got %v, want status 0", err)
	}
}

// TestLatency compares the gateway with the bare upstream call, one request at a time, by turns. One item shows what lies in the
// path of every request; what more items cost is shown too, and may take its time.
//
//nolint:paralleltest // it has the machine to itself, or its figures mean nothing
func TestLatency(t *testing.T) {
	if !testmode.QuietMachine() {
		t.Skip("times mean something only on a machine that does nothing else: set CVMGRAPH_TEST_LATENCY=1")
	}
	upstream := httptest.NewServer(demo.New(demo.Options{}))
	t.Cleanup(upstream.Close)
	p := start(t, "--upstream-url", upstream.URL+demo.BasePath, "--cache-ttl=0")
	const perItem = 50 * time.Microsecond // to decode and to resolve
	for _, first := range []int{1, 20} {
		bare := func() error {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s%s?page=1&page_size=%d", upstream.URL, demo.ListPath, first), nil)
			if err != nil {
				return err
			}
			request.Header.Set("Authorization", "Bearer load")
			request.Header.Set("X-Phala-Version", "2025-10-28")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			_, err = io.Copy(io.Discard, response.Body)
			return err
		}
		query := fmt.Sprintf(`{ cvms(first: %d) { edges { node { id name status vcpu memory node { name } } } } }`, first)
		gateway := func() error {
			_, err := p.ask(t.Context(), query, "load")
			return err
		}
		const rounds = 400
		limit := time.Millisecond + time.Duration(first-1)*perItem
		var extra time.Duration
		if !cost.InThreeTries(func() bool {
			var times [2][]time.Duration
			for range rounds {
				for i, call := range []func() error{bare, gateway} {
					begun := time.Now()
					if err := call(); err != nil {
						t.Fatal(err)
					}
					times[i] = append(times[i], time.Since(begun))
				}
			}
			for i := range times {
				slices.Sort(times[i])
			}
			extra = times[1][rounds/2] - times[0][rounds/2]
			t.Logf("first: %d: p50 %v bare, %v through the gateway", first, times[0][rounds/2], times[1][rounds/2])
			return extra <= limit
		}) {
			t.Errorf("first: %d: got %v above the bare call in the last of three tries, want at most %v", first, extra, limit)
		}
	}
}
