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

func TestOpen_options(t *testing.T) {
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
				t.Fatalf("got the error %v, want one that contains %q", err, test.want)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), secret) {
					t.Errorf("got the error %q, want one that contains %q but not the password", err, part)
				}
			}
		})
	}
}

// storedPage is a page that a store has saved, for tests that change what is in Redis.
type storedPage struct {
	client              rueidis.Client
	key                 [32]byte // of the store
	id                  redis.EntryID
	value               []byte
	redisKey, tombstone string
}

// put stores bytes in Redis without a store.
func (p storedPage) put(t *testing.T, redisKey string, sealed []byte) {
	t.Helper()
	if err := p.client.Do(t.Context(), p.client.B().Set().Key(redisKey).Value(string(sealed)).Px(time.Minute).Build()).Error(); err != nil {
		t.Fatal(err)
	}
}

// replace replaces the value by one that is sealed with a key, for a Redis key, at a time.
func (p storedPage) replace(t *testing.T, key [32]byte, redisKey string, at time.Time) {
	t.Helper()
	sealed, err := newSealer(t, key).Seal(redisKey, p.value, at, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	p.put(t, p.redisKey, sealed)
}

// flipBit changes one bit of the sealed value.
func (p storedPage) flipBit(t *testing.T) {
	t.Helper()
	sealed, err := p.client.Do(t.Context(), p.client.B().Get().Key(p.redisKey).Build()).ToString()
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(sealed)
	changed[len(changed)/2] ^= 1
	p.put(t, p.redisKey, changed)
}

// loadTests are the tests of TestLoad_changedInRedis.
var loadTests = map[string]struct {
	change func(*testing.T, storedPage) // changes Redis between Save and Load; nil for no change
	load   *redis.EntryID               // nil for the stored one
	hit    bool
	decode int // errors
}{
	"unchanged":              {hit: true},
	"another group":          {load: &redis.EntryID{Group: [32]byte{2}, Name: "page=1"}},
	"another name":           {load: &redis.EntryID{Group: [32]byte{1}, Name: "page=2"}},
	"neither group nor name": {load: &redis.EntryID{}},
	"a flipped bit":          {decode: 1, change: func(t *testing.T, p storedPage) { t.Helper(); p.flipBit(t) }},
	"sealed with another key": {decode: 1, change: func(t *testing.T, p storedPage) {
		t.Helper()
		p.replace(t, newKey(), p.redisKey, time.Now())
	}},
	"sealed for another name": {decode: 1, change: func(t *testing.T, p storedPage) {
		t.Helper()
		other, _, _ := newSealer(t, p.key).Keys(redis.EntryID{Group: [32]byte{9}, Name: "page=1"})
		p.replace(t, p.key, other, time.Now())
	}},
	"stored by a fast clock": {hit: true, change: func(t *testing.T, p storedPage) {
		t.Helper()
		p.replace(t, p.key, p.redisKey, time.Now().Add(redis.Skew-time.Second))
	}},
	"from the future": {decode: 1, change: func(t *testing.T, p storedPage) {
		t.Helper()
		p.replace(t, p.key, p.redisKey, time.Now().Add(redis.Skew+time.Minute))
	}},
	"put back after its TTL": {change: func(t *testing.T, p storedPage) {
		t.Helper()
		p.replace(t, p.key, p.redisKey, time.Now().Add(-time.Minute-redis.Skew-time.Second))
	}},
	"an invalid value": {decode: 1, change: func(t *testing.T, p storedPage) {
		t.Helper()
		p.put(t, p.redisKey, []byte("nonsense"))
	}},
	"a Redis list": {change: func(t *testing.T, p storedPage) {
		t.Helper()
		p.client.Do(t.Context(), p.client.B().Del().Key(p.redisKey).Build())
		p.client.Do(t.Context(), p.client.B().Rpush().Key(p.redisKey).Element("a").Build())
	}},
	"an invalid tombstone": {decode: 1, change: func(t *testing.T, p storedPage) {
		t.Helper()
		p.put(t, p.tombstone, []byte("nonsense"))
	}},
}

func TestLoad_changedInRedis(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	client := raw(t, address)
	id := redis.EntryID{Group: [32]byte{1}, Name: "page=1"}
	page := bytes.Repeat([]byte(`{"name":"chat-agent-1","status":"running"},`), 12_000)
	for name, test := range loadTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey()
			one, two := connected(t, address, key, patient), connected(t, address, key, patient)
			started := time.Now().Truncate(time.Millisecond)
			one.Save(t.Context(), id, page, time.Minute)
			redisKey, tombstone, _ := newSealer(t, key).Keys(id)
			if test.change != nil {
				test.change(t, storedPage{client, key, id, page, redisKey, tombstone})
			}
			wanted := id
			if test.load != nil {
				wanted = *test.load
			}
			misses, decode := two.misses.Load(), two.failed("decode")
			value, stored, ok := two.Load(t.Context(), wanted)
			if ok != test.hit || ok && !bytes.Equal(value, page) || !ok && value != nil {
				t.Errorf("got %d bytes, %v, want a hit: %v", len(value), ok, test.hit)
			}
			if ok && (stored.Before(started) || stored.After(time.Now())) {
				t.Errorf("got stored %v, want a time between %v and now", stored, started)
			}
			if got := two.failed("decode") - decode; got != test.decode {
				t.Errorf("got %d decode errors, want %d", got, test.decode)
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
		t.Error("got nothing with the same key, want the value")
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
		ttl   time.Duration
		hit   bool
	}{
		"an empty value":    {ttl: time.Minute, hit: true},
		"the largest value": {bytes: redis.MaxValueBytes, ttl: time.Minute, hit: true},
		"too large a value": {bytes: redis.MaxValueBytes + 1, ttl: time.Minute},
		"a TTL of zero":     {bytes: 1},
		"too short a TTL":   {bytes: 1, ttl: time.Millisecond - 1},
		"a negative TTL":    {bytes: 1, ttl: -time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := redis.EntryID{Name: name}
			s.Save(t.Context(), id, make([]byte, test.bytes), test.ttl)
			if value, _, ok := s.Load(t.Context(), id); ok != test.hit || ok && len(value) != test.bytes {
				t.Errorf("got %d bytes, %v, want %d, %v", len(value), ok, test.bytes, test.hit)
			}
		})
	}
	t.Run("a value expires", func(t *testing.T) {
		t.Parallel()
		id, started := redis.EntryID{Name: "expires"}, time.Now()
		s.Save(t.Context(), id, []byte("a"), 300*time.Millisecond)
		if _, _, ok := s.Load(t.Context(), id); !ok && time.Since(started) < 300*time.Millisecond {
			t.Error("got nothing within the TTL")
		}
		eventually(t, "the value is gone", func() bool { _, _, ok := s.Load(t.Context(), id); return !ok })
		if lived := time.Since(started); lived < 300*time.Millisecond {
			t.Errorf("the value expired after %v, want 300ms", lived)
		}
	})
}

