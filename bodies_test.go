package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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

// TestMemoryUnderAFloodOfBodies holds large bodies open on many connections, and sends others without end.
func TestMemoryUnderAFloodOfBodies(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the resident set is read from /proc, which is Linux's")
	}
	if raceDetector {
		t.Skip("the race detector multiplies memory: .ci/run runs this without it too")
	}
	p := startAs(t, []string{"env", "GOMEMLIMIT=200MiB", os.Args[0]}, "--demo")
	const header = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunk := func(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
	send := func(text string) net.Conn {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Error(err)
			return nil
		}
		io.WriteString(conn, text)
		return conn
	}
	connections := 300
	if os.Getenv("CVMGRAPH_TEST_FULL") == "1" {
		connections = 900
	}
	half := header + chunk(`{"query":"{ __typename }","operationName":"`+strings.Repeat("x", 255<<10))
	var flood sync.WaitGroup
	begun, enough := time.Now(), atomic.Bool{}
	for i := range connections {
		flood.Go(func() {
			for tick := time.Tick(100 * time.Millisecond); !enough.Load() && time.Since(begun) < 15*time.Second; <-tick { // whoever is refused comes again
				conn := send(half)
				if conn == nil {
					return
				}
				for err := error(nil); err == nil && i%3 == 0; { // without end
					_, err = io.WriteString(conn, chunk(strings.Repeat("x", 16<<10)))
				}
				io.Copy(io.Discard, conn) // until the program has had enough
				_ = conn.Close()
			}
		})
	}
	over := make(chan struct{})
	go func() {
		flood.Wait()
		close(over)
	}()
	var small, large int // answered, and refused
	for tick, during := time.Tick(100*time.Millisecond), true; during; {
		select {
		case <-over:
			during = false
		case <-tick:
		}
		if got, err := p.ask(t.Context(), `{ cvms(first: 1) { totalCount } }`, "sane"); err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"totalCount":`) {
			t.Errorf("a small request beside them: got %.200s, %v, want data", got, err)
		} else {
			small++
		}
		conn := send(header + chunk(`{"query":"{ __typename }"`+strings.Repeat(" ", 255<<10)+`}`) + "0\r\n\r\n")
		if conn == nil {
			continue
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("a large request beside them: got error %v, want an answer", err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		_ = conn.Close()
		const refused = `{"errors":[{"message":"other requests take the room for large bodies: try again","extensions":{"code":"UNAVAILABLE","retryAfter":1}}]}`
		if got := strings.TrimSpace(string(body)); err != nil || got != refused && got != `{"data":{"__typename":"Query"}}` {
			t.Errorf("a large request beside them: got %.200s, %v, want data or that there is no room", got, err)
		} else if got == refused {
			large++
			enough.Store(large >= 2)
		}
	}
	got := residentPeak(t, p.Process.Pid)
	t.Logf("resident set: %d MiB at most; %d small requests answered, %d large ones refused", got>>20, small, large)
	if got > 256<<20 {
		t.Errorf("resident set: got %d MiB, want at most 256", got>>20)
	}
	if large == 0 {
		t.Error("got room for all large requests, want a flood that leaves none")
	}
}
