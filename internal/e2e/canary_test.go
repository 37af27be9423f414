package e2e_test

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"cvmgraph/internal/demo"
)

// Texts that are looked for in all that the program says. Each stands for what is kept from somebody.
const (
	canaryBearer    = "canarybearer"                     // the caller's, for nobody but the upstream
	canaryKey       = "canaryapikey"                     // likewise
	canaryWorkspace = "canaryworkspace"                  // likewise
	canaryUpstream  = "canaryupstream"                   // the upstream's, for nobody but who asks for the field that it stands in
	canaryPassword  = "canarypassword"                   // of Redis, for nobody else
	canaryShared    = "canarysharedkey-and-more-of-it!!" // for nobody
	canaryText      = "canarytext"                       // the caller's own words, for no log
)

func secrets() []string {
	return []string{canaryBearer, canaryKey, canaryWorkspace, canaryUpstream, canaryPassword, canaryShared}
}

// findCanary returns the first of the canaries that is in a text, whether plain, in hexadecimal or in base64; empty for none.
func findCanary(text string, canaries ...string) string {
	text = strings.ToLower(text)
	for _, canary := range canaries {
		if strings.Contains(text, canary) || strings.Contains(text, hex.EncodeToString([]byte(canary))) {
			return canary
		}
		for shift := range 3 { // base64 spells a text in three ways, by where it begins
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + canary))
			whole := strings.ToLower(encoded[(shift*8+5)/6+1 : len(encoded)-2])
			if strings.Contains(text, whole) {
				return canary
			}
		}
	}
	return ""
}

func TestFindCanary(t *testing.T) {
	t.Parallel()
	for _, hidden := range []string{
		"x canarybearer", "CanaryBearer", hex.EncodeToString([]byte("so canarybearer so")),
		base64.StdEncoding.EncodeToString([]byte("canarybearer")), base64.StdEncoding.EncodeToString([]byte("a canarybearer")),
		base64.RawURLEncoding.EncodeToString([]byte("a: canarybearer and more")), "%!s(*x={canarybearer})",
	} {
		if got := findCanary(hidden, canaryKey, canaryBearer); got != canaryBearer {
			t.Errorf("in %s: got %q, want %s", hidden, got, canaryBearer)
		}
	}
	if got := findCanary("canary bearer, canaryb earer", secrets()...); got != "" {
		t.Errorf("got %s, want none", got)
	}
}

// leaky is an upstream that shows its secrets, and the caller's, in all ways there are. The token says in which.
type leaky struct {
	elsewhere atomic.Int64 // requests where a redirect leads
	arrived   chan struct{}
}

