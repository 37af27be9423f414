package redis

import "time"

// MaxValueBytes and Skew are the package's own.
const (
	MaxValueBytes = maxValueBytes
	Skew          = skew
)

// Vault is a vault, for tests of names and sealed values without a Redis.
type Vault struct{ vault *vault }

// NewVault returns the vault of a store with the key.
func NewVault(key [32]byte) (Vault, error) {
	v, err := newVault(key)
	return Vault{v}, err
}

// Keys returns the Redis keys that have to do with a name.
func (v Vault) Keys(name Name) (value, tombstone, lock string) {
	k := (&Store{vault: v.vault}).keys(name)
	return k.value, k.tombstone, k.lock
}

// Seal seals a value for a Redis key.
func (v Vault) Seal(key string, value []byte, stored time.Time, life time.Duration) ([]byte, error) {
	return v.vault.seal(key, record{stored: stored, life: life, value: value})
}

// Open opens what was sealed for a Redis key.
func (v Vault) Open(key string, sealed []byte) (value []byte, stored time.Time, life time.Duration, err error) {
	r, err := v.vault.open(key, sealed)
	return r.value, r.stored, r.life, err
}

// Unpack makes sense of what was sealed once it is decrypted.
func (v Vault) Unpack(plain []byte) (value []byte, err error) {
	r, err := v.vault.unpack(plain)
	return r.value, err
}
