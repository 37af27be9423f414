package config_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/config"
)

// fileWith writes a file and returns its name.
func fileWith(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestParse_secretFiles(t *testing.T) {
	t.Parallel()
	key := [32]byte{1, 2, 3}
	keyFile := fileWith(t, base64.StdEncoding.EncodeToString(key[:])+"\n")
	const redisURL = "redis://:pass@h:6379"
	redisFile := fileWith(t, redisURL)
	got := parse(t, nil, "CVMGRAPH_SHARED_KEY_FILE="+keyFile, "CVMGRAPH_REDIS_URL_FILE="+redisFile)
	if got.SharedKey != key || got.RedisURL != redisURL {
		t.Errorf("got key %v and URL %q, want %v and %q", got.SharedKey, got.RedisURL, key, redisURL)
	}
	if byFlag := parse(t, []string{"--shared-key-file", keyFile, "--redis-url-file", redisFile}); byFlag.SharedKey != key || byFlag.RedisURL != redisURL {
		t.Errorf("by flag: got key %v and URL %q, want %v and %q", byFlag.SharedKey, byFlag.RedisURL, key, redisURL)
	}
	got = parse(t, []string{"check"}, "CVMGRAPH_TOKEN_FILE="+fileWith(t, "t0ken\r\n"), "CVMGRAPH_API_KEY_FILE="+fileWith(t, "k3y\n\n"))
	if got.Token != "t0ken" || got.APIKey != "k3y" {
		t.Errorf("got token %q and API key %q, want t0ken and k3y", got.Token, got.APIKey)
	}
	// Other commands read no files.
	parse(t, []string{"health"}, "CVMGRAPH_SHARED_KEY_FILE=/nonexistent", "CVMGRAPH_REDIS_URL_FILE=/nonexistent", "CVMGRAPH_TOKEN_FILE=/nonexistent")
}

func TestParse_secretFileProblems(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	keyFile := fileWith(t, settings()["shared-key"])
	const keyLabel, tokenLabel = "--shared-key-file (CVMGRAPH_SHARED_KEY_FILE) ", "--token-file (CVMGRAPH_TOKEN_FILE) "
	for name, test := range map[string]struct {
		args, environ []string
		want          string
	}{
		"missing file":            {environ: []string{"CVMGRAPH_SHARED_KEY_FILE=" + secret}, want: keyLabel + "cannot be read: no such file or directory"},
		"folder":                  {environ: []string{"CVMGRAPH_SHARED_KEY_FILE=" + t.TempDir()}, want: keyLabel + "cannot be read: is a directory"},
		"empty file":              {environ: []string{"CVMGRAPH_SHARED_KEY_FILE=" + fileWith(t, "\n")}, want: keyLabel + "is an empty file"},
		"large file":              {environ: []string{"CVMGRAPH_SHARED_KEY_FILE=" + fileWith(t, strings.Repeat(secret, 20000))}, want: keyLabel + "cannot be read: it is larger than 64KiB"},
		"wrong value":             {environ: []string{"CVMGRAPH_SHARED_KEY_FILE=" + fileWith(t, secret)}, want: keyLabel + "contains a value that must be 32 random bytes in base64, such as openssl rand -base64 32 prints"},
		"value and file":          {environ: []string{"CVMGRAPH_SHARED_KEY_FILE=" + keyFile, "CVMGRAPH_SHARED_KEY=" + settings()["shared-key"]}, want: keyLabel + "cannot be combined with --shared-key (CVMGRAPH_SHARED_KEY); remove one of them"},
		"empty value and file":    {environ: []string{"CVMGRAPH_SHARED_KEY_FILE=" + keyFile, "CVMGRAPH_SHARED_KEY="}},
		"Redis without a key":     {environ: []string{"CVMGRAPH_REDIS_URL_FILE=" + fileWith(t, "redis://h")}, want: "--shared-key (CVMGRAPH_SHARED_KEY) is required with --redis-url (CVMGRAPH_REDIS_URL)"},
		"Redis of another scheme": {environ: []string{"CVMGRAPH_SHARED_KEY_FILE=" + keyFile, "CVMGRAPH_REDIS_URL_FILE=" + fileWith(t, "http://"+secret+"@h")}, want: "--redis-url-file (CVMGRAPH_REDIS_URL_FILE) contains a value that must be a URL such as redis://host:6379 or rediss://user:password@host:6379/0, or empty"},
		"token with a space":      {args: []string{"check", "--token-file", fileWith(t, "Bearer "+secret)}, want: tokenLabel + "contains a value that must be the token alone, without the word Bearer: printable ASCII without spaces, at most 8 KiB"},
		"token for serve":         {args: []string{"--token-file", fileWith(t, secret)}, want: tokenLabel + "is only for cvmgraph check; callers send their own credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(problems(t, test.args, test.environ...), "\n")
			if got != test.want || strings.Contains(got, secret) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	warnings := parse(t, nil, "CVMGRAPH_TOKEN_FILE="+secret).Warnings
	if want := []string{tokenLabel + "is only for cvmgraph check; callers send their own credentials"}; !slices.Equal(warnings, want) {
		t.Errorf("got warnings %q, want %q", warnings, want)
	}
}

// A misspelled variable is often the cause of a problem, so the error has the hint.
func TestParse_hints(t *testing.T) {
	t.Parallel()
	_, err := config.Parse([]string{"--redis-url=redis://h"}, []string{"CVMGRAPH_SHARE_KEY=s3cret", "CVMGRAPH_SERVICE_HOST=10.0.0.1"}, new(bytes.Buffer))
	wrong, ok := errors.AsType[*config.ProblemsError](err)
	if !ok {
		t.Fatalf("got %v, want problems", err)
	}
	const problem = "--shared-key (CVMGRAPH_SHARED_KEY) is required with --redis-url (CVMGRAPH_REDIS_URL)"
	const hint = "unknown environment variable CVMGRAPH_SHARE_KEY, did you mean CVMGRAPH_SHARED_KEY?"
	if got, want := wrong.Error(), problem+"\n"+hint; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
