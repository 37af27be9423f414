package httpserver

import (
	"io"
	"sync/atomic"
	"time"
)

const (
	// smallBody is the number of bytes that each request may send without reserving memory. Most
	// requests are smaller.
	smallBody = 8 << 10

	// largeBodyMemory is the memory for all large bodies together, in bytes. It is more if two
	// bodies of the maximum size need more.
	largeBodyMemory = 32 << 20

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

// memoryBudget is an amount of memory, in bytes, that requests share. It is safe for concurrent
// use.
type memoryBudget struct{ free atomic.Int64 }

// reserve takes bytes from the budget. It takes nothing and returns false if fewer are free.
func (b *memoryBudget) reserve(bytes int64) bool {
	if b.free.Add(-bytes) >= 0 {
		return true
	}
	b.free.Add(bytes)
	return false
}

func (b *memoryBudget) release(bytes int64) { b.free.Add(bytes) }

// largeBody is a body that reserves memory while it is read. It is used by one goroutine, the
// handler's.
type largeBody struct {
	io.ReadCloser
	budget   *memoryBudget
	read     int64
	reserved int64
	rejected bool
}

// reserve reserves the memory for a body of the given size.
func (b *largeBody) reserve(bytes int64) bool {
	if !b.budget.reserve(bytes - smallBody) {
		return false
	}
	b.reserved = bytes - smallBody
	return true
}

func (b *largeBody) Read(p []byte) (int, error) {
	if b.rejected {
		return 0, &BodyMemoryError{}
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if more := b.read - smallBody - b.reserved; more > 0 {
		if !b.budget.reserve(more) {
			b.rejected = true
			return 0, &BodyMemoryError{}
		}
		b.reserved += more
	}
	return n, err
}

// release returns the reserved memory to the budget.
func (b *largeBody) release() { b.budget.release(b.reserved) }
