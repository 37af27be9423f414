package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a running program. Its log is what it has written to stdout and stderr.
type process struct {
	*exec.Cmd
	url string // of the public listener, without a path

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

// start starts the program on a free port and waits until it is ready. Without --admin-listen in
// args, the program has no admin listener.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startWith(t, nil, args...)
}

// startWith is like start, with additional environment variables.
func startWith(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	return startIn(t, nil, environ, args...)
}

// startIn is like startWith. Prefix is a command line that runs the program.
func startIn(t *testing.T, prefix, environ []string, args ...string) *process {
	t.Helper()
	args = append([]string{"--admin-listen=", "--listen=127.0.0.1:0", "--log-format=json"}, args...)
	inheritAll := func(string) bool { return false }
	return startCommand(t, newCommand(t.Context(), t, inheritAll, environ, prefix, args))
}

// startCommand starts a gateway and waits until it has logged its address. The process ends with
// the test.
func startCommand(t *testing.T, command *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: command}
	p.Stdout, p.Stderr = p, p
	if testing.CoverMode() != "" { // a killed process writes no coverage data
		p.Cancel = func() error { return p.Process.Signal(syscall.SIGTERM) }
		p.WaitDelay = 20 * time.Second
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Wait() // the end of the test's context ends the process
		checkRaces(t, p.logged())
	})
	address := regexp.MustCompile(`graphql"?[:=]"?(https?://[^"\s]+)/graphql`)
	tick := time.Tick(10 * time.Millisecond)
	for begun := time.Now(); time.Since(begun) < 20*time.Second; <-tick {
		if found := address.FindStringSubmatch(p.logged()); found != nil {
			p.url = found[1]
			return p
		}
	}
	t.Fatalf("the program did not start: %s", p.logged())
	return nil
}

// terminate sends SIGTERM and fails the test if the program does not exit with status 0.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.waitForExit(t)
}

// waitForExit fails the test if the program does not exit with status 0.
func (p *process) waitForExit(t *testing.T) {
	t.Helper()
	if err := p.Wait(); err != nil {
		t.Errorf("exit: got %v, want status 0; the log: %.5000s", err, p.logged())
	}
}

// response is a response of the program.
type response struct {
	status int
	header http.Header
	body   string
}

// query sends an operation and returns the body of the response.
func (p *process) query(ctx context.Context, query, token string) (string, error) {
	r, err := p.post(ctx, http.DefaultClient, query, bearer(token))
	return r.body, err
}

// bearer returns a header with a token, or an empty header without one.
func bearer(token string) http.Header {
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return header
}

// post sends an operation with client and with header.
func (p *process) post(
	ctx context.Context, client *http.Client, query string, header http.Header,
) (response, error) {
	return post(ctx, client, p.url, query, header)
}

// post sends an operation to the gateway at url.
func post(
	ctx context.Context, client *http.Client, url, query string, header http.Header,
) (response, error) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return response{}, err
	}
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, url+"/graphql", bytes.NewReader(body),
	)
	if err != nil {
		return response{}, err
	}
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	got, err := client.Do(request)
	if err != nil {
		return response{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return response{got.StatusCode, got.Header, string(text)}, err
}

// fetch sends a request without a body and returns the status and the body of the response.
func fetch(t *testing.T, method, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(body)
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.Tick(5 * time.Millisecond)
	for begun := time.Now(); !holds(); <-tick {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("got a condition that did not hold for 20 s")
		}
	}
}

// readFile returns the content of a file of the repository.
func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// trimScheme returns an address without http://.
func trimScheme(url string) string { return strings.TrimPrefix(url, "http://") }
