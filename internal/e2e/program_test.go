// Package e2e_test tests the program as a process, through its command line and its listeners. The
// tests start the servers that it talks to: the upstream, Redis, proxies and OpenTelemetry
// collectors. The program is built once per run of the tests.
package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cvmgraph/internal/testing/testmode"
)

// root is the repository's root directory, relative to this package.
const root = "../.."

// Exit codes of the program.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// panickingVariable makes the test binary serve as the panicking gateway of panic_test.go.
const panickingVariable = "CVMGRAPH_TEST_PANICKING"

func TestMain(m *testing.M) {
	if os.Getenv(panickingVariable) != "" {
		os.Exit(servePanics(os.Args[1:]))
	}
	code := m.Run()
	if dir, err := buildDirectory(); err == nil {
		_ = os.RemoveAll(dir) // a temporary directory
	}
	os.Exit(code)
}

// buildDirectory returns the temporary directory of the built program and of its coverage data.
var buildDirectory = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "cvmgraph-e2e-") })

// builtProgram builds the program on the first call and returns its path. If the tests run with the
// race detector or with coverage, so does the program.
var builtProgram = sync.OnceValues(func() (path string, err error) {
	dir, err := buildDirectory()
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "cvmgraph")
	args := []string{"build", "-buildvcs=false", "-o", path}
	if testmode.Race {
		args = append(args, "-race")
	}
	if mode := testing.CoverMode(); mode != "" {
		args = append(args, "-cover", "-covermode="+mode, "-coverpkg=./...")
	}
	if _, err := goTool(append(args, ".")...); err != nil {
		return "", err
	}
	return path, openSources()
})

// openSources opens the directories of the program's source files. The go command caches a test's
// result until the test binary or a file that the test opened changes, and the program is not a
// part of the test binary.
func openSources() error {
	list, err := goTool("list", "-deps", "-f",
		`{{if and .Module .Module.Main}}{{$dir := .Dir}}{{$dir}}{{"\n"}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}`, ".")
	if err != nil {
		return err
	}
	for path := range strings.FieldsSeq(list) {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		_ = file.Close() // only read
	}
	return nil
}

// goTool runs the go command in the repository's root and returns its output.
func goTool(args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	command := exec.Command("go", args...)
	command.Dir, command.Stdout, command.Stderr = root, &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.String())
	}
	return stdout.String(), nil
}

// newCommand returns a command that runs the program in the repository's root. The command inherits
// the environment, except variables for which drop returns true and those of the tests themselves;
// environ is added. Prefix, if not nil, is a command line that runs the program.
func newCommand(ctx context.Context, t *testing.T, drop func(name string) bool, environ, prefix, args []string) *exec.Cmd {
	t.Helper()
	program, err := builtProgram()
	if err != nil {
		t.Fatal(err)
	}
	line := slices.Concat(prefix, []string{program}, args)
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Dir = root
	command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return drop(name) || strings.HasPrefix(name, "CVMGRAPH_TEST_") || name == "GOMEMLIMIT"
	})
	if testing.CoverMode() != "" {
		command.Env = append(command.Env, "GOCOVERDIR="+coverageDirectory(t))
	}
	command.Env = append(command.Env, environ...)
	return command
}

// coverageDirectory returns the directory for the program's coverage data: the value of
// -test.gocoverdir, which `make cover` sets, or a temporary directory.
func coverageDirectory(t *testing.T) string {
	t.Helper()
	if f := flag.Lookup("test.gocoverdir"); f != nil && f.Value.String() != "" {
		return f.Value.String()
	}
	dir, err := buildDirectory()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// result is the outcome of a run of the program.
type result struct {
	code           int
	stdout, stderr string
}

// run runs the program and waits until it exits. The program does not inherit variables that
// configure cvmgraph, proxies or certificates; environ is its configuration.
func run(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	return runUntil(t.Context(), t, environ, args...)
}

// runUntil is like run, and terminates the program when ctx is canceled.
func runUntil(ctx context.Context, t *testing.T, environ []string, args ...string) result {
	t.Helper()
	isSetting := func(name string) bool {
		name = strings.ToUpper(name)
		return strings.HasPrefix(name, "CVMGRAPH_") || strings.HasPrefix(name, "SSL_CERT_") || strings.HasSuffix(name, "_PROXY")
	}
	command := newCommand(ctx, t, isSetting, environ, nil, args)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok && ctx.Err() == nil {
		t.Fatal(err)
	}
	checkRaces(t, stderr.String())
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// checkRaces fails the test if the race detector has reported a race of the program.
func checkRaces(t *testing.T, log string) {
	t.Helper()
	if _, report, found := strings.Cut(log, "WARNING: DATA RACE"); found {
		t.Errorf("got a data race in the program: %.5000s", report)
	}
}
