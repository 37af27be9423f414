package e2e_test

import (
	"regexp"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	address := trimScheme(start(t, "--demo").url)
	tests := map[string]struct {
		args, environ []string
		wantCode      int
		wantStdout    string   // a regular expression
		wantStderr    []string // substrings
	}{
		"version": {
			args: []string{"--version"}, wantStdout: `^cvmgraph \S+\n$`,
		},
		"version command": {
			args: []string{"version"}, wantStdout: `^cvmgraph \d+\.\d+\.\d+\S*\n$`,
		},
		"help command": {
			args: []string{"help"}, wantStdout: `--upstream-url`,
		},
		"help": {
			args: []string{"--help"}, wantStdout: `--upstream-url`,
		},
		"schema": {
			args: []string{"schema"}, wantStdout: `^` + regexp.QuoteMeta(readFile(t, "schema.graphqls")) + `$`,
		},
		"health of a running gateway": {
			args: []string{"health", "--listen", address}, wantStdout: `^$`,
		},
		"health without a gateway": {
			args:     []string{"health", "--listen", "127.0.0.1:1"},
			wantCode: exitFailure, wantStdout: `^$`, wantStderr: []string{"refused"},
		},
		"a port in use": {
			args:     []string{"serve", "--demo", "--listen", address},
			wantCode: exitFailure, wantStdout: `^$`, wantStderr: []string{"in use"},
		},
		"all problems at once": {
			args:     []string{"--what", "--max-first=many", "--demo"},
			environ:  []string{"CVMGRAPH_LOG_LEVEL=loud", "CVMGRAPH_UPSTREAM_URL=http://127.0.0.1:1"},
			wantCode: exitUsage, wantStdout: `^$`,
			wantStderr: []string{
				"--what", "--max-first (CVMGRAPH_MAX_FIRST)", "--log-level (CVMGRAPH_LOG_LEVEL)",
				"--demo (CVMGRAPH_DEMO)",
			},
		},
		"an unknown variable is a warning": {
			args:       []string{"schema"},
			environ:    []string{"CVMGRAPH_PORT_8080_TCP=tcp://10.0.0.1:8080"},
			wantStdout: `type Query`, wantStderr: []string{"CVMGRAPH_PORT_8080_TCP"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, test.environ, test.args...)
			if got.code != test.wantCode {
				t.Errorf("exit code: got %d, want %d", got.code, test.wantCode)
			}
			if !regexp.MustCompile(test.wantStdout).MatchString(got.stdout) {
				t.Errorf("stdout: got %.200q, want %s", got.stdout, test.wantStdout)
			}
			for _, want := range test.wantStderr {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr: got %q, want %q in it", got.stderr, want)
				}
			}
		})
	}
}
