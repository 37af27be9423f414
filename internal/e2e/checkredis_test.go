package e2e_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/check"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
	"cvmgraph/internal/testing/testmode"
)

// checkRedis runs the check of a demo with a Redis until done returns true for the Redis step, for
// at most 20 s, because a Redis that has just been started refuses connections.
func checkRedis(t *testing.T, url string, done func(check.Step) bool) (result, check.Step) {
	t.Helper()
	tick := time.Tick(50 * time.Millisecond)
	for begun := time.Now(); ; <-tick {
		got := runCheck(t, nil, "--demo", "--redis-url="+url, "--shared-key="+testKey)
		redis := step(t, got.report(t), check.StepRedis)
		if done(redis) || time.Since(begun) > 20*time.Second {
			return got, redis
		}
	}
}

func TestCheck_redis(t *testing.T) {
	t.Parallel()
	redis := startRedis(t, "--requirepass", checkSecret)
	upstream, _ := countingServer(t, demo.New(demo.Options{}))
	for name, test := range map[string]struct {
		url  string
		want check.Status
		says string
	}{
		"reachable": {
			url:  "redis://:" + checkSecret + "@127.0.0.1:" + redis.port,
			want: check.StatusOK, says: "Redis stores and returns an encrypted value, in ",
		},
		"unreachable": {
			url:  "redis://:" + checkSecret + "@127.0.0.1:1",
			want: check.StatusFailed, says: "connection refused: check host, port and password in --redis-url, that Redis is running",
		},
		"with a wrong password": {
			url:  "redis://:" + checkSecret + "x@127.0.0.1:" + redis.port,
			want: check.StatusFailed, says: "the server responds with WRONGPASS: check user and password in --redis-url",
		},
		"without a password": {
			url:  "redis://127.0.0.1:" + redis.port,
			want: check.StatusFailed, says: "the server responds with NOAUTH: add the password to --redis-url",
		},
		"not a Redis": {
			url:  "redis://" + trimScheme(upstream),
			want: check.StatusFailed, says: "the server does not respond like Redis: check host, port",
		},
		"two servers": {
			url:  "redis://127.0.0.1:" + redis.port + "?addr=127.0.0.1:1",
			want: check.StatusFailed, says: "one server",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, redis := checkRedis(t, test.url, func(s check.Step) bool { return strings.Contains(s.Message, test.says) })
			// A busy machine makes Redis slow, which is a warning.
			slow := test.want == check.StatusOK && redis.Status == check.StatusWarning && !testmode.QuietMachine()
			if redis.Status != test.want && !slow || !strings.Contains(redis.Message, test.says) && !slow ||
				(got.code == exitFailure) != (test.want == check.StatusFailed) {
				t.Errorf("got code %d and %+v, want %s and %q", got.code, redis, test.want, test.says)
			}
			if got := statuses(got.report(t)); !strings.HasPrefix(got, "oo-oooo--") {
				t.Errorf("got %s, want the other steps ok", got)
			}
			got.checkOutput(t, strings.TrimPrefix(test.url, "redis://"))
		})
	}
}

// TestCheck_redisErrors has two real servers that reject commands, and fake ones with other errors
// of Redis.
func TestCheck_redisErrors(t *testing.T) {
	t.Parallel()
	const (
		primary = "it is a replica; --redis-url must name the primary"
		single  = "--redis-url must name a single Redis, not a cluster"
	)
	cluster := startRedis(t, "--cluster-enabled", "yes")
	replica := startRedis(t, "--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "no")
	for name, test := range map[string]struct {
		port string // or, if empty, a fake Redis sends the error
		err  string // its first word is the code
		says string
	}{
		"a cluster":                   {port: cluster.port, err: "CLUSTERDOWN", says: single},
		"a replica without a primary": {port: replica.port, err: "MASTERDOWN", says: primary},
		"another node of a cluster":   {err: "MOVED 3999 " + faulty.Secret + ":6381", says: single},
		"a node being resharded":      {err: "ASK 3999 " + faulty.Secret + ":6381", says: single},
		"keys in several slots":       {err: "CROSSSLOT " + faulty.Secret, says: single},
		"a replica":                   {err: "READONLY " + faulty.Secret, says: primary},
		"a Redis that is starting":    {err: "LOADING " + faulty.Secret, says: "it has just started; try again"},
		"an unknown code":             {err: "MISCONF " + faulty.Secret, says: "see its log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := test.port
			if port == "" {
				port = failingRedis(t, test.err)
			}
			code, _, _ := strings.Cut(test.err, " ")
			want := "the server responds with " + code + ": " + test.says
			got, redis := checkRedis(t, "redis://127.0.0.1:"+port, func(s check.Step) bool { return s.Message == want })
			if redis.Status != check.StatusFailed || redis.Message != want || got.code != exitFailure {
				t.Errorf("got code %d and %+v, want %q", got.code, redis, want)
			}
			got.checkOutput(t, "127.0.0.1:"+port)
		})
	}
}

// failingRedis starts a server that responds to each command with an error, and returns its port.
func failingRedis(t *testing.T, redisErr string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if strings.HasPrefix(lines.Text(), "*") { // begins a command
						_, _ = io.WriteString(conn, "-"+redisErr+"\r\n")
					}
				}
			}()
		}
	}()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
