package redis

import (
	"context"
	"time"
)

// Texts are texts of one kind under names that are nobody's in particular. They are safe for concurrent use.
type Texts struct {
	store *Store
	kind  string
	life  time.Duration
}

// Texts returns the store's texts of a kind, each of which lives so long from when it was saved last.
func (s *Store) Texts(kind string, life time.Duration) *Texts { return &Texts{s, kind, life} }

func (t *Texts) name(key string) Name { return Name{Rest: t.kind + "\x00" + key} }

// Load returns the text under a key, false where there is none or Redis does not answer in time.
func (t *Texts) Load(ctx context.Context, key string) (string, bool) {
	value, _, ok := t.store.Load(ctx, t.name(key))
	return string(value), ok
}

// Save puts a text under a key, if Redis takes it in time.
func (t *Texts) Save(ctx context.Context, key, text string) {
	t.store.Save(ctx, t.name(key), []byte(text), t.life)
}
