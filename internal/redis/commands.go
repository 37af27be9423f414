package redis

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/rueidis"
)

// keys are the Redis keys of an entry.
type keys struct{ value, tombstone, lock string }

func (s *Store) keys(id EntryID) keys {
	return keys{
		value:     s.sealer.key(kindValue, id),
		tombstone: s.sealer.key(kindTombstone, EntryID{Group: id.Group}),
		lock:      s.sealer.key(kindLock, id),
	}
}

// lookup is what Redis has for an entry.
type lookup struct {
	ok     bool
	value  []byte
	stored time.Time

	generation generation // of values computed from now on
	readable   bool       // whether the generation is known
	lock       string     // the token of the lock; empty if it is free
}

// find reads an entry. It returns false if Redis does not respond in time.
func (s *Store) find(ctx context.Context, keys keys) (lookup, bool) {
	replies, reached := s.read(ctx, "load", keys.value, keys.tombstone)
	if !reached {
		return lookup{}, false
	}
	return s.evaluate(keys, replies), true
}

// evaluate decodes the replies for a value, its tombstone and, if it was read, its lock.
func (s *Store) evaluate(keys keys, replies []rueidis.RedisMessage) lookup {
	var f lookup
	f.generation, f.readable = s.currentGeneration(keys, replies[1])
	if len(replies) > 2 {
		f.lock, _ = replies[2].ToString() // empty for nil
	}
	if replies[0].IsNil() || !f.readable {
		return f
	}
	r, err := s.unseal(keys.value, replies[0])
	now, alive := time.Now(), false
	if err == nil {
		alive, err = r.alive(now)
	}
	if err != nil {
		s.observer.Error("decode")
		return f
	}
	// If there is no tombstone, the group was not invalidated during the TTL of any value.
	if !alive || f.generation != (generation{}) && f.generation != r.generation {
		return f
	}
	f.ok, f.value, f.stored = true, r.value, r.stored
	if f.stored.After(now) {
		f.stored = now
	}
	return f
}

// unseal decrypts the value of a Redis key.
func (s *Store) unseal(key string, message rueidis.RedisMessage) (record, error) {
	sealed, err := message.AsBytes()
	if err != nil {
		return record{}, err
	}
	return s.sealer.open(key, sealed)
}

// currentGeneration returns the generation that a tombstone started, or zero if there is no
// tombstone. It returns false if the tombstone cannot be read: then it is unknown which values of
// the group are invalid.
func (s *Store) currentGeneration(keys keys, tombstone rueidis.RedisMessage) (generation, bool) {
	if tombstone.IsNil() {
		return generation{}, true
	}
	r, err := s.unseal(keys.tombstone, tombstone)
	if err != nil {
		s.observer.Error("decode")
		return generation{}, false
	}
	return r.generation, true
}

// newGeneration returns a random generation.
func newGeneration() (g generation) {
	rand.Read(g[:]) // never fails
	return g
}

// command builds a command. rueidis recycles a command once it is sent.
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

// step is a command with its operation, as Observer.Error reports it.
type step struct {
	op      string
	command command
}

// read returns the values of Redis keys in one round trip. It returns false if Redis does not
// respond in time or rejects the command, which makes the store disconnect.
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

// values returns the count values in the result of an MGET.
func (s *Store) values(op string, c *connection, result rueidis.RedisResult, count int) ([]rueidis.RedisMessage, bool) {
	messages, err := result.ToArray()
	if err == nil && len(messages) != count {
		err = errUnreadable
	}
	if err != nil {
		s.observer.Error(op)
		s.fail(c, err)
		return nil, false
	}
	return messages, true
}

// write sends commands in one round trip, even if ctx ends before. A command that Redis refuses,
// because Redis is full or a replica, is an error but not an outage.
func (s *Store) write(ctx context.Context, steps ...step) {
	reply, reached := s.send(context.WithoutCancel(ctx), steps...)
	if !reached {
		return
	}
	for i, step := range steps {
		if err := reply.results[i].Error(); err != nil && !rueidis.IsRedisNil(err) {
			s.refused(reply.connection, step.op, err)
		}
	}
}

// refused reports a write that Redis refuses.
func (s *Store) refused(c *connection, op string, err error) {
	s.observer.Error(op)
	redisErr, ok := rueidis.IsRedisErr(err)
	if !ok {
		return
	}
	code := code(redisErr)
	s.observer.Refused(code)
	if code == codeReadOnly {
		c.refused.Do(func() { close(c.readOnly) })
	}
}

// codeReadOnly is the code of the error with which a replica refuses a write.
const codeReadOnly = "READONLY"

// reply holds one result for each command, and the connection that delivered them.
type reply struct {
	connection *connection
	results    []rueidis.RedisResult
}

// send sends commands in one round trip. It returns false if ctx ends, or if Redis does not respond
// to all of them in time, which makes the store disconnect.
func (s *Store) send(ctx context.Context, steps ...step) (reply, bool) {
	c := s.connection.Load()
	if c == nil {
		return reply{}, false
	}
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	builder := c.client.B()
	commands := make([]rueidis.Completed, len(steps))
	for i, step := range steps {
		commands[i] = step.command(builder)
	}
	results := c.client.DoMulti(limited, commands...)
	for i, result := range results {
		err := result.NonRedisError()
		if err == nil {
			continue
		}
		if ctx.Err() == nil {
			s.observer.Error(steps[i].op)
			s.fail(c, err)
		}
		return reply{}, false
	}
	return reply{c, results}, true
}
