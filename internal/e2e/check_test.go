package e2e_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/check"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
	"cvmgraph/internal/testing/testmode"
)

// checkSecret is the credential that checks are made with; nothing that they say has it.
const checkSecret = "s3cret-of-the-check"

// runCheck runs cvmgraph check to its end.
func runCheck(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	return run(t, environ, append([]string{"check"}, args...)...)
}

// report reads the JSON that a check writes.
func (c result) report(t *testing.T) check.Report {
	t.Helper()
	var report check.Report
	decoder := json.NewDecoder(strings.NewReader(c.stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("got %s and %s, want one JSON document: %v", c.stdout, c.stderr, err)
	}
	if _, err := decoder.Token(); err != io.EOF || strings.Count(c.stdout, "\n") != 1 {
		t.Errorf("got %q, want one line", c.stdout)
	}
	return report
}

// statuses are those of a report, one letter a step: o(k), w(arning), f(ailed), - for skipped.
func statuses(r check.Report) string {
	var b strings.Builder
	for _, step := range r.Checks {
		b.WriteString(map[check.Status]string{check.OK: "o", check.Warning: "w", check.Failed: "f", check.Skipped: "-"}[step.Status])
	}
	return b.String()
}

// step returns what a report says of a step.
func step(t *testing.T, r check.Report, name string) check.Step {
	t.Helper()
	at := slices.IndexFunc(r.Checks, func(s check.Step) bool { return s.Name == name })
	if at < 0 {
		t.Fatalf("got no step %s in %+v", name, r)
	}
	return r.Checks[at]
}

// counted starts an upstream that counts its calls, and does not log what becomes of them.
func counted(t *testing.T, handler http.Handler) (address string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		handler.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, calls
}

// editing is the demo upstream with each item edited, as encoding/json reads it.
func editing(edit func(number int, item map[string]any)) http.Handler {
	list := demo.New(demo.Options{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		list.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		var page map[string]any
		if json.Unmarshal(body, &page) == nil && page["items"] != nil {
			for i, item := range page["items"].([]any) {
				edit(i, item.(map[string]any))
			}
			body, _ = json.Marshal(page) // of what was just read
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
	})
}

func renamed(object any, from, to string) {
	if object, ok := object.(map[string]any); ok {
		object[to] = object[from]
		delete(object, from)
	}
}

// only is the demo upstream for callers with one of two headers.
func only(header string) http.Handler {
	list := demo.New(demo.Options{})
	other := map[string]string{"Authorization": "X-Api-Key", "X-Api-Key": "Authorization"}[header]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(header) == "" || r.Header.Get(other) != "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		list.ServeHTTP(w, r)
	})
}

// wantSafe checks that nothing of what is kept from everybody is in what a check says.
func (c result) wantSafe(t *testing.T, address string) {
	t.Helper()
	said := c.stdout + c.stderr
	for _, secret := range []string{checkSecret, faulty.Secret, address, strings.TrimPrefix(address, "http://")} {
		if secret != "" && strings.Contains(said, secret) {
			t.Errorf("got %s in %s", secret, said)
		}
	}
}

