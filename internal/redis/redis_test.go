//go:build unix

package redis_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"cvmgraph/internal/redis"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	const secret = "p4ssw0rd"
	for name, test := range map[string]struct {
		url     string
		key     [32]byte
		timeout time.Duration
		want    []string // parts of the error; nil for none
	}{
		"one server":            {url: "redis://127.0.0.1:1", key: newKey()},
		"a slash at the end":    {url: "redis://127.0.0.1:1/", key: newKey()},
		"everything":            {url: "rediss://user:" + secret + "@127.0.0.1:1/3?dial_timeout=2s", key: newKey(), timeout: time.Second},
		"no URL":                {key: newKey(), want: []string{"form"}},
		"another scheme":        {url: "http://:" + secret + "@localhost", key: newKey(), want: []string{"form"}},
		"a slash in a password": {url: "redis://:" + secret + "/x@localhost", key: newKey(), want: []string{"form"}},
		"a word for a database": {url: "redis://:" + secret + "@localhost/" + secret, key: newKey(), want: []string{"form"}},
		"two servers":           {url: "redis://:" + secret + "@a?addr=b", key: newKey(), want: []string{"one server"}},
		"a sentinel":            {url: "redis://:" + secret + "@a?master_set=m", key: newKey(), want: []string{"sentinel"}},
		"no key":                {url: "redis://localhost", want: []string{"key"}},
		"all wrong":             {url: secret, timeout: -1, want: []string{"form", "key", "negative"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := redis.Open(redis.Options{URL: test.url, Key: test.key, Timeout: test.timeout})
			if err == nil {
				s.Load(t.Context(), redis.EntryID{})
				s.Close()
				s.Close()
			}
			if (err != nil) != (test.want != nil) {
				t.Fatalf("got the error %v, want one that says %q", err, test.want)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), secret) {
					t.Errorf("got the error %q, want one with %q and without the password", err, part)
				}
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	client := raw(t, address)
	name := redis.EntryID{Group: [32]byte{1}, Name: "page=1"}
	page := bytes.Repeat([]byte(`{"name":"chat-agent-1","status":"running"},`), 12_000)
	// put stores bytes as Redis' owner could.
	put := func(t *testing.T, key string, sealed []byte) {
		t.Helper()
		if err := client.Do(t.Context(), client.B().Set().Key(key).Value(string(sealed)).Px(time.Minute).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	sealedBy := func(t *testing.T, key [32]byte, redisKey string, at time.Time) []byte {
		t.Helper()
		sealed, err := newSealer(t, key).Seal(redisKey, page, at, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	for about, test := range map[string]struct {
		// do happens between Save and Load, and returns what is loaded in place of the name.
		do     func(t *testing.T, key [32]byte, redisKey string) redis.EntryID
		hit    bool
		decode int
	}{
		"what was stored": {hit: true},
		"another group": {do: func(*testing.T, [32]byte, string) redis.EntryID {
			return redis.EntryID{Group: [32]byte{2}, Name: "page=1"}
		}},
		"another rest": {do: func(*testing.T, [32]byte, string) redis.EntryID {
			return redis.EntryID{Group: [32]byte{1}, Name: "page=2"}
		}},
		"no group, no rest": {do: func(*testing.T, [32]byte, string) redis.EntryID { return redis.EntryID{} }},
		"a flipped bit": {decode: 1, do: func(t *testing.T, _ [32]byte, redisKey string) redis.EntryID {
			t.Helper()
			sealed, err := client.Do(t.Context(), client.B().Get().Key(redisKey).Build()).ToString()
			if err != nil {
				t.Fatal(err)
			}
			changed := []byte(sealed)
			changed[len(changed)/2] ^= 1
			put(t, redisKey, changed)
			return name
		}},
		"what another key sealed": {decode: 1, do: func(t *testing.T, _ [32]byte, redisKey string) redis.EntryID {
			t.Helper()
			put(t, redisKey, sealedBy(t, newKey(), redisKey, time.Now()))
			return name
		}},
		"what was sealed for another name": {decode: 1, do: func(t *testing.T, key [32]byte, redisKey string) redis.EntryID {
			t.Helper()
			other, _, _ := newSealer(t, key).Keys(redis.EntryID{Group: [32]byte{9}, Name: "page=1"})
			put(t, redisKey, sealedBy(t, key, other, time.Now()))
			return name
		}},
		"what a clock ahead stored": {hit: true, do: func(t *testing.T, key [32]byte, redisKey string) redis.EntryID {
			t.Helper()
			put(t, redisKey, sealedBy(t, key, redisKey, time.Now().Add(redis.Skew-time.Second)))
			return name
		}},
		"what is from the future": {decode: 1, do: func(t *testing.T, key [32]byte, redisKey string) redis.EntryID {
			t.Helper()
			put(t, redisKey, sealedBy(t, key, redisKey, time.Now().Add(redis.Skew+time.Minute)))
			return name
		}},
		"what was put back after its life": {do: func(t *testing.T, key [32]byte, redisKey string) redis.EntryID {
			t.Helper()
			put(t, redisKey, sealedBy(t, key, redisKey, time.Now().Add(-time.Minute-redis.Skew-time.Second)))
			return name
		}},
		"nonsense": {decode: 1, do: func(t *testing.T, _ [32]byte, redisKey string) redis.EntryID {
			t.Helper()
			put(t, redisKey, []byte("nonsense"))
			return name
		}},
		"a list of Redis": {do: func(t *testing.T, _ [32]byte, redisKey string) redis.EntryID {
			t.Helper()
			client.Do(t.Context(), client.B().Del().Key(redisKey).Build())
			client.Do(t.Context(), client.B().Rpush().Key(redisKey).Element("a").Build())
			return name
		}},
		"a tombstone that is not genuine": {decode: 1, do: func(t *testing.T, key [32]byte, _ string) redis.EntryID {
			t.Helper()
			_, tombstone, _ := newSealer(t, key).Keys(name)
			put(t, tombstone, []byte("nonsense"))
			return name
		}},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			key := newKey()
			one, two := connected(t, address, key, patient), connected(t, address, key, patient)
			begun := time.Now().Truncate(time.Millisecond)
			one.Save(t.Context(), name, page, time.Minute)
			redisKey, _, _ := newSealer(t, key).Keys(name)
			wanted := name
			if test.do != nil {
				wanted = test.do(t, key, redisKey)
			}
			misses, decode := two.misses.Load(), two.failed("decode")
			value, stored, ok := two.Load(t.Context(), wanted)
			if ok != test.hit || ok && !bytes.Equal(value, page) || !ok && value != nil {
				t.Errorf("got %d bytes, %v, want a hit: %v", len(value), ok, test.hit)
			}
			if ok && (stored.Before(begun) || stored.After(time.Now())) {
				t.Errorf("got it stored at %v, want that between %v and now", stored, begun)
			}
			if got := two.failed("decode") - decode; got != test.decode {
				t.Errorf("got %d errors of decoding, want %d", got, test.decode)
			}
			if got := two.hits.Load() + two.misses.Load() - misses; got != 1 || test.hit != (two.hits.Load() == 1) {
				t.Errorf("got %d hits and misses, want one", got)
			}
		})
	}
}

func TestLoad_anotherKey(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	one, two := connected(t, address, newKey(), patient), connected(t, address, newKey(), patient)
	one.Save(t.Context(), redis.EntryID{Name: "a"}, []byte("value"), time.Minute)
	if _, _, ok := one.Load(t.Context(), redis.EntryID{Name: "a"}); !ok {
		t.Error("got nothing, want the value with its own key")
	}
	if value, _, ok := two.Load(t.Context(), redis.EntryID{Name: "a"}); ok {
		t.Errorf("got %q with another key, want nothing", value)
	}
}

func TestSave_sizesAndTTLs(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	key := newKey()
	s := connected(t, address, key, patient)
	for name, test := range map[string]struct {
		bytes int
		life  time.Duration
		hit   bool
	}{
		"nothing":      {0, time.Minute, true},
		"the largest":  {redis.MaxValueBytes, time.Minute, true},
		"too large":    {redis.MaxValueBytes + 1, time.Minute, false},
		"no life":      {1, 0, false},
		"too short":    {1, time.Millisecond - 1, false},
		"less than no": {1, -time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			name := redis.EntryID{Name: name}
			s.Save(t.Context(), name, make([]byte, test.bytes), test.life)
			if value, _, ok := s.Load(t.Context(), name); ok != test.hit || ok && len(value) != test.bytes {
				t.Errorf("got %d bytes, %v, want %d, %v", len(value), ok, test.bytes, test.hit)
			}
		})
	}
	t.Run("a life ends", func(t *testing.T) {
		t.Parallel()
		name, begun := redis.EntryID{Name: "ends"}, time.Now()
		s.Save(t.Context(), name, []byte("a"), 300*time.Millisecond)
		if _, _, ok := s.Load(t.Context(), name); !ok && time.Since(begun) < 300*time.Millisecond {
			t.Error("got nothing within the life")
		}
		eventually(t, "the value is gone", func() bool { _, _, ok := s.Load(t.Context(), name); return !ok })
		if lived := time.Since(begun); lived < 300*time.Millisecond {
			t.Errorf("got an end after %v, want 300ms", lived)
		}
	})
}

func TestStore_encryptsKeysAndValues(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	key := newKey()
	s := connected(t, server.address(), key, patient)
	name := redis.EntryID{Name: "page=1&page_size=100&teepod_id=4242"}
	copy(name.Group[:], "the group is of the credential X")
	value := bytes.Repeat([]byte(`{"name":"chat-agent-1"} phak_secret `), 3)

	s.Save(t.Context(), name, value, time.Minute)
	s.Invalidate(t.Context(), name.Group, time.Minute)
	s.Save(t.Context(), name, value, time.Minute)
	other := redis.EntryID{Group: name.Group, Name: name.Name + "&other"}
	held := make(chan struct{})
	go func() {
		_, _, _, _ = s.GetOrCompute(t.Context(), other, time.Minute, time.Minute, func(ctx context.Context) ([]byte, bool, error) {
			close(held)
			<-ctx.Done()
			return nil, false, ctx.Err()
		})
	}()
	<-held

	client := raw(t, server.address())
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil || len(keys) != 3 { // value, tombstone, lock
		t.Fatalf("got the keys %q, %v, want 3", keys, err)
	}
	var all strings.Builder
	for _, k := range keys {
		content, err := client.Do(t.Context(), client.B().Get().Key(k).Build()).ToString()
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(k + "\n" + content + "\n")
	}
	for what, part := range map[string]string{
		"the value": "chat-agent", "its secret": "phak_", "the group": string(name.Group[:8]), "the group in hex": hex.EncodeToString(name.Group[:8]),
		"the rest": "page_size", "the rest's number": "4242", "the key": string(key[:8]), "zstd": "\x28\xb5\x2f\xfd",
	} {
		if strings.Contains(all.String(), part) {
			t.Errorf("got %s in Redis", what)
		}
	}
}

func TestInvalidate(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	key := newKey()
	one, two := connected(t, address, key, patient), connected(t, address, key, patient)
	ctx := t.Context()
	mine, theirs := redis.EntryID{Group: [32]byte{1}, Name: "a"}, redis.EntryID{Group: [32]byte{2}, Name: "a"}
	expect := func(when string, name redis.EntryID, want string) {
		t.Helper()
		for i, s := range []store{one, two} {
			if value, _, ok := s.Load(ctx, name); ok != (want != "") || string(value) != want {
				t.Errorf("%s: store %d got %q, %v, want %q", when, i+1, value, ok, want)
			}
		}
	}
	one.Save(ctx, mine, []byte("old"), time.Minute)
	one.Save(ctx, theirs, []byte("theirs"), time.Minute)
	expect("before", mine, "old")
	two.Invalidate(ctx, mine.Group, time.Minute)
	expect("after", mine, "")
	expect("another group", theirs, "theirs")
	one.Save(ctx, mine, []byte("new"), time.Minute)
	expect("what was saved after", mine, "new")

	value, _, produced, err := one.GetOrCompute(ctx, redis.EntryID{Group: mine.Group, Name: "b"}, time.Minute, time.Minute,
		func(ctx context.Context) ([]byte, bool, error) {
			two.Invalidate(ctx, mine.Group, time.Minute)
			return []byte("from before"), true, nil
		})
	if string(value) != "from before" || !produced || err != nil {
		t.Errorf("got %q, %v, %v from Once, want what it produced", value, produced, err)
	}
	expect("what was saved before the second time", mine, "")
	expect("what was being produced", redis.EntryID{Group: mine.Group, Name: "b"}, "")
	_, _, produced, err = one.GetOrCompute(ctx, mine, time.Minute, time.Minute,
		func(context.Context) ([]byte, bool, error) { return []byte("newest"), true, nil })
	if !produced || err != nil {
		t.Errorf("got %v, %v from Once, want it to produce", produced, err)
	}
	expect("what was produced after", mine, "newest")

	client := raw(t, address)
	_, tombstone, _ := newSealer(t, key).Keys(mine)
	if left, err := client.Do(ctx, client.B().Pttl().Key(tombstone).Build()).AsInt64(); err != nil || left < time.Minute.Milliseconds() {
		t.Errorf("got %d ms left of the tombstone, %v, want more than the values have", left, err)
	}
}

func TestStore_connectionRefused(t *testing.T) {
	t.Parallel()
	const secret = "p4ssw0rd-and-more"
	plain := ownRedis(t, "--requirepass", secret)
	for name, test := range map[string]struct{ url, want string }{
		"no password":       {"redis://" + plain.address(), "NOAUTH"},
		"a wrong password":  {"redis://:" + secret + "x@" + plain.address(), "WRONGPASS"},
		"a wrong user":      {"redis://" + secret + ":" + secret + "@" + plain.address(), "WRONGPASS"},
		"nobody listens":    {"redis://:" + secret + "@127.0.0.1:1", "refused"},
		"no such host":      {"redis://:" + secret + "@no-such-host.invalid", "host"},
		"no such database":  {"redis://:" + secret + "@" + plain.address() + "/4242", "ERR"},
		"TLS to what is no": {"rediss://:" + secret + "@" + plain.address(), "in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			s := open(t, test.url, newKey(), patient)
			eventually(t, "Down is called", func() bool { return len(s.down()) > 0 })
			got := s.down()[0]
			if !strings.Contains(got, test.want) || strings.Contains(got, secret) || strings.Contains(got, "127.0.0.1") || strings.Contains(got, "invalid") {
				t.Errorf("got %q, want what says %q and neither password nor address", got, test.want)
			}
			value, _, produced, err := s.GetOrCompute(t.Context(), redis.EntryID{}, time.Minute, time.Minute,
				func(context.Context) ([]byte, bool, error) { return []byte("a"), true, nil })
			if string(value) != "a" || !produced || err != nil {
				t.Errorf("got %q, %v, %v, want what was produced", value, produced, err)
			}
			if took := time.Since(begun); took > patient {
				t.Errorf("got %v, want no wait", took)
			}
		})
	}
	t.Run("the right password", func(t *testing.T) {
		t.Parallel()
		s := open(t, "redis://:"+secret+"@"+plain.address()+"/3", newKey(), patient)
		s.reach(t)
	})
}

func selfSigned(t *testing.T) (certificate, privateKey string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER)
}

