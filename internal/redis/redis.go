// Package redis shares values between replicas through a Redis server that need not be trusted.
// Names and values are encrypted, and a value that was changed, moved or replayed in Redis is not
// loaded. If Redis is slow, full or unavailable, callers continue without it.
package redis

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// DefaultTimeout is the default of [Options.Timeout].
const DefaultTimeout = 50 * time.Millisecond

// maxComputeTime is the longest computation whose value is stored. Tombstones outlive values by
// this time, so that a tombstone never expires before a value whose computation started earlier
// than the tombstone.
const maxComputeTime = time.Minute

// Options configure a [Store].
type Options struct {
	// URL is redis://[user:password@]host[:port][/database], or rediss:// for TLS, of one server.
	// The parameters dial_timeout, write_timeout, protocol, client_name and skip_verify are used.
	URL string
	// Key is the secret from which the keys for names and values are derived. It is random, the
	// same for all replicas, and must not be zero. Values stored with another key are not found.
	Key [32]byte
	// Timeout is the maximum duration of one command, whatever its size. Zero means
	// DefaultTimeout. After a timeout the store stops using Redis for a while.
	Timeout time.Duration
	// Observer may be zero.
	Observer Observer
}

// Observer receives the events of a [Store]. Its functions may be nil. They are called
// concurrently, and must neither block nor call Close.
type Observer struct {
	// Hit and Miss report whether Redis had a requested value. GetOrCompute calls at most one of
	// them.
	Hit, Miss func()
	// Error reports a failed operation, after which its caller continues without Redis. The
	// operation is load, save, invalidate, lock (or unlock), or decode (a value that was not sealed
	// with this key).
	Error func(op string)
	// Refused reports a write that Redis refuses, with the code of its error in capital letters:
	// READONLY (it is a replica), OOM (it is full), MISCONF (it cannot write to its disk) or
	// another one.
	Refused func(code string)
	// Down reports the start of an outage: Redis rejects reads or does not respond in time. The
	// error contains neither an address nor a credential. Up reports the end of the outage. One
	// goroutine calls Down and Up alternately.
	Down func(err error)
	Up   func()
}

// EntryID identifies a value.
type EntryID struct {
	// Group is the keyed hash of the credential that the value was obtained with. Invalidate
	// applies to all values of a group.
	Group [32]byte
	// Name identifies the value in its group. It may contain any bytes.
	Name string
}

// Store holds the values that replicas share. It is safe for concurrent use.
//
// A store has one connection, on which the commands of all callers are pipelined. While it is
// disconnected, no call waits for Redis. The store reconnects in the background: after one second
// at first, then after longer pauses of up to 10 seconds. It also reconnects if Redis has become a
// replica.
type Store struct {
	timeout  time.Duration
	observer Observer
	option   rueidis.ClientOption
	sealer   *sealer

	connection atomic.Pointer[connection] // nil while disconnected
	end        context.CancelFunc
	done       chan struct{} // closed when maintain has returned
}

