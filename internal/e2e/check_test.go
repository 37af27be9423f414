package e2e_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/check"
	"cvmgraph/internal/testing/faulty"
)

// checkSecret is the credential of the checks. Their output must not contain it.
const checkSecret = "s3cret-of-the-check"

// runCheck runs cvmgraph check to its end.
func runCheck(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	return run(t, environ, append([]string{"check"}, args...)...)
}

// report decodes the JSON report of a check.
func (r result) report(t *testing.T) check.Report {
	t.Helper()
	var report check.Report
	decoder := json.NewDecoder(strings.NewReader(r.stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("got %s and %s, want one JSON document: %v", r.stdout, r.stderr, err)
	}
	if _, err := decoder.Token(); err != io.EOF || strings.Count(r.stdout, "\n") != 1 {
		t.Errorf("got %q, want one line", r.stdout)
	}
	return report
}

// statuses returns the statuses of a report's steps, one letter each: o(k), w(arning), f(ailed),
// and - for skipped.
func statuses(r check.Report) string {
	letters := map[check.Status]string{check.StatusOK: "o", check.StatusWarning: "w", check.StatusFailed: "f", check.StatusSkipped: "-"}
	var b strings.Builder
	for _, step := range r.Steps {
		b.WriteString(letters[step.Status])
	}
	return b.String()
}

// step returns the step of a report with a name.
func step(t *testing.T, r check.Report, name string) check.Step {
	t.Helper()
	i := slices.IndexFunc(r.Steps, func(s check.Step) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("got no step %s in %+v", name, r)
	}
	return r.Steps[i]
}

// messages returns the message of a step and its differences, one a line.
func messages(s check.Step) string {
	all := s.Message
	for _, d := range s.Differences {
		all += "\n" + d.String()
	}
	return all
}

// checkOutput fails the test if the output of a check contains a secret or an address.
func (r result) checkOutput(t *testing.T, address string) {
	t.Helper()
	output := r.stdout + r.stderr
	for _, secret := range []string{checkSecret, faulty.Secret, address, trimScheme(address)} {
		if secret != "" && strings.Contains(output, secret) {
			t.Errorf("got %s in %s", secret, output)
		}
	}
}

// countingServer starts a server that counts its requests and logs no errors.
func countingServer(t *testing.T, handler http.Handler) (address string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handler.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, requests
}

// statusHandler responds with a status, and with a secret as the body.
func statusHandler(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, faulty.Secret)
	})
}

// bodyHandler responds with a body.
func bodyHandler(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
}

func TestCheck_settings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, environ  []string
		code           int
		stdout, stderr string // substrings; an empty stderr must be empty
	}{
		"a demo": {
			args:   []string{"--demo"},
			stdout: `{"ok":true,"steps":[{"name":"settings","status":"ok","message":"all settings are valid"},`,
		},
		"a demo with a rejected token": {
			args: []string{"--demo", "--token=invalid"}, code: exitFailure,
			stdout: `{"name":"credential","status":"failed",`,
		},
		"trusted documents": {
			args: []string{
				"--demo", "--trusted-documents-mode=log",
				"--trusted-documents=internal/config/testdata/documents/relay-md5.json",
			},
			stdout: `{"name":"trusted_documents","status":"ok","message":"2 documents loaded, --trusted-documents-mode is log"}`,
		},
		"an unknown variable": {
			args:    []string{"--demo"},
			environ: []string{"CVMGRAPH_TOKENS=" + checkSecret},
			stdout:  `{"name":"settings","status":"warning","message":"unknown environment variable CVMGRAPH_TOKENS, did you mean CVMGRAPH_TOKEN?"}`,
			stderr:  "CVMGRAPH_TOKENS",
		},
		"invalid settings": {
			args: []string{"--demo", "--token=Bearer " + checkSecret, "--max-first=0"}, code: exitUsage,
			stderr: "--max-first (CVMGRAPH_MAX_FIRST) must be a whole number from 1 to 10000, not \"0\"\n--token (CVMGRAPH_TOKEN) must be the token alone",
		},
		"variables": {
			environ: []string{"CVMGRAPH_DEMO=true", "CVMGRAPH_API_KEY=" + checkSecret},
			stdout:  `accepts it as X-API-Key`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runCheck(t, test.environ, test.args...)
			if got.code != test.code || !strings.Contains(got.stdout, test.stdout) ||
				!strings.Contains(got.stderr, test.stderr) || test.stderr == "" && got.stderr != "" {
				t.Errorf("got code %d, %s and %s, want code %d, %s and %s",
					got.code, got.stdout, got.stderr, test.code, test.stdout, test.stderr)
			}
			if test.code == exitUsage && got.stdout != "" {
				t.Errorf("got %s, want no report", got.stdout)
			}
			got.checkOutput(t, "")
		})
	}
	got := run(t, nil, "serve", "--demo", "--token="+checkSecret)
	if got.code != exitUsage || !strings.Contains(got.stderr, "is only for cvmgraph check") {
		t.Errorf("serve with a token: got code %d and %s, want code 2 and the reason", got.code, got.stderr)
	}
}

// TestCheck_interrupted terminates a check that waits for an upstream.
func TestCheck_interrupted(t *testing.T) {
	t.Parallel()
	for name, failures := range map[string]int64{"first call": 0, "second call": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var calls atomic.Int64
			address, _ := countingServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) <= failures {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				cancel()
				<-r.Context().Done()
			}))
			begun := time.Now()
			got := runUntil(ctx, t, nil, "check", "--upstream-url="+address, "--token="+checkSecret, "--upstream-timeout=1m",
				"--redis-url=redis://127.0.0.1:1", "--shared-key="+testKey)
			redis := step(t, got.report(t), check.StepRedis)
			if took := time.Since(begun); got.code != exitFailure || took > 30*time.Second ||
				strings.Count(got.stdout, "the check was interrupted") != 2 || redis.Status != check.StatusSkipped {
				t.Errorf("got code %d and %s after %v, want code 1, two interrupted steps, and less than 30 s",
					got.code, got.stdout, took)
			}
		})
	}
}
