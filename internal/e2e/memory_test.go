package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/testmode"
)

// TestMemory_largeResponses limits the resident set of a program while several callers at a time
// request each of the large responses of an upstream, others send oversized bodies, and 50 more
// keep incomplete bodies open.
func TestMemory_largeResponses(t *testing.T) {
	t.Parallel()
	needsResident(t)
	upstream := startFaulty(t)
	p := startWith(t, []string{"GOMEMLIMIT=200MiB"}, "--upstream-url", upstream.url+demo.BasePath,
		"--upstream-timeout=1m", "--request-timeout=2m") // times do not matter here
	idle := p.resident(t)
	for range 50 {
		p.holdBody(t)
	}
	for _, name := range slices.Sorted(maps.Keys(faultTable)) {
		want := faultTable[name]
		large := want.memory > 0 || strings.Contains(name, "flood") || strings.Contains(name, "deep")
		if want.code == upstreamError || !large { // a status of 5xx is not read to its end, and would open the breaker
			continue
		}
		callers := testmode.Count(2, 16)
		if want.code == "" || want.partial {
			callers = 2 // their responses are as large as the upstream's
		}
		var group sync.WaitGroup
		for i := range callers {
			group.Go(func() {
				got, err := p.query(t.Context(), `{ cvms { nodes { id name vcpu } } }`, upstream.tokenOf(name, fmt.Sprint(i)))
				if err != nil || (want.code != "") != strings.Contains(got, `"code":"`+want.code+`"`) {
					t.Errorf("%s: got %.300s, %v, want %q", name, got, err, want.code)
				}
			})
		}
		for kind := range oversizedBodies {
			group.Go(func() { p.sendOversizedBody(t, kind) })
		}
		group.Wait()
		t.Logf("after %s: %d MiB", name, p.resident(t)>>20)
	}
	got := p.resident(t)
	t.Logf("resident set: %d MiB, %d MiB when idle", got>>20, idle>>20)
	if got >= 256<<20 {
		t.Errorf("resident set: got %d MiB, want less than 256", got>>20)
	}
	if got, err := p.query(t.Context(), `{ cvms { totalCount } }`, "sane"); err != nil || !strings.Contains(got, `"totalCount":300`) {
		t.Errorf("the next query: got %s, %v, want data", got, err)
	}
}

// needsResident skips a test that limits the resident set if the limit cannot be checked.
func needsResident(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads the resident set from /proc, which is Linux's")
	}
	if testmode.Race {
		t.Skip("the race detector multiplies memory; .ci/run runs this test without it too")
	}
}

// resident returns the largest resident set of the program until now in bytes, or 0 if it is
// unknown.
func (p *process) resident(t *testing.T) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	return p.memoryStatus(t, "VmHWM")
}

// memoryStatus returns an amount of memory from /proc/PID/status in bytes.
func (p *process) memoryStatus(t *testing.T, name string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("got no %s in %s", name, status)
	}
	kib, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// container creates a memory cgroup within the cgroup of this process. It returns a command line
// that runs the command after it in the cgroup.
func container(t *testing.T, limit int64) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("cgroups are Linux's")
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	mount, file, path := "/sys/fs/cgroup", "memory.max", ""
	if found := regexp.MustCompile(`(?m)^0::(.*)$`).FindSubmatch(own); found != nil {
		path = string(found[1])
	}
	if found := regexp.MustCompile(`(?m)^\d+:memory:(.*)$`).FindSubmatch(own); found != nil { // version 1
		mount, file, path = "/sys/fs/cgroup/memory", "memory.limit_in_bytes", string(found[1])
	}
	if _, err := os.Stat(filepath.Join(mount, path)); err != nil {
		path = "" // in a container, the mount's root is the process's own cgroup
	}
	dir, err := os.MkdirTemp(filepath.Join(mount, path), "cvmgraph-test-")
	if err != nil {
		t.Skipf("needs permission to create a cgroup: %v", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Log(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, file), []byte(strconv.FormatInt(limit, 10)), 0o644); err != nil {
		t.Skipf("needs the memory controller of cgroups: %v", err)
	}
	return []string{"sh", "-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(dir, "cgroup.procs")}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	const limit = 256 << 20
	for name, test := range map[string]struct {
		environ []string
		want    float64 // bytes
	}{
		"of the container": {want: 0.9 * limit},
		"of GOMEMLIMIT":    {environ: []string{"GOMEMLIMIT=200MiB"}, want: 200 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startIn(t, container(t, limit), test.environ, "--demo", "--admin-listen=127.0.0.1:0")
			_, metrics := fetch(t, http.MethodGet, p.admin()+"/metrics")
			found := regexp.MustCompile(`(?m)^go_gc_gomemlimit_bytes (\S+)$`).FindStringSubmatch(metrics)
			if found == nil {
				t.Fatal("got no limit in the metrics")
			}
			if got, err := strconv.ParseFloat(found[1], 64); err != nil || got < 0.99*test.want || got > 1.01*test.want {
				t.Errorf("got %s, %v, want %.0f", found[1], err, test.want)
			}
			if !strings.Contains(p.logged(), `"msg":"memory limit set"`) {
				t.Errorf("got %s, want the limit in the log", p.logged())
			}
		})
	}
}
