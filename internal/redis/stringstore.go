package redis

import (
	"context"
	"time"
)

// StringStore shares strings of one kind, such as persisted queries, that belong to no credential.
// It is safe for concurrent use.
type StringStore struct {
	store *Store
	kind  string
	ttl   time.Duration
}

// Strings returns the store of the strings of a kind. Each expires after the TTL, counted from its
// last Save.
func (s *Store) Strings(kind string, ttl time.Duration) *StringStore {
	return &StringStore{s, kind, ttl}
}

func (s *StringStore) id(key string) EntryID { return EntryID{Name: s.kind + "\x00" + key} }

// Load returns the string stored under a key. It returns false if there is none or Redis does not
// respond in time.
func (s *StringStore) Load(ctx context.Context, key string) (string, bool) {
	value, _, ok := s.store.Load(ctx, s.id(key))
	return string(value), ok
}

// Save stores a string under a key if Redis responds in time.
func (s *StringStore) Save(ctx context.Context, key, value string) {
	s.store.Save(ctx, s.id(key), []byte(value), s.ttl)
}
