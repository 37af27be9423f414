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
	v, err := redis.NewSealer(key)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestSealer_keys(t *testing.T) {
	t.Parallel()
	v := newSealer(t, [32]byte{1})
	value, tombstone, lock := v.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=1"})
	seen := map[string]string{tombstone: "the tombstone", lock: "the lock"}
	if len(seen) != 2 {
		t.Fatalf("got one key %q for the tombstone and the lock", lock)
	}
	for name, other := range map[string]func() string{
		"the value":                 func() string { return value },
		"another group":             func() string { k, _, _ := v.Keys(redis.EntryID{Group: [32]byte{3}, Name: "page=1"}); return k },
		"another rest":              func() string { k, _, _ := v.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=2"}); return k },
		"a longer rest":             func() string { k, _, _ := v.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=1\x00"}); return k },
		"no rest":                   func() string { k, _, _ := v.Keys(redis.EntryID{Group: [32]byte{2}}); return k },
		"no group":                  func() string { k, _, _ := v.Keys(redis.EntryID{Name: "page=1"}); return k },
		"a rest that holds a group": func() string { k, _, _ := v.Keys(redis.EntryID{Name: string([]byte{2}) + "page=1"}); return k },
		"another key": func() string {
			k, _, _ := newSealer(t, [32]byte{9}).Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=1"})
			return k
		},
		"the lock of another rest":   func() string { _, _, k := v.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=2"}); return k },
		"the tombstone of another":   func() string { _, k, _ := v.Keys(redis.EntryID{Group: [32]byte{3}, Name: "page=1"}); return k },
		"the value of another store": func() string { k, _, _ := newSealer(t, [32]byte{8}).Keys(redis.EntryID{}); return k },
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
	if _, other, _ := v.Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=2"}); other != tombstone {
		t.Errorf("got two tombstones for one group, %q and %q", tombstone, other)
	}
	if again, _, _ := newSealer(t, [32]byte{1}).Keys(redis.EntryID{Group: [32]byte{2}, Name: "page=1"}); again != value {
		t.Errorf("got %q for a name in another replica, want %q", again, value)
	}
}

func TestSealer_values(t *testing.T) {
	t.Parallel()
	v := newSealer(t, [32]byte{1})
	random := make([]byte, 1<<20)
	rand.Read(random)
	for name, value := range map[string][]byte{
		"nothing":              {},
		"a byte":               {'a'},
		"text":                 []byte(`{"items":[]}`),
		"what does not pack":   random,
		"the largest":          make([]byte, redis.MaxValueBytes),
		"a packed value":       {0x28, 0xb5, 0x2f, 0xfd, 4, 0},
		"what packs very well": bytes.Repeat([]byte("confidential VM "), 40_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := time.UnixMilli(1_700_000_000_123)
			sealed, err := v.Seal("key", value, at, 2*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			got, stored, life, err := v.Open("key", sealed)
			if err != nil || !bytes.Equal(got, value) || !stored.Equal(at) || life != 2*time.Second {
				t.Errorf("got %d bytes, %v, %v, %v, want %d bytes, %v, 2s", len(got), stored, life, err, len(value), at)
			}
			if again, _ := v.Seal("key", value, at, 2*time.Second); bytes.Equal(again, sealed) {
				t.Error("got the same bytes twice")
			}
		})
	}
}

func TestSealer_changedValues(t *testing.T) {
	t.Parallel()
	v := newSealer(t, [32]byte{1})
	sealed, err := v.Seal("key", []byte("a value"), time.Now(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, v redis.Sealer, key string, sealed []byte) {
		t.Helper()
		if value, _, _, err := v.Open(key, sealed); err == nil {
			t.Errorf("%s: got %q, want an error", what, value)
		}
	}
	refused("another Redis key", v, "kez", sealed)
	refused("another store's key", newSealer(t, [32]byte{2}), "key", sealed)
	for bit := range len(sealed) * 8 {
		changed := bytes.Clone(sealed)
		changed[bit/8] ^= 1 << (bit % 8)
		refused("a flipped bit", v, "key", changed)
	}
	for length := range sealed {
		refused("a part", v, "key", sealed[:length])
	}
	refused("more", v, "key", append(bytes.Clone(sealed), 0))

	bomb, err := v.Seal("key", make([]byte, redis.MaxValueBytes+1), time.Now(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(bomb) > 100<<10 {
		t.Fatalf("got %d bytes, want a small value that would be large", len(bomb))
	}
	refused("what is too large once it is decompressed", v, "key", bomb)
}

func FuzzDecode(f *testing.F) {
	// A key of this process alone: nothing that another found can be genuine.
	v := newSealer(f, newKey())
	sealed, err := v.Seal("key", []byte(`{"items":[]}`), time.Now(), time.Second)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(sealed[:len(sealed)-1])
	f.Add(bytes.Repeat([]byte{1}, 80))
	f.Add(append(make([]byte, 32), 0x28, 0xb5, 0x2f, 0xfd, 4, 0, 0x19, 0, 0, 'a', 'b', 'c'))             // a frame with its window
	f.Add(append(make([]byte, 32), 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0x7f, 0x03, 0, 0, 1)) // one that says it is large
	f.Fuzz(func(t *testing.T, data []byte) {
		if value, _, _, err := v.Open("key", data); err == nil {
			t.Errorf("%x: got %q, want an error", data, value)
		}
		// Behind the seal, too: nothing panics, nothing is too large.
		if value, err := v.Unpack(data); err == nil && len(value) > redis.MaxValueBytes {
			t.Errorf("%x: got %d bytes", data, len(value))
		}
	})
}
