package graph

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"cvmgraph/internal/pages"
)

// Repeats are the settings of what is kept of answers, so that a request that comes again while its pages are at hand is answered
// without being executed. The zero value keeps nothing.
type Repeats struct {
	// Bytes bounds what the answers take.
	Bytes uint64
	// Life is how long an answer is kept: no longer than pages are.
	Life time.Duration
	// Hit is told of each request that was answered without being executed; nil: nobody is.
	Hit func()
	// Watch is given how many answers are kept and about how many bytes they take, for anybody to call; nil: nobody asks.
	Watch func(size func() (answers int, bytes uint64))
}

// repeats keeps answers to requests that came more than once. What is kept is an answer for as long as each of the pages that it was made of
// is still at hand: when one of them has been replaced, has become too old, or was dropped because its credential was refused, the
// operation is executed anew. It is safe for concurrent use; nil keeps nothing.
type repeats struct {
	source  pages.Source
	hit     func() // never nil
	answers *otter.Cache[repeatKey, *repeated]
}

// repeatKey is all that an answer without extensions depends on, besides pages: whose it is, and the request's method and text.
type repeatKey struct {
	owner pages.CredentialKey
	text  [sha256.Size]byte
}

// repeated is an answer. It is read-only.
type repeated struct {
	// body is nil where the request has come once.
	body []byte
	made []pages.PageVersion
	name string // of the operation
}

// maxRepeated is the size, in bytes, up to which an answer is kept.
const maxRepeated = 1 << 20

func newRepeats(source pages.Source, settings Repeats) *repeats {
	if settings.Bytes == 0 || settings.Life <= 0 {
		return nil
	}
	k := &repeats{source, settings.Hit, otter.Must(&otter.Options[repeatKey, *repeated]{
		MaximumWeight: settings.Bytes,
		Weigher: func(_ repeatKey, r *repeated) uint32 {
			return uint32(cap(r.body) + 64*cap(r.made) + len(r.name) + entryBytes)
		},
		ExpiryCalculator: otter.ExpiryWriting[repeatKey, *repeated](settings.Life),
	})}
	if k.hit == nil {
		k.hit = func() {}
	}
	if settings.Watch != nil {
		settings.Watch(func() (int, uint64) { return k.answers.EstimatedSize(), k.answers.WeightedSize() })
	}
	return k
}

// key returns the key of a request, false where its answer cannot be one that is kept.
func (k *repeats) key(op *operation, header http.Header, method string, text []byte) (repeatKey, bool) {
	if k == nil || op.credentialErr != nil || !op.since.IsZero() || explains(header) {
		return repeatKey{}, false
	}
	var room [1024]byte
	return repeatKey{op.credentialKey, sha256.Sum256(append(append(append(room[:0], method...), ' '), text...))}, true
}

// find returns the answer to a request, nil where it is to be executed.
func (k *repeats) find(key repeatKey) *repeated {
	kept, ok := k.answers.GetIfPresent(key)
	if !ok || kept.body == nil {
		return nil
	}
	for _, used := range kept.made {
		if got, ok := k.source.Cached(key.owner, used.Request); !ok || !got.Received.Equal(used.Received) {
			return nil
		}
	}
	k.hit()
	return kept
}

// keep keeps an answer that was executed, if it was made of pages at hand alone: at first only that it was asked for.
func (k *repeats) keep(key repeatKey, op *operation, name string, body []byte) {
	if op.loader == nil || len(body) > maxRepeated {
		return
	}
	made, ok := op.loader.PageVersions()
	if !ok {
		return
	}
	if _, again := k.answers.GetIfPresent(key); !again {
		k.answers.Set(key, &repeated{})
		return
	}
	// A copy of the name: it is a part of the document, all of which would be kept with it.
	k.answers.Set(key, &repeated{append([]byte(nil), body...), made, strings.Clone(name)})
}
