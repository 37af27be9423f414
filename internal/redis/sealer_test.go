package redis_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/redis"
)

func newKey() (key [32]byte) {
	rand.Read(key[:])
	return key
}

func newSealer(tb testing.TB, key [32]byte) redis.Sealer {
	tb.Helper()
	s, err := redis.NewSealer(key)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestSealer_keys(t *testing.T) {
	t.Parallel()
	s := newSealer(t, [32]byte{1})
	value, tombstone, lock := s.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=1"})
	seen := map[string]string{tombstone: "the tombstone", lock: "the lock"}
	if len(seen) != 2 {
		t.Fatalf("got one key %q for the tombstone and the lock", lock)
	}
	for name, other := range map[string]func() string{
		"the value":                    func() string { return value },
		"another group":                func() string { k, _, _ := s.Keys(redis.EntryID{Group: [32]byte{3}, Name: "page=1"}); return k },
		"another name":                 func() string { k, _, _ := s.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=2"}); return k },
		"a longer name":                func() string { k, _, _ := s.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=1\x00"}); return k },
		"no name":                      func() string { k, _, _ := s.Keys(redis.EntryID{Group: [32]byte{2}}); return k },
		"no group":                     func() string { k, _, _ := s.Keys(redis.EntryID{Name: "page=1"}); return k },
		"a name that contains a group": func() string { k, _, _ := s.Keys(redis.EntryID{Name: string([]byte{2}) + "page=1"}); return k },
		"another key": func() string {
			k, _, _ := newSealer(t, [32]byte{9}).Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=1"})
			return k
		},
		"the lock of another name":       func() string { _, _, k := s.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=2"}); return k },
		"the tombstone of another group": func() string { _, k, _ := s.Keys(redis.EntryID{Group: [32]byte{3}, Name: "page=1"}); return k },
		"the value of another store":     func() string { k, _, _ := newSealer(t, [32]byte{8}).Keys(redis.EntryID{}); return k },
	} {
		key := other()
		if before, ok := seen[key]; ok {
			t.Errorf("%s: got the key %q of %s", name, key, before)
		}
		seen[key] = name
		mac, ok := strings.CutPrefix(key, "cvmgraph:1:")
		if decoded, err := base64.RawURLEncoding.DecodeString(mac); !ok || err != nil || len(decoded) < 16 {
			t.Errorf("%s: got the key %q, want cvmgraph:1: and the base64url of at least 16 bytes", name, key)
		}
	}
	if _, other, _ := s.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=2"}); other != tombstone {
		t.Errorf("got two tombstones for one group, %q and %q", tombstone, other)
	}
	if again, _, _ := newSealer(t, [32]byte{1}).Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=1"}); again != value {
		t.Errorf("got %q from another replica, want %q", again, value)
	}
}

func TestSealer_values(t *testing.T) {
	t.Parallel()
	s := newSealer(t, [32]byte{1})
	random := make([]byte, 1<<20)
	rand.Read(random)
	for name, value := range map[string][]byte{
		"an empty value":       {},
		"a byte":               {'a'},
		"text":                 []byte(`{"items":[]}`),
		"incompressible bytes": random,
		"the largest":          make([]byte, redis.MaxValueBytes),
		"a zstd frame":         {0x28, 0xb5, 0x2f, 0xfd, 4, 0},
		"compressible bytes":   bytes.Repeat([]byte("confidential VM "), 40_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := time.UnixMilli(1_700_000_000_123)
			sealed, err := s.Seal("key", value, at, 2*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			got, stored, ttl, err := s.Open("key", sealed)
			if err != nil || !bytes.Equal(got, value) || !stored.Equal(at) || ttl != 2*time.Second {
				t.Errorf("got %d bytes, %v, %v, %v, want %d bytes, %v, 2s", len(got), stored, ttl, err, len(value), at)
			}
			if again, _ := s.Seal("key", value, at, 2*time.Second); bytes.Equal(again, sealed) {
				t.Error("got the same sealed bytes twice")
			}
		})
	}
}

func TestSealer_changedValues(t *testing.T) {
	t.Parallel()
	s := newSealer(t, [32]byte{1})
	sealed, err := s.Seal("key", []byte("a value"), time.Now(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	reject := func(what string, s redis.Sealer, key string, sealed []byte) {
		t.Helper()
		if value, _, _, err := s.Open(key, sealed); err == nil {
			t.Errorf("%s: got %q, want an error", what, value)
		}
	}
	reject("another Redis key", s, "kez", sealed)
	reject("another store's key", newSealer(t, [32]byte{2}), "key", sealed)
	for bit := range len(sealed) * 8 {
		changed := bytes.Clone(sealed)
		changed[bit/8] ^= 1 << (bit % 8)
		reject("a flipped bit", s, "key", changed)
	}
	for length := range sealed {
		reject("truncated", s, "key", sealed[:length])
	}
	reject("appended", s, "key", append(bytes.Clone(sealed), 0))

	bomb, err := s.Seal("key", make([]byte, redis.MaxValueBytes+1), time.Now(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(bomb) > 100<<10 {
		t.Fatalf("got %d bytes, want a small sealed value", len(bomb))
	}
	reject("too large after decompression", s, "key", bomb)
}

func FuzzDecode(f *testing.F) {
	// With a random key, no input can be genuine.
	s := newSealer(f, newKey())
	sealed, err := s.Seal("key", []byte(`{"items":[]}`), time.Now(), time.Second)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(sealed[:len(sealed)-1])
	f.Add(bytes.Repeat([]byte{1}, 80))
	f.Add(append(make([]byte, 32), 0x28, 0xb5, 0x2f, 0xfd, 4, 0, 0x19, 0, 0, 'a', 'b', 'c'))             // a frame with a window
	f.Add(append(make([]byte, 32), 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0x7f, 0x03, 0, 0, 1)) // a frame that claims to be large
	f.Fuzz(func(t *testing.T, data []byte) {
		if value, _, _, err := s.Open("key", data); err == nil {
			t.Errorf("%x: got %q, want an error", data, value)
		}
		// After decryption, unpacking must not panic or return too large a value.
		if value, err := s.Unpack(data); err == nil && len(value) > redis.MaxValueBytes {
			t.Errorf("%x: got %d bytes", data, len(value))
		}
	})
}