// TestCheck_upstream has all sorts of upstreams: each is called as often as it should be, and what is wrong with it is named, in the
// right step, with what to do.
func TestCheck_upstream(t *testing.T) {
	t.Parallel()
	healthy := demo.New(demo.Options{})
	token, key := "--token="+checkSecret, "--api-key="+checkSecret
	for name, test := range map[string]struct {
		upstream http.Handler
		path     string   // in place of the API's
		args     []string // nil for the token
		want     string   // the statuses of settings, reachability, tls, http, credential and contract
		step     string   // that says so
		says     []string // each in the message or a difference
		calls    int64    // 0 for one
	}{
		"all right":      {healthy, "", nil, "oo-ooo", check.StepContract, []string{"what API version 2025-10-28 promises (items compared: 100)"}, 0},
		"by key":         {healthy, "", []string{key}, "oo-ooo", check.StepCredential, []string{"takes it as X-API-Key"}, 0},
		"by both":        {healthy, "", []string{token, key}, "oo-ooo", check.StepCredential, []string{"takes it as both, a bearer token and X-API-Key"}, 0},
		"no credential":  {healthy, "", []string{}, "oo-o--", check.StepCredential, []string{"none is given", "401", "--token or --api-key"}, 0},
		"and none asked": {editing(func(int, map[string]any) {}), "", []string{}, "oo-o--", check.StepContract, []string{"give --token or --api-key"}, 0},
		"none needed": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer anybody")
			healthy.ServeHTTP(w, r)
		}), "", []string{}, "oo-owo", check.StepCredential, []string{"answers without a credential"}, 0},
		"403 to no credential": {status(403), "", []string{}, "oo-of-", check.StepCredential, []string{"403 to a call without a credential"}, 0},
		"an empty list":        {demo.New(demo.Options{Items: -1}), "", nil, "oo-oow", check.StepContract, []string{"the list is empty"}, 0},

		"a path without the version": {healthy, "/api", nil, "oo-f--", check.StepHTTP, []string{"status 404", "--upstream-url", "/api/v1"}, 0},
		"a web page": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<!DOCTYPE html><title>"+faulty.Secret+"</title>")
		}), "", nil, "oo-f--", check.StepHTTP, []string{"not JSON", "web page", "--upstream-url", "/api/v1"}, 0},
		"JSON of something else": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"status":"ok"}`)
		}), "", nil, "oo-oof", check.StepContract, []string{"--upstream-url", "/api/v1", "missing items (a list; 1 of 1)", "unknown status"}, 0},
		"a list": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `[]`)
		}), "", nil, "oo-oof", check.StepContract, []string{"--upstream-url", "changed . (should be an object, is array; 1 of 1)"}, 0},

		"a wrong token": {healthy, "", []string{"--token=invalid-" + checkSecret}, "oo-of-", check.StepCredential, []string{
			"refuses it as a bearer token (status 401), and as X-API-Key", "expired nor revoked",
		}, 2},
		"a wrong key": {healthy, "", []string{"--api-key=invalid-" + checkSecret}, "oo-of-", check.StepCredential, []string{
			"refuses it as X-API-Key (status 401), and as a bearer token", "expired nor revoked",
		}, 2},
		"both wrong": {healthy, "", []string{"--token=invalid-" + checkSecret, "--api-key=invalid"}, "oo-of-", check.StepCredential, []string{
			"refuses it as both", "(status 401), and as a bearer token alone, and as X-API-Key alone:", "expired nor revoked",
		}, 3},
		"a key as token": {only("X-Api-Key"), "", nil, "oo-of-", check.StepCredential, []string{
			"refuses it as a bearer token (status 401), and takes the same secret as X-API-Key: give it as --api-key", "X-API-Key",
		}, 2},
		"a token as key": {only("Authorization"), "", []string{key}, "oo-of-", check.StepCredential, []string{
			"refuses it as X-API-Key (status 401), and takes the same secret as a bearer token: give it as --token",
		}, 2},
		"one of both": {only("X-Api-Key"), "", []string{token, key}, "oo-of-", check.StepCredential, []string{
			"and as a bearer token alone, and takes the same secret as X-API-Key alone: give it as --api-key",
		}, 3},
		"refused, and then too often": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(map[bool]int{true: 401, false: 429}[r.Header.Get("X-Api-Key") == ""])
		}), "", nil, "oo-of-", check.StepCredential, []string{"(status 401), and answers with status 429 to X-API-Key"}, 2},
		"refused, and then gone": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Api-Key") != "" {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(http.StatusUnauthorized)
		}), "", nil, "oo-of-", check.StepCredential, []string{"(status 401), and has no answer to X-API-Key"}, 2},

		"another API version": {healthy, "", []string{token, "--api-version=2026-06-23"}, "oo-oof", check.StepContract, []string{
			"flat shape of another API version", "--api-version (now 2026-06-23) is to be 2025-10-28", "X-Phala-Version",
			"changed items[] (should be an item of API version 2025-10-28, is flat shape of another one; 100 of 100)",
		}, 0},
		"an API version that there is not": {healthy, "", []string{token, "--api-version=2020-01-01"}, "oo-o-f", check.StepContract, []string{
			"status 400", "API version 2020-01-01 (--api-version)",
		}, 0},
		"a promised key has another name": {
			editing(func(_ int, item map[string]any) { renamed(item["hosted"], "uptime", "up_time") }), "", nil, "oo-oof",
			check.StepContract,
			[]string{"(keys missing: 1, of another type: 0, unknown: 1)", "newer cvmgraph", "missing items[].hosted.uptime (a string; renamed to up_time?; ", "unknown items[].hosted.up_time (string; "},
			0,
		},
		"another key has": {
			editing(func(_ int, item map[string]any) { renamed(item, "memory", "memory_mb") }), "", nil, "oo-oof",
			check.StepContract,
			[]string{"(keys missing: 1, of another type: 0, unknown: 1)", "missing items[].memory (an integer of 32 bits; renamed to memory_mb?; 100 of 100)"},
			0,
		},
		"a key of another type": {editing(func(i int, item map[string]any) {
			if i < 7 {
				item["name"] = []any{item["name"]}
			}
		}), "", nil, "oo-oof", check.StepContract, []string{"(keys missing: 0, of another type: 1, unknown: 0)", "changed items[].name (should be a string, is array; 7 of 100)"}, 0},
		"a new key": {
			editing(func(_ int, item map[string]any) { item["updated_at"] = faulty.Secret }), "", nil, "oo-oow",
			check.StepContract,
			[]string{"and more (keys unknown: 1), which is left out", "unknown items[].updated_at (string; 100 of 100)"},
			0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, calls := counted(t, test.upstream)
			base := address + demo.BasePath
			if test.path != "" {
				base = address + test.path
			}
			args := append([]string{"--upstream-url=" + base}, test.args...)
			if test.args == nil {
				args = append(args, token)
			}
			wantCode := exitOK
			if strings.Contains(test.want, "f") {
				wantCode = exitFailure
			}

			asJSON := runCheck(t, nil, args...)
			report := asJSON.report(t)
			if got := calls.Swap(0); got != max(test.calls, 1) || got > 3 {
				t.Errorf("got %d calls, want %d", got, max(test.calls, 1))
			}
			if got := statuses(report); got != test.want+"---" || asJSON.code != wantCode || report.OK != (wantCode == exitOK) {
				t.Errorf("got %s, code %d and ok %t, want %s---, code %d: %s", got, asJSON.code, report.OK, test.want, wantCode, asJSON.stdout)
			}
			told := step(t, report, test.step)
			said := told.Message
			for _, d := range told.Differences {
				said += "\n" + d.String()
			}
			asText := runCheck(t, nil, append(args, "--log-format=text")...)
			for _, says := range test.says {
				if !strings.Contains(said, says) {
					t.Errorf("got %q of %s, want %q in it", said, test.step, says)
				}
				if !strings.Contains(asText.stdout, says) {
					t.Errorf("got\n%s\nwant %q in it", asText.stdout, says)
				}
			}
			if asText.code != wantCode || strings.Contains(asText.stdout, "FAILED") != (wantCode != exitOK) || asText.stderr != "" {
				t.Errorf("got code %d, %s and %s, want code %d", asText.code, asText.stdout, asText.stderr, wantCode)
			}
			asJSON.wantSafe(t, address)
			asText.wantSafe(t, address)
		})
	}
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, faulty.Secret)
	})
}

// TestCheck_faults has faults that the gateway would ask again after, which a check does not.
func TestCheck_faults(t *testing.T) {
	t.Parallel()
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.invalid")
	address, _ := counted(t, upstream)
	for fault, test := range map[string]struct {
		want string // as above
		step string
		says string
	}{
		"403":            {"oo-of-", check.StepCredential, "does not allow it"},
		"403-html":       {"oo-of-", check.StepCredential, "(status 403)"},
		"422-blaming":    {"oo-o-f", check.StepContract, "status 422"},
		"301-elsewhere":  {"oo-f--", check.StepHTTP, "status 301: it redirects, which is not followed"},
		"404":            {"oo-f--", check.StepHTTP, "/api/v1"},
		"407":            {"oo-f--", check.StepHTTP, "a proxy wants to know"},
		"418":            {"oo-f--", check.StepHTTP, "status 418: that is not what the API answers"},
		"429":            {"oo-f--", check.StepHTTP, "status 429: it is called too often; try again later"},
		"429-after-7":    {"oo-f--", check.StepHTTP, "try again in 7s"},
		"502-html":       {"oo-f--", check.StepHTTP, "status 502: it fails, or what stands in front of it does"},
		"204":            {"oo-f--", check.StepHTTP, "status 204"},
		"empty":          {"oo-f--", check.StepHTTP, "a body that is empty, or ends too soon (truncated): does something in the way cut it?"},
		"html":           {"oo-f--", check.StepHTTP, "something else than a JSON document, such as a web page (not JSON): --upstream-url"},
		"half-json":      {"oo-f--", check.StepHTTP, "ends too soon (truncated)"},
		"truncated":      {"oo-f--", check.StepHTTP, "ends too soon (truncated)"},
		"flood":          {"oo-f--", check.StepHTTP, "a body of more than 16 MiB (too large): --upstream-url"},
		"deep-lists":     {"oo-f--", check.StepHTTP, "nests deeper than a page does (nested too deeply): --upstream-url"},
		"wrong-checksum": {"oo-f--", check.StepHTTP, "a body whose compression is broken (broken compression): does something in the way change it?"},
		"reset":          {"oo-f--", check.StepHTTP, "the connection ended without an answer"},
		"closed":         {"oo-f--", check.StepHTTP, "the connection ended without an answer"},
		"not-http":       {"oo-f--", check.StepHTTP, "the connection ended without an answer"},
		"hang":           {"oo-f--", check.StepHTTP, "does not answer within 1s: raise --upstream-timeout"},
		"hang-in-body":   {"oo-f--", check.StepHTTP, "does not answer within 1s: raise --upstream-timeout"},
		"flat-shape":     {"oo-oof", check.StepContract, "flat shape of another API version"},
		"no-total":       {"oo-oof", check.StepContract, "missing total (an integer of 64 bits; 1 of 1)"},
		"text-in-items":  {"oo-oof", check.StepContract, "changed items[] (should be an object, is string; 1 of 100)"},
		"wrong-types":    {"oo-oof", check.StepContract, "changed items[].vcpu (should be an integer of 32 bits, is string; 1 of 100)"},
		"unknown-keys":   {"oo-oow", check.StepContract, "unknown items[].new (object; 1 of 100)"},
		"another-page":   {"oo-oof", check.StepContract, "refuses the page: another page than requested"},
		"short":          {"oo-oof", check.StepContract, "refuses the page: fewer items than its total implies"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			token := upstream.Token(fault, faulty.Always, "check")
			timeout := "--upstream-timeout=1m"
			if strings.HasPrefix(fault, "hang") {
				timeout = "--upstream-timeout=1s"
			}
			got := runCheck(t, nil, "--upstream-url="+address+demo.BasePath, "--token="+token, timeout)
			report := got.report(t)
			said := step(t, report, test.step).Message
			for _, d := range step(t, report, test.step).Differences {
				said += "\n" + d.String()
			}
			if statuses(report) != test.want+"---" || !strings.Contains(said, test.says) {
				t.Errorf("got %s, and %q of %s, want %s--- and %q", statuses(report), said, test.step, test.want, test.says)
			}
			if calls := upstream.Calls(token); calls != 1 {
				t.Errorf("got %d calls, want one", calls)
			}
			got.wantSafe(t, address)
		})
	}
}

// TestCheck_unreachableUpstream has addresses where there is none.
func TestCheck_unreachableUpstream(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	plain, _ := counted(t, demo.New(demo.Options{}))
	secured := httptest.NewUnstartedServer(demo.New(demo.Options{}))
	secured.Config.ErrorLog = log.New(io.Discard, "", 0)
	secured.StartTLS()
	t.Cleanup(secured.Close)
	for name, test := range map[string]struct {
		url  string
		want string
		step string
		says string
	}{
		"a host that there is not":   {"https://no-such-host.invalid/api/v1", "of----", check.StepReachability, "cannot be resolved"},
		"a port where nobody is":     {"http://127.0.0.1:1/api/v1", "of----", check.StepReachability, "refused: nobody listens"},
		"a port that says nothing":   {"https://" + silent.Addr().String(), "oof---", check.StepTLS, "the handshake did not end in time"},
		"https:// without TLS":       {strings.Replace(plain, "http:", "https:", 1), "oof---", check.StepTLS, "does not speak TLS there"},
		"http:// where there is TLS": {strings.Replace(secured.URL, "https:", "http:", 1), "oo-o-f", check.StepContract, "is --upstream-url https:// where it speaks TLS?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runCheck(t, nil, "--token="+checkSecret, "--upstream-url="+test.url, "--upstream-timeout=2s")
			report := got.report(t)
			if said := step(t, report, test.step).Message; statuses(report) != test.want+"---" || !strings.Contains(said, test.says) || got.code != exitFailure {
				t.Errorf("got %s, code %d and %q, want %s---, code 1 and %q", statuses(report), got.code, said, test.want, test.says)
			}
			u, err := url.Parse(test.url)
			if err != nil {
				t.Fatal(err)
			}
			got.wantSafe(t, u.Host)
		})
	}
}

// securedDemo serves the demo upstream with a certificate, and returns its port.
func securedDemo(t *testing.T, cert, key string) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(demo.New(demo.Options{}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestCheck_upstreamCertificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		from, until time.Time
		host        string
		trusted     bool
		want        string
		says        string
	}{
		"of an unknown authority": {now.Add(-time.Hour), now.Add(time.Hour), "localhost", false, "oof---", "signed by an unknown authority: trust a private one by a file of its certificates, which SSL_CERT_FILE names"},
		"expired":                 {now.AddDate(0, 0, -9), now.AddDate(0, 0, -2), "localhost", true, "oof---", "has expired on " + now.AddDate(0, 0, -2).UTC().Format(time.DateOnly)},
		"not valid yet":           {now.AddDate(0, 0, 2), now.AddDate(0, 0, 9), "localhost", true, "oof---", "is not valid before " + now.AddDate(0, 0, 2).UTC().Format(time.DateOnly)},
		"of another host":         {now.Add(-time.Hour), now.Add(time.Hour), "127.0.0.1", true, "oof---", "is for another host name"},
		"all right":               {now.Add(-time.Hour), now.Add(8*24*time.Hour + time.Hour), "localhost", true, "oooooo", "is trusted, and valid until " + now.Add(8*24*time.Hour+time.Hour).UTC().Format(time.DateOnly) + ", for 8 days"},
		"ends soon":               {now.Add(-time.Hour), now.Add(36 * time.Hour), "localhost", true, "oowooo", "is trusted, and valid until " + now.Add(36*time.Hour).UTC().Format(time.DateOnly) + " only, for a day: who runs it has to renew it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, key, _ := selfSignedFor(t, test.from, test.until)
			address := net.JoinHostPort(test.host, securedDemo(t, cert, key))
			var environ []string
			if test.trusted {
				environ = append(environ, "SSL_CERT_FILE="+cert)
			}
			got := runCheck(t, environ, "--token="+checkSecret, "--upstream-url=https://"+address+demo.BasePath)
			report := got.report(t)
			if said := step(t, report, check.StepTLS).Message; statuses(report) != test.want+"---" || !strings.Contains(said, test.says) || (got.code == exitOK) != report.OK {
				t.Errorf("got %s, code %d and %q, want %s--- and %q", statuses(report), got.code, said, test.want, test.says)
			}
			got.wantSafe(t, address)
		})
	}
}

// TestCheck_noCertificateAuthorities has nothing to trust by, because SSL_CERT_FILE is no file.
func TestCheck_noCertificateAuthorities(t *testing.T) {
	t.Parallel()
	cert, key, _ := selfSignedFor(t, time.Now().Add(-time.Hour), time.Now().AddDate(0, 1, 0))
	directory := t.TempDir()
	got := runCheck(t, []string{"SSL_CERT_FILE=" + directory, "SSL_CERT_DIR=" + t.TempDir()}, "--token="+checkSecret, "--upstream-url=https://localhost:"+securedDemo(t, cert, key)+demo.BasePath)
	report := got.report(t)
	want := "there are no authorities to trust: SSL_CERT_FILE is to name a file"
	if said := step(t, report, check.StepTLS).Message; statuses(report) != "oof------" || !strings.Contains(said, want) {
		t.Errorf("got %s and %q, want oof------ and %q", statuses(report), said, want)
	}
	got.wantSafe(t, directory)
}

func TestCheck_ownCertificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		from, until time.Time
		want        check.Status
		says        string
	}{
		"all right":     {now, now.AddDate(0, 0, 30).Add(time.Hour), check.OK, "for 30 days"},
		"ends soon":     {now, now.AddDate(0, 0, 6).Add(time.Hour), check.Warning, "only, for 6 days: renew it"},
		"ends today":    {now, now.Add(time.Hour), check.Warning, "for less than a day"},
		"expired":       {now.AddDate(0, 0, -30), now.Add(-time.Hour), check.Failed, "has expired on " + now.Add(-time.Hour).UTC().Format(time.DateOnly)},
		"not valid yet": {now.AddDate(0, 0, 3), now.AddDate(0, 0, 30), check.Failed, "is not valid before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, key, _ := selfSignedFor(t, test.from, test.until)
			got := runCheck(t, nil, "--demo", "--tls-cert", cert, "--tls-key", key)
			own := step(t, got.report(t), check.StepCertificate)
			if own.Status != test.want || !strings.Contains(own.Message, test.says) || (got.code == exitFailure) != (test.want == check.Failed) {
				t.Errorf("got code %d and %+v, want %s and %q", got.code, own, test.want, test.says)
			}
			if strings.Contains(got.stdout, cert) {
				t.Errorf("got the file in %s", got.stdout)
			}
		})
	}
}

func TestCheck_redis(t *testing.T) {
	t.Parallel()
	redis := startRedis(t, "--requirepass", checkSecret)
	alone, _ := counted(t, demo.New(demo.Options{}))
	for name, test := range map[string]struct {
		url  string
		want check.Status
		says string
	}{
		"all right":        {"redis://:" + checkSecret + "@127.0.0.1:" + redis.port, check.OK, "it takes a sealed value and returns it, in "},
		"down":             {"redis://:" + checkSecret + "@127.0.0.1:1", check.Failed, "connection refused: are host, port and password in --redis-url right, is it running"},
		"a wrong password": {"redis://:" + checkSecret + "x@127.0.0.1:" + redis.port, check.Failed, "the server refuses with WRONGPASS: user and password in --redis-url are not right"},
		"no password":      {"redis://127.0.0.1:" + redis.port, check.Failed, "the server refuses with NOAUTH: it wants a password"},
		"no Redis":         {"redis://" + strings.TrimPrefix(alone, "http://"), check.Failed, "the server does not respond like Redis: are host, port"},
		"two servers":      {"redis://127.0.0.1:" + redis.port + "?addr=127.0.0.1:1", check.Failed, "one server"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The first connection may find a Redis that has only just been started.
			var got result
			var redis check.Step
			tick := time.Tick(50 * time.Millisecond)
			for begun := time.Now(); time.Since(begun) < 20*time.Second; <-tick {
				got = runCheck(t, nil, "--demo", "--redis-url="+test.url, "--shared-key="+testKey)
				redis = step(t, got.report(t), check.StepRedis)
				if strings.Contains(redis.Message, test.says) {
					break
				}
			}
			slow := test.want == check.OK && redis.Status == check.Warning && !testmode.QuietMachine() // on a machine that is busy otherwise
			if redis.Status != test.want && !slow || !strings.Contains(redis.Message, test.says) && !slow || (got.code == exitFailure) != (test.want == check.Failed) {
				t.Errorf("got code %d and %+v, want %s and %q", got.code, redis, test.want, test.says)
			}
			if got := statuses(got.report(t)); !strings.HasPrefix(got, "oo-ooo--") {
				t.Errorf("got %s, want the rest to be all right", got)
			}
			got.wantSafe(t, strings.TrimPrefix(test.url, "redis://"))
		})
	}
}

// TestCheck_redisRefuses has two Redis that refuse, and servers that refuse with the other words of one.
func TestCheck_redisRefuses(t *testing.T) {
	t.Parallel()
	const (
		primary = "it is a replica, --redis-url is to name the primary"
		single  = "--redis-url is to name one Redis that is no cluster"
	)
	for name, test := range map[string]struct {
		port string
		code string
		says string
	}{
		"a cluster":                    {startRedis(t, "--cluster-enabled", "yes").port, "CLUSTERDOWN", single},
		"a replica without a primary":  {startRedis(t, "--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "no").port, "MASTERDOWN", primary},
		"another part of a cluster":    {refusingRedis(t, "MOVED 3999 "+faulty.Secret+":6381"), "MOVED", single},
		"a part of one that moves":     {refusingRedis(t, "ASK 3999 "+faulty.Secret+":6381"), "ASK", single},
		"keys of several parts":        {refusingRedis(t, "CROSSSLOT "+faulty.Secret), "CROSSSLOT", single},
		"a replica":                    {refusingRedis(t, "READONLY "+faulty.Secret), "READONLY", primary},
		"one that has just been begun": {refusingRedis(t, "LOADING "+faulty.Secret), "LOADING", "it has only just started, try again"},
		"a word that nobody knows":     {refusingRedis(t, "MISCONF "+faulty.Secret), "MISCONF", "its log may say why"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got result
			var redis check.Step
			want := "the server refuses with " + test.code + ": " + test.says
			tick := time.Tick(50 * time.Millisecond) // for a Redis that has only just been started
			for begun := time.Now(); time.Since(begun) < 20*time.Second; <-tick {
				got = runCheck(t, nil, "--demo", "--redis-url=redis://127.0.0.1:"+test.port, "--shared-key="+testKey)
				if redis = step(t, got.report(t), check.StepRedis); redis.Message == want {
					break
				}
			}
			if redis.Status != check.Failed || redis.Message != want || got.code != exitFailure {
				t.Errorf("got code %d and %+v, want %q", got.code, redis, want)
			}
			got.wantSafe(t, "127.0.0.1:"+test.port)
		})
	}
}

// refusingRedis answers each command with an error, and returns its port.
func refusingRedis(t *testing.T, refusal string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if strings.HasPrefix(lines.Text(), "*") { // how many words a command has
						_, _ = io.WriteString(conn, "-"+refusal+"\r\n")
					}
				}
			}()
		}
	}()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestCheck_settings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, environ []string
		code          int
		stdout        string // in it
		stderr        string
	}{
		"a demo":                  {[]string{"--demo"}, nil, exitOK, `{"ok":true,"checks":[{"name":"settings","status":"ok","message":"all are valid"},`, ""},
		"a demo with a token":     {[]string{"--demo", "--token=invalid"}, nil, exitFailure, `{"name":"credential","status":"failed",`, ""},
		"trusted documents":       {[]string{"--demo", "--trusted-documents=internal/config/testdata/documents/relay-md5.json", "--trusted-documents-mode=log"}, nil, exitOK, `{"name":"trusted_documents","status":"ok","message":"all can be read (2), and --trusted-documents-mode is log"}`, ""},
		"a variable that is none": {[]string{"--demo"}, []string{"CVMGRAPH_TOKENS=" + checkSecret}, exitOK, `{"name":"settings","status":"warning","message":"unknown environment variable CVMGRAPH_TOKENS, did you mean CVMGRAPH_TOKEN?"}`, "CVMGRAPH_TOKENS"},
		"what is wrong":           {[]string{"--demo", "--token=Bearer " + checkSecret, "--max-first=0"}, nil, exitUsage, "", "--max-first (CVMGRAPH_MAX_FIRST): must be a whole number from 1 to 10000, not \"0\"\n--token (CVMGRAPH_TOKEN): must be the token alone"},
		"a demo by variables":     {nil, []string{"CVMGRAPH_DEMO=true", "CVMGRAPH_API_KEY=" + checkSecret}, exitOK, `takes it as X-API-Key`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runCheck(t, test.environ, test.args...)
			if got.code != test.code || !strings.Contains(got.stdout, test.stdout) || !strings.Contains(got.stderr, test.stderr) || test.stderr == "" && got.stderr != "" {
				t.Errorf("got code %d, %s and %s, want code %d, %s and %s", got.code, got.stdout, got.stderr, test.code, test.stdout, test.stderr)
			}
			if test.code == exitUsage && got.stdout != "" {
				t.Errorf("got %s, want no report", got.stdout)
			}
			got.wantSafe(t, "")
		})
	}
	if got := run(t, nil, "serve", "--demo", "--token="+checkSecret); got.code != exitUsage || !strings.Contains(got.stderr, "is for cvmgraph check alone") {
		t.Errorf("serve with a token: got code %d and %s, want code 2 and why", got.code, got.stderr)
	}
}

// TestCheck_interrupted interrupts checks that wait for an upstream.
func TestCheck_interrupted(t *testing.T) {
	t.Parallel()
	for name, refusals := range map[string]int64{"at its first call": 0, "at its second": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var calls atomic.Int64
			address, _ := counted(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) <= refusals {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				cancel()
				<-r.Context().Done()
			}))
			begun := time.Now()
			got := runUntil(ctx, t, nil, "check", "--upstream-url="+address, "--token="+checkSecret, "--upstream-timeout=1m", "--redis-url=redis://127.0.0.1:1", "--shared-key="+testKey)
			report := got.report(t)
			if took := time.Since(begun); got.code != exitFailure || took > 30*time.Second || strings.Count(got.stdout, "the check was interrupted") != 2 ||
				step(t, report, check.StepRedis).Status != check.Skipped {
				t.Errorf("got code %d and %s after %v, want code 1, two steps that were interrupted, and soon", got.code, got.stdout, took)
			}
		})
	}
}

// TestContractMonitor_livePages serves the pages of an upstream that has changed.
func TestContractMonitor_livePages(t *testing.T) {
	t.Parallel()
	address, _ := counted(t, editing(func(_ int, item map[string]any) {
		renamed(item, "name", "title")
		item["vcpu"] = "two"
	}))
	p := start(t, "--upstream-url", address+demo.BasePath, "--admin-listen=127.0.0.1:0", "--cache-ttl=0")
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			got, err := p.query(t.Context(), fmt.Sprintf(`{ cvms(first: %d) { nodes { id name status } } }`, i+1), checkSecret)
			if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"nodes":[{`) {
				t.Errorf("got %.200s, %v, want data", got, err)
			}
		})
	}
	group.Wait()
	metrics := p.waitForMetrics(t,
		`cvmgraph_upstream_contract_checks_total 1`, `cvmgraph_upstream_contract_differences{kind="missing"} 1`,
		`cvmgraph_upstream_contract_differences{kind="changed"} 1`, `cvmgraph_upstream_contract_differences{kind="unknown"} 1`)
	if strings.Contains(metrics, "title") {
		t.Error("got the upstream's words in the metrics")
	}
	log := p.logged()
	if strings.Count(log, "differ from the API contract") != 1 || !strings.Contains(log, "missing items[].name (a string; renamed to title?; ") ||
		!strings.Contains(log, "changed items[].vcpu (should be an integer of 32 bits, is string; ") {
		t.Errorf("got %s, want one line that names the differences", log)
	}
	if status, got := fetch(t, http.MethodGet, p.url+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: got %d and %s, want 200", status, got)
	}
}
