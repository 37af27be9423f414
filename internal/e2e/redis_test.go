package e2e_test

import (
	"context"
	"encoding/base64"
	"os/exec"
	"strconv"
	"testing"

	"cvmgraph/internal/testing/freeport"
)

// testKey is the value of --shared-key, with which replicas share a Redis.
var testKey = base64.StdEncoding.EncodeToString([]byte("of this test alone, 32 bytes long"[:32]))

// redisServer is a Redis that a test starts.
type redisServer struct {
	*exec.Cmd
	port      string
	arguments []string
}

// startRedis starts a Redis with arguments. It listens on the loopback interface, writes nothing to
// the disk, and ends with the test. Without redis-server the test is skipped.
func startRedis(t *testing.T, arguments ...string) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server on PATH: .ci/run installs it")
	}
	r := &redisServer{port: freePort(t), arguments: arguments}
	r.start(t)
	t.Cleanup(r.kill)
	return r
}

// start starts the server, which must not be running.
func (r *redisServer) start(t *testing.T) {
	t.Helper()
	arguments := append([]string{"--port", r.port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir()}, r.arguments...)
	r.Cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", arguments...)
	if err := r.Start(); err != nil {
		t.Error(err)
	}
}

func (r *redisServer) kill() { _ = r.Process.Kill(); _ = r.Wait() }

// freePort returns a port that no server uses.
func freePort(t *testing.T) string {
	t.Helper()
	port, err := freeport.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}
