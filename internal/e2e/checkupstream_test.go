package e2e_test

import (
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cvmgraph/internal/check"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
	"cvmgraph/restclient"
)

// editedDemo is the demo upstream with edited items.
func editedDemo(edit func(number int, item map[string]any)) http.Handler {
	list := demo.New(demo.Options{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		list.ServeHTTP(recorder, r)
		body := recorder.Body.Bytes()
		var page map[string]any
		if json.Unmarshal(body, &page) == nil && page["items"] != nil {
			for i, item := range page["items"].([]any) {
				edit(i, item.(map[string]any))
			}
			body, _ = json.Marshal(page) // which has just been decoded
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(body)
	})
}

// renameKey renames a key of an object, and leaves other values unchanged.
func renameKey(object any, from, to string) {
	if object, ok := object.(map[string]any); ok {
		object[to] = object[from]
		delete(object, from)
	}
}

// demoFor is the demo upstream for requests with only one of the two credential headers.
func demoFor(header string) http.Handler {
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

// checkCase is a check of an upstream.
type checkCase struct {
	upstream http.Handler // the demo upstream if nil
	path     string       // instead of the API's
	args     []string     // if nil, the credential is a token
	calls    int64        // expected calls, 5 if 0 and versions are tried, otherwise 1
	// want are the statuses of the steps from settings to versions.
	want string
	// step is a step whose message or differences contain each of says.
	step string
	says []string
}

// run runs the check with both formats of the report.
func (c checkCase) run(t *testing.T) {
	t.Helper()
	if c.upstream == nil {
		c.upstream = demo.New(demo.Options{})
	}
	if c.path == "" {
		c.path = demo.BasePath
	}
	if c.args == nil {
		c.args = []string{"--token=" + checkSecret}
	}
	address, calls := countingServer(t, c.upstream)
	args := append([]string{"--upstream-url=" + address + c.path}, c.args...)
	wantCode := exitOK
	if strings.Contains(c.want, "f") {
		wantCode = exitFailure
	}

	asJSON := runCheck(t, nil, args...)
	report := asJSON.report(t)
	if c.calls == 0 && !strings.HasSuffix(c.want, "-") {
		c.calls = int64(len(restclient.KnownVersions()) + 1)
	}
	if got := calls.Swap(0); got != max(c.calls, 1) || got > 7 {
		t.Errorf("got %d calls, want %d", got, max(c.calls, 1))
	}
	if got := statuses(report); got != c.want+"---" || asJSON.code != wantCode || report.OK != (wantCode == exitOK) {
		t.Errorf("got %s, code %d and ok %t, want %s---, code %d: %s", got, asJSON.code, report.OK, c.want, wantCode, asJSON.stdout)
	}
	message := messages(step(t, report, c.step))
	asText := runCheck(t, nil, append(args, "--log-format=text")...)
	for _, says := range c.says {
		if !strings.Contains(message, says) {
			t.Errorf("got %q of %s, want %q in it", message, c.step, says)
		}
		if !strings.Contains(asText.stdout, says) {
			t.Errorf("got\n%s\nwant %q in it", asText.stdout, says)
		}
	}
	if asText.code != wantCode || strings.Contains(asText.stdout, "FAILED") != (wantCode != exitOK) || asText.stderr != "" {
		t.Errorf("got code %d, %s and %s, want code %d", asText.code, asText.stdout, asText.stderr, wantCode)
	}
	asJSON.checkOutput(t, address)
	asText.checkOutput(t, address)
}

func TestCheck_upstreamURL(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]checkCase{
		"valid": {
			want: "oo-oooo", step: check.StepContract,
			says: []string{"matches API version 2025-10-28 (items compared: 100)"},
		},
		"without the path's version": {
			path: "/api",
			want: "oo-f--w", step: check.StepHTTP, says: []string{"status 404", "--upstream-url", "/api/v1"},
		},
		"of a web page": {
			upstream: bodyHandler("<!DOCTYPE html><title>" + faulty.Secret + "</title>"),
			want:     "oo-f---", step: check.StepHTTP,
			says: []string{"not JSON", "web page", "--upstream-url", "/api/v1"},
		},
		"of another JSON object": {
			upstream: bodyHandler(`{"status":"ok"}`),
			want:     "oo-oofw", step: check.StepContract,
			says: []string{"--upstream-url", "/api/v1", "missing items (a list; 1 of 1)", "unknown status"},
		},
		"of a JSON list": {
			upstream: bodyHandler(`[]`),
			want:     "oo-oofw", step: check.StepContract,
			says: []string{"--upstream-url", "/api/v1", "changed . (should be an object, is array; 1 of 1)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

func TestCheck_contract(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]checkCase{
		"an empty list": {
			upstream: demo.New(demo.Options{Items: -1}),
			want:     "oo-oowo", step: check.StepContract, says: []string{"the list is empty"},
		},
		"another API version": {
			upstream: atVersion("2026-06-23"),
			want:     "oo-oofw", step: check.StepContract,
			says: []string{
				"the items have the format of another API version than 2025-10-28 (--api-version)", "X-Phala-Version",
				"changed items[] (should be an item of API version 2025-10-28, is an item of another version; 100 of 100)",
			},
		},
		"an unknown API version": {
			args: []string{"--token=" + checkSecret, "--api-version=2020-01-01"}, calls: 6,
			want: "wo-o-fw", step: check.StepContract,
			says: []string{"the upstream refuses API version 2020-01-01 (status 400): set another --api-version"},
		},
		"a renamed key": {
			upstream: editedDemo(func(_ int, item map[string]any) { renameKey(item["hosted"], "uptime", "up_time") }),
			want:     "oo-oofw", step: check.StepContract,
			says: []string{
				"(keys missing: 1, of another type: 0, unknown: 1)", "update cvmgraph",
				"missing items[].hosted.uptime (a string; renamed to up_time?; ", "unknown items[].hosted.up_time (string; ",
			},
		},
		"another renamed key": {
			upstream: editedDemo(func(_ int, item map[string]any) { renameKey(item, "memory", "memory_mb") }),
			want:     "oo-oofw", step: check.StepContract,
			says: []string{
				"(keys missing: 1, of another type: 0, unknown: 1)",
				"missing items[].memory (an integer of 32 bits; renamed to memory_mb?; 100 of 100)",
			},
		},
		"a key with another type": {
			upstream: editedDemo(func(i int, item map[string]any) {
				if i < 7 {
					item["name"] = []any{item["name"]}
				}
			}),
			want: "oo-oofw", step: check.StepContract,
			says: []string{
				"(keys missing: 0, of another type: 1, unknown: 0)",
				"changed items[].name (should be a string, is array; 7 of 100)",
			},
		},
		"a new key": {
			upstream: editedDemo(func(_ int, item map[string]any) { item["updated_at"] = faulty.Secret }),
			want:     "oo-oowo", step: check.StepContract,
			says: []string{
				"and others (keys unknown: 1), which are left out", "unknown items[].updated_at (string; 100 of 100)",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// TestCheck_faults has faults after which the gateway would try again. The check does not.
func TestCheck_faults(t *testing.T) {
	t.Parallel()
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.invalid")
	address, _ := countingServer(t, upstream)
	for fault, test := range faultyChecks {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			token := upstream.Token(fault, faulty.Always, "check")
			timeout := "--upstream-timeout=1m"
			if strings.HasPrefix(fault, "hang") {
				timeout = "--upstream-timeout=1s"
			}
			got := runCheck(t, nil, "--upstream-url="+address+demo.BasePath, "--token="+token, timeout)
			report := got.report(t)
			message := messages(step(t, report, test.step))
			if statuses(report) != test.want+"---" || !strings.Contains(message, test.says) {
				t.Errorf("got %s, and %q of %s, want %s--- and %q", statuses(report), message, test.step, test.want, test.says)
			}
			want := 1
			if !strings.HasSuffix(test.want, "-") { // the versions were tried
				want = len(restclient.KnownVersions()) + 1
			}
			if calls := upstream.Calls(token); calls != want {
				t.Errorf("got %d calls, want %d", calls, want)
			}
			got.checkOutput(t, address)
		})
	}
}

// unreachable is an address without an upstream, and the expected report; see checkCase.
type unreachable struct{ url, want, step, says string }

func TestCheck_unreachableUpstream(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and sends nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	plain, _ := countingServer(t, demo.New(demo.Options{}))
	secured := httptest.NewUnstartedServer(demo.New(demo.Options{}))
	secured.Config.ErrorLog = log.New(io.Discard, "", 0)
	secured.StartTLS()
	t.Cleanup(secured.Close)
	for name, test := range map[string]unreachable{
		"an unknown host": {
			url:  "https://no-such-host.invalid/api/v1",
			want: "of-----", step: check.StepReachability, says: "cannot resolve the host of --upstream-url",
		},
		"a closed port": {
			url:  "http://127.0.0.1:1/api/v1",
			want: "of-----", step: check.StepReachability, says: "connection refused: nothing listens",
		},
		"a silent port": {
			url:  "https://" + silent.Addr().String(),
			want: "oof----", step: check.StepTLS, says: "the TLS handshake did not finish in time",
		},
		"https:// without TLS": {
			url:  strings.Replace(plain, "http:", "https:", 1),
			want: "oof----", step: check.StepTLS, says: "does not use TLS on this port",
		},
		"http:// with TLS": {
			url:  strings.Replace(secured.URL, "https:", "http:", 1),
			want: "oo-o-f-", step: check.StepContract, says: "--upstream-url is https:// if it uses TLS",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runCheck(t, nil, "--token="+checkSecret, "--upstream-url="+test.url, "--upstream-timeout=2s")
			report := got.report(t)
			message := step(t, report, test.step).Message
			if statuses(report) != test.want+"---" || !strings.Contains(message, test.says) || got.code != exitFailure {
				t.Errorf("got %s, code %d and %q, want %s---, code 1 and %q", statuses(report), got.code, message, test.want, test.says)
			}
			u, err := url.Parse(test.url)
			if err != nil {
				t.Fatal(err)
			}
			got.checkOutput(t, u.Host)
		})
	}
}
