package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/testing/testmode"
)

// largeQuery has a response of more than 1 MB. Ten of them exceed the kernel's buffers.
var largeQuery = "/graphql?" + url.Values{"query": {`{ a: cvms(first: 300) { ...all } b: cvms(first: 300) { ...all } } fragment all on CvmConnection { nodes {
	id name status hosted { uptime configuration { image memory encryptedEnv userConfig composeFile { dockerComposeFile preLaunchScript salt } }
	events { event body timestamp } } } }`}}.Encode()

// slowAttack is a mode of slowhttptest.
type slowAttack struct {
	args        []string
	target      string
	connections int
	within      time.Duration // in which the program must close the connections
	seen        bool          // whether slowhttptest can see that they are closed
}

// TestSlowClients keeps connections open with slowhttptest in each of its modes. The program must
// close them, and send data to another client meanwhile.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	if !testmode.Full() {
		t.Skip("takes 20 s, and limits times: set CVMGRAPH_TEST_FULL=1, without the race detector")
	}
	if _, err := exec.LookPath("slowhttptest"); err != nil {
		t.Skip("needs slowhttptest on PATH: .ci/run installs it")
	}
	if runtime.GOOS != "linux" {
		t.Skip("reads open connections from /proc, which is Linux's")
	}
	for mode, attack := range map[string]slowAttack{
		"request headers": {
			args:   []string{"-H", "-i", "2"},
			target: "/graphql", connections: 300, within: 5 * time.Second, seen: true,
		},
		"request bodies": {
			args:   []string{"-B", "-i", "2", "-s", "8192", "-f", "application/json"},
			target: "/graphql", connections: 300, within: 10 * time.Second, seen: true,
		},
		"reading of responses": {
			args:   []string{"-X", "-n", "2", "-w", "1", "-y", "64", "-z", "8", "-k", "10"},
			target: largeQuery, connections: 50, within: 10 * time.Second,
		},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			attack.run(t)
		})
	}
}

// run starts a program and attacks it.
func (a slowAttack) run(t *testing.T) {
	t.Helper()
	p := start(t, "--demo", "--request-timeout=5s")
	if status, body := fetch(t, http.MethodGet, p.url+largeQuery); status != http.StatusOK || len(body) < 1_000_000 {
		t.Fatalf("got status %d and %d bytes, want a large response", status, len(body))
	}
	http.DefaultClient.CloseIdleConnections()
	before := p.openFiles(t)
	var output bytes.Buffer
	args := slices.Concat(a.args, []string{
		"-c", fmt.Sprint(a.connections), "-r", "150", "-l", "20", "-p", "3", "-v", "1", "-u", p.url + a.target,
	})
	attack := exec.CommandContext(t.Context(), "slowhttptest", args...)
	attack.Stdout, attack.Stderr = &output, &output
	if err := attack.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = attack.Wait() // its status repeats its output
		close(ended)
	}()
	var held, released time.Time
	var most, responses int
	for tick, during := time.Tick(50*time.Millisecond), true; during; {
		select {
		case <-ended:
			during = false
		case <-tick:
		}
		if p.respondsToOther(t) {
			responses++
		}
		switch now := p.openFiles(t) - before; {
		case held.IsZero() && now > a.connections*9/10:
			held, most = time.Now(), now
		case !held.IsZero() && released.IsZero() && now < a.connections/20:
			released = time.Now()
		}
	}
	if held.IsZero() {
		t.Fatalf("got no attack: %s", output.String())
	}
	took := released.Sub(held)
	t.Logf("%d connections closed after %s; %d responses to another client; resident set: %d MiB at most",
		most, took.Round(100*time.Millisecond), responses, p.resident(t)>>20)
	const grace = 3 * time.Second // the attack makes the machine busy
	if released.IsZero() || took > a.within+grace {
		t.Errorf("got connections open for %s, want at most %s", took, a.within)
	}
	log := output.String()
	if strings.Contains(log, "available:   NO") || a.seen && !strings.Contains(log, "No open connections left") {
		t.Errorf("slowhttptest: got %s", log)
	}
}

// respondsToOther sends a request on a new connection, and reports whether the response has data.
// Otherwise the test fails.
func (p *process) respondsToOther(t *testing.T) bool {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 3 * time.Second}
	got, err := p.post(t.Context(), client, `{ cvms(first: 1) { nodes { id } } }`, bearer("other"))
	if err != nil || !strings.HasPrefix(got.body, `{"data":{"cvms":{"nodes":[{`) {
		t.Errorf("another client: got %.200s, %v, want data", got.body, err)
		return false
	}
	return true
}
