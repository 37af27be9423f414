package httpserver

import (
	"io"
	"sync/atomic"
	"time"
)

const (
	// freeBodyBytes is the size up to which a body reserves no memory. Most
	// requests are smaller.
	freeBodyBytes = 8 << 10

	// bodyPoolBytes is the memory for all larger bodies together. It is more if two
	// bodies of the maximum size need more.
	bodyPoolBytes = 32 << 20

	// bodyRetryAfter is the delay after which a rejected request should be sent again.
	bodyRetryAfter = time.Second
)

// BodyMemoryError reports that other requests use all memory for large request bodies. Read of a
// request body returns it.
type BodyMemoryError struct{}

func (*BodyMemoryError) Error() string { return bodyMemoryMessage }

const bodyMemoryMessage = "other requests use all memory for large request bodies; try again later"

// RetryAfter returns the delay after which the request should be sent again.
func (*BodyMemoryError) RetryAfter() time.Duration { return bodyRetryAfter }

// memoryPool is an amount of memory, in bytes, that requests share. It is safe for concurrent use.
type memoryPool struct{ free atomic.Int64 }

// reserve takes bytes from the pool. It takes nothing and returns false if fewer are free.
func (p *memoryPool) reserve(bytes int64) bool {
	if p.free.Add(-bytes) >= 0 {
		return true
	}
	p.free.Add(bytes)
	return false
}

func (p *memoryPool) release(bytes int64) { p.free.Add(bytes) }

// meteredBody is a body that reserves memory while it is read. It is used by one goroutine, the
// handler's.
type meteredBody struct {
	io.ReadCloser
	pool     *memoryPool
	read     int64
	reserved int64
	rejected bool
}

// reserve reserves the memory for a body of the given size.
func (b *meteredBody) reserve(bytes int64) bool {
	if !b.pool.reserve(bytes - freeBodyBytes) {
		return false
	}
	b.reserved = bytes - freeBodyBytes
	return true
}

func (b *meteredBody) Read(p []byte) (int, error) {
	if b.rejected {
		return 0, &BodyMemoryError{}
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if more := b.read - freeBodyBytes - b.reserved; more > 0 {
		if !b.pool.reserve(more) {
			b.rejected = true
			return 0, &BodyMemoryError{}
		}
		b.reserved += more
	}
	return n, err
}

// release returns the reserved memory to the pool.
func (b *meteredBody) release() { b.pool.release(b.reserved) }
