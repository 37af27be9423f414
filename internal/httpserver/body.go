package httpserver

import (
	"io"
	"sync/atomic"
	"time"
)

const (
	// smallBody is what each request may send without a share in the room for large bodies, in bytes: what most requests are.
	smallBody = 8 << 10

	// bodyRoom is the room for large bodies, in bytes, unless a single one may be larger.
	bodyRoom = 32 << 20

	// bodyRetryAfter is when there may be room again.
	bodyRetryAfter = time.Second
)

// NoRoomError says that the bodies of other requests take the room for large ones. A body's Read returns it.
type NoRoomError struct{}

func (*NoRoomError) Error() string { return noRoom }

const noRoom = "other requests take the room for large bodies: try again"

// RetryAfter is when there may be room again.
func (*NoRoomError) RetryAfter() time.Duration { return bodyRetryAfter }

// room is what the large bodies of all requests may take together, in bytes.
type room struct{ left atomic.Int64 }

// take takes some of it, or nothing.
func (r *room) take(bytes int64) bool {
	if r.left.Add(-bytes) >= 0 {
		return true
	}
	r.left.Add(bytes)
	return false
}

func (r *room) giveBack(bytes int64) { r.left.Add(bytes) }

// largeBody is a body that takes room as it is read. One goroutine, the handler's, uses it.
type largeBody struct {
	io.ReadCloser
	room  *room
	read  int64
	taken int64
	full  bool
}

// reserve takes the room for a body of the size.
func (b *largeBody) reserve(bytes int64) bool {
	if !b.room.take(bytes - smallBody) {
		return false
	}
	b.taken = bytes - smallBody
	return true
}

func (b *largeBody) Read(p []byte) (int, error) {
	if b.full {
		return 0, &NoRoomError{}
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if more := b.read - smallBody - b.taken; more > 0 {
		if !b.room.take(more) {
			b.full = true
			return 0, &NoRoomError{}
		}
		b.taken += more
	}
	return n, err
}

// release gives back what the body has taken.
func (b *largeBody) release() { b.room.giveBack(b.taken) }
