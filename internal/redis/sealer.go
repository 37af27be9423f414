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
	// keyPrefix starts every Redis key. Its number changes with the format of values.
	keyPrefix = "cvmgraph:1:"
	// format is the first byte of every sealed value.
	format = 1

	macBytes    = 24
	saltBytes   = 16
	headerBytes = 8 + 8 + generationBytes
	// maxValueBytes is the maximum size of a value, before sealing and after decompression.
	maxValueBytes = 16 << 20
	// skew is the maximum difference between the clocks of two replicas.
	skew = 5 * time.Second
)

// kind is the kind of data under a Redis key.
type kind byte

const (
	kindValue kind = iota + 1
	kindTombstone
	kindLock
)

const generationBytes = 16

// generation identifies the time between two Invalidate calls for a group. It is zero if Redis has
// no tombstone of the group.
type generation [generationBytes]byte

// record is the content of a sealed value or tombstone.
type record struct {
	stored     time.Time     // truncated to milliseconds
	ttl        time.Duration // truncated to milliseconds
	generation generation    // in which the value was produced, or which the tombstone started
	value      []byte
}

// errUnreadable means that a value was not sealed with the same secret for the same Redis key.
var errUnreadable = errors.New("redis: the value was not sealed for this key")

// sealer derives Redis keys and encrypts values. It is safe for concurrent use.
type sealer struct {
	nameKey, valueKey []byte
	encoder           *zstd.Encoder
	decoder           *zstd.Decoder
}

func newSealer(key [32]byte) (*sealer, error) {
	s := &sealer{}
	for use, subkey := range map[string]*[]byte{"names": &s.nameKey, "values": &s.valueKey} {
		var err error
		if *subkey, err = hkdf.Key(sha256.New, key[:], nil, "cvmgraph redis "+use, sha256.Size); err != nil {
			return nil, fmt.Errorf("redis: derive the key for %s: %w", use, err)
		}
	}
	var err error
	// No checksum: decryption already detects damage.
	if s.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false)); err != nil {
		return nil, fmt.Errorf("redis: create the compressor: %w", err)
	}
	if s.decoder, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxValueBytes)); err != nil {
		return nil, fmt.Errorf("redis: create the decompressor: %w", err)
	}
	return s, nil
}

// key returns the Redis key for one kind of data of an entry. It reveals nothing about the entry to
// readers without the secret.
func (s *sealer) key(kind kind, id EntryID) string {
	mac := hmac.New(sha256.New, s.nameKey)
	// Only the last part has a variable size, so different entries have different input.
	mac.Write([]byte{byte(kind)})
	mac.Write(id.Group[:])
	mac.Write([]byte(id.Name))
	return keyPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:macBytes])
}

// aead returns the cipher for the value with this salt. Each value has its own key, so that nonces
// can be random however many values there are.
func (s *sealer) aead(salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, s.valueKey, string(salt), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts a record for a Redis key. The result is the format, a salt, a nonce, and the
// ciphertext with its tag.
func (s *sealer) seal(key string, r record) ([]byte, error) {
	plain := make([]byte, 0, headerBytes+len(r.value)/3)
	plain = binary.BigEndian.AppendUint64(plain, uint64(r.stored.UnixMilli()))
	plain = binary.BigEndian.AppendUint64(plain, uint64(r.ttl.Milliseconds()))
	plain = append(plain, r.generation[:]...)
	plain = s.encoder.EncodeAll(r.value, plain)

	var salt [saltBytes]byte
	rand.Read(salt[:]) // never fails
	aead, err := s.aead(salt[:])
	if err != nil {
		return nil, fmt.Errorf("redis: create the cipher: %w", err)
	}
	sealed := make([]byte, 0, 1+saltBytes+len(plain)+aead.Overhead())
	sealed = append(sealed, format)
	sealed = append(sealed, salt[:]...)
	return aead.Seal(sealed, nil, plain, []byte(key)), nil
}

// open returns the record that was sealed for a Redis key. It neither changes nor retains the
// bytes. The error is errUnreadable.
func (s *sealer) open(key string, sealed []byte) (record, error) {
	if len(sealed) < 1+saltBytes || sealed[0] != format {
		return record{}, errUnreadable
	}
	aead, err := s.aead(sealed[1 : 1+saltBytes])
	if err != nil {
		return record{}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	plain, err := aead.Open(nil, nil, sealed[1+saltBytes:], []byte(key))
	if err != nil {
		return record{}, errUnreadable
	}
	return s.unpack(plain)
}

// unpack decodes a decrypted record. The error is errUnreadable.
func (s *sealer) unpack(plain []byte) (record, error) {
	if len(plain) < headerBytes {
		return record{}, errUnreadable
	}
	r := record{
		stored: time.UnixMilli(int64(binary.BigEndian.Uint64(plain))),
		ttl:    time.Duration(binary.BigEndian.Uint64(plain[8:])) * time.Millisecond,
	}
	copy(r.generation[:], plain[16:])
	var err error
	if r.value, err = s.decoder.DecodeAll(plain[headerBytes:], nil); err != nil {
		return record{}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return r, nil
}

// alive reports whether a record has not expired. The error is errUnreadable if the record is from
// the future by the clock of any replica.
func (r *record) alive(now time.Time) (bool, error) {
	if r.stored.After(now.Add(skew)) {
		return false, fmt.Errorf("%w: it is from the future", errUnreadable)
	}
	// Redis itself removes expired values. This check is for a value that was put back.
	return !now.After(r.stored.Add(r.ttl).Add(skew)), nil
}
