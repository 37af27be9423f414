package e2e_test

import (
	"net/http"
	"testing"

	"cvmgraph/internal/check"
	"cvmgraph/internal/demo"
)

func TestCheck_credential(t *testing.T) {
	t.Parallel()
	token, key := "--token="+checkSecret, "--api-key="+checkSecret
	healthy := demo.New(demo.Options{})
	for name, test := range map[string]checkCase{
		"a key": {
			args: []string{key},
			want: "oo-oooo", step: check.StepCredential, says: []string{"accepts it as X-API-Key"},
		},
		"both": {
			args: []string{token, key},
			want: "oo-oooo", step: check.StepCredential, says: []string{"accepts it as both a bearer token and X-API-Key"},
		},
		"no credential": {
			args: []string{},
			want: "oo-o---", step: check.StepCredential, says: []string{"no credential given", "401", "set CVMGRAPH_TOKEN or CVMGRAPH_API_KEY"},
		},
		"no credential, and so no contract": {
			upstream: editedDemo(func(int, map[string]any) {}),
			args:     []string{},
			want:     "oo-o---", step: check.StepContract, says: []string{"set CVMGRAPH_TOKEN or CVMGRAPH_API_KEY"},
		},
		"an upstream that needs none": {
			upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Authorization", "Bearer any")
				healthy.ServeHTTP(w, r)
			}),
			args: []string{},
			want: "oo-owoo", step: check.StepCredential, says: []string{"accepts calls without a credential"},
		},
		"status 403 without a credential": {
			upstream: statusHandler(http.StatusForbidden),
			args:     []string{},
			want:     "oo-of--", step: check.StepCredential, says: []string{"403 to a call without a credential"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// TestCheck_credentialRejected has upstreams that reject a credential. The check tries it in the
// other header too, and says what to change.
func TestCheck_credentialRejected(t *testing.T) {
	t.Parallel()
	token, key := "--token="+checkSecret, "--api-key="+checkSecret
	for name, test := range map[string]checkCase{
		"a token": {
			args: []string{"--token=invalid-" + checkSecret},
			want: "oo-of--", step: check.StepCredential, calls: 2,
			says: []string{"rejects it as a bearer token (status 401), and as X-API-Key", "expired nor revoked"},
		},
		"a key": {
			args: []string{"--api-key=invalid-" + checkSecret},
			want: "oo-of--", step: check.StepCredential, calls: 2,
			says: []string{"rejects it as X-API-Key (status 401), and as a bearer token", "expired nor revoked"},
		},
		"both": {
			args: []string{"--token=invalid-" + checkSecret, "--api-key=invalid"},
			want: "oo-of--", step: check.StepCredential, calls: 3,
			says: []string{
				"rejects it as both", "(status 401), and as a bearer token alone, and as X-API-Key alone:", "expired nor revoked",
			},
		},
		"a key as the token": {
			upstream: demoFor("X-Api-Key"),
			want:     "oo-of--", step: check.StepCredential, calls: 2,
			says: []string{
				"rejects it as a bearer token (status 401), but accepts the same secret as X-API-Key: use --api-key", "X-API-Key",
			},
		},
		"a token as the key": {
			upstream: demoFor("Authorization"),
			args:     []string{key},
			want:     "oo-of--", step: check.StepCredential, calls: 2,
			says: []string{
				"rejects it as X-API-Key (status 401), but accepts the same secret as a bearer token: set CVMGRAPH_TOKEN",
			},
		},
		"one of both": {
			upstream: demoFor("X-Api-Key"),
			args:     []string{token, key},
			want:     "oo-of--", step: check.StepCredential, calls: 3,
			says: []string{
				"and as a bearer token alone, but accepts the same secret as X-API-Key alone: use --api-key",
			},
		},
		"and then rate limited": {
			upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Api-Key") != "" {
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				w.WriteHeader(http.StatusUnauthorized)
			}),
			want: "oo-of--", step: check.StepCredential, calls: 2,
			says: []string{"(status 401), and responds with status 429 to X-API-Key"},
		},
		"and then disconnected": {
			upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Api-Key") != "" {
					panic(http.ErrAbortHandler)
				}
				w.WriteHeader(http.StatusUnauthorized)
			}),
			want: "oo-of--", step: check.StepCredential, calls: 2,
			says: []string{"(status 401), and does not respond to X-API-Key"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

func TestCheck_credentialRejectedByProxy(t *testing.T) {
	t.Parallel()
	checkCase{
		upstream: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte("<html>401 Authorization Required</html>"))
		}),
		want: "oo-of--", step: check.StepCredential, calls: 2,
		says: []string{"rejects it as a bearer token (status 401), and as X-API-Key", "something in front of the API sent this response"},
	}.run(t)
}
