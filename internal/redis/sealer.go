package redis

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	// keyPrefix begins every Redis key; the number changes with what values look like.
	keyPrefix = "cvmgraph:1:"
	// format is the first byte of every value.
	format = 1

	macBytes    = 24
	saltBytes   = 16
	headerBytes = 8 + 8 + generationBytes
	// maxValueBytes is the size of the largest value that is stored, and of the largest that is decompressed.
	maxValueBytes = 16 << 20
	// skew is how far apart the clocks of two replicas may be.
	skew = 5 * time.Second
)

// kind is what a Redis key stands for.
type kind byte

const (
	kindValue kind = iota + 1
	kindTombstone
	kindLock
)

const generationBytes = 16

// generation is the time between two calls of Forget for a group. Zero is that in which none is remembered.
type generation [generationBytes]byte

// record is what a value in Redis holds.
type record struct {
	stored     time.Time     // of millisecond precision
	ttl        time.Duration // likewise
	generation generation    // in which the value was made; of a tombstone: which it begins
	value      []byte
}

// errUnreadable says that bytes were not sealed by a vault of the same key, for the same Redis key.
var errUnreadable = errors.New("redis: the value is not one of this key")

// vault names and seals what is stored. It is safe for concurrent use.
type sealer struct {
	nameKey, valueKey []byte // keys
	encoder           *zstd.Encoder
	decoder           *zstd.Decoder
}

func newSealer(key [32]byte) (*sealer, error) {
	v := &sealer{}
	for use, subkey := range map[string]*[]byte{"names": &v.nameKey, "values": &v.valueKey} {
		var err error
		if *subkey, err = hkdf.Key(sha256.New, key[:], nil, "cvmgraph redis "+use, sha256.Size); err != nil {
			return nil, fmt.Errorf("redis: the key of %s: %w", use, err)
		}
	}
	var err error
	// The seal shows damage: a checksum would be a second time over the bytes.
	if v.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false)); err != nil {
		return nil, fmt.Errorf("redis: compression: %w", err)
	}
	if v.decoder, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxValueBytes)); err != nil {
		return nil, fmt.Errorf("redis: decompression: %w", err)
	}
	return v, nil
}

// key returns the Redis key of a kind of thing. It tells nothing of the name to who has not the vault's key.
func (v *sealer) key(kind kind, name EntryID) string {
	mac := hmac.New(sha256.New, v.nameKey)
	// Two parts of fixed size before the one that is not: no two names are the same bytes.
	mac.Write([]byte{byte(kind)})
	mac.Write(name.Group[:])
	mac.Write([]byte(name.Name))
	return keyPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:macBytes])
}

// aead returns the cipher of one value. Each has a key of its own, so that no number of values makes equal nonces likely.
func (v *sealer) aead(salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, v.valueKey, string(salt), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal returns a record as it is stored under a Redis key: the format, a salt, a nonce, and the encrypted rest with its tag.
func (v *sealer) seal(key string, r record) ([]byte, error) {
	plain := make([]byte, 0, headerBytes+len(r.value)/3)
	plain = binary.BigEndian.AppendUint64(plain, uint64(r.stored.UnixMilli()))
	plain = binary.BigEndian.AppendUint64(plain, uint64(r.ttl.Milliseconds()))
	plain = append(plain, r.generation[:]...)
	plain = v.encoder.EncodeAll(r.value, plain)

	var salt [saltBytes]byte
	rand.Read(salt[:]) // never fails
	aead, err := v.aead(salt[:])
	if err != nil {
		return nil, fmt.Errorf("redis: the cipher: %w", err)
	}
	sealed := make([]byte, 0, 1+saltBytes+len(plain)+aead.Overhead())
	sealed = append(sealed, format)
	sealed = append(sealed, salt[:]...)
	return aead.Seal(sealed, nil, plain, []byte(key)), nil
}

// open returns the record that was sealed for a Redis key. The bytes are not changed or kept. The error is errUnreadable.
func (v *sealer) open(key string, sealed []byte) (record, error) {
	if len(sealed) < 1+saltBytes || sealed[0] != format {
		return record{}, errUnreadable
	}
	aead, err := v.aead(sealed[1 : 1+saltBytes])
	if err != nil {
		return record{}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	plain, err := aead.Open(nil, nil, sealed[1+saltBytes:], []byte(key))
	if err != nil {
		return record{}, errUnreadable
	}
	return v.unpack(plain)
}

// unpack returns the record that was sealed. The error is errUnreadable.
func (v *sealer) unpack(plain []byte) (record, error) {
	if len(plain) < headerBytes {
		return record{}, errUnreadable
	}
	r := record{
		stored: time.UnixMilli(int64(binary.BigEndian.Uint64(plain))),
		ttl:    time.Duration(binary.BigEndian.Uint64(plain[8:])) * time.Millisecond,
	}
	copy(r.generation[:], plain[16:])
	var err error
	if r.value, err = v.decoder.DecodeAll(plain[headerBytes:], nil); err != nil {
		return record{}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return r, nil
}

// judge says whether a record is within its life. The error is errUnreadable for one that no clock of a replica can have written.
func (r *record) alive(now time.Time) (alive bool, err error) {
	if r.stored.After(now.Add(skew)) {
		return false, fmt.Errorf("%w: it is from the future", errUnreadable)
	}
	// Redis ends the lives of values. This is for one that somebody kept and put back.
	return !now.After(r.stored.Add(r.ttl).Add(skew)), nil
}