func (l *leaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != demo.ListPath {
		l.elsewhere.Add(1)
		return
	}
	all := fmt.Sprintf("%s %s %s %s", canaryUpstream, r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.Header.Get("X-Phala-Workspace"))
	for _, name := range []string{"X-Request-Id", "Set-Cookie", "WWW-Authenticate", "Server", "Etag", "X-Error"} {
		w.Header().Set(name, canaryUpstream)
	}
	_, fault, _ := strings.Cut(r.Header.Get("Authorization"), canaryBearer+"-")
	var status int
	switch _, err := fmt.Sscanf(fault, "status-%d", &status); {
	case err == nil && status < 400:
		w.Header().Set("Location", "/"+canaryUpstream+"?"+strings.ReplaceAll(all, " ", "&"))
		w.WriteHeader(status)
	case err == nil:
		w.Header().Set("Retry-After", "1")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"detail":[{"loc":["query","user_id"],"msg":%q,"type":%[1]q,"input":%[1]q}],"error_code":%[1]q,"message":%[1]q,"request_id":%[1]q}`, all)
	case fault == "html":
		fmt.Fprintf(w, "<html>%s</html>", all)
	case fault == "truncated":
		w.Header().Set("Content-Length", "100000")
		io.WriteString(w, `{"items":[{"name":"`+all)
	case fault == "garbage":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			io.WriteString(conn, all+"\r\n\r\n")
			_ = conn.Close()
		}
	case fault == "slow":
		select {
		case l.arrived <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	case fault == "flat":
		fmt.Fprintf(w, `{"items":[{"vm_uuid":%q,"resource":{}}],"total":1,"page":%s,"page_size":%s,"pages":1}`, all, r.FormValue("page"), r.FormValue("page_size"))
	case fault == "odd":
		fmt.Fprintf(w, `{"items":[{"hosted":{"id":[%q],"events":%[1]q,"configuration":%[1]q},"name":{"a":%[1]q},"vcpu":%[1]q,"public_urls":[%[1]q],"listed":%[1]q}],"total":1,"page":%s,"page_size":%s,"pages":1}`,
			all, r.FormValue("page"), r.FormValue("page_size"))
	case fault == "keys":
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		fmt.Fprintf(w, `{"items":[{"hosted":null,%q:1,"x-%s":2,%q:3}],%q:[],"total":1,"page":%s,"page_size":%s,"pages":1}`,
			token, token, r.Header.Get("X-Api-Key"), r.Header.Get("X-Api-Key"), r.FormValue("page"), r.FormValue("page_size"))
	default:
		fmt.Fprintf(w, `{"items":[{"hosted":{"id":"1a09d706-2686-4e0a-8b1d-323ff0e3504b","configuration":{"encrypted_env":%q,"user_config":%[1]q,
			"compose_file":{"name":"c","docker_compose_file":%[1]q,"pre_launch_script":%[1]q,"salt":%[1]q}}},"name":"vm","vcpu":2,"syslog_endpoint":%[1]q}],
			"total":1,"page":%s,"page_size":%s,"pages":1}`, canaryUpstream, r.FormValue("page"), r.FormValue("page_size"))
	}
}

// canaryCage is a program, an upstream and a Redis that know secrets, and what came of it.
type canaryCage struct {
	*process
	upstream *leaky
	redis    string // address, empty without one
	endRedis func()

	mu   sync.Mutex
	said []string // answers
}

func newCanaryCage(t *testing.T, format string) *canaryCage {
	t.Helper()
	c := &canaryCage{upstream: &leaky{arrived: make(chan struct{}, 100)}}
	upstream := httptest.NewServer(c.upstream)
	t.Cleanup(upstream.Close)
	args := []string{
		"--upstream-url", upstream.URL + demo.BasePath, "--upstream-timeout=1s", "--stale-if-error=1m", "--admin-listen=127.0.0.1:0",
		"--log-level=debug", "--log-format", format, "--drain-delay=0",
	}
	if _, err := exec.LookPath("redis-server"); err == nil {
		port := freePort(t)
		server := exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
			"--dir", t.TempDir(), "--requirepass", canaryPassword)
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		c.endRedis = func() { _ = server.Process.Kill(); _ = server.Wait() }
		t.Cleanup(c.endRedis)
		c.redis = "127.0.0.1:" + port
		for begun := time.Now(); time.Since(begun) < 20*time.Second; <-time.After(10 * time.Millisecond) {
			if conn, err := net.Dial("tcp", c.redis); err == nil {
				_ = conn.Close()
				break
			}
		}
		args = append(args, "--redis-url=redis://:"+canaryPassword+"@"+c.redis, "--shared-key="+base64.StdEncoding.EncodeToString([]byte(canaryShared)))
	}
	c.process = start(t, args...)
	return c
}

// send sends a request with all credentials, and with the caller's words wherever they can stand besides. It keeps the answer.
func (c *canaryCage) send(t *testing.T, r *http.Request, fault string) string {
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
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, fmt.Sprint(response.Header), string(body))
	return string(body)
}

// post sends a body that holds the caller's words.
func (c *canaryCage) post(ctx context.Context, t *testing.T, body, fault string, headers ...string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return c.send(t, r, fault)
}