func TestStore_encryptsKeysAndValues(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	key := newKey()
	s := connected(t, server.address(), key, patient)
	id := redis.EntryID{Name: "page=1&page_size=100&teepod_id=4242"}
	copy(id.Group[:], "the group is of the credential X")
	value := bytes.Repeat([]byte(`{"name":"chat-agent-1"} phak_secret `), 3)

	s.Save(t.Context(), id, value, time.Minute)
	s.Invalidate(t.Context(), id.Group, time.Minute)
	s.Save(t.Context(), id, value, time.Minute)
	other := redis.EntryID{Group: id.Group, Name: id.Name + "&other"}
	locked := make(chan struct{})
	go func() {
		_, _, _, _ = s.GetOrCompute(t.Context(), other, time.Minute, time.Minute, func(ctx context.Context) ([]byte, bool, error) {
			close(locked)
			<-ctx.Done()
			return nil, false, ctx.Err()
		})
	}()
	<-locked

	client := raw(t, server.address())
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil || len(keys) != 3 { // value, tombstone, lock
		t.Fatalf("got the keys %q, %v, want 3 keys", keys, err)
	}
	var contents strings.Builder
	for _, k := range keys {
		content, err := client.Do(t.Context(), client.B().Get().Key(k).Build()).ToString()
		if err != nil {
			t.Fatal(err)
		}
		contents.WriteString(k + "\n" + content + "\n")
	}
	for what, part := range map[string]string{
		"the value": "chat-agent", "its secret": "phak_", "the group": string(id.Group[:8]), "the group in hex": hex.EncodeToString(id.Group[:8]),
		"the name": "page_size", "the number in the name": "4242", "the key": string(key[:8]), "zstd": "\x28\xb5\x2f\xfd",
	} {
		if strings.Contains(contents.String(), part) {
			t.Errorf("got %s in Redis", what)
		}
	}
}

