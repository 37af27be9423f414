// Package redis shares values between replicas through a Redis that is not trusted with them: it sees neither values nor names,
// and nothing that was changed, moved or put back there is loaded. Callers go on without it where it is slow, full or gone.
package redis

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// DefaultTimeout is that of Options.
const DefaultTimeout = 50 * time.Millisecond

// slowest is how long a value may take to produce and still be stored. Tombstones live longer than values by as much, so that
// none ends before a value that was being produced when it began.
const maxProduceTime = time.Minute

// Options say where Redis is and what is shared with the other replicas.
type Options struct {
	// URL is redis://[user:password@]host[:port][/database], or rediss:// for TLS, of one server. Of its parameters dial_timeout,
	// write_timeout, protocol, client_name and skip_verify matter.
	URL string
	// Key is what names and values are sealed with: the same for all replicas, random, and known to nobody else. With another key
	// nothing that was stored is found. It must not be zero.
	Key [32]byte
	// Timeout is how long one command may take, whatever its size; 0 is DefaultTimeout. A Redis that takes longer is given up for a
	// while.
	Timeout time.Duration
	// Observer may be zero.
	Observer Observer
}

// Observer is told what happens. Its funcs may be nil, are called by any number of goroutines, and must not block or call Close.
type Observer struct {
	// Hit and Miss say that Redis had a value that was asked for, or that it had none. Once calls at most one of them.
	Hit, Miss func()
	// Error says that a step failed, and that its caller went on without: load, save, forget, lock (also its release), or decode
	// (a value that this key did not seal).
	Error func(op string)
	// Down says that an outage began: Redis refuses reads, or does not answer in time. Its error has neither address nor
	// credential. Up says that the outage is over. They are called in turn, by one goroutine.
	Down func(err error)
	Up   func()
}

// Name says which value is meant.
type EntryID struct {
	// Group is whose value it is, as a keyed hash of a credential; Forget is for all that is of one group.
	Group [32]byte
	// Rest tells the values of a group apart. It may be any bytes.
	Name string
}

// Store is the values that replicas share. It is safe for concurrent use.
//
// It has one connection, on which the commands of all callers follow each other. While there is none that works, no call waits
// for Redis: a new one is tried in the background after 1 s, and after longer pauses up to 10 s.
type Store struct {
	timeout  time.Duration
	observer Observer
	option   rueidis.ClientOption
	sealer   *sealer

	connection atomic.Pointer[connection] // nil while the level is closed
	end        context.CancelFunc
	done       chan struct{} // closed when keep has ended
}

// Open returns a store without waiting for Redis. The error says which options are wrong; it holds nothing of them.
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

// newStore returns a store that has no connection, and nobody who keeps one.
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
	vault, err := newSealer(options.Key)
	if err != nil {
		return nil, err
	}
	s := &Store{
		timeout: options.Timeout, observer: options.Observer, option: option, sealer: vault, done: make(chan struct{}),
	}
	if s.timeout == 0 {
		s.timeout = DefaultTimeout
	}
	for _, f := range []*func(){&s.observer.Hit, &s.observer.Miss, &s.observer.Up} {
		if *f == nil {
			*f = func() {}
		}
	}
	if s.observer.Error == nil {
		s.observer.Error = func(string) {}
	}
	if s.observer.Down == nil {
		s.observer.Down = func(error) {}
	}
	return s, nil
}

// parse returns the options of connections to a URL. Its errors quote nothing of it.
func parse(address string) (rueidis.ClientOption, error) {
	option, err := rueidis.ParseURL(strings.TrimSuffix(address, "/"))
	if err != nil {
		return option, errors.New("redis: the URL is not of the form redis://[user:password@]host[:port][/database]")
	}
	if u, err := url.Parse(address); err != nil || len(option.InitAddress) != 1 || u.Query().Has("master_set") {
		return option, errors.New("redis: the URL is to name one server, neither a cluster nor a sentinel")
	}
	if option.Dialer.Timeout <= 0 {
		option.Dialer.Timeout = dialTimeout
	}
	if option.ConnWriteTimeout <= 0 {
		option.ConnWriteTimeout = pingGap
	}
	option.Dialer.KeepAlive = pingGap
	option.ForceSingleClient = true
	option.PipelineMultiplex = -1  // one connection
	option.AlwaysPipelining = true // a caller that leaves gives up its answer, and not the connection
	option.DisableRetry = true
	option.DisableCache = true
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	return option, nil
}

// Close closes the connection and waits for the goroutine that keeps it; what waits for answers ends with the connection. Calls
// under way and later ones find nothing and store nothing. It may be called more than once.
func (s *Store) Close() {
	s.end()
	<-s.done
}

// Load returns what was stored under a name and when, by the clock of the replica that stored it, never later than now. It is
// false where there is nothing, and where Redis does not say so in time. The value is the caller's own.
func (s *Store) Load(ctx context.Context, name EntryID) (value []byte, stored time.Time, ok bool) {
	if s.connection.Load() == nil {
		return nil, time.Time{}, false
	}
	found, reached := s.find(ctx, s.keys(name))
	switch {
	case found.ok:
		s.observer.Hit()
	case reached:
		s.observer.Miss()
	}
	return found.value, found.stored, found.ok
}

// Save stores a value under a name for its life, which is cut to milliseconds. It is not stored if its life is shorter than
// that, if it is larger than 16 MiB, or if Redis does not take it in time. It takes two round trips, also for a caller that
// leaves meanwhile. The store does not hold on to the value.
func (s *Store) Save(ctx context.Context, name EntryID, value []byte, life time.Duration) {
	if life < time.Millisecond || len(value) > maxValueBytes {
		return
	}
	keys := s.keys(name)
	answers, reached := s.read(context.WithoutCancel(ctx), "save", keys.tombstone)
	if !reached {
		return
	}
	now, ok := s.currentGeneration(keys, answers[0])
	if !ok {
		return
	}
	command, ok := s.set(keys, record{stored: time.Now(), ttl: life, generation: now, value: value})
	if !ok {
		return
	}
	s.write(ctx, step{"save", command})
}

// Forget makes all replicas load no more of what was stored for a group before now, nor of what Once is producing for it now.
// The life is that of the longest-lived of these values. It is one key more in Redis: where Redis does not take it in time, evicts
// it, or loses it and not the values, these end with their lives as they would have.
func (s *Store) Invalidate(ctx context.Context, group [32]byte, life time.Duration) {
	keys := s.keys(EntryID{Group: group})
	life = max(life, time.Millisecond) + maxProduceTime
	r := record{stored: time.Now(), ttl: life, generation: newGeneration()}
	sealed, err := s.sealer.seal(keys.tombstone, r)
	if err != nil {
		s.observer.Error("forget")
		return
	}
	s.write(ctx, step{"forget", func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(keys.tombstone).Value(rueidis.BinaryString(sealed)).Px(life).Build()
	}})
}
