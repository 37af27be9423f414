package config_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/config"
)

func TestParse_command(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want config.Command
	}{
		"no command":                {want: config.CommandServe},
		"serve":                     {args: []string{"serve"}, want: config.CommandServe},
		"schema":                    {args: []string{"schema"}, want: config.CommandSchema},
		"health":                    {args: []string{"health"}, want: config.CommandHealth},
		"check":                     {args: []string{"check"}, want: config.CommandCheck},
		"check after its flags":     {args: []string{"--token=x", "check", "--api-key=y"}, want: config.CommandCheck},
		"health with a flag":        {args: []string{"health", "--listen=:9"}, want: config.CommandHealth},
		"--version":                 {args: []string{"--version"}, want: config.CommandVersion},
		"version command":           {args: []string{"version"}, want: config.CommandVersion},
		"help command":              {args: []string{"help"}, want: config.CommandHelp},
		"--version with problems":   {args: []string{"--version", "--bogus", "--max-first=x"}, want: config.CommandVersion},
		"--version=false":           {args: []string{"--version=false"}, want: config.CommandServe},
		"--help":                    {args: []string{"--help"}, want: config.CommandHelp},
		"-h":                        {args: []string{"-h"}, want: config.CommandHelp},
		"--help after a command":    {args: []string{"health", "--help"}, want: config.CommandHelp},
		"--help after problems":     {args: []string{"--bogus", "--max-first=x", "--help"}, want: config.CommandHelp},
		"--version and --help":      {args: []string{"--version", "--help"}, want: config.CommandHelp},
		"--help instead of a value": {args: []string{"--listen", "--help"}, want: config.CommandHelp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.args).Command; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestParse_helpListsSettings(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if _, err := config.Parse([]string{"--help"}, []string{"CVMGRAPH_MAX_FIRST=x"}, &out); err != nil {
		t.Fatalf("got error %v, want none", err)
	}
	help := strings.Join(strings.Fields(out.String()), " ")
	wants := []string{"--version", "serve", "schema", "health", "check", "Default 256KiB.", "Default :8080.", "Default 60s."}
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

func TestParse_helpWriteError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := config.Parse([]string{"--help"}, nil, brokenWriter{broken}); !errors.Is(err, broken) {
		t.Errorf("got error %v, want %v", err, broken)
	}
}

func TestParse_allProblems(t *testing.T) {
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
		`--listen (CVMGRAPH_LISTEN) needs a value`,
		`--upstream-url (CVMGRAPH_UPSTREAM_URL) must be an absolute http or https URL with a host and without user, query or fragment`,
		`--request-timeout (CVMGRAPH_REQUEST_TIMEOUT) must be a duration with a unit, such as 10s, above 0 and at most 24h, not "0s"`,
		`--max-first (CVMGRAPH_MAX_FIRST) must be a whole number from 1 to 10000, not "abc"`,
		`--max-body (CVMGRAPH_MAX_BODY) must be a size in bytes, or with KiB or MiB, from 1KiB to 64MiB, not "1"`,
		`--log-level (CVMGRAPH_LOG_LEVEL) must be debug, info, warn or error, not "loud"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestParse_invalidArguments(t *testing.T) {
	t.Parallel()
	const commands = ": use serve, check, schema, health, version or help"
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"several unknown flags":           {args: []string{"--a1=x", "--b2"}, want: []string{"unknown flag --a1", "unknown flag --b2"}},
		"unknown flag with a value":       {args: []string{"--password", "phak_secret"}, want: []string{"unknown flag --password"}},
		"unknown flag before a command":   {args: []string{"--verbose", "schema"}, want: []string{"unknown flag --verbose"}},
		"wrong separator":                 {args: []string{"--token:phak_secret"}, want: []string{"unknown flag --token"}},
		"unknown letter with a value":     {args: []string{"-tphak_secret"}, want: []string{"unknown flag -t"}},
		"unknown letter of several bytes": {args: []string{"-é"}, want: []string{"unknown flag -é"}},
		"one dash before a flag":          {args: []string{"-listen=:1"}, want: []string{"unknown flag -listen, did you mean --listen?"}},
		"flag without a name":             {args: []string{"--=x"}, want: []string{"unknown flag --"}},
		"mistyped command":                {args: []string{"schem"}, want: []string{`unknown command "schem", did you mean schema?`}},
		"unknown command":                 {args: []string{"verify"}, want: []string{`unknown command "verify"` + commands}},
		"two commands":                    {args: []string{"serve", "schema"}, want: []string{`unexpected argument "schema"`}},
		"empty argument":                  {args: []string{""}, want: []string{`unknown command ""` + commands}},
		"dash":                            {args: []string{"-"}, want: []string{`unknown command "-"` + commands}},
		"arguments after two dashes":      {args: []string{"--", "--listen"}, want: []string{"unexpected arguments after --"}},
		"nothing after two dashes":        {args: []string{"serve", "--"}},
		"switch with an invalid value":    {args: []string{"--version=2"}, want: []string{"--version must be true or false"}},
		"switch before an argument":       {args: []string{"--demo", "no"}, want: []string{`unknown command "no"` + commands}},
		"value that begins with a dash": {args: []string{"--max-first", "-5"}, want: []string{
			"--max-first (CVMGRAPH_MAX_FIRST) needs a value (write a value that begins with a dash as --max-first=-…)",
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

func TestParse_problemsHideSecrets(t *testing.T) {
	t.Parallel()
	const secret = "phak_s3cret"
	got := problems(t,
		[]string{"--token", secret, "--api-key=" + secret, "-k", secret, "-k" + secret, "--key:" + secret},
		"CVMGRAPH_UPSTREAM_URL=https://user:"+secret+"@host/?key="+secret, "CVMGRAPH_TOKEN="+secret)
	got = append(got, problems(t, []string{"check", "--api-key=", secret})...)
	got = append(got, problems(t, []string{"--token=", secret})...)
	if text := strings.Join(got, "\n"); strings.Contains(text, secret) {
		t.Errorf("got the secret in:\n%s", text)
	}
}

func TestParse_longValue(t *testing.T) {
	t.Parallel()
	got := problems(t, []string{"--max-first=" + strings.Repeat("9", 10000)})
	if len(got) != 1 || len(got[0]) > 200 {
		t.Errorf("got %d problems of %d bytes in all, want one of at most 200", len(got), len(strings.Join(got, "")))
	}
}