// operation is the body of an operation that is all right, with the caller's words in it.
func operation(selection string) string {
	return fmt.Sprintf(`{"query":"query %s($%[1]s: String) { %[1]s: cvms(first: 3, userId: $%[1]s) { %s } } # %[1]s",
		"operationName":%[1]q,"variables":{%[1]q:"usr_%[1]s"}}`, canaryText, selection)
}

const anySelection = "totalCount nodes { name vcpu listed hosted { vmId events { event } configuration { name } } publicUrls { app } }"

// TestCanaries sends secrets through the program, in both formats of the log, and looks for them in all that it says.
func TestCanaries(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			c := newCanaryCage(t, format)
			c.succeed(t)
			c.beStoredInRedis(t)
			c.fail(t)
			c.beBad(t)
			c.leave(t)
			c.loseRedis(t)
			for _, said := range c.said {
				if found := findCanary(said, secrets()...); found != "" {
					t.Errorf("got %s in an answer: %.500s", found, said)
				}
			}
			if n := c.upstream.elsewhere.Load(); n != 0 {
				t.Errorf("got %d requests where redirects lead, want none", n)
			}
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait() // what it says at the end belongs to it
			log := c.logged()
			if found := findCanary(log, append(secrets(), canaryText)...); found != "" {
				t.Errorf("got %s in the log: %s", found, regexp.MustCompile(`(?i).{0,300}`+found+`.{0,100}`).FindString(log))
			}
			if strings.Count(log, "\n") < 50 || !strings.Contains(log, "draining") {
				t.Errorf("got %s, want the log of all that", log)
			}
		})
	}
}

func (c *canaryCage) succeed(t *testing.T) {
	t.Helper()
	if got := c.post(t.Context(), t, operation(anySelection), "ok", "X-Cvmgraph-Explain", "1"); !strings.Contains(got, `"name":"vm"`) || !strings.Contains(got, `"upstream":`) {
		t.Errorf("got %s, want data and how it came", got)
	}
	// Who asks for a secret gets it, so this answer is not kept.
	before := len(c.said)
	got := c.post(t.Context(), t, operation("nodes { syslogEndpoint hosted { configuration { encryptedEnv composeFile { salt } } } }"), "ok")
	if strings.Count(got, canaryUpstream) != 3 {
		t.Errorf("got %s, want the secrets that were asked for", got)
	}
	c.said = c.said[:before]
}

// fail lets the upstream fail.
func (c *canaryCage) fail(t *testing.T) {
	t.Helper()
	for fault, want := range map[string]string{
		"status-301": "UPSTREAM_ERROR", "status-302": "UPSTREAM_ERROR", "status-307": "UPSTREAM_ERROR", "status-308": "UPSTREAM_ERROR",
		"status-400": "BAD_USER_INPUT", "status-401": "UNAUTHENTICATED", "status-403": "FORBIDDEN", "status-404": "NOT_FOUND",
		"status-409": "UPSTREAM_ERROR", "status-422": "BAD_USER_INPUT", "status-429": "RATE_LIMITED", "status-500": "UPSTREAM_ERROR",
		"status-503": "UPSTREAM_ERROR", "html": "UPSTREAM_INVALID_RESPONSE", "truncated": "UPSTREAM_INVALID_RESPONSE", "garbage": "UPSTREAM_ERROR",
		"slow": "UPSTREAM_TIMEOUT", "flat": "UPSTREAM_INVALID_RESPONSE", "odd": "UPSTREAM_INVALID_RESPONSE",
	} {
		for _, accept := range []string{"application/json", "application/graphql-response+json"} {
			got := c.post(t.Context(), t, operation(anySelection), fault, "Accept", accept)
			// The gateway may come to protect itself from such an upstream, which may be too slow on a busy machine.
			if !regexp.MustCompile(`"code":"(` + want + `|UNAVAILABLE|UPSTREAM_TIMEOUT)"`).MatchString(got) {
				t.Errorf("%s: got %s, want %s", fault, got, want)
			}
		}
	}
}

