package e2e_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"

	"cvmgraph/internal/demo"
)

// startName starts an address that forwards new connections to the current target, and returns it.
// Present connections remain when the target changes, as with a DNS name.
func startName(t *testing.T, target *atomic.Pointer[string]) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	forward := func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", *target.Load())
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		go func() {
			_, _ = io.Copy(server, conn)
			_ = server.Close()
		}()
		_, _ = io.Copy(conn, server)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go forward(conn)
		}
	}()
	return listener.Addr().String()
}

// redisClient returns a client of a server that is starting.
func (r *redisServer) client(t *testing.T) rueidis.Client {
	t.Helper()
	var client rueidis.Client
	waitFor(t, func() bool {
		var err error
		client, err = rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{"127.0.0.1:" + r.port}, ForceSingleClient: true, DisableCache: true,
		})
		return err == nil
	})
	t.Cleanup(client.Close)
	return client
}

func do(t *testing.T, client rueidis.Client, words ...string) {
	t.Helper()
	if err := client.Do(t.Context(), client.B().Arbitrary(words...).Build()).Error(); err != nil {
		t.Fatal(err)
	}
}

// TestRedis_failover makes the primary a replica and moves its name to the new primary. The gateway
// logs and counts the refused writes, and writes to the new primary without a restart. Its URL and
// its key are in files.
func TestRedis_failover(t *testing.T) {
	t.Parallel()
	first, second := startRedis(t), startRedis(t)
	oldPrimary, newPrimary := first.client(t), second.client(t)
	var target atomic.Pointer[string]
	to := func(r *redisServer) { address := "127.0.0.1:" + r.port; target.Store(&address) }
	to(first)
	dir := t.TempDir()
	files := map[string]string{"url": "redis://" + startName(t, &target) + "\n", "key": testKey + "\n"}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := startWith(t, []string{
		"CVMGRAPH_REDIS_URL_FILE=" + filepath.Join(dir, "url"), "CVMGRAPH_SHARED_KEY_FILE=" + filepath.Join(dir, "key"),
	}, "--demo", "--admin-listen=127.0.0.1:0")
	tenant := 0
	stores := func(client rueidis.Client) func() bool {
		return func() bool {
			tenant++
			got, err := p.query(t.Context(), "{ cvms(first: 1) { nodes { name } } }", demo.DefaultToken+strconv.Itoa(tenant))
			if err != nil || !strings.Contains(got, `"nodes":[`) {
				t.Fatalf("got %s, %v, want data", got, err)
			}
			keys, err := client.Do(t.Context(), client.B().Dbsize().Build()).AsInt64()
			return err == nil && keys > 0
		}
	}
	waitFor(t, stores(oldPrimary))
	do(t, oldPrimary, "FLUSHALL")
	do(t, oldPrimary, "REPLICAOF", "127.0.0.1", second.port)
	waitFor(t, func() bool {
		stores(oldPrimary)()
		return strings.Contains(p.logged(), `"msg":"redis refuses writes; replicas share no new pages","code":"READONLY"`)
	})
	to(second)
	waitFor(t, stores(newPrimary))
	p.waitForMetrics(t, "cvmgraph_redis_up 1")
	if _, metrics := fetch(t, "GET", p.admin()+"/metrics"); strings.Contains(metrics, `cvmgraph_redis_refused_writes_total{code="READONLY"} 0`) {
		t.Errorf("got %s, want refused writes", metrics)
	}
	log := p.logged()
	if n := strings.Count(log, "redis refuses writes"); n != 1 || strings.Contains(log, testKey) {
		t.Errorf("got %d lines about refused writes in %s, want one, and no key", n, log)
	}
}