func TestInvalidate_group(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	key := newKey()
	one, two := connected(t, address, key, patient), connected(t, address, key, patient)
	ctx := t.Context()
	mine, theirs := redis.EntryID{Group: [32]byte{1}, Name: "a"}, redis.EntryID{Group: [32]byte{2}, Name: "a"}
	expect := func(when string, id redis.EntryID, want string) {
		t.Helper()
		for i, s := range []store{one, two} {
			if value, _, ok := s.Load(ctx, id); ok != (want != "") || string(value) != want {
				t.Errorf("%s: store %d got %q, %v, want %q", when, i+1, value, ok, want)
			}
		}
	}
	one.Save(ctx, mine, []byte("old"), time.Minute)
	one.Save(ctx, theirs, []byte("theirs"), time.Minute)
	expect("before Invalidate", mine, "old")
	two.Invalidate(ctx, mine.Group, time.Minute)
	expect("after Invalidate", mine, "")
	expect("another group", theirs, "theirs")
	one.Save(ctx, mine, []byte("new"), time.Minute)
	expect("saved after Invalidate", mine, "new")

	value, _, computed, err := one.GetOrCompute(ctx, redis.EntryID{Group: mine.Group, Name: "b"}, time.Minute, time.Minute,
		func(ctx context.Context) ([]byte, bool, error) {
			two.Invalidate(ctx, mine.Group, time.Minute)
			return []byte("from before"), true, nil
		})
	if string(value) != "from before" || !computed || err != nil {
		t.Errorf("got %q, %v, %v from GetOrCompute, want the computed value", value, computed, err)
	}
	expect("saved before the second Invalidate", mine, "")
	expect("being computed during Invalidate", redis.EntryID{Group: mine.Group, Name: "b"}, "")
	_, _, computed, err = one.GetOrCompute(ctx, mine, time.Minute, time.Minute,
		func(context.Context) ([]byte, bool, error) { return []byte("newest"), true, nil })
	if !computed || err != nil {
		t.Errorf("got %v, %v from GetOrCompute, want it to call compute", computed, err)
	}
	expect("computed after Invalidate", mine, "newest")

	client := raw(t, address)
	_, tombstone, _ := newSealer(t, key).Keys(mine)
	if left, err := client.Do(ctx, client.B().Pttl().Key(tombstone).Build()).AsInt64(); err != nil || left < time.Minute.Milliseconds() {
		t.Errorf("got a TTL of %d ms for the tombstone, %v, want more than the TTL of the values", left, err)
	}
}

