package config_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/config"
)

// settings are the names of all flags that are settings, with a value that differs from the default.
func settings() map[string]string {
	return map[string]string{
		"listen":             "127.0.0.1:0",
		"admin-listen":       "",
		"upstream-url":       "http://localhost:9000/api",
		"api-version":        "2026-01-31",
		"demo":               "true",
		"upstream-timeout":   "500ms",
		"request-timeout":    "1m",
		"drain-delay":        "10s",
		"max-first":          "10000",
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

// problems returns what Parse lists for args and environ, nil if nothing is wrong.
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
		t.Errorf("Parse(%q, %q): got a Config beside the error, want nil", args, environ)
	}
	return wrong.Problems
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got := parse(t, nil)
	want := &config.Config{
		Command:          config.CommandServe,
		Listen:           ":8080",
		AdminListen:      "127.0.0.1:9090",
		UpstreamURL:      &url.URL{Scheme: "https", Host: "cloud-api.phala.com", Path: "/api/v1"},
		APIVersion:       "2025-10-28",
		UpstreamTimeout:  10 * time.Second,
		RequestTimeout:   30 * time.Second,
		DrainDelay:       3 * time.Second,
		MaxFirst:         1000,
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

func TestAdminListen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, environ []string
		want          string
	}{
		"an address":                       {[]string{"--admin-listen", ":1"}, nil, ":1"},
		"empty is off":                     {[]string{"--admin-listen="}, nil, ""},
		"an empty argument is off":         {[]string{"--admin-listen", ""}, nil, ""},
		"an empty variable is off":         {nil, []string{"CVMGRAPH_ADMIN_LISTEN="}, ""},
		"an empty flag wins over variable": {[]string{"--admin-listen="}, []string{"CVMGRAPH_ADMIN_LISTEN=:1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.args, test.environ...).AdminListen; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFlagAndVariableDoTheSame(t *testing.T) {
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
			// A command that neither serves nor checks does not read the files, and only one that checks takes a credential.
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

func TestPrecedence(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, environ []string
		want          int
	}{
		"a variable wins over the default":    {nil, []string{"CVMGRAPH_MAX_FIRST=7"}, 7},
		"a flag wins over the variable":       {[]string{"--max-first=8"}, []string{"CVMGRAPH_MAX_FIRST=7"}, 8},
		"a flag hides a bad variable":         {[]string{"--max-first=8"}, []string{"CVMGRAPH_MAX_FIRST=x"}, 8},
		"the last of a repeated flag wins":    {[]string{"--max-first", "8", "--max-first", "9"}, nil, 9},
		"the first of a repeated variable":    {nil, []string{"CVMGRAPH_MAX_FIRST=7", "CVMGRAPH_MAX_FIRST=6"}, 7},
		"a flag may stand before the command": {[]string{"--max-first=8", "serve"}, nil, 8},
		"a flag may stand after the command":  {[]string{"serve", "--max-first=8"}, nil, 8},
		"a foreign variable is none of ours":  {nil, []string{"MAX_FIRST=7"}, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.args, test.environ...).MaxFirst; got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want config.Command
	}{
		"none is serve":            {nil, config.CommandServe},
		"serve":                    {[]string{"serve"}, config.CommandServe},
		"schema":                   {[]string{"schema"}, config.CommandSchema},
		"health":                   {[]string{"health"}, config.CommandHealth},
		"check":                    {[]string{"check"}, config.CommandCheck},
		"check after its flags":    {[]string{"--token=x", "check", "--api-key=y"}, config.CommandCheck},
		"health with a flag":       {[]string{"health", "--listen=:9"}, config.CommandHealth},
		"version":                  {[]string{"--version"}, config.CommandVersion},
		"version as a command":     {[]string{"version"}, config.CommandVersion},
		"help as a command":        {[]string{"help"}, config.CommandHelp},
		"version among problems":   {[]string{"--version", "--bogus", "--max-first=x"}, config.CommandVersion},
		"version turned off":       {[]string{"--version=false"}, config.CommandServe},
		"help":                     {[]string{"--help"}, config.CommandHelp},
		"help by its letter":       {[]string{"-h"}, config.CommandHelp},
		"help on a command":        {[]string{"health", "--help"}, config.CommandHelp},
		"help after problems":      {[]string{"--bogus", "--max-first=x", "--help"}, config.CommandHelp},
		"help wins over version":   {[]string{"--version", "--help"}, config.CommandHelp},
		"help where a value lacks": {[]string{"--listen", "--help"}, config.CommandHelp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.args).Command; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHelpShowsEverySetting(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if _, err := config.Parse([]string{"--help"}, []string{"CVMGRAPH_MAX_FIRST=x"}, &out); err != nil {
		t.Fatalf("got error %v, want none", err)
	}
	help := strings.Join(strings.Fields(out.String()), " ")
	wants := []string{"--version", "serve", "schema", "health", "check", "Default 256KiB.", "Default :8080.", "Default 10s."}
	for flag := range settings() {
		wants = append(wants, "--"+flag, "["+variable(flag)+"]")
	}
	for _, want := range wants {
		if !strings.Contains(help, want) {
			t.Errorf("got help without %q, want it in:\n%s", want, out.String())
		}
	}
}

type brokenWriter struct{ error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.error }

func TestHelpThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := config.Parse([]string{"--help"}, nil, brokenWriter{broken}); !errors.Is(err, broken) {
		t.Errorf("got error %v, want %v", err, broken)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	got := problems(t,
		[]string{"--bogus", "x", "--lisen=:1", "serve", "extra", "--max-first=abc", "--kubeconfig=x", "--request-timeout", "0s", "--listen"},
		"CVMGRAPH_MAX_BODY=1", "CVMGRAPH_LOG_LEVEL=loud", "CVMGRAPH_UPSTREAM_URL=ftp://host", "CVMGRAPH_PORT=tcp://10.0.0.1:80",
	)
	want := []string{
		`unknown flag --bogus`,
		`unknown flag --lisen, did you mean --listen?`,
		`unexpected argument "extra"`,
		`unknown flag --kubeconfig`,
		`--listen (CVMGRAPH_LISTEN): no value given`,
		`--upstream-url (CVMGRAPH_UPSTREAM_URL): must be an absolute http or https URL with a host and without user, query and fragment`,
		`--request-timeout (CVMGRAPH_REQUEST_TIMEOUT): must be a duration with a unit, such as 10s, above 0 and at most 24h, not "0s"`,
		`--max-first (CVMGRAPH_MAX_FIRST): must be a whole number from 1 to 10000, not "abc"`,
		`--max-body (CVMGRAPH_MAX_BODY): must be a size in bytes, or with KiB or MiB, from 1KiB to 64MiB, not "1"`,
		`--log-level (CVMGRAPH_LOG_LEVEL): must be debug, info, warn or error, not "loud"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"several unknown flags":               {[]string{"--a1=x", "--b2"}, []string{"unknown flag --a1", "unknown flag --b2"}},
		"an unknown flag takes its value":     {[]string{"--password", "phak_secret"}, []string{"unknown flag --password"}},
		"an unknown flag leaves the command":  {[]string{"--verbose", "schema"}, []string{"unknown flag --verbose"}},
		"a wrong separator":                   {[]string{"--token:phak_secret"}, []string{"unknown flag --token"}},
		"an unknown letter and its value":     {[]string{"-tphak_secret"}, []string{"unknown flag -t"}},
		"an unknown letter of several bytes":  {[]string{"-é"}, []string{"unknown flag -é"}},
		"one dash before a flag":              {[]string{"-listen=:1"}, []string{"unknown flag -listen, did you mean --listen?"}},
		"a flag without a name":               {[]string{"--=x"}, []string{"unknown flag --"}},
		"a mistyped command":                  {[]string{"schem"}, []string{`unexpected argument "schem", did you mean schema?`}},
		"a command that there is not":         {[]string{"verify"}, []string{`unexpected argument "verify"`}},
		"two commands":                        {[]string{"serve", "schema"}, []string{`unexpected argument "schema"`}},
		"an empty argument":                   {[]string{""}, []string{`unexpected argument ""`}},
		"a dash":                              {[]string{"-"}, []string{`unexpected argument "-"`}},
		"arguments after two dashes":          {[]string{"--", "--listen"}, []string{"unexpected arguments after --"}},
		"nothing after two dashes":            {[]string{"serve", "--"}, nil},
		"a switch with another value":         {[]string{"--version=2"}, []string{"--version: must be true or false"}},
		"a switch does not take the next one": {[]string{"--demo", "no"}, []string{`unexpected argument "no"`}},
		"a value that looks like a flag": {[]string{"--max-first", "-5"}, []string{
			"--max-first (CVMGRAPH_MAX_FIRST): no value given (one that begins with a dash is written --max-first=-…)",
			"unknown flag -5",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := problems(t, test.args); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for flag, test := range map[string]struct{ good, bad []string }{
		"listen": {
			good: []string{":0", ":8080", "localhost:65535", "0.0.0.0:1", "[::1]:1", "[fe80::1%eth0]:1", "my_host.example:80"},
			bad:  []string{"", "8080", "localhost", ":65536", ":-1", ":+1", ":http", "::1:80", "a b:80", "a/b:80", "user@host:80"},
		},
		"admin-listen": {
			good: []string{"", ":0", "127.0.0.1:9090", "0.0.0.0:65535", "[::1]:1"},
			bad:  []string{"9090", "localhost", ":65536", " ", "off", "a/b:80"},
		},
		"upstream-url": {
			good: []string{"http://h", "HTTPS://h:1/", "https://h/api/v1///", "http://[::1]:65535/x", "http://10.0.0.1"},
			bad: []string{
				"", "h", "/api", "//h", "ftp://h", "https:", "https://", "https://:80", "https:h", "http://h:0", "http://h:65536",
				"http://h:x", "http://u@h", "http://u:p@h", "http://h?", "http://h?a=b", "http://h#", "http://h#f", " http://h", "http://h/a b",
				"http://h/%zz", "http://h\n",
			},
		},
		"api-version": {
			good: []string{"2025-10-28", "2024-02-29"},
			bad:  []string{"", "2025-02-29", "2025-1-2", "20251028", "2025-10-28T00:00:00Z", "latest"},
		},
		"demo": {
			good: []string{"true", "false", "1", "0"},
			bad:  []string{"", "maybe", "2"},
		},
		"upstream-timeout": {
			good: []string{"1ns", "1.5s", "24h"},
			bad:  []string{"", "0", "0s", "-1s", "10", "1d", "24h1ns", "9999999h", "abc"},
		},
		"request-timeout": {
			good: []string{"1ns", "5s", "24h"},
			bad:  []string{"", "0", "0s", "-1s", "10", "24h1ns"},
		},
		"drain-delay": {
			good: []string{"0", "0s", "3s", "24h"},
			bad:  []string{"", "-1s", "10", "24h1ns", "abc"},
		},
		"cache-ttl": {
			good: []string{"0", "0s", "2s", "24h"},
			bad:  []string{"", "-1s", "10", "24h1ns", "abc"},
		},
		"cache-bytes": {
			good: []string{"1MiB", "1048576", "64GiB"},
			bad:  []string{"", "0", "1048575", "65GiB", "64MB"},
		},
		"stale-if-error": {
			good: []string{"0", "2s", "24h"},
			bad:  []string{"", "1s", "-1s", "10", "24h1ns"},
		},
		"max-first": {
			good: []string{"1", "10000"},
			bad:  []string{"", "0", "10001", "-1", "1.0", "1e3", "abc", "99999999999999999999"},
		},
		"max-body": {
			good: []string{"1024", "1KiB", "300000", "300000B", "64MiB"},
			bad:  []string{"", "1023", "64MiB1", "67108865", "1GiB", "256KB", "256k", "-1KiB", "1.5MiB", "KiB", "256 KiB", "99999999999999999999MiB"},
		},
		"allowed-origins": {
			good: []string{"", "https://app.example.org", "http://localhost:3000", "https://a.example, https://b.example:8443", "http://[::1]:3000"},
			bad: []string{
				"*", "null", "app.example.org", "https://app.example.org/", "https://App.example.org", "https://app.example.org:443", "http://a:80",
				"https://*.example.org", "ftp://a", "https://", "https://a,", ",", "https://u@a", "https://a?b", "https://a#b", "https://a b", "https://a:",
			},
		},
		"introspection":      {good: []string{"true", "false"}, bad: []string{"", "off"}},
		"playground":         {good: []string{"true", "false"}, bad: []string{"", "on"}},
		"max-tokens":         {good: []string{"1", "100000"}, bad: []string{"", "0", "100001"}},
		"max-depth":          {good: []string{"1", "1000"}, bad: []string{"", "0", "1001"}},
		"max-aliases":        {good: []string{"1", "10000"}, bad: []string{"", "0", "10001"}},
		"max-upstream-calls": {good: []string{"1", "10000"}, bad: []string{"", "0", "-1", "10001", "many"}},
		"log-level":          {good: []string{"debug", "info", "warn", "error"}, bad: []string{"", "INFO", "trace", "info+1"}},
		"log-format":         {good: []string{"auto", "text", "json"}, bad: []string{"", "JSON", "logfmt"}},
	} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			for _, value := range test.good {
				if got := problems(t, []string{"--" + flag + "=" + value}); got != nil {
					t.Errorf("%q: got %q, want no problem", value, got)
				}
			}
			for _, value := range test.bad {
				byFlag := problems(t, []string{"--" + flag + "=" + value})
				byVariable := problems(t, nil, variable(flag)+"="+value)
				prefix := "--" + flag + " (" + variable(flag) + "): "
				if len(byFlag) != 1 || !strings.HasPrefix(byFlag[0], prefix) || strings.Contains(byFlag[0], "\n") {
					t.Errorf("%q: got %q, want one line that begins with %q", value, byFlag, prefix)
				}
				if !slices.Equal(byFlag, byVariable) {
					t.Errorf("%q: got %q by flag and %q by variable, want the same", value, byFlag, byVariable)
				}
			}
		})
	}
}

func TestUpstreamURL(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ written, want string }{
		"a trailing slash is trimmed":      {"https://h/api/v1/", "https://h/api/v1"},
		"several slashes are trimmed":      {"https://h//", "https://h"},
		"an escaped slash is not trimmed":  {"https://h/a%2F/", "https://h/a%2F"},
		"a scheme in capitals is the same": {"HTTP://h:80/x", "http://h:80/x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, []string{"--upstream-url", test.written}).UpstreamURL.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	refused := []string{"--demo (CVMGRAPH_DEMO): refused beside --upstream-url (CVMGRAPH_UPSTREAM_URL), leave one of them out"}
	for name, test := range map[string]struct {
		args, environ []string
		want          []string
	}{
		"alone":                              {[]string{"--demo"}, nil, nil},
		"beside the URL flag":                {[]string{"--demo", "--upstream-url=http://h"}, nil, refused},
		"beside the URL variable":            {[]string{"--demo"}, []string{"CVMGRAPH_UPSTREAM_URL=http://h"}, refused},
		"both by variable":                   {nil, []string{"CVMGRAPH_DEMO=true", "CVMGRAPH_UPSTREAM_URL=http://h"}, refused},
		"beside the URL that is the default": {[]string{"--demo", "--upstream-url=https://cloud-api.phala.com/api/v1"}, nil, refused},
		"off beside the URL":                 {[]string{"--demo=false", "--upstream-url=http://h"}, nil, nil},
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

func TestADemoHasNoDrainDelayOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, environ []string
		want          time.Duration
	}{
		"unset":       {[]string{"--demo"}, nil, 0},
		"by flag":     {[]string{"--demo", "--drain-delay=3s"}, nil, 3 * time.Second},
		"by variable": {[]string{"--demo"}, []string{"CVMGRAPH_DRAIN_DELAY=5s"}, 5 * time.Second},
		"no demo":     {[]string{"--demo=false"}, nil, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.args, test.environ...).DrainDelay; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// keyPair writes a certificate and its key, and returns where.
func keyPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLSTakesACertificateAndItsKey(t *testing.T) {
	t.Parallel()
	cert, key := keyPair(t)
	_, anotherKey := keyPair(t)
	secret, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	const flagCert, flagKey = "--tls-cert (CVMGRAPH_TLS_CERT): ", "--tls-key (CVMGRAPH_TLS_KEY): "
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"both":                  {[]string{"--tls-cert", cert, "--tls-key", key}, ""},
		"both, empty":           {[]string{"--tls-cert=", "--tls-key="}, ""},
		"a certificate alone":   {[]string{"--tls-cert", cert}, flagKey + "is required with --tls-cert (CVMGRAPH_TLS_CERT)"},
		"a key alone":           {[]string{"--tls-key", key}, flagCert + "is required with --tls-key (CVMGRAPH_TLS_KEY)"},
		"another's key":         {[]string{"--tls-cert", cert, "--tls-key", anotherKey}, flagCert + "is no certificate with the key of --tls-key (CVMGRAPH_TLS_KEY): private key does not match public key"},
		"a key twice":           {[]string{"--tls-cert", key, "--tls-key", key}, flagCert + "is no certificate with the key of --tls-key (CVMGRAPH_TLS_KEY): failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"},
		"files that are not":    {[]string{"--tls-cert", "none.crt", "--tls-key", "none.key"}, flagCert + "cannot be read: no such file or directory\n" + flagKey + "cannot be read: no such file or directory"},
		"the key itself":        {[]string{"--tls-cert", cert, "--tls-key=" + string(secret)}, flagKey + "cannot be read: no such file or directory"},
		"among other problems":  {[]string{"--max-first=0", "--tls-cert", cert, "--tls-key", "none.key"}, "--max-first (CVMGRAPH_MAX_FIRST): must be a whole number from 1 to 10000, not \"0\"\n" + flagKey + "cannot be read: no such file or directory"},
		"read by check":         {[]string{"check", "--tls-cert", cert, "--tls-key", anotherKey}, flagCert + "is no certificate with the key of --tls-key (CVMGRAPH_TLS_KEY): private key does not match public key"},
		"not read by a command": {[]string{"health", "--tls-cert", "none.crt", "--tls-key", "none.key"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(problems(t, test.args), "\n")
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRedisTakesAKey(t *testing.T) {
	t.Parallel()
	const secret = "c2VjcmV0"
	key := settings()["shared-key"]
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"without a key":       {[]string{"--redis-url=redis://h"}, `--shared-key (CVMGRAPH_SHARED_KEY): is required with --redis-url (CVMGRAPH_REDIS_URL)`},
		"a short key":         {[]string{"--redis-url=redis://h", "--shared-key=" + secret}, "--shared-key (CVMGRAPH_SHARED_KEY): must be 32 random bytes in base64, such as openssl rand -base64 32 prints"},
		"a key of zeros":      {[]string{"--shared-key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, "--shared-key (CVMGRAPH_SHARED_KEY): must be 32 random bytes in base64, such as openssl rand -base64 32 prints"},
		"another scheme":      {[]string{"--redis-url=http://" + secret + "@h", "--shared-key=" + key}, "--redis-url (CVMGRAPH_REDIS_URL): must be a URL such as redis://host:6379 or rediss://user:password@host:6379/0, or empty"},
		"no host":             {[]string{"--redis-url=redis://", "--shared-key=" + key}, "--redis-url (CVMGRAPH_REDIS_URL): must be a URL such as redis://host:6379 or rediss://user:password@host:6379/0, or empty"},
		"with a key":          {[]string{"--redis-url=rediss://u:" + secret + "@h:1/2", "--shared-key=" + key}, ""},
		"a key without Redis": {[]string{"--shared-key=" + key}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(problems(t, test.args), "\n")
			if got != test.want || strings.Contains(got, secret) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCredentialsAreForCheckAlone(t *testing.T) {
	t.Parallel()
	const (
		secret            = "s3cret-and-more"
		token, key        = "--token (CVMGRAPH_TOKEN): ", "--api-key (CVMGRAPH_API_KEY): "
		elsewhere         = "is for cvmgraph check alone, callers bring their own credentials"
		mustToken, mustBe = "must be the token alone, without the word Bearer: printable ASCII without spaces, at most 8 KiB", "must be the key alone: printable ASCII without spaces, at most 8 KiB"
	)
	long := strings.Repeat("x", 8<<10-len("Bearer "))
	for name, test := range map[string]struct {
		args, environ []string
		problems      []string
		warnings      []string
	}{
		"check":                   {[]string{"check", "--token", secret, "--api-key", secret}, nil, nil, nil},
		"check by variables":      {[]string{"check"}, []string{"CVMGRAPH_TOKEN=" + secret, "CVMGRAPH_API_KEY=" + secret}, nil, nil},
		"serve":                   {[]string{"serve", "--token", secret, "--api-key", secret}, nil, []string{token + elsewhere, key + elsewhere}, nil},
		"none is serve":           {[]string{"--token=" + secret}, nil, []string{token + elsewhere}, nil},
		"another command":         {[]string{"health", "--api-key=" + secret}, nil, []string{key + elsewhere}, nil},
		"serve by variables":      {nil, []string{"CVMGRAPH_TOKEN=" + secret, "CVMGRAPH_API_KEY=\x00" + secret}, nil, []string{token + elsewhere, key + elsewhere}},
		"another command, by one": {[]string{"health"}, []string{"CVMGRAPH_TOKEN=" + secret}, nil, nil},
		"a flag over a variable":  {nil, []string{"CVMGRAPH_TOKEN=" + secret, "CVMGRAPH_NONE=1"}, nil, []string{"unknown environment variable CVMGRAPH_NONE", token + elsewhere}},
		"empty":                   {[]string{"check", "--token=", "--api-key="}, nil, nil, nil},
		"the scheme with it":      {[]string{"check", "--token=Bearer " + secret}, nil, []string{token + mustToken}, nil},
		"a line's end":            {[]string{"check", "--api-key=" + secret + "\n"}, nil, []string{key + mustBe}, nil},
		"a control character":     {[]string{"check"}, []string{"CVMGRAPH_API_KEY=" + secret + "\x7f", "CVMGRAPH_TOKEN=\x01" + secret}, []string{token + mustToken, key + mustBe}, nil},
		"other letters":           {[]string{"check", "--token=é" + secret}, nil, []string{token + mustToken}, nil},
		"the longest":             {[]string{"check", "--token=" + long, "--api-key=" + long}, nil, nil, nil},
		"longer":                  {[]string{"check", "--token=x" + long, "--api-key=x" + long}, nil, []string{token + mustToken, key + mustBe}, nil},
		"among other problems":    {[]string{"check", "--max-first=0", "--token= "}, nil, []string{"--max-first (CVMGRAPH_MAX_FIRST): must be a whole number from 1 to 10000, not \"0\"", token + mustToken}, nil},
		"help shows none":         {[]string{"check", "--token", secret, "--help"}, []string{"CVMGRAPH_API_KEY=" + secret}, nil, nil},
		"without a value":         {[]string{"check", "--token"}, nil, []string{token + "no value given"}, nil},
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

func TestWarnings(t *testing.T) {
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

func TestProblemsShowNoSecrets(t *testing.T) {
	t.Parallel()
	const secret = "phak_s3cret"
	got := problems(t,
		[]string{"--token", secret, "--api-key=" + secret, "-k", secret, "-k" + secret, "--key:" + secret},
		"CVMGRAPH_UPSTREAM_URL=https://user:"+secret+"@host/?key="+secret, "CVMGRAPH_TOKEN="+secret)
	if text := strings.Join(got, "\n"); strings.Contains(text, secret) {
		t.Errorf("got the secret in:\n%s", text)
	}
}

func TestLongValuesAreCut(t *testing.T) {
	t.Parallel()
	got := problems(t, []string{"--max-first=" + strings.Repeat("9", 10000)})
	if len(got) != 1 || len(got[0]) > 200 {
		t.Errorf("got %d problems of %d bytes in all, want one of at most 200", len(got), len(strings.Join(got, "")))
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
