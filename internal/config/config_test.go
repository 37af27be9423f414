package config_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/config"
	"cvmgraph/restclient"
)

// settings returns a value for each setting that differs from its default.
func settings() map[string]string {
	return map[string]string{
		"listen":             "127.0.0.1:0",
		"admin-listen":       "",
		"upstream-url":       "http://localhost:9000/api",
		"api-version":        "2026-01-31",
		"demo":               "true",
		"upstream-timeout":   "500ms",
		"request-timeout":    "2m",
		"idle-timeout":       "2m",
		"base-path":          "/cvms",
		"trusted-proxies":    "10.0.0.0/8",
		"drain-delay":        "10s",
		"max-first":          "10000",
		"max-header":         "32KiB",
		"max-body":           "1MiB",
		"cache-ttl":          "5s",
		"cache-bytes":        "1GiB",
		"stale-if-error":     "1m",
		"redis-url":          "redis://localhost:6379",
		"shared-key":         "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		"tls-cert":           "testdata/tls.crt",
		"tls-key":            "testdata/tls.key",
		"allowed-origins":    "https://app.example.org",
		"introspection":      "false",
		"playground":         "false",
		"max-tokens":         "5000",
		"max-depth":          "20",
		"max-aliases":        "100",
		"max-upstream-calls": "20",
		"projection":         "false",
		"log-level":          "debug",
		"log-format":         "json",

		"token":   "t0ken",
		"api-key": "phak_k3y",

		"trusted-documents":      "testdata/documents/relay-md5.json",
		"trusted-documents-mode": "enforce",
	}
}

func variable(flag string) string {
	return "CVMGRAPH_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func parse(t *testing.T, args []string, environ ...string) *config.Config {
	t.Helper()
	cfg, err := config.Parse(args, environ, t.Output())
	if err != nil {
		t.Fatalf("Parse(%q, %q): got error %v, want none", args, environ, err)
	}
	return cfg
}

// problems returns the problems that Parse reports for args and environ, or nil.
func problems(t *testing.T, args []string, environ ...string) []string {
	t.Helper()
	cfg, err := config.Parse(args, environ, t.Output())
	if err == nil {
		return nil
	}
	var wrong *config.ProblemsError
	if !errors.As(err, &wrong) || len(wrong.Problems) == 0 {
		t.Fatalf("Parse(%q, %q): got error %T %v, want problems", args, environ, err, err)
	}
	if cfg != nil {
		t.Errorf("Parse(%q, %q): got a Config and an error, want nil", args, environ)
	}
	return wrong.Problems
}

func TestParse_defaults(t *testing.T) {
	t.Parallel()
	got := parse(t, nil)
	want := &config.Config{
		Command:          config.CommandServe,
		Listen:           ":8080",
		AdminListen:      "127.0.0.1:9090",
		UpstreamURL:      &url.URL{Scheme: "https", Host: "cloud-api.phala.com", Path: "/api/v1"},
		APIVersion:       restclient.DefaultAPIVersion,
		UpstreamTimeout:  30 * time.Second,
		RequestTimeout:   60 * time.Second,
		IdleTimeout:      90 * time.Second,
		DrainDelay:       3 * time.Second,
		MaxFirst:         1000,
		MaxHeader:        16 * config.KiB,
		MaxBody:          256 * config.KiB,
		CacheTTL:         2 * time.Second,
		CacheBytes:       64 * config.MiB,
		Introspection:    true,
		Playground:       true,
		MaxTokens:        2000,
		MaxDepth:         15,
		MaxAliases:       30,
		MaxUpstreamCalls: 100,
		Projection:       true,
		LogLevel:         slog.LevelInfo,
		LogFormat:        "auto",

		TrustedDocumentsMode: "off",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParse_flagEqualsVariable(t *testing.T) {
	t.Parallel()
	for flag, value := range settings() {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			var beside []string
			// These are not complete alone.
			if other := map[string]string{
				"redis-url": "shared-key", "tls-cert": "tls-key", "tls-key": "tls-cert", "trusted-documents-mode": "trusted-documents",
			}[flag]; other != "" {
				beside = []string{variable(other) + "=" + settings()[other]}
			}
			// A command that neither serves nor checks does not read the files, and only one that
			// checks takes a credential.
			command := "health"
			if flag == "token" || flag == "api-key" {
				command = "check"
			}
			byFlag := parse(t, []string{command, "--" + flag + "=" + value}, beside...)
			byVariable := parse(t, []string{command}, append(beside, variable(flag)+"="+value)...)
			if !reflect.DeepEqual(byFlag, byVariable) {
				t.Errorf("got %+v by flag and %+v by variable, want the same", byFlag, byVariable)
			}
			if reflect.DeepEqual(byFlag, parse(t, []string{command})) {
				t.Errorf("--%s=%s: got the defaults, want a difference", flag, value)
			}
		})
	}
}

