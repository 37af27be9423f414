//go:build unix

package redis_test

import (
	"context"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"cvmgraph/internal/redis"
)

// movingName is an address that forwards new connections to a server, as a DNS name or a service
// of Kubernetes does, and keeps the present connections when it moves to another server.
type movingName struct {
	net.Listener

	target   atomic.Pointer[string]
	accepted atomic.Int64
}

func newMovingName(t *testing.T, target string) *movingName {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &movingName{Listener: listener}
	m.target.Store(&target)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			m.accepted.Add(1)
			go forward(conn, *m.target.Load())
		}
	}()
	return m
}

// forward copies between a connection and a server until one of them ends.
func forward(conn net.Conn, target string) {
	defer conn.Close()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, conn)
		_ = server.Close()
		_ = conn.Close()
	}()
	_, _ = io.Copy(conn, server)
}

// replicaOf makes a server a replica of another one, or a primary if port is 0.
func replicaOf(t *testing.T, client rueidis.Client, port int64) {
	t.Helper()
	command := client.B().Arbitrary("REPLICAOF", "NO", "ONE").Build()
	if port != 0 {
		command = client.B().Replicaof().Host("127.0.0.1").Port(port).Build()
	}
	if err := client.Do(t.Context(), command).Error(); err != nil {
		t.Fatal(err)
	}
}

// TestStore_failover makes the primary a replica of the other server. Its connections stay open,
// and its name moves to the other server.
func TestStore_failover(t *testing.T) {
	t.Parallel()
	first, second := ownRedis(t), ownRedis(t)
	name := newMovingName(t, first.address())
	firstPort, _ := strconv.ParseInt(first.port, 10, 64)
	secondPort, _ := strconv.ParseInt(second.port, 10, 64)
	firstClient, secondClient := raw(t, first.address()), raw(t, second.address())
	replicaOf(t, secondClient, firstPort)
	s := connected(t, name.Addr().String(), newKey(), patient)
	old := redis.EntryID{Name: "old"}
	s.Save(t.Context(), old, []byte("before the failover"), time.Minute)
	eventually(t, "the replica has the value", func() bool {
		keys, err := secondClient.Do(t.Context(), secondClient.B().Dbsize().Build()).AsInt64()
		return err == nil && keys > 0
	})

	// The name still belongs to the old primary. The store reads, and connects again at growing
	// intervals.
	replicaOf(t, secondClient, 0)
	replicaOf(t, firstClient, secondPort)
	s.Save(t.Context(), redis.EntryID{Name: "refused"}, []byte("refused"), time.Minute)
	if s.refused("READONLY") == 0 {
		t.Fatal("got no refused write")
	}
	eventually(t, "the store connects again", func() bool { return name.accepted.Load() > 1 })
	if _, _, ok := s.Load(t.Context(), old); !ok {
		t.Error("got no value from the replica")
	}
	address := second.address()
	name.target.Store(&address)
	eventually(t, "the store writes to the new primary", func() bool {
		s.Save(t.Context(), redis.EntryID{Name: "new"}, []byte("after the failover"), time.Minute)
		replies, err := secondClient.Do(t.Context(), secondClient.B().Dbsize().Build()).AsInt64()
		return err == nil && replies == 2
	})
	if value, _, ok := s.Load(t.Context(), old); !ok || string(value) != "before the failover" {
		t.Errorf("got %q, %v from the new primary, want the value of the old one", value, ok)
	}
	if got := name.accepted.Load(); got > 5 {
		t.Errorf("got %d connections, want few", got)
	}
	if downs := s.down(); len(downs) > 0 || s.failed("load") > 0 {
		t.Errorf("got the outages %q and %d failed reads, want none", downs, s.failed("load"))
	}
}

// TestStore_permanentReplica writes to a replica all the time. The store must not connect for each
// write.
func TestStore_permanentReplica(t *testing.T) {
	t.Parallel()
	replica := ownRedis(t, "--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes")
	name := newMovingName(t, replica.address())
	s := connected(t, name.Addr().String(), newKey(), patient)
	for begun := time.Now(); time.Since(begun) < 3*time.Second; wait(t, time.Millisecond) {
		s.Save(t.Context(), redis.EntryID{Name: "a"}, []byte("a"), time.Minute)
	}
	// At once, after one second, and after two more.
	if got := name.accepted.Load(); got < 2 || got > 4 {
		t.Errorf("got %d connections in 3 s, want 2 to 4", got)
	}
	if downs := s.down(); len(downs) > 0 {
		t.Errorf("got the outages %q, want none", downs)
	}
}
