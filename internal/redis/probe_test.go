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

// listening answers each line of each connection, and returns its address.
func listening(t *testing.T, answer func(net.Conn)) string {
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
					answer(conn)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func TestProbe(t *testing.T) {
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
		step, code string // of the error; none for an empty step
		text       string
	}{
		"a Redis":                    {url: "redis://" + open.address()},
		"with a password":            {url: "redis://:" + secret + "@" + locked.address()},
		"with a wrong password":      {"redis://:" + secret + "x@" + locked.address(), redis.StepConnect, "WRONGPASS", "redis: the server refuses with WRONGPASS"},
		"without a password":         {"redis://" + locked.address(), redis.StepConnect, "NOAUTH", "redis: the server refuses with NOAUTH"},
		"who may not read":           {"redis://blind:" + secret + "@" + locked.address(), redis.StepConnect, "NOPERM", "redis: the server refuses with NOPERM"},
		"who may not write":          {"redis://reader:" + secret + "@" + locked.address(), redis.StepWrite, "NOPERM", "redis: the server refuses with NOPERM"},
		"who may not release a lock": {"redis://locker:" + secret + "@" + locked.address(), redis.StepWrite, "NOPERM", "redis: the server refuses with NOPERM"},
		"one without room":           {"redis://" + full.address(), redis.StepWrite, "OOM", "redis: the server refuses with OOM"},
		"a replica":                  {"redis://" + replica.address(), redis.StepWrite, "READONLY", "redis: the server refuses with READONLY"},
		"nobody":                     {"redis://127.0.0.1:1", redis.StepConnect, "", "redis: connection refused"},
		"a host that there is not":   {"redis://nowhere.invalid", redis.StepConnect, "", "redis: host not found"},
		"one that is no Redis": {
			"redis://" + listening(t, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 " + secret + "\r\n\r\n")) }), redis.StepConnect, "",
			"redis: the server does not respond like Redis",
		},
		"one that says nothing": {"redis://" + listening(t, func(net.Conn) {}), redis.StepConnect, "", "redis: no response in time"},
		"one without TLS":       {"rediss://" + open.address(), redis.StepConnect, "", "redis: no response in time"},
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
			if !errors.As(err, &got) || got.Step != test.step || got.Code != test.code || got.Error() != test.text || strings.Contains(err.Error(), secret) {
				t.Errorf("got %+v, want the step %s, the code %q and %q", err, test.step, test.code, test.text)
			}
		})
	}
}

func TestProbe_invalidOptions(t *testing.T) {
	t.Parallel()
	_, err := redis.Probe(t.Context(), redis.Options{URL: "http://secret@host"})
	var refused *redis.ProbeError
	if err == nil || errors.As(err, &refused) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want what is wrong with the options", err)
	}
}

func TestProbe_contextCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := listening(t, func(net.Conn) { cancel() })
	begun := time.Now()
	if _, err := redis.Probe(ctx, redis.Options{URL: "redis://" + address, Key: newKey(), Timeout: time.Minute}); err == nil || time.Since(begun) > 30*time.Second {
		t.Errorf("got %v after %v, want an error soon", err, time.Since(begun))
	}
}

// TestProbe_leavesNoKeys looks at what a Redis has after it was probed.
func TestProbe_leavesNoKeys(t *testing.T) {
	t.Parallel()
	s := ownRedis(t)
	if _, err := redis.Probe(t.Context(), redis.Options{URL: "redis://" + s.address(), Key: newKey()}); err != nil {
		t.Fatal(err)
	}
	client := raw(t, s.address())
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil || len(keys) > 1 {
		t.Fatalf("got %q, %v, want the value at most", keys, err)
	}
	for _, key := range keys {
		if left, err := client.Do(t.Context(), client.B().Pttl().Key(key).Build()).AsInt64(); err != nil || left > 5000 || left == -1 {
			t.Errorf("got %d ms to live, %v, want 5 s at most", left, err)
		}
	}
}
