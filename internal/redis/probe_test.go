//go:build unix

package redis_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/redis"
)

// listen calls respond for each line of each connection, and returns its address.
func listen(t *testing.T, respond func(net.Conn)) string {
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
					respond(conn)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func TestProbe_problems(t *testing.T) {
	t.Parallel()
	const secret = "p4ssw0rd"
	open := ownRedis(t)
	arguments := []string{"--requirepass", secret}
	for user, may := range map[string]string{"reader": "+mget", "locker": "+mget +set", "blind": ""} {
		arguments = append(arguments, append([]string{"--user", user, "on", ">" + secret, "~*", "-@all", "+hello", "+ping"}, strings.Fields(may)...)...)
	}
	locked := ownRedis(t, arguments...)
	full := ownRedis(t, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	replica := ownRedis(t, "--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes")
	for name, test := range map[string]struct {
		url        string
		step, code string // of the error; empty for no error
		message    string
	}{
		"valid":                             {url: "redis://" + open.address()},
		"a password":                        {url: "redis://:" + secret + "@" + locked.address()},
		"a wrong password":                  {url: "redis://:" + secret + "x@" + locked.address(), step: redis.StepConnect, code: "WRONGPASS", message: "redis: the server responds with WRONGPASS"},
		"no password":                       {url: "redis://" + locked.address(), step: redis.StepConnect, code: "NOAUTH", message: "redis: the server responds with NOAUTH"},
		"a user who may not read":           {url: "redis://blind:" + secret + "@" + locked.address(), step: redis.StepConnect, code: "NOPERM", message: "redis: the server responds with NOPERM"},
		"a user who may not write":          {url: "redis://reader:" + secret + "@" + locked.address(), step: redis.StepWrite, code: "NOPERM", message: "redis: the server responds with NOPERM"},
		"a user who may not release a lock": {url: "redis://locker:" + secret + "@" + locked.address(), step: redis.StepWrite, code: "NOPERM", message: "redis: the server responds with NOPERM"},
		"a full Redis":                      {url: "redis://" + full.address(), step: redis.StepWrite, code: "OOM", message: "redis: the server responds with OOM"},
		"a replica":                         {url: "redis://" + replica.address(), step: redis.StepWrite, code: "READONLY", message: "redis: the server responds with READONLY"},
		"a closed port":                     {url: "redis://127.0.0.1:1", step: redis.StepConnect, message: "redis: connection refused"},
		"an unknown host":                   {url: "redis://nowhere.invalid", step: redis.StepConnect, message: "redis: host not found"},
		"an HTTP server": {
			url:     "redis://" + listen(t, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 " + secret + "\r\n\r\n")) }),
			step:    redis.StepConnect,
			message: "redis: the server does not respond like Redis",
		},
		"a silent server":     {url: "redis://" + listen(t, func(net.Conn) {}), step: redis.StepConnect, message: "redis: no response in time"},
		"a Redis without TLS": {url: "rediss://" + open.address(), step: redis.StepConnect, message: "redis: no response in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			took, err := redis.Probe(t.Context(), redis.Options{URL: test.url, Key: newKey()})
			if test.step == "" {
				if err != nil || took <= 0 {
					t.Errorf("got %v, %v, want no error", took, err)
				}
				return
			}
			var got *redis.ProbeError
			if !errors.As(err, &got) || got.Step != test.step || got.Code != test.code || got.Error() != test.message || strings.Contains(err.Error(), secret) {
				t.Errorf("got %+v, want step %s, code %q and message %q", err, test.step, test.code, test.message)
			}
		})
	}
}

func TestProbe_invalidOptions(t *testing.T) {
	t.Parallel()
	_, err := redis.Probe(t.Context(), redis.Options{URL: "http://secret@host"})
	var probeErr *redis.ProbeError
	if err == nil || errors.As(err, &probeErr) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error about the options", err)
	}
}

func TestProbe_contextCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := listen(t, func(net.Conn) { cancel() })
	started := time.Now()
	if _, err := redis.Probe(ctx, redis.Options{URL: "redis://" + address, Key: newKey(), Timeout: time.Minute}); err == nil || time.Since(started) > 30*time.Second {
		t.Errorf("got %v after %v, want an error soon", err, time.Since(started))
	}
}

func TestProbe_leavesNoKeys(t *testing.T) {
	t.Parallel()
	s := ownRedis(t)
	if _, err := redis.Probe(t.Context(), redis.Options{URL: "redis://" + s.address(), Key: newKey()}); err != nil {
		t.Fatal(err)
	}
	client := raw(t, s.address())
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil || len(keys) > 1 {
		t.Fatalf("got the keys %q, %v, want at most the value", keys, err)
	}
	for _, key := range keys {
		if left, err := client.Do(t.Context(), client.B().Pttl().Key(key).Build()).AsInt64(); err != nil || left > 5000 || left == -1 {
			t.Errorf("got a TTL of %d ms, %v, want at most 5 s", left, err)
		}
	}
}
