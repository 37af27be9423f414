// Package buffers reuses the memory of responses by size class, so that a small response does not
// occupy the memory of a large one, and a large response needs no new memory.
package buffers

import (
	"math/bits"
	"slices"
	"sync"
)

// The size classes are the powers of two from minSize to maxSize, in bytes. Larger memory is not
// reused.
const (
	minSize = 16 << 10
	maxSize = 4 << 20
	classes = 9
)

// Pool reuses the memory of buffers. The zero value is an empty pool. It is safe for concurrent
// use.
type Pool struct {
	// classes have buffers with the size of their class or more, but less than that of the next.
	classes [classes]sync.Pool // of *Buffer
}

// Buffer has the memory of one slice, such as the body of a response, while it is written. It is
// not safe for concurrent use.
type Buffer struct {
	pool   *Pool
	memory []byte
}

// Get returns a buffer. Its memory is in use until [Buffer.Release].
func (p *Pool) Get() *Buffer { return p.take(0) }

// take returns a buffer of a size class.
func (p *Pool) take(class int) *Buffer {
	if b, ok := p.classes[class].Get().(*Buffer); ok {
		return b
	}
	return &Buffer{p, make([]byte, 0, minSize<<class)}
}

// put makes a buffer available to others.
func (p *Pool) put(b *Buffer) {
	if size := cap(b.memory); size >= minSize && size <= maxSize {
		p.classes[bits.Len(uint(size/minSize))-1].Put(b)
	}
}

// Bytes returns an empty slice in the buffer's memory.
func (b *Buffer) Bytes() []byte { return b.memory[:0] }

// Grow returns a slice with the content of s and space for n more bytes. s must be the latest slice
// of the buffer, or one appended to it. It must not be used afterwards.
func (b *Buffer) Grow(s []byte, n int) []byte {
	if cap(s)-len(s) >= n {
		return s
	}
	size := len(s) + n
	if size > maxSize {
		return slices.Grow(s, n)
	}
	class := 0
	if size > minSize {
		class = bits.Len(uint((size - 1) / minSize))
	}
	larger := b.pool.take(class)
	s = append(larger.memory[:0], s...)
	b.memory, larger.memory = larger.memory, b.memory
	b.pool.put(larger)
	return s
}

// Release makes the buffer's memory available to others. s is the latest slice of the buffer, or
// one appended to it. Neither it nor the buffer must be used afterwards.
func (b *Buffer) Release(s []byte) {
	if cap(s) > cap(b.memory) && cap(s) <= maxSize {
		b.memory = s // it was appended to beyond the buffer's memory
	}
	b.pool.put(b)
}
