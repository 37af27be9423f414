package e2e_test

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"cvmgraph/internal/demo"
)

// secretsTest is a program with an upstream and a Redis that know secrets, and the responses of the
// program.
type secretsTest struct {
	*process
	upstream  *leakyUpstream
	redis     string // address, or empty without Redis
	stopRedis func()

	mu        sync.Mutex
	responses []string // headers and bodies
}

// startSecretsTest starts the program with a format of the log. If redis-server is not installed,
// the program runs without Redis.
func startSecretsTest(t *testing.T, format string) *secretsTest {
	t.Helper()
	s := &secretsTest{upstream: &leakyUpstream{arrived: make(chan struct{}, 100)}}
	upstream := httptest.NewServer(s.upstream)
	t.Cleanup(upstream.Close)
	args := []string{
		"--upstream-url", upstream.URL + demo.BasePath, "--upstream-timeout=1s", "--stale-if-error=1m",
		"--admin-listen=127.0.0.1:0", "--log-level=debug", "--log-format", format, "--drain-delay=0",
	}
	if _, err := exec.LookPath("redis-server"); err == nil {
		redis := startRedis(t, "--requirepass", canaryPassword)
		s.redis, s.stopRedis = "127.0.0.1:"+redis.port, redis.kill
		waitFor(t, func() bool {
			conn, err := net.Dial("tcp", s.redis)
			if err == nil {
				_ = conn.Close()
			}
			return err == nil
		})
		args = append(args, "--redis-url=redis://:"+canaryPassword+"@"+s.redis,
			"--shared-key="+base64.StdEncoding.EncodeToString([]byte(canaryShared)))
	}
	s.process = start(t, args...)
	return s
}

// send sends a request with all kinds of credentials and with the caller's strings in other
// headers. It records the response and returns its body.
func (s *secretsTest) send(t *testing.T, r *http.Request, fault string) string {
	t.Helper()
	if len(r.Header["Authorization"]) == 0 {
		r.Header.Set("Authorization", "Bearer "+canaryBearer+"-"+fault)
	}
	r.Header.Set("X-API-Key", canaryKey)
	r.Header.Set("X-Phala-Workspace", canaryWorkspace)
	for _, name := range []string{"Cookie", "User-Agent", "X-Forwarded-For", "Referer", "Origin", "X-Other"} {
		r.Header.Set(name, canaryText)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.responses = append(s.responses, fmt.Sprint(response.Header), string(body))
	return string(body)
}

// postBody sends a body to the GraphQL endpoint. Headers are names, each followed by its value.
func (s *secretsTest) postBody(ctx context.Context, t *testing.T, body, fault string, headers ...string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return s.send(t, r, fault)
}

// operation returns the body of a valid operation with the caller's strings in it.
func operation(selection string) string {
	return fmt.Sprintf(`{"query":"query %s($%[1]s: String) { %[1]s: cvms(first: 3, userId: $%[1]s) { %s } } # %[1]s",
		"operationName":%[1]q,"variables":{%[1]q:"usr_%[1]s"}}`, canaryText, selection)
}

const anySelection = "totalCount nodes { name vcpu listed hosted { vmId events { event } configuration { name } } publicUrls { app } }"

// TestSecrets_gateway sends secrets through the program, with both formats of the log, and looks
// for them in the responses, the log, the metrics, the profiles and Redis.
func TestSecrets_gateway(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := startSecretsTest(t, format)
			s.succeed(t)
			s.inspectRedis(t)
			s.upstreamFails(t)
			s.sendInvalid(t)
			s.inspectAdmin(t)
			s.loseRedis(t)
			s.checkResponses(t)
			if n := s.upstream.elsewhere.Load(); n != 0 {
				t.Errorf("got %d requests to the target of redirects, want none", n)
			}
			s.terminate(t)
			log := s.logged()
			if found := findCanary(log, append(secrets(), canaryText)...); found != "" {
				t.Errorf("got %s in the log: %s", found, regexp.MustCompile(`(?i).{0,300}`+found+`.{0,100}`).FindString(log))
			}
			if strings.Count(log, "\n") < 50 || !strings.Contains(log, "draining") {
				t.Errorf("got %s, want a line for each request and the shutdown", log)
			}
		})
	}
}

// checkResponses looks for secrets in the recorded responses.
func (s *secretsTest) checkResponses(t *testing.T) {
	t.Helper()
	for _, response := range s.responses {
		if found := findCanary(response, secrets()...); found != "" {
			t.Errorf("got %s in a response: %.500s", found, response)
		}
	}
}

func (s *secretsTest) succeed(t *testing.T) {
	t.Helper()
	got := s.postBody(t.Context(), t, operation(anySelection), "ok", "X-Cvmgraph-Explain", "1")
	if !strings.Contains(got, `"name":"vm"`) || !strings.Contains(got, `"upstream":`) {
		t.Errorf("got %s, want data and the upstream calls", got)
	}
	// This response has secrets because the operation selects them, so it is not recorded.
	before := len(s.responses)
	got = s.postBody(t.Context(), t, operation("nodes { syslogEndpoint hosted { configuration { encryptedEnv composeFile { salt } } } }"), "ok")
	if strings.Count(got, canaryUpstream) != 3 {
		t.Errorf("got %s, want the selected secrets", got)
	}
	s.responses = s.responses[:before]
}

