// Package e2e_test tests the program as users and orchestrators run it: as a process, over its listeners, beside servers that play
// the upstream, Redis, a proxy or an OpenTelemetry collector. The program is built once per run of the tests.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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

// builtProgram builds the program at its first call and returns its path. The program has the race detector and coverage counters
// if the tests have them.
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

// openSources opens the directories of the program's source files. The go command reuses a test's result until a file changes that
// is part of the test binary or that the test opened; the program is neither.
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

// newCommand returns a command that runs the program in the repository's root. The environment is this process's without the names
// that drop reports and without settings of the tests, and then environ. Prefix is a command line that runs the program, or nil.
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

// coverageDirectory returns the directory that the program writes its coverage data to: that of -test.gocoverdir, which `make cover`
// sets, or a temporary one.
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

// run runs the program to its end. Its environment has no settings of cvmgraph, proxies or certificates except those in environ.
func run(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	return runUntil(t.Context(), t, environ, args...)
}

// runUntil is run, but interrupts the program when ctx is canceled.
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

// process is the program, running.
type process struct {
	*exec.Cmd
	url string

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// start starts the program on a free port and waits until it is ready. It has no admin listener but the one in args.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startWith(t, nil, args...)
}

// startWith is start with environment variables.
func startWith(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	return startIn(t, nil, environ, args...)
}

// startIn is startWith with a command line that runs the program.
func startIn(t *testing.T, prefix, environ []string, args ...string) *process {
	t.Helper()
	args = append([]string{"--admin-listen=", "--listen=127.0.0.1:0", "--log-format=json"}, args...)
	return startCommand(t, newCommand(t.Context(), t, func(string) bool { return false }, environ, prefix, args))
}

// startCommand starts a command that serves GraphQL and waits until its log has the address. The command ends with the test.
func startCommand(t *testing.T, command *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: command}
	p.Stdout, p.Stderr = p, p
	if testing.CoverMode() != "" { // a killed program writes no coverage data
		p.Cancel, p.WaitDelay = func() error { return p.Process.Signal(syscall.SIGTERM) }, 20*time.Second
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Wait() // the test's context has ended, and with it the program
		checkRaces(t, p.logged())
	})
	serving := regexp.MustCompile(`graphql"?[:=]"?(https?://[^"\s]+)/graphql`)
	tick := time.Tick(10 * time.Millisecond)
	for begun := time.Now(); time.Since(begun) < 20*time.Second; <-tick {
		if found := serving.FindStringSubmatch(p.logged()); found != nil {
			p.url = found[1]
			return p
		}
	}
	t.Fatalf("the program did not start: %s", p.logged())
	return nil
}

// ask sends an operation and returns the whole answer.
func (p *process) ask(ctx context.Context, query, token string) (string, error) {
	r, err := p.send(ctx, query, token, nil)
	return r.text, err
}

// reply is an answer of the program.
type reply struct {
	status int
	header http.Header
	text   string
}

// send is ask with more headers.
func (p *process) send(ctx context.Context, query, token string, header http.Header) (reply, error) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return reply{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if header != nil {
		request.Header = header.Clone()
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(answer)}, err
}