// beBad sends what is refused.
func (c *canaryCage) beBad(t *testing.T) {
	t.Helper()
	long := strings.Repeat(canaryText, 30<<10)
	for name, body := range map[string]string{
		"no JSON": `{"query": canarytext`, "a batch": `[{"query":"canarytext"}]`, "a number": `7`, "no query": `{"canarytext":"canarytext"}`,
		"no syntax": `{"query":"{ canarytext("}`, "an unknown field": `{"query":"{ canarytext }"}`,
		"an unknown name": `{"query":"{ __typename }","operationName":"canarytext"}`, "an unknown type": `{"query":"query q($a: canarytext) { __typename }"}`,
		"a value of another type":    `{"query":"query q($a: Int) { cvms(first: $a) { totalCount } }","variables":{"a":"canarytext"}}`,
		"a literal of another type":  `{"query":"{ cvms(first: \"canarytext\") { totalCount } }"}`,
		"variables that are none":    `{"query":"{ __typename }","variables":"canarytext"}`,
		"a cursor that is none":      `{"query":"{ cvms(after: \"canarytext\") { totalCount nodes { name } } }"}`,
		"an id that is none":         `{"query":"{ node(id: \"canarytext\") { id } }"}`,
		"an unknown persisted query": `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"canarytext"}}}`,
		"a wrong persisted query":    `{"query":"{ __typename } # canarytext","extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("0", 64) + `"}}}`,
		"a mutation":                 `{"query":"mutation canarytext { canarytext }"}`,
		"too deep":                   `{"query":"` + strings.Repeat("{ canarytext ", 50) + strings.Repeat("}", 50) + `"}`,
		"too many tokens":            `{"query":"{ ` + strings.Repeat("canarytext ", 3000) + `}"}`,
		"too large":                  `{"query":"` + long + `"}`,
		"not UTF-8":                  `{"query":"canarytext ` + "\xff" + `"}`,
	} {
		if got := c.post(t.Context(), t, body, "ok"); !strings.Contains(got, `"errors":[{`) && name != "an id that is none" {
			t.Errorf("%s: got %.300s, want an error", name, got)
		}
	}
	ok := operation(anySelection)
	c.post(t.Context(), t, ok, "ok", "Authorization", "Bearer "+canaryBearer, "Authorization", "Bearer "+canaryBearer)
	c.post(t.Context(), t, ok, "ok", "Authorization", "Basic "+canaryBearer)
	c.post(t.Context(), t, ok, "ok", "Authorization", "Bearer "+canaryBearer+"\xe9")
	c.post(t.Context(), t, ok, "ok", "Authorization", "Bearer "+strings.Repeat(canaryBearer, 1000))
	c.post(t.Context(), t, ok, "ok", "Accept", "text/"+canaryText)
	c.post(t.Context(), t, ok, "ok", "Content-Type", "text/"+canaryText)
	c.post(t.Context(), t, ok, "ok", "X-Request-Id", canaryText+" is none")
	for _, target := range []string{
		"GET /graphql?query={canarytext}&operationName=canarytext&variables={%22canarytext%22:1}", "GET /graphql?query=canarytext%zz&query=canarytext",
		"GET /canarytext?canarytext", "DELETE /graphql?canarytext", "CANARYTEXT /graphql", "GET /debug/pprof/canarytext",
	} {
		method, path, _ := strings.Cut(target, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(path, "?")
		c.send(t, r, "ok")
	}
	for _, raw := range []string{
		canaryText + " " + canaryBearer + "\r\n\r\n",
		"GET /" + canaryText + " HTTP/9.9\r\nAuthorization: " + canaryBearer + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nAuthorization " + canaryBearer + "\r\n\r\n",
		"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: " + canaryText + "\r\nAuthorization: " + canaryBearer + "\r\n\r\n",
		"POST /graphql HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + strings.Repeat(canaryKey, 10000) + "\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + canaryBearer,
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, raw)
		_ = conn.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(conn) // an error is an answer too
		c.said = append(c.said, string(got))
		_ = conn.Close()
	}
}