func TestParse_precedence(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, environ []string
		want          int
	}{
		"variable":                    {environ: []string{"CVMGRAPH_MAX_FIRST=7"}, want: 7},
		"flag and variable":           {args: []string{"--max-first=8"}, environ: []string{"CVMGRAPH_MAX_FIRST=7"}, want: 8},
		"flag and invalid variable":   {args: []string{"--max-first=8"}, environ: []string{"CVMGRAPH_MAX_FIRST=x"}, want: 8},
		"repeated flag":               {args: []string{"--max-first", "8", "--max-first", "9"}, want: 9},
		"repeated variable":           {environ: []string{"CVMGRAPH_MAX_FIRST=7", "CVMGRAPH_MAX_FIRST=6"}, want: 7},
		"flag before the command":     {args: []string{"--max-first=8", "serve"}, want: 8},
		"flag after the command":      {args: []string{"serve", "--max-first=8"}, want: 8},
		"variable without the prefix": {environ: []string{"MAX_FIRST=7"}, want: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.args, test.environ...).MaxFirst; got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestParse_demo(t *testing.T) {
	t.Parallel()
	rejected := []string{"--demo (CVMGRAPH_DEMO) cannot be combined with --upstream-url (CVMGRAPH_UPSTREAM_URL); remove one of them"}
	for name, test := range map[string]struct {
		args, environ []string
		want          []string
	}{
		"alone":                 {args: []string{"--demo"}},
		"with the URL flag":     {args: []string{"--demo", "--upstream-url=http://h"}, want: rejected},
		"with the URL variable": {args: []string{"--demo"}, environ: []string{"CVMGRAPH_UPSTREAM_URL=http://h"}, want: rejected},
		"both by variable":      {environ: []string{"CVMGRAPH_DEMO=true", "CVMGRAPH_UPSTREAM_URL=http://h"}, want: rejected},
		"with the default URL":  {args: []string{"--demo", "--upstream-url=https://cloud-api.phala.com/api/v1"}, want: rejected},
		"off with the URL flag": {args: []string{"--demo=false", "--upstream-url=http://h"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := problems(t, test.args, test.environ...); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := parse(t, []string{"--demo"}); !got.Demo || got.UpstreamURL != nil {
		t.Errorf("got demo %v and upstream URL %v, want true and none", got.Demo, got.UpstreamURL)
	}
}

func TestParse_drainDelayOfDemo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, environ []string
		want          time.Duration
	}{
		"unset":       {args: []string{"--demo"}},
		"by flag":     {args: []string{"--demo", "--drain-delay=3s"}, want: 3 * time.Second},
		"by variable": {args: []string{"--demo"}, environ: []string{"CVMGRAPH_DRAIN_DELAY=5s"}, want: 5 * time.Second},
		"off":         {args: []string{"--demo=false"}, want: 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.args, test.environ...).DrainDelay; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestParse_credentials(t *testing.T) {
	t.Parallel()
	const (
		secret            = "s3cret-and-more"
		token, key        = "--token (CVMGRAPH_TOKEN) ", "--api-key (CVMGRAPH_API_KEY) "
		elsewhere         = "is only for cvmgraph check; callers send their own credentials"
		mustToken, mustBe = "must be the token alone, without the word Bearer: printable ASCII without spaces, at most 8 KiB", "must be the key alone: printable ASCII without spaces, at most 8 KiB"
	)
	long := strings.Repeat("x", 8<<10-len("Bearer "))
	for name, test := range map[string]struct {
		args, environ []string
		problems      []string
		warnings      []string
	}{
		"check":                           {args: []string{"check", "--token", secret, "--api-key", secret}},
		"check with variables":            {args: []string{"check"}, environ: []string{"CVMGRAPH_TOKEN=" + secret, "CVMGRAPH_API_KEY=" + secret}},
		"serve":                           {args: []string{"serve", "--token", secret, "--api-key", secret}, problems: []string{token + elsewhere, key + elsewhere}},
		"no command":                      {args: []string{"--token=" + secret}, problems: []string{token + elsewhere}},
		"another command":                 {args: []string{"health", "--api-key=" + secret}, problems: []string{key + elsewhere}},
		"serve with variables":            {environ: []string{"CVMGRAPH_TOKEN=" + secret, "CVMGRAPH_API_KEY=\x00" + secret}, warnings: []string{token + elsewhere, key + elsewhere}},
		"another command with a variable": {args: []string{"health"}, environ: []string{"CVMGRAPH_TOKEN=" + secret}},
		"unknown variable too":            {environ: []string{"CVMGRAPH_TOKEN=" + secret, "CVMGRAPH_NONE=1"}, warnings: []string{"unknown environment variable CVMGRAPH_NONE", token + elsewhere}},
		"empty":                           {args: []string{"check", "--token=", "--api-key="}},
		"token with the scheme":           {args: []string{"check", "--token=Bearer " + secret}, problems: []string{token + mustToken}},
		"line end":                        {args: []string{"check", "--api-key=" + secret + "\n"}, problems: []string{key + mustBe}},
		"control character":               {args: []string{"check"}, environ: []string{"CVMGRAPH_API_KEY=" + secret + "\x7f", "CVMGRAPH_TOKEN=\x01" + secret}, problems: []string{token + mustToken, key + mustBe}},
		"letter outside ASCII":            {args: []string{"check", "--token=é" + secret}, problems: []string{token + mustToken}},
		"maximum length":                  {args: []string{"check", "--token=" + long, "--api-key=" + long}},
		"longer than the maximum":         {args: []string{"check", "--token=x" + long, "--api-key=x" + long}, problems: []string{token + mustToken, key + mustBe}},
		"with other problems":             {args: []string{"check", "--max-first=0", "--token= "}, problems: []string{"--max-first (CVMGRAPH_MAX_FIRST) must be a whole number from 1 to 10000, not \"0\"", token + mustToken}},
		"--help":                          {args: []string{"check", "--token", secret, "--help"}, environ: []string{"CVMGRAPH_API_KEY=" + secret}},
		"no value":                        {args: []string{"check", "--token"}, problems: []string{token + "needs a value"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			cfg, err := config.Parse(test.args, test.environ, &out)
			var wrong *config.ProblemsError
			var problems, warnings []string
			if errors.As(err, &wrong) {
				problems = wrong.Problems
			} else {
				warnings = cfg.Warnings
			}
			if !slices.Equal(problems, test.problems) || !slices.Equal(warnings, test.warnings) {
				t.Errorf("got problems %q and warnings %q, want %q and %q", problems, warnings, test.problems, test.warnings)
			}
			if said := out.String() + strings.Join(problems, "") + strings.Join(warnings, ""); strings.Contains(said, secret) {
				t.Errorf("got the secret in %s", said)
			}
		})
	}
	got := parse(t, []string{"check", "--token=a", "--api-key=b"})
	if got.Token != "a" || got.APIKey != "b" {
		t.Errorf("got %q and %q, want a and b", got.Token, got.APIKey)
	}
	if got := parse(t, nil, "CVMGRAPH_TOKEN=a"); got.Token != "" {
		t.Errorf("serve: got the token %q, want none", got.Token)
	}
}

func TestParse_unknownVariables(t *testing.T) {
	t.Parallel()
	got := parse(t, nil, "CVMGRAPH_SERVICE_HOST=10.0.0.1", "CVMGRAPH_MAX_FRIST=5", "CVMGRAPH_QUEUE_URL=redis://u:secret@h",
		"CVMGRAPH_MAX_FIRST=5", "CVMGRAPH_VERSION=1", "CVMGRAPH_", "OTHER=1", "CVMGRAPHX=1", "").Warnings
	want := []string{
		"unknown environment variable CVMGRAPH_",
		"unknown environment variable CVMGRAPH_MAX_FRIST, did you mean CVMGRAPH_MAX_FIRST?",
		"unknown environment variable CVMGRAPH_QUEUE_URL",
		"unknown environment variable CVMGRAPH_SERVICE_HOST",
		"unknown environment variable CVMGRAPH_VERSION",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := parse(t, nil).Warnings; got != nil {
		t.Errorf("without variables: got %q, want nil", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("serve\x00--listen=:1", "CVMGRAPH_MAX_FIRST=5")
	f.Add("--bogus\x00x\x00-hx\x00--", "CVMGRAPH_DEMO=")
	f.Add("--\x00--\x00-\x00--=\x00-=\x00-\xff", "=\x00CVMGRAPH_X")
	f.Fuzz(func(t *testing.T, args, environ string) {
		cfg, err := config.Parse(strings.Split(args, "\x00"), strings.Split(environ, "\x00"), new(bytes.Buffer))
		var wrong *config.ProblemsError
		switch {
		case err == nil && cfg.Command == "":
			t.Error("got no command, want one")
		case err != nil && !errors.As(err, &wrong):
			t.Errorf("got error %T %v, want problems", err, err)
		case err != nil && (len(wrong.Problems) == 0 || slices.Contains(wrong.Problems, "") || cfg != nil):
			t.Errorf("got problems %q and config %v, want at least one, none empty, and nil", wrong.Problems, cfg)
		}
	})
}
