package redis

import "time"

// MaxValueBytes and Skew are the package's own.
const (
	MaxValueBytes = maxValueBytes
	Skew          = skew
)

// Vault is a vault, for tests of names and sealed values without a Redis.
type Sealer struct{ sealer *sealer }

// NewVault returns the vault of a store with the key.
func NewSealer(key [32]byte) (Sealer, error) {
	v, err := newSealer(key)
	return Sealer{v}, err
}

// Keys returns the Redis keys that have to do with a name.
func (v Sealer) Keys(name EntryID) (value, tombstone, lock string) {
	k := (&Store{sealer: v.sealer}).keys(name)
	return k.value, k.tombstone, k.lock
}

// Seal seals a value for a Redis key.
func (v Sealer) Seal(key string, value []byte, stored time.Time, life time.Duration) ([]byte, error) {
	return v.sealer.seal(key, record{stored: stored, ttl: life, value: value})
}

// Open opens what was sealed for a Redis key.
func (v Sealer) Open(key string, sealed []byte) (value []byte, stored time.Time, life time.Duration, err error) {
	r, err := v.sealer.open(key, sealed)
	return r.value, r.stored, r.ttl, err
}

// Unpack makes sense of what was sealed once it is decrypted.
func (v Sealer) Unpack(plain []byte) (value []byte, err error) {
	r, err := v.sealer.unpack(plain)
	return r.value, err
}