func TestStore_TLS(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	port := freePort(t)
	ownRedis(t, "--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no")
	trusting := open(t, "rediss://127.0.0.1:"+port+"?skip_verify=true", newKey(), patient)
	trusting.reach(t)
	trusting.Save(t.Context(), redis.EntryID{}, make([]byte, 1<<20), time.Minute)
	if value, _, ok := trusting.Load(t.Context(), redis.EntryID{}); !ok || len(value) != 1<<20 {
		t.Errorf("got %d bytes, %v, want those that were saved", len(value), ok)
	}
	strict := open(t, "rediss://127.0.0.1:"+port, newKey(), patient)
	eventually(t, "Down is called", func() bool { return len(strict.down()) > 0 })
	if got := strict.down()[0]; !strings.Contains(got, "certificate") {
		t.Errorf("got %q, want what says that the certificate is not trusted", got)
	}
}

func TestStore_fullOrReadOnlyRedis(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments []string
		setUp     func(t *testing.T, client rueidis.Client)
	}{
		"full": {[]string{"--maxmemory-policy", "noeviction"}, func(t *testing.T, client rueidis.Client) {
			t.Helper()
			if err := client.Do(t.Context(), client.B().ConfigSet().ParameterValue().ParameterValue("maxmemory", "1mb").Build()).Error(); err != nil {
				t.Fatal(err)
			}
		}},
		"a replica": {nil, func(t *testing.T, client rueidis.Client) {
			t.Helper()
			if err := client.Do(t.Context(), client.B().Replicaof().Host("127.0.0.1").Port(1).Build()).Error(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownRedis(t, test.arguments...)
			s := connected(t, server.address(), newKey(), patient)
			s.Save(t.Context(), redis.EntryID{Name: "before"}, []byte("before"), time.Minute)
			test.setUp(t, raw(t, server.address()))
			if _, _, ok := s.Load(t.Context(), redis.EntryID{Name: "before"}); !ok {
				t.Error("got nothing, want what was stored before")
			}
			s.Save(t.Context(), redis.EntryID{Name: "a"}, []byte("a"), time.Minute)
			s.Invalidate(t.Context(), [32]byte{1}, time.Minute)
			begun := time.Now()
			value, _, produced, err := s.GetOrCompute(t.Context(), redis.EntryID{Name: "b"}, time.Minute, time.Minute,
				func(context.Context) ([]byte, bool, error) { return []byte("b"), true, nil })
			if string(value) != "b" || !produced || err != nil || time.Since(begun) > patient {
				t.Errorf("got %q, %v, %v after %v, want what was produced, at once", value, produced, err, time.Since(begun))
			}
			for op, want := range map[string]int{"save": 2, "forget": 1, "lock": 1, "load": 0} {
				if got := s.failed(op); got != want {
					t.Errorf("got %d errors of %s, want %d", got, op, want)
				}
			}
			if downs := s.down(); len(downs) > 0 {
				t.Errorf("got the outages %q, want none", downs)
			}
		})
	}
}

// A caller that leaves gives up its own answer, and not the connection that it shares.
func TestLoad_callersLeave(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	s := connected(t, server.address(), newKey(), patient)
	s.Save(t.Context(), redis.EntryID{Name: "a"}, []byte("a"), time.Minute)
	server.freeze()
	for range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, _, ok := s.Load(ctx, redis.EntryID{Name: "a"}); ok {
			t.Error("got a value of a Redis that stands still")
		}
		cancel()
	}
	server.thaw()
	for range 100 {
		if _, _, ok := s.Load(t.Context(), redis.EntryID{Name: "a"}); !ok {
			t.Fatal("got nothing after others left")
		}
	}
	if downs := s.down(); len(downs) > 0 || s.failed("load") > 0 {
		t.Errorf("got the outages %q, and %d errors, want none", downs, s.failed("load"))
	}
}
