package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// container makes a memory cgroup below this process's own, and returns the command line that runs what follows it in there.
func container(t *testing.T, limit int64) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("cgroups are Linux's")
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	root, file, path := "/sys/fs/cgroup", "memory.max", ""
	if found := regexp.MustCompile(`(?m)^0::(.*)$`).FindSubmatch(own); found != nil {
		path = string(found[1])
	}
	if found := regexp.MustCompile(`(?m)^\d+:memory:(.*)$`).FindSubmatch(own); found != nil { // version 1
		root, file, path = "/sys/fs/cgroup/memory", "memory.limit_in_bytes", string(found[1])
	}
	if _, err := os.Stat(filepath.Join(root, path)); err != nil {
		path = "" // as in a container, where that is the root of what is mounted
	}
	dir := filepath.Join(root, path, fmt.Sprintf("cvmgraph-test-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("needs a cgroup that it may make others in: %v", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Log(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, file), []byte(strconv.FormatInt(limit, 10)), 0o644); err != nil {
		t.Skipf("needs the memory controller of cgroups: %v", err)
	}
	return []string{"sh", "-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(dir, "cgroup.procs"), os.Args[0]}
}

func TestMemoryLimitIsTheContainers(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "") // restored afterwards
	if err := os.Unsetenv("GOMEMLIMIT"); err != nil {
		t.Fatal(err)
	}
	const limit = 256 << 20
	program := container(t, limit)
	for name, test := range map[string]struct {
		environ string
		want    float64
	}{
		"the container's, where nothing is set": {"", 0.9 * limit},
		"GOMEMLIMIT, where that is set":         {"200MiB", 200 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			if test.environ != "" {
				t.Setenv("GOMEMLIMIT", test.environ)
			}
			p := startAs(t, program, "--demo", "--admin-listen=127.0.0.1:0")
			_, metrics := answer(t, http.MethodGet, p.admin()+"/metrics")
			found := regexp.MustCompile(`(?m)^go_gc_gomemlimit_bytes (\S+)$`).FindStringSubmatch(metrics)
			if found == nil {
				t.Fatal("got no limit in the metrics")
			}
			if got, err := strconv.ParseFloat(found[1], 64); err != nil || got < 0.99*test.want || got > 1.01*test.want {
				t.Errorf("got %s, %v, want %.0f", found[1], err, test.want)
			}
			if !strings.Contains(p.logged(), `"msg":"memory is limited"`) {
				t.Errorf("got %s, want the limit in the log", p.logged())
			}
			_ = p.Process.Kill()
			_ = p.Wait() // before its cgroup is removed
		})
	}
}
