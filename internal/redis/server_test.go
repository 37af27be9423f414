//go:build unix

package redis_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"cvmgraph/internal/redis"
	"cvmgraph/internal/testing/freeport"
)

// server is a Redis server for one test, which the test may stop.
type server struct {
	port      string
	arguments []string
	process   *exec.Cmd
	output    *bytes.Buffer
}

// ownRedis starts a Redis server for one test, with additional arguments.
func ownRedis(tb testing.TB, arguments ...string) *server {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		tb.Skip("needs redis-server on PATH: .ci/run installs it")
	}
	s := &server{port: freePort(tb), arguments: arguments}
	s.start(tb)
	tb.Cleanup(func() { s.end() })
	return s
}

// anyRedis returns the address of a Redis that other tests may use.
func anyRedis(tb testing.TB) string {
	tb.Helper()
	if address := os.Getenv("CVMGRAPH_TEST_REDIS"); address != "" {
		return address
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		tb.Skip("needs redis-server on PATH, or CVMGRAPH_TEST_REDIS=host:port: .ci/run installs it")
	}
	return ownRedis(tb).address()
}

func freePort(tb testing.TB) string {
	tb.Helper()
	port, err := freeport.Find(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return strconv.Itoa(port)
}

func (s *server) address() string { return "127.0.0.1:" + s.port }

func (s *server) start(tb testing.TB) {
	tb.Helper()
	arguments := append([]string{"--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", tb.TempDir()}, s.arguments...)
	s.output = &bytes.Buffer{}
	s.process = exec.CommandContext(context.WithoutCancel(tb.Context()), "redis-server", arguments...)
	s.process.Stdout, s.process.Stderr = s.output, s.output
	if err := s.process.Start(); err != nil {
		tb.Fatal(err)
	}
	eventually(tb, "redis-server listens", func() bool {
		var dialer net.Dialer
		conn, err := dialer.DialContext(tb.Context(), "tcp", s.address())
		if err != nil {
			return false
		}
		defer conn.Close()
		if conn.SetDeadline(time.Now().Add(time.Second)) != nil {
			return false
		}
		fmt.Fprint(conn, "PING\r\n")
		line, err := bufio.NewReader(conn).ReadString('\n')
		return err == nil && (strings.HasPrefix(line, "+PONG") || strings.HasPrefix(line, "-NOAUTH"))
	})
}

// end kills the process, like a failing machine.
func (s *server) end() {
	_ = s.process.Process.Kill() // it may have ended before
	_ = s.process.Wait()
}

// freeze stops the process, so that connections stay open without responses.
func (s *server) freeze() { _ = s.process.Process.Signal(syscall.SIGSTOP) }
func (s *server) thaw()   { _ = s.process.Process.Signal(syscall.SIGCONT) }

// raw returns a client for direct access to Redis.
func raw(tb testing.TB, address string) rueidis.Client {
	tb.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return client
}

func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-late:
			tb.Fatalf("not within 20 s: %s", what)
		}
	}
}

func wait(tb testing.TB, d time.Duration) {
	tb.Helper()
	select {
	case <-time.After(d):
	case <-tb.Context().Done():
	}
}

// events records the calls of a store's observer.
type events struct {
	hits, misses, ups atomic.Int64

	mu      sync.Mutex
	errors  map[string]int
	refuses map[string]int
	downs   []string
}

func (e *events) observer() redis.Observer {
	return redis.Observer{
		Hit:  func() { e.hits.Add(1) },
		Miss: func() { e.misses.Add(1) },
		Up:   func() { e.ups.Add(1) },
		Error: func(op string) {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.errors == nil {
				e.errors = make(map[string]int)
			}
			e.errors[op]++
		},
		Refused: func(code string) {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.refuses == nil {
				e.refuses = make(map[string]int)
			}
			e.refuses[code]++
		},
		Down: func(err error) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.downs = append(e.downs, err.Error())
		},
	}
}

func (e *events) failed(op string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.errors[op]
}

func (e *events) refused(code string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.refuses[code]
}

func (e *events) down() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.downs...)
}

// store is a Store and the events of its observer.
type store struct {
	*redis.Store
	*events
}

// patient is a timeout that is long enough for a busy machine.
const patient = 5 * time.Second

// open returns a store that may not be connected.
func open(tb testing.TB, url string, key [32]byte, timeout time.Duration) store {
	tb.Helper()
	e := &events{}
	s, err := redis.Open(redis.Options{URL: url, Key: key, Timeout: timeout, Observer: e.observer()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return store{s, e}
}

// connected returns a connected store.
func connected(tb testing.TB, address string, key [32]byte, timeout time.Duration) store {
	tb.Helper()
	s := open(tb, "redis://"+address, key, timeout)
	s.reach(tb)
	return s
}

// reach waits until the store is connected.
func (s store) reach(tb testing.TB) {
	tb.Helper()
	eventually(tb, "the store is connected", func() bool {
		before := s.misses.Load()
		s.Load(context.WithoutCancel(tb.Context()), redis.EntryID{Name: "nothing is stored here"})
		return s.misses.Load() > before
	})
}
