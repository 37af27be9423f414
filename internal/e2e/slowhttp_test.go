package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/testing/testmode"
)

// TestSlowHTTP lets slowhttptest hold connections as long as it can, in each of its modes, while somebody else is served.
func TestSlowHTTP(t *testing.T) {
	t.Parallel()
	if !testmode.Full() {
		t.Skip("takes 20 s: set CVMGRAPH_TEST_FULL=1")
	}
	if testmode.Race {
		t.Skip("is about the time that connections take: .ci/run runs this without the race detector")
	}
	if _, err := exec.LookPath("slowhttptest"); err != nil {
		t.Skip("needs slowhttptest on PATH: .ci/run installs it")
	}
	if runtime.GOOS != "linux" {
		t.Skip("open connections are read from /proc, which is Linux's")
	}
	// More than the kernel takes off the program's hands: 10 answers of 1.2 MB.
	large := "/graphql?" + url.Values{"query": {`{ a: cvms(first: 300) { ...all } b: cvms(first: 300) { ...all } } fragment all on CvmConnection { nodes {
		id name status hosted { uptime configuration { image memory encryptedEnv userConfig composeFile { dockerComposeFile preLaunchScript salt } }
		events { event body timestamp } } } }`}}.Encode()
	for mode, test := range map[string]struct {
		args   []string
		target string
		count  int
		within time.Duration // the program lets go of its connections
		gone   bool          // the tool sees that
	}{
		"headers": {[]string{"-H", "-i", "2"}, "/graphql", 300, 5 * time.Second, true},
		"bodies":  {[]string{"-B", "-i", "2", "-s", "8192", "-f", "application/json"}, "/graphql", 300, 10 * time.Second, true},
		"answers": {[]string{"-X", "-n", "2", "-w", "1", "-y", "64", "-z", "8", "-k", "10"}, large, 50, 10 * time.Second, false},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := start(t, "--demo", "--request-timeout=5s")
			if status, text := answer(t, http.MethodGet, p.url+large); status != http.StatusOK || len(text) < 1_000_000 {
				t.Fatalf("got status %d and %d bytes, want a large answer", status, len(text))
			}
			http.DefaultClient.CloseIdleConnections()
			before := p.descriptors(t)
			var said bytes.Buffer
			attack := exec.CommandContext(t.Context(), "slowhttptest", append(test.args, "-c", fmt.Sprint(test.count), "-r", "150", "-l", "20", "-p", "3", "-v", "1", "-u", p.url+test.target)...)
			attack.Stdout, attack.Stderr = &said, &said
			if err := attack.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				_ = attack.Wait() // its status says what it saw
				close(ended)
			}()
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 3 * time.Second}
			var held, released time.Time
			var most, answered int
			for tick, during := time.Tick(50*time.Millisecond), true; during; {
				select {
				case <-ended:
					during = false
				case <-tick:
				}
				if got, err := postAs(client, p.url, `{ cvms(first: 1) { nodes { id } } }`, "somebody"); err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"nodes":[{`) {
					t.Errorf("somebody else: got %.200s, %v, want data", got, err)
				} else {
					answered++
				}
				switch now := p.descriptors(t) - before; {
				case held.IsZero() && now > test.count*9/10:
					held, most = time.Now(), now
				case !held.IsZero() && released.IsZero() && now < test.count/20:
					released = time.Now()
				}
			}
			if held.IsZero() {
				t.Fatalf("got no attack: %s", said.String())
			}
			took := released.Sub(held)
			t.Logf("%d connections let go after %s; %d requests answered beside them; resident set: %d MiB at most",
				most, took.Round(100*time.Millisecond), answered, p.resident(t)>>20)
			const grace = 3 * time.Second // for a machine that is busy with this
			if released.IsZero() || took > test.within+grace {
				t.Errorf("got connections for %s, want at most %s", took, test.within)
			}
			if log := said.String(); strings.Contains(log, "available:   NO") || test.gone && !strings.Contains(log, "No open connections left") {
				t.Errorf("slowhttptest: got %s", log)
			}
		})
	}
}

// descriptors returns how many files and connections the program has open.
func (p *process) descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
