package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/check"
	"cvmgraph/internal/demo"
	"cvmgraph/restclient"
)

// atVersion is the demo upstream behind a proxy that replaces the API version of each request. An
// empty version removes it.
func atVersion(version string) http.Handler {
	list := demo.New(demo.Options{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Phala-Version", version)
		list.ServeHTTP(w, r)
	})
}

// demoWith is a demo upstream whose responses to some API versions are replaced. The key "" is no
// version.
func demoWith(responses map[string]http.HandlerFunc) http.Handler {
	list := demo.New(demo.Options{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if respond, ok := responses[r.Header.Get("X-Phala-Version")]; ok {
			respond(w, r)
			return
		}
		list.ServeHTTP(w, r)
	})
}

// limiting responds with status 429, and a Retry-After if it is not empty.
func limiting(retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// versionsOf returns the versions of a report in one line each: the version, the result, the shape
// and the HTTP status.
func versionsOf(t *testing.T, r check.Report) string {
	t.Helper()
	var b strings.Builder
	for _, v := range step(t, r, check.StepVersions).Versions {
		fmt.Fprintln(&b, v.Version, v.Result, v.Shape, v.Status)
	}
	return b.String()
}

const everyVersionWorks = `2025-10-28 works hosted 200
2026-01-21 works flat 200
2026-05-22 works flat 200
2026-06-23 works flat 200
`

// versionChecks are checks of upstreams that have some versions.
var versionChecks = map[string]struct {
	upstream http.Handler
	version  string // of --api-version; empty for the default
	want     string // the versions
	status   check.Status
	says     string
	calls    int64 // 5 if 0
}{
	"all versions": {
		upstream: demo.New(demo.Options{}),
		want:     everyVersionWorks + "default works flat 200\n",
		status:   check.StatusOK, says: "keep --api-version 2025-10-28: it works, and so would 2026-01-21, 2026-05-22, 2026-06-23 (docs/versions.md",
	},
	"a token's default": {
		upstream: demo.New(demo.Options{DefaultVersion: "2025-10-28"}), version: "2026-05-22",
		want:   everyVersionWorks + "default works hosted 200\n",
		status: check.StatusOK, says: "keep --api-version 2026-05-22: it works, and so would 2025-10-28, 2026-01-21, 2026-06-23 (",
	},
	"the configured version was withdrawn": {
		upstream: demo.New(demo.Options{WithdrawnVersions: []string{"2025-10-28"}}),
		want:     "2025-10-28 refused  400\n2026-01-21 works flat 200\n2026-05-22 works flat 200\n2026-06-23 works flat 200\ndefault works flat 200\n",
		status:   check.StatusWarning, says: "set --api-version to 2026-06-23; 2026-01-21, 2026-05-22 would work, too (",
	},
	"a flat version was withdrawn": {
		upstream: demo.New(demo.Options{WithdrawnVersions: []string{"2026-01-21"}}), version: "2026-01-21",
		want:   "2025-10-28 works hosted 200\n2026-01-21 refused  400\n2026-05-22 works flat 200\n2026-06-23 works flat 200\ndefault works flat 200\n",
		status: check.StatusWarning, says: "set --api-version to 2025-10-28; 2026-05-22, 2026-06-23 would work, too (",
	},
	"a withdrawn version has another shape": {
		upstream: demo.New(demo.Options{WithdrawnVersions: []string{"2025-10-28"}, ServeUnknownVersions: true}),
		want:     "2025-10-28 other_shape flat 200\n2026-01-21 works flat 200\n2026-05-22 works flat 200\n2026-06-23 works flat 200\ndefault works flat 200\n",
		status:   check.StatusWarning, says: "set --api-version to 2026-06-23; 2026-01-21, 2026-05-22 would work, too (",
	},
	"a withdrawn version is not found": {
		upstream: demoWith(map[string]http.HandlerFunc{"2025-10-28": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"detail":"Not Found"}`))
		}}),
		want:   "2025-10-28 refused  404\n2026-01-21 works flat 200\n2026-05-22 works flat 200\n2026-06-23 works flat 200\ndefault works flat 200\n",
		status: check.StatusWarning, says: "set --api-version to 2026-06-23; ",
	},
	"a withdrawn version is gone, without a body": {
		upstream: demoWith(map[string]http.HandlerFunc{"2025-10-28": statusHandler(http.StatusGone).ServeHTTP}),
		want:     "2025-10-28 refused  410\n2026-01-21 works flat 200\n2026-05-22 works flat 200\n2026-06-23 works flat 200\ndefault works flat 200\n",
		status:   check.StatusWarning, says: "set --api-version to 2026-06-23; ",
	},
	"only a version that is unknown": {
		upstream: demo.New(demo.Options{DefaultVersion: "2025-05-31", WithdrawnVersions: restclient.KnownVersions()}),
		want:     "2025-10-28 refused  400\n2026-01-21 refused  400\n2026-05-22 refused  400\n2026-06-23 refused  400\ndefault works hosted 200\n",
		status:   check.StatusWarning, says: "a call without a version does: the upstream has a version that this cvmgraph does not know; update cvmgraph",
	},
	"only the oldest version": {
		upstream: demo.New(demo.Options{DefaultVersion: "2025-10-28", WithdrawnVersions: []string{"2026-01-21", "2026-05-22", "2026-06-23"}}),
		want:     "2025-10-28 works hosted 200\n2026-01-21 refused  400\n2026-05-22 refused  400\n2026-06-23 refused  400\ndefault works hosted 200\n",
		status:   check.StatusOK, says: "keep --api-version 2025-10-28: it works, and no other version (",
	},
	"a proxy that removes the header": {
		upstream: atVersion(""),
		want:     "2025-10-28 other_shape flat 200\n2026-01-21 works flat 200\n2026-05-22 works flat 200\n2026-06-23 works flat 200\ndefault works flat 200\n",
		status:   check.StatusWarning, says: "set --api-version to 2026-06-23; ",
	},
	"an unknown version that works": {
		upstream: demoWith(map[string]http.HandlerFunc{"2026-09-09": atVersion("2026-06-23").ServeHTTP}), version: "2026-09-09",
		want:   "2026-09-09 works flat 200\n" + everyVersionWorks + "default works flat 200\n",
		status: check.StatusOK, says: "keep --api-version 2026-09-09: it works, and so would 2025-10-28, ", calls: 6,
	},
	"an empty list": {
		upstream: demo.New(demo.Options{Items: -1}),
		want:     "2025-10-28 works  200\n2026-01-21 works  200\n2026-05-22 works  200\n2026-06-23 works  200\ndefault works  200\n",
		status:   check.StatusOK, says: "2025-10-28: it works",
	},
	"differences in one version": {
		upstream: demoWith(map[string]http.HandlerFunc{"2026-05-22": editedDemo(func(_ int, item map[string]any) { renameKey(item, "name", "title") }).ServeHTTP}),
		want:     strings.Replace(everyVersionWorks, "22 works", "22 differs", 1) + "default works flat 200\n",
		status:   check.StatusOK, says: "and so would 2026-01-21, 2026-06-23 (",
	},
}

func TestCheck_versions(t *testing.T) {
	t.Parallel()
	for name, test := range versionChecks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, calls := countingServer(t, test.upstream)
			args := []string{"--upstream-url=" + address + demo.BasePath, "--token=" + checkSecret}
			if test.version != "" {
				args = append(args, "--api-version="+test.version)
			}
			got := runCheck(t, nil, args...)
			report := got.report(t)
			versions := step(t, report, check.StepVersions)
			if list := versionsOf(t, report); list != test.want || versions.Status != test.status || !strings.Contains(versions.Message, test.says) {
				t.Errorf("got %s, %q and\n%swant %s, %q and\n%s", versions.Status, versions.Message, list, test.status, test.says, test.want)
			}
			if want := cmp.Or(test.calls, 5); calls.Load() != want {
				t.Errorf("got %d calls, want %d", calls.Load(), want)
			}
			checkRefusal(t, report)
			got.checkOutput(t, address)
			text := runCheck(t, nil, append(args, "--log-format=text")...)
			for _, v := range versions.Versions {
				if line := fmt.Sprintf("\n%28s%-10s %s\n", "", v.Version, v.Message); !strings.Contains(text.stdout, line) {
					t.Errorf("got %s, want %q in it", text.stdout, line)
				}
			}
		})
	}
}

// checkRefusal checks the steps before versions if the configured version is refused: the version
// has failed, and not the address.
func checkRefusal(t *testing.T, report check.Report) {
	t.Helper()
	http, contract := step(t, report, check.StepHTTP), step(t, report, check.StepContract)
	for _, v := range step(t, report, check.StepVersions).Versions {
		if v.Result == check.VersionRefused && strings.Contains(contract.Message, v.Version) &&
			(http.Status != check.StatusOK || !strings.Contains(contract.Message, "the upstream refuses API version")) {
			t.Errorf("got %s and %q, want a refused version", http.Status, contract.Message)
		}
	}
	if http.Status != check.StatusOK {
		t.Errorf("got %s, %q, want ok", http.Status, http.Message)
	}
}

// TestCheck_versionsLimited has upstreams that limit calls, or fail, after the first call.
func TestCheck_versionsLimited(t *testing.T) {
	t.Parallel()
	const first, last = "2025-10-28 works hosted 200\n", "2026-05-22 not_tried  0\n2026-06-23 not_tried  0\ndefault not_tried  0\n"
	for name, test := range map[string]struct {
		respond func(call int64) http.HandlerFunc // to calls with 2026-01-21
		want    string
		status  check.Status
		says    string
		calls   int64
	}{
		"once for a second": {
			respond: func(call int64) http.HandlerFunc {
				if call == 1 {
					return limiting("1")
				}
				return atVersion("2026-01-21").ServeHTTP
			},
			want:   everyVersionWorks + "default works flat 200\n",
			status: check.StatusOK, says: "keep --api-version 2025-10-28", calls: 6,
		},
		"for a second, again and again": {
			respond: func(int64) http.HandlerFunc { return limiting("1") },
			want:    first + "2026-01-21 not_tried  0\n" + last,
			status:  check.StatusWarning, says: "(docs/versions.md compares them); not all versions were tried: the upstream allows no more calls now (status 429); try again in 1s", calls: 3,
		},
		"for a minute": {
			respond: func(int64) http.HandlerFunc { return limiting("60") },
			want:    first + "2026-01-21 not_tried  0\n" + last,
			status:  check.StatusWarning, says: "try again in 1m0s", calls: 2,
		},
		"without an end": {
			respond: func(int64) http.HandlerFunc { return limiting("") },
			want:    first + "2026-01-21 not_tried  0\n" + last,
			status:  check.StatusWarning, says: "keep --api-version 2025-10-28: it works, and no other version (docs/versions.md compares them); not all versions were tried: ", calls: 2,
		},
		"no response": {
			respond: func(int64) http.HandlerFunc {
				return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
			},
			want:   first + "2026-01-21 failed  0\n" + last,
			status: check.StatusWarning, says: "there was no response to the call before", calls: 2,
		},
		"a server error": {
			respond: func(int64) http.HandlerFunc { return statusHandler(http.StatusInternalServerError).ServeHTTP },
			want:    strings.Replace(everyVersionWorks, "01-21 works flat 200", "01-21 failed  500", 1) + "default works flat 200\n",
			status:  check.StatusOK, says: "and so would 2026-05-22, 2026-06-23 (", calls: 5,
		},
		"a web page": {
			respond: func(int64) http.HandlerFunc { return bodyHandler("<html>").ServeHTTP },
			want:    strings.Replace(everyVersionWorks, "01-21 works flat 200", "01-21 failed  0", 1) + "default works flat 200\n",
			status:  check.StatusOK, says: "and so would 2026-05-22, 2026-06-23 (", calls: 5,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var limited atomic.Int64
			address, calls := countingServer(t, demoWith(map[string]http.HandlerFunc{
				"2026-01-21": func(w http.ResponseWriter, r *http.Request) { test.respond(limited.Add(1))(w, r) },
			}))
			got := runCheck(t, nil, "--upstream-url="+address+demo.BasePath, "--token="+checkSecret)
			report := got.report(t)
			versions := step(t, report, check.StepVersions)
			if list := versionsOf(t, report); list != test.want || versions.Status != test.status || !strings.Contains(versions.Message, test.says) || !report.OK {
				t.Errorf("got %s, %q and\n%swant %s, %q and\n%s", versions.Status, versions.Message, list, test.status, test.says, test.want)
			}
			if calls.Load() != test.calls {
				t.Errorf("got %d calls, want %d", calls.Load(), test.calls)
			}
			got.checkOutput(t, address)
		})
	}
}

// TestCheck_versionsInterrupted ends a check that waits for a version, and one that waits before it
// repeats a call.
func TestCheck_versionsInterrupted(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]http.HandlerFunc{
		"during a call":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"during a pause": limiting("9"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var canceled atomic.Int64
			address, _ := countingServer(t, demoWith(map[string]http.HandlerFunc{"2026-05-22": func(w http.ResponseWriter, r *http.Request) {
				time.AfterFunc(100*time.Millisecond, func() {
					canceled.Store(time.Now().UnixNano())
					cancel()
				})
				wait(w, r)
			}}))
			got := runUntil(ctx, t, nil, "check", "--upstream-url="+address+demo.BasePath, "--token="+checkSecret, "--upstream-timeout=10m")
			took := time.Since(time.Unix(0, canceled.Load()))
			const want = "2025-10-28 works hosted 200\n2026-01-21 works flat 200\n2026-05-22 not_tried  0\n2026-06-23 not_tried  0\ndefault not_tried  0\n"
			if list := versionsOf(t, got.report(t)); list != want || took > time.Minute {
				t.Errorf("got %v after the interruption\n%swant within a minute\n%s", took, list, want)
			}
		})
	}
}