func TestStore_cannotConnect(t *testing.T) {
	t.Parallel()
	const secret = "p4ssw0rd-and-more"
	plain := ownRedis(t, "--requirepass", secret)
	for name, test := range map[string]struct{ url, want string }{
		"no password":      {url: "redis://" + plain.address(), want: "NOAUTH"},
		"a wrong password": {url: "redis://:" + secret + "x@" + plain.address(), want: "WRONGPASS"},
		"a wrong user":     {url: "redis://" + secret + ":" + secret + "@" + plain.address(), want: "WRONGPASS"},
		"a closed port":    {url: "redis://:" + secret + "@127.0.0.1:1", want: "refused"},
		"no such host":     {url: "redis://:" + secret + "@no-such-host.invalid", want: "host"},
		"no such database": {url: "redis://:" + secret + "@" + plain.address() + "/4242", want: "ERR"},
		"TLS without TLS":  {url: "rediss://:" + secret + "@" + plain.address(), want: "in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := time.Now()
			s := open(t, test.url, newKey(), patient)
			eventually(t, "Down is called", func() bool { return len(s.down()) > 0 })
			got := s.down()[0]
			if !strings.Contains(got, test.want) || strings.Contains(got, secret) || strings.Contains(got, "127.0.0.1") || strings.Contains(got, "invalid") {
				t.Errorf("got %q, want a message that contains %q but neither password nor address", got, test.want)
			}
			value, _, computed, err := s.GetOrCompute(t.Context(), redis.EntryID{}, time.Minute, time.Minute,
				func(context.Context) ([]byte, bool, error) { return []byte("a"), true, nil })
			if string(value) != "a" || !computed || err != nil {
				t.Errorf("got %q, %v, %v, want the computed value", value, computed, err)
			}
			if took := time.Since(started); took > patient {
				t.Errorf("got a duration of %v, want no wait", took)
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
		t.Errorf("got %d bytes, %v, want the saved ones", len(value), ok)
	}
	strict := open(t, "rediss://127.0.0.1:"+port, newKey(), patient)
	eventually(t, "Down is called", func() bool { return len(strict.down()) > 0 })
	if got := strict.down()[0]; !strings.Contains(got, "certificate") {
		t.Errorf("got %q, want an error about the certificate", got)
	}
}

func TestStore_fullOrReadOnlyRedis(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments []string
		setUp     func(t *testing.T, client rueidis.Client)
		code      string
	}{
		"full": {code: "OOM", arguments: []string{"--maxmemory-policy", "noeviction"}, setUp: func(t *testing.T, client rueidis.Client) {
			t.Helper()
			if err := client.Do(t.Context(), client.B().ConfigSet().ParameterValue().ParameterValue("maxmemory", "1mb").Build()).Error(); err != nil {
				t.Fatal(err)
			}
		}},
		"a replica": {code: "READONLY", setUp: func(t *testing.T, client rueidis.Client) {
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
				t.Error("got nothing, want the value that was stored before")
			}
			s.Save(t.Context(), redis.EntryID{Name: "a"}, []byte("a"), time.Minute)
			s.Invalidate(t.Context(), [32]byte{1}, time.Minute)
			started := time.Now()
			value, _, computed, err := s.GetOrCompute(t.Context(), redis.EntryID{Name: "b"}, time.Minute, time.Minute,
				func(context.Context) ([]byte, bool, error) { return []byte("b"), true, nil })
			if string(value) != "b" || !computed || err != nil || time.Since(started) > patient {
				t.Errorf("got %q, %v, %v after %v, want the computed value at once", value, computed, err, time.Since(started))
			}
			for op, want := range map[string]int{"save": 2, "invalidate": 1, "lock": 1, "load": 0} {
				if got := s.failed(op); got != want {
					t.Errorf("got %d errors of %s, want %d", got, op, want)
				}
			}
			if got := s.refused(test.code); got != 4 {
				t.Errorf("got %d writes refused with %s, want 4", got, test.code)
			}
			if downs := s.down(); len(downs) > 0 {
				t.Errorf("got the outages %q, want none", downs)
			}
		})
	}
}

// A caller that leaves must not break the connection that it shares with other callers.
func TestLoad_callersLeave(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	s := connected(t, server.address(), newKey(), patient)
	s.Save(t.Context(), redis.EntryID{Name: "a"}, []byte("a"), time.Minute)
	server.freeze()
	for range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, _, ok := s.Load(ctx, redis.EntryID{Name: "a"}); ok {
			t.Error("got a value from a frozen Redis")
		}
		cancel()
	}
	server.thaw()
	for range 100 {
		if _, _, ok := s.Load(t.Context(), redis.EntryID{Name: "a"}); !ok {
			t.Fatal("got nothing after other callers left")
		}
	}
	if downs := s.down(); len(downs) > 0 || s.failed("load") > 0 {
		t.Errorf("got the outages %q, and %d errors, want none", downs, s.failed("load"))
	}
}