// Open returns a store. It does not wait for Redis. The error lists the invalid options without
// their values.
func Open(options Options) (*Store, error) {
	s, err := newStore(options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.end = cancel
	go s.maintain(ctx)
	return s, nil
}

// newStore returns a store without a connection.
func newStore(options Options) (*Store, error) {
	option, err := parse(options.URL)
	problems := []error{err}
	if options.Key == [32]byte{} {
		problems = append(problems, errors.New("redis: the key is missing"))
	}
	if options.Timeout < 0 {
		problems = append(problems, errors.New("redis: the timeout is negative"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	sealer, err := newSealer(options.Key)
	if err != nil {
		return nil, err
	}
	s := &Store{
		timeout: cmp.Or(options.Timeout, DefaultTimeout), observer: options.Observer, option: option, sealer: sealer,
		done: make(chan struct{}),
	}
	for _, f := range []*func(){&s.observer.Hit, &s.observer.Miss, &s.observer.Up} {
		if *f == nil {
			*f = func() {}
		}
	}
	if s.observer.Error == nil {
		s.observer.Error = func(string) {}
	}
	if s.observer.Refused == nil {
		s.observer.Refused = func(string) {}
	}
	if s.observer.Down == nil {
		s.observer.Down = func(error) {}
	}
	return s, nil
}

// parse returns the client options for a URL. Its errors do not quote the URL.
func parse(address string) (rueidis.ClientOption, error) {
	option, err := rueidis.ParseURL(strings.TrimSuffix(address, "/"))
	if err != nil {
		return option, errors.New("redis: the URL must have the form redis://[user:password@]host[:port][/database]")
	}
	if u, err := url.Parse(address); err != nil || len(option.InitAddress) != 1 || u.Query().Has("master_set") {
		return option, errors.New("redis: the URL must name one server, not a cluster or a sentinel")
	}
	if option.Dialer.Timeout <= 0 {
		option.Dialer.Timeout = dialTimeout
	}
	if option.ConnWriteTimeout <= 0 {
		option.ConnWriteTimeout = pingInterval
	}
	option.Dialer.KeepAlive = pingInterval
	option.ForceSingleClient = true
	option.PipelineMultiplex = -1  // one connection
	option.AlwaysPipelining = true // a canceled call abandons its reply, not the connection
	option.DisableRetry = true
	option.DisableCache = true
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	return option, nil
}

// Close closes the connection and waits for the store's goroutine. Pending and later calls find
// nothing and store nothing. Close may be called more than once.
func (s *Store) Close() {
	s.end()
	<-s.done
}

// Load returns a value and the time at which it was stored, by the clock of the replica that
// stored it, but never later than now. It returns false if there is no value or Redis does not
// respond in time. The caller owns the value.
func (s *Store) Load(ctx context.Context, id EntryID) (value []byte, stored time.Time, ok bool) {
	if s.connection.Load() == nil {
		return nil, time.Time{}, false
	}
	found, reached := s.find(ctx, s.keys(id))
	switch {
	case found.ok:
		s.observer.Hit()
	case reached:
		s.observer.Miss()
	}
	return found.value, found.stored, found.ok
}

// Save stores a value for its time to live, which is truncated to milliseconds. A value is not
// stored if its TTL is less than 1 ms, if it is larger than 16 MiB, or if Redis does not respond in
// time. Save takes two round trips, even if ctx ends before. It does not retain the value.
func (s *Store) Save(ctx context.Context, id EntryID, value []byte, ttl time.Duration) {
	if ttl < time.Millisecond || len(value) > maxValueBytes {
		return
	}
	keys := s.keys(id)
	replies, reached := s.read(context.WithoutCancel(ctx), "save", keys.tombstone)
	if !reached {
		return
	}
	current, ok := s.currentGeneration(keys, replies[0])
	if !ok {
		return
	}
	command, ok := s.set(keys, record{stored: time.Now(), ttl: ttl, generation: current, value: value})
	if !ok {
		return
	}
	s.write(ctx, step{"save", command})
}

// Invalidate makes the values of a group unavailable to all replicas. It applies to the values
// stored so far and to those that GetOrCompute is computing. The TTL is the longest TTL of these
// values. Invalidate stores a tombstone in Redis. If Redis does not respond in time, or loses the
// tombstone but not the values, the values remain until they expire.
func (s *Store) Invalidate(ctx context.Context, group [32]byte, ttl time.Duration) {
	keys := s.keys(EntryID{Group: group})
	ttl = max(ttl, time.Millisecond) + maxComputeTime
	r := record{stored: time.Now(), ttl: ttl, generation: newGeneration()}
	sealed, err := s.sealer.seal(keys.tombstone, r)
	if err != nil {
		s.observer.Error("invalidate")
		return
	}
	s.write(ctx, step{"invalidate", func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(keys.tombstone).Value(rueidis.BinaryString(sealed)).Px(ttl).Build()
	}})
}
