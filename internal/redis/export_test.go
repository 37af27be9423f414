package redis

import "time"

// MaxValueBytes and Skew export constants of the package to its tests.
const (
	MaxValueBytes = maxValueBytes
	Skew          = skew
)

// Sealer exports sealer, so that tests of keys and sealed values need no Redis.
type Sealer struct{ sealer *sealer }

// NewSealer returns the sealer of a store with the key.
func NewSealer(key [32]byte) (Sealer, error) {
	v, err := newSealer(key)
	return Sealer{v}, err
}

// Keys returns the Redis keys of an entry.
func (s Sealer) Keys(id EntryID) (value, tombstone, lock string) {
	k := (&Store{sealer: s.sealer}).keys(id)
	return k.value, k.tombstone, k.lock
}

// Seal encrypts a value for a Redis key.
func (s Sealer) Seal(key string, value []byte, stored time.Time, ttl time.Duration) ([]byte, error) {
	return s.sealer.seal(key, record{stored: stored, ttl: ttl, value: value})
}

// Open decrypts a value that was sealed for a Redis key.
func (s Sealer) Open(key string, sealed []byte) (value []byte, stored time.Time, ttl time.Duration, err error) {
	r, err := s.sealer.open(key, sealed)
	return r.value, r.stored, r.ttl, err
}

// Unpack decodes a decrypted value.
func (s Sealer) Unpack(plain []byte) (value []byte, err error) {
	r, err := s.sealer.unpack(plain)
	return r.value, err
}