// leave cancels requests that wait for the upstream, and looks at the program from within meanwhile.
func (c *canaryCage) leave(t *testing.T) {
	t.Helper()
	for len(c.upstream.arrived) > 0 {
		<-c.upstream.arrived
	}
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	stop := make(chan struct{})
	for i := range 10 {
		waiting.Go(func() {
			for {
				c.post(ctx, t, strings.Replace(operation(anySelection), "first: 3", fmt.Sprint("first: ", 4+i), 1), "slow")
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	select {
	case <-c.upstream.arrived:
	case <-time.After(20 * time.Second):
		t.Error("got no request to the upstream for 20 s")
	}
	for _, path := range []string{
		"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/goroutine?debug=1", "/debug/pprof/goroutine", "/debug/pprof/heap?debug=1",
		"/debug/pprof/heap", "/debug/pprof/allocs?debug=1", "/debug/pprof/block?debug=1", "/debug/pprof/mutex?debug=1", "/debug/pprof/threadcreate?debug=1",
		"/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1", "/debug/pprof/symbol", "/debug/pprof/cmdline", "/" + canaryText,
	} {
		status, text := answer(t, http.MethodGet, c.admin()+path)
		if zipped, err := gzip.NewReader(strings.NewReader(text)); err == nil {
			plain, err := io.ReadAll(zipped)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			text = string(plain)
		}
		if want := map[bool]int{false: 200, true: 404}[strings.HasSuffix(path, "cmdline") || strings.HasSuffix(path, canaryText)]; status != want {
			t.Errorf("%s: got status %d, want %d", path, status, want)
		}
		if found := findCanary(text, append(secrets(), canaryText)...); found != "" {
			t.Errorf("got %s in %s", found, path)
		}
	}
	close(stop)
	cancel()
	waiting.Wait()
}

// beStoredInRedis lets pages and persisted queries be shared, and looks at what is in Redis then.
func (c *canaryCage) beStoredInRedis(t *testing.T) {
	t.Helper()
	if c.redis == "" {
		t.Log("not looked at what is in Redis: needs redis-server on PATH, which .ci/run installs")
		return
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{c.redis}, Password: canaryPassword, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const persisted = `{"query":"{ __typename } # canarytext","extensions":{"persistedQuery":{"version":1,"sha256Hash":"185d57851eeccc3fdea796188fed57ecd3d945776161324206adc367a923e48e"}}}`
	tick := time.Tick(20 * time.Millisecond)
	for begun := time.Now(); ; <-tick {
		c.post(t.Context(), t, persisted, "ok")
		c.post(t.Context(), t, operation(anySelection), "ok", "Cache-Control", "no-cache")
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

// loseRedis goes on without Redis.
func (c *canaryCage) loseRedis(t *testing.T) {
	t.Helper()
	if c.redis == "" {
		return
	}
	c.endRedis()
	tick := time.Tick(20 * time.Millisecond)
	for begun := time.Now(); !strings.Contains(c.logged(), "redis is unavailable"); <-tick {
		c.post(t.Context(), t, operation(anySelection), "ok", "Cache-Control", "no-cache")
		if time.Since(begun) > 20*time.Second {
			t.Fatal("got no word on Redis for 20 s")
		}
	}
}

// TestCanariesOfCheck looks for secrets in what a check says, in both formats, of an upstream that shows them, and of a Redis that refuses.
func TestCanariesOfCheck(t *testing.T) {
	t.Parallel()
	upstream := &leaky{arrived: make(chan struct{}, 100)}
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	for _, fault := range []string{"ok", "keys", "odd", "flat", "html", "truncated", "garbage", "slow", "status-302", "status-401", "status-403", "status-422", "status-503"} {
		for _, format := range []string{"json", "text"} {
			t.Run(fault+" "+format, func(t *testing.T) {
				t.Parallel()
				got := runCheck(t, []string{"CVMGRAPH_API_KEY=" + canaryKey}, "--token="+canaryBearer+"-"+fault, "--upstream-url="+server.URL+demo.BasePath,
					"--upstream-timeout=1s", "--log-level=debug", "--log-format="+format,
					"--redis-url=redis://:"+canaryPassword+"@127.0.0.1:1", "--shared-key="+base64.StdEncoding.EncodeToString([]byte(canaryShared)))
				if found := findCanary(got.stdout+got.stderr, append(secrets(), strings.TrimPrefix(server.URL, "http://"))...); found != "" {
					t.Errorf("got %s in %s%s", found, got.stdout, got.stderr)
				}
				if got.code != exitFailure || !strings.Contains(got.stdout, "credential") {
					t.Errorf("got code %d and %s, want a report and code 1, for want of Redis at least", got.code, got.stdout)
				}
			})
		}
	}
	t.Cleanup(func() {
		if n := upstream.elsewhere.Load(); n != 0 {
			t.Errorf("got %d requests where redirects lead, want none", n)
		}
	})
}

// TestOutwardHeaders sends all sorts of headers, and looks at those that the upstream gets.
func TestOutwardHeaders(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	list := demo.New(demo.Options{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	p := start(t, "--upstream-url", upstream.URL+demo.BasePath, "--cache-ttl=0")
	for name, credential := range map[string]map[string]string{
		"a bearer":            {"Authorization": "Bearer t0ken"},
		"a key":               {"X-Api-Key": "phak_k3y"},
		"a key and workspace": {"X-Api-Key": "phak_k3y", "X-Phala-Workspace": "team"},
		"all three":           {"Authorization": "bearer  t0ken ", "X-Api-Key": "phak_k3y", "X-Phala-Workspace": "team"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", strings.NewReader(`{"query":"{ cvms { totalCount } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{
			"Cookie", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via", "Origin", "Referer", "User-Agent", "From",
			"Accept-Language", "X-Phala-Version", "X-Cvmgraph-Explain", "X-Request-Id", "X-Custom", "Proxy-Authorization", "X-Api-Key2", "Te", "Priority",
			"Range", "If-None-Match", "Cache-Control", "X-Http-Method-Override", "Baggage", "Apollographql-Client-Name", "Cf-Connecting-Ip", "Authorization-X",
		} {
			request.Header.Set(other, "other")
		}
		request.Header.Set("Content-Type", "application/json")
		request.Host = "other.example"
		want := map[string]string{"Accept": "application/json", "Accept-Encoding": "gzip", "X-Phala-Version": "2025-10-28"}
		for header, value := range credential {
			request.Header.Set(header, value)
			want[header] = strings.TrimSpace(value) // as net/http reads it
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		outward := <-got
		if agent := outward.Header.Get("User-Agent"); !strings.HasPrefix(agent, "cvmgraph/") {
			t.Errorf("%s: got the agent %q, want cvmgraph", name, agent)
		}
		outward.Header.Del("User-Agent")
		for header, values := range outward.Header {
			if len(values) != 1 || values[0] != want[header] {
				t.Errorf("%s: got %s: %q, want %q", name, header, values, want[header])
			}
			delete(want, header)
		}
		if len(want) > 0 || outward.Method != http.MethodGet || outward.Host != strings.TrimPrefix(upstream.URL, "http://") || outward.ContentLength > 0 {
			t.Errorf("%s: got %s to %s with %d bytes and without %v, want a GET without a body", name, outward.Method, outward.Host, outward.ContentLength, want)
		}
	}
}
