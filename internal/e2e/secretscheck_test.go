package e2e_test

import (
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

// TestSecrets_check looks for secrets in the output of the check, with both formats, if the
// upstream sends secrets and Redis cannot be reached.
func TestSecrets_check(t *testing.T) {
	t.Parallel()
	upstream := &leakyUpstream{arrived: make(chan struct{}, 100)}
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	for _, fault := range []string{
		"ok", "keys", "odd", "flat", "html", "truncated", "garbage", "slow",
		"status-302", "status-401", "status-403", "status-422", "status-503",
	} {
		for _, format := range []string{"json", "text"} {
			t.Run(fault+" "+format, func(t *testing.T) {
				t.Parallel()
				got := runCheck(t, []string{"CVMGRAPH_API_KEY=" + canaryKey},
					"--token="+canaryBearer+"-"+fault, "--upstream-url="+server.URL+demo.BasePath,
					"--upstream-timeout=1s", "--log-level=debug", "--log-format="+format,
					"--redis-url=redis://:"+canaryPassword+"@127.0.0.1:1",
					"--shared-key="+base64.StdEncoding.EncodeToString([]byte(canaryShared)))
				if found := findCanary(got.stdout+got.stderr, append(secrets(), trimScheme(server.URL))...); found != "" {
					t.Errorf("got %s in %s%s", found, got.stdout, got.stderr)
				}
				if got.code != exitFailure || !strings.Contains(got.stdout, "credential") {
					t.Errorf("got code %d and %s, want code 1 and a report, because Redis at least fails", got.code, got.stdout)
				}
			})
		}
	}
	t.Cleanup(func() {
		if n := upstream.elsewhere.Load(); n != 0 {
			t.Errorf("got %d requests to the target of redirects, want none", n)
		}
	})
}