// upstreamFails sends valid operations to an upstream that fails.
func (s *secretsTest) upstreamFails(t *testing.T) {
	t.Helper()
	for fault, want := range map[string]string{
		"status-301": upstreamError, "status-302": upstreamError, "status-307": upstreamError, "status-308": upstreamError,
		"status-400": badInput, "status-401": unauthenticated, "status-403": forbidden, "status-404": notFound,
		"status-409": upstreamError, "status-422": badInput, "status-429": rateLimited, "status-500": upstreamError,
		"status-503": upstreamError, "html": invalidResponse, "truncated": invalidResponse, "garbage": upstreamError,
		"slow": upstreamTimeout, "flat": invalidResponse, "odd": invalidResponse,
	} {
		for _, media := range mediaTypes {
			got := s.postBody(t.Context(), t, operation(anySelection), fault, "Accept", media)
			// The breaker may open, and the upstream may be too slow if other programs use the
			// machine.
			if !regexp.MustCompile(`"code":"(` + want + `|UNAVAILABLE|UPSTREAM_TIMEOUT)"`).MatchString(got) {
				t.Errorf("%s: got %s, want %s", fault, got, want)
			}
		}
	}
}

// inspectAdmin looks for secrets in the responses of the admin listener, while requests wait for
// the upstream.
func (s *secretsTest) inspectAdmin(t *testing.T) {
	t.Helper()
	for len(s.upstream.arrived) > 0 {
		<-s.upstream.arrived
	}
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	stop := make(chan struct{})
	for i := range 10 {
		waiting.Go(func() {
			for {
				s.postBody(ctx, t, strings.Replace(operation(anySelection), "first: 3", fmt.Sprint("first: ", 4+i), 1), "slow")
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	select {
	case <-s.upstream.arrived:
	case <-time.After(20 * time.Second):
		t.Error("got no request to the upstream for 20 s")
	}
	for _, path := range []string{
		"/metrics", "/debug/pprof/",
		"/debug/pprof/goroutine?debug=2", "/debug/pprof/goroutine?debug=1", "/debug/pprof/goroutine",
		"/debug/pprof/heap?debug=1", "/debug/pprof/heap", "/debug/pprof/allocs?debug=1",
		"/debug/pprof/block?debug=1", "/debug/pprof/mutex?debug=1", "/debug/pprof/threadcreate?debug=1",
		"/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1",
		"/debug/pprof/symbol", "/debug/pprof/cmdline", "/" + canaryText,
	} {
		status, body := fetch(t, http.MethodGet, s.admin()+path)
		if zipped, err := gzip.NewReader(strings.NewReader(body)); err == nil {
			plain, err := io.ReadAll(zipped)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			body = string(plain)
		}
		want := http.StatusOK
		if strings.HasSuffix(path, "cmdline") || strings.HasSuffix(path, canaryText) {
			want = http.StatusNotFound
		}
		if status != want {
			t.Errorf("%s: got status %d, want %d", path, status, want)
		}
		if found := findCanary(body, append(secrets(), canaryText)...); found != "" {
			t.Errorf("got %s in %s", found, path)
		}
	}
	close(stop)
	cancel()
	waiting.Wait()
}

// inspectRedis sends a page and a persisted query to Redis, and looks for secrets in its values.
func (s *secretsTest) inspectRedis(t *testing.T) {
	t.Helper()
	if s.redis == "" {
		t.Log("did not inspect Redis: redis-server is not on PATH; .ci/run installs it")
		return
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.redis}, Password: canaryPassword, ForceSingleClient: true, DisableCache: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const persisted = `{"query":"{ __typename } # canarytext","extensions":{"persistedQuery":{"version":1,"sha256Hash":"185d57851eeccc3fdea796188fed57ecd3d945776161324206adc367a923e48e"}}}`
	tick := time.Tick(20 * time.Millisecond)
	for begun := time.Now(); ; <-tick {
		s.postBody(t.Context(), t, persisted, "ok")
		s.postBody(t.Context(), t, operation(anySelection), "ok", "Cache-Control", "no-cache")
		keys, err := client.Do(t.Context(), client.B().Keys().Pattern("*").Build()).AsStrSlice()
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			value, err := client.Do(t.Context(), client.B().Dump().Key(key).Build()).ToString()
			if err != nil && !rueidis.IsRedisNil(err) {
				t.Fatal(err)
			}
			if found := findCanary(key+" "+value, append(secrets(), canaryText)...); found != "" {
				t.Errorf("got %s in Redis: %q: %.200q", found, key, value)
			}
		}
		if len(keys) > 0 {
			return
		}
		if time.Since(begun) > 20*time.Second {
			t.Fatal("got nothing into Redis for 20 s")
		}
	}
}

// loseRedis stops Redis and sends operations until the program has logged that.
func (s *secretsTest) loseRedis(t *testing.T) {
	t.Helper()
	if s.redis == "" {
		return
	}
	s.stopRedis()
	waitFor(t, func() bool {
		s.postBody(t.Context(), t, operation(anySelection), "ok", "Cache-Control", "no-cache")
		return strings.Contains(s.logged(), "redis is unavailable")
	})
}
