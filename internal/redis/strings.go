package redis

import (
	"context"
	"time"
)

// Texts are texts of one kind under names that are nobody's in particular. They are safe for concurrent use.
type Strings struct {
	store *Store
	kind  string
	ttl   time.Duration
}

// Texts returns the store's texts of a kind, each of which lives so long from when it was saved last.
func (s *Store) Strings(kind string, life time.Duration) *Strings { return &Strings{s, kind, life} }

func (t *Strings) name(key string) EntryID { return EntryID{Name: t.kind + "\x00" + key} }

// Load returns the text under a key, false where there is none or Redis does not answer in time.
func (t *Strings) Load(ctx context.Context, key string) (string, bool) {
	value, _, ok := t.store.Load(ctx, t.name(key))
	return string(value), ok
}

// Save puts a text under a key, if Redis takes it in time.
func (t *Strings) Save(ctx context.Context, key, text string) {
	t.store.Save(ctx, t.name(key), []byte(text), t.ttl)
}
