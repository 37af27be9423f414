package redis

import (
	"context"
	"time"
)

// Strings stores strings of one kind that belong to no group. It is safe for concurrent use.
type Strings struct {
	store *Store
	kind  string
	ttl   time.Duration
}

// Strings returns the strings of a kind. Each expires after the TTL, counted from its last Save.
func (s *Store) Strings(kind string, ttl time.Duration) *Strings { return &Strings{s, kind, ttl} }

func (t *Strings) id(key string) EntryID { return EntryID{Name: t.kind + "\x00" + key} }

// Load returns the string stored under a key. It returns false if there is none or Redis does not
// respond in time.
func (t *Strings) Load(ctx context.Context, key string) (string, bool) {
	value, _, ok := t.store.Load(ctx, t.id(key))
	return string(value), ok
}

// Save stores a string under a key if Redis responds in time.
func (t *Strings) Save(ctx context.Context, key, value string) {
	t.store.Save(ctx, t.id(key), []byte(value), t.ttl)
}
