package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
)

// TestReplicasMakeOneCall asks three replicas on one Redis for the same page at once, by two credentials, and then without Redis.
func TestReplicasMakeOneCall(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server on PATH: .ci/run installs it")
	}
	port := freePort(t)
	redis := exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Process.Kill(); _ = redis.Wait() })

	var calls atomic.Int64
	list := demo.New(demo.Options{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		<-time.After(100 * time.Millisecond)
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	var replicas []*process
	for range 3 {
		replicas = append(replicas, start(t, "--upstream-url", upstream.URL+demo.BasePath, "--admin-listen=127.0.0.1:0", "--cache-ttl=1m",
			"--redis-url=redis://127.0.0.1:"+port, "--shared-key="+base64.StdEncoding.EncodeToString([]byte("of this test alone, 32 bytes long"[:32]))))
	}
	ask := func(window int, tokens ...string) {
		t.Helper()
		var group sync.WaitGroup
		for i := range 200 {
			group.Go(func() {
				query := fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id name } } }`, window)
				got, err := replicas[i%3].ask(t.Context(), query, tokens[i%len(tokens)])
				if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"totalCount":`) {
					t.Errorf("got %.200s, %v, want data", got, err)
				}
			})
		}
		group.Wait()
	}
	// Each replica is connected once it has loaded what another one saved.
	for connected, i := false, 0; !connected; i++ {
		if i == 100 {
			t.Fatal("the replicas do not share")
		}
		before := calls.Load()
		for _, p := range replicas {
			_, _ = p.ask(t.Context(), fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id } } }`, i+1), "probe")
		}
		connected = calls.Load() == before+1
	}
	for i, tokens := range [][]string{{"one"}, {"two", "three"}} {
		want := int64(len(tokens))
		// On a machine that is too busy Redis may answer too late, and then each replica calls for itself.
		for try := range 8 {
			calls.Store(0)
			ask(20+10*i+try, tokens...)
			got := calls.Load()
			if got == want {
				break
			}
			if got > 3*want || try == 7 {
				t.Errorf("200 requests of %v: got %d calls at try %d, want %d", tokens, got, try, want)
				break
			}
			<-time.After(time.Second) // until replicas try Redis again
		}
	}
	_ = redis.Process.Kill()
	calls.Store(0)
	ask(50, "one")
	if got := calls.Load(); got < 1 || got > 3 {
		t.Errorf("without Redis: got %d calls, want one of each replica at most", got)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
