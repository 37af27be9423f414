package redis

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/rueidis"
)

// keys are the Redis keys that have to do with a name.
type keys struct{ value, tombstone, lock string }

func (s *Store) keys(name EntryID) keys {
	return keys{
		value:     s.sealer.key(kindValue, name),
		tombstone: s.sealer.key(kindTombstone, EntryID{Group: name.Group}),
		lock:      s.sealer.key(kindLock, name),
	}
}

// found is what Redis says of a name.
type lookup struct {
	ok     bool
	value  []byte
	stored time.Time

	generation generation // in which what is produced now is made
	readable   bool       // whether the generation is known
	lock       string     // who holds it; empty for nobody
}

// find reads what is stored under a name. It is false where Redis does not answer in time.
func (s *Store) find(ctx context.Context, keys keys) (lookup, bool) {
	answers, reached := s.read(ctx, "load", keys.value, keys.tombstone)
	if !reached {
		return lookup{}, false
	}
	return s.evaluate(keys, answers), true
}

// judge makes sense of a value, a tombstone, and a lock where that was asked for.
func (s *Store) evaluate(keys keys, answers []rueidis.RedisMessage) lookup {
	var f lookup
	f.generation, f.readable = s.currentGeneration(keys, answers[1])
	if len(answers) > 2 {
		f.lock, _ = answers[2].ToString() // nil is nobody
	}
	if answers[0].IsNil() || !f.readable {
		return f
	}
	sealed, err := answers[0].AsBytes()
	if err != nil {
		s.observer.Error("decode")
		return f
	}
	r, err := s.sealer.open(keys.value, sealed)
	if err != nil {
		s.observer.Error("decode")
		return f
	}
	now := time.Now()
	alive, err := r.alive(now)
	if err != nil {
		s.observer.Error("decode")
		return f
	}
	// Without a tombstone nothing was forgotten for longer than values live.
	if !alive || f.generation != (generation{}) && f.generation != r.generation {
		return f
	}
	f.ok, f.value, f.stored = true, r.value, r.stored
	if f.stored.After(now) {
		f.stored = now
	}
	return f
}

// current returns the generation that a tombstone began, zero where there is none. It is false for one that cannot be read:
// then nothing of the group can be told to be from after it.
func (s *Store) currentGeneration(keys keys, tombstone rueidis.RedisMessage) (generation, bool) {
	if tombstone.IsNil() {
		return generation{}, true
	}
	sealed, err := tombstone.AsBytes()
	if err == nil {
		var r record
		if r, err = s.sealer.open(keys.tombstone, sealed); err == nil {
			return r.generation, true
		}
	}
	s.observer.Error("decode")
	return generation{}, false
}

// newGeneration returns one that never was.
func newGeneration() (g generation) {
	rand.Read(g[:]) // never fails
	return g
}

// command makes a command. Each is sent once: rueidis takes them back.
type command func(rueidis.Builder) rueidis.Completed

// set returns the command that stores a value.
func (s *Store) set(keys keys, r record) (command, bool) {
	sealed, err := s.sealer.seal(keys.value, r)
	if err != nil {
		s.observer.Error("save")
		return nil, false
	}
	return func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(keys.value).Value(rueidis.BinaryString(sealed)).Px(r.ttl).Build()
	}, true
}

// step is a command and what the observer calls it.
type step struct {
	op      string
	command command
}

// read returns the values of Redis keys in one round trip. It is false where Redis does not answer in time or refuses: a Redis
// that cannot be read is down.
func (s *Store) read(ctx context.Context, op string, keys ...string) ([]rueidis.RedisMessage, bool) {
	reply, reached := s.send(ctx, step{op, mget(keys)})
	if !reached {
		return nil, false
	}
	return s.values(op, reply.connection, reply.results[0], len(keys))
}

func mget(keys []string) command {
	return func(b rueidis.Builder) rueidis.Completed { return b.Mget().Key(keys...).Build() }
}

// values returns the answer to a read of so many keys.
func (s *Store) values(op string, l *connection, result rueidis.RedisResult, count int) ([]rueidis.RedisMessage, bool) {
	messages, err := result.ToArray()
	if err == nil && len(messages) != count {
		err = errUnreadable
	}
	if err != nil {
		s.observer.Error(op)
		s.fail(l, err)
		return nil, false
	}
	return messages, true
}

// write sends commands in one round trip, whether or not the caller leaves meanwhile. One that Redis refuses, because it is full
// or a replica, is an error and no outage.
func (s *Store) write(ctx context.Context, steps ...step) {
	reply, reached := s.send(context.WithoutCancel(ctx), steps...)
	if !reached {
		return
	}
	for i, step := range steps {
		if err := reply.results[i].Error(); err != nil && !rueidis.IsRedisNil(err) {
			s.observer.Error(step.op)
		}
	}
}

// reply is Redis' answers, one for each command, and the link that they came by.
type reply struct {
	connection *connection
	results    []rueidis.RedisResult
}

// send sends commands in one round trip. It is false where Redis does not answer all of them in time, which closes the level,
// or where the caller leaves, which does not.
func (s *Store) send(ctx context.Context, steps ...step) (reply, bool) {
	l := s.connection.Load()
	if l == nil {
		return reply{}, false
	}
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	builder := l.client.B()
	commands := make([]rueidis.Completed, len(steps))
	for i, step := range steps {
		commands[i] = step.command(builder)
	}
	results := l.client.DoMulti(limited, commands...)
	for i, result := range results {
		err := result.NonRedisError()
		if err == nil {
			continue
		}
		if ctx.Err() == nil {
			s.observer.Error(steps[i].op)
			s.fail(l, err)
		}
		return reply{}, false
	}
	return reply{l, results}, true
}
