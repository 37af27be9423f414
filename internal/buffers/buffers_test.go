package buffers_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"testing"

	"cvmgraph/internal/buffers"
	"cvmgraph/internal/testing/testmode"
)

// write appends n bytes c in small pieces, and returns the slice.
func write(b *buffers.Buffer, s []byte, n int, c byte) []byte {
	for n > 0 {
		size := min(n, 1+rand.IntN(50_000))
		s = append(b.Grow(s, size), bytes.Repeat([]byte{c}, size)...)
		n -= size
	}
	return s
}

func TestGrow_keepsContent(t *testing.T) {
	t.Parallel()
	var pool buffers.Pool
	for range 3 {
		for _, n := range []int{0, 1, 16 << 10, 16<<10 + 1, 1<<20 - 1, 4 << 20, 4<<20 + 1, 9 << 20} {
			b := pool.Get()
			s := append(b.Bytes(), "begin"...)
			s = append(write(b, s, n, 'x'), "end"...)
			if len(s) != n+len("begin")+len("end") || !bytes.HasPrefix(s, []byte("begin")) || !bytes.HasSuffix(s, []byte("end")) || bytes.Count(s, []byte("x")) != n {
				t.Fatalf("%d bytes: the content has changed", n)
			}
			b.Release(s)
		}
	}
}

func TestGrow_space(t *testing.T) {
	t.Parallel()
	var pool buffers.Pool
	for _, n := range []int{0, 1, 20_000, 5 << 20} {
		b := pool.Get()
		s := append(b.Bytes(), make([]byte, 100)...)
		if grown := b.Grow(s, n); cap(grown)-len(grown) < n || len(grown) != 100 {
			t.Errorf("got %d bytes with space for %d, want 100 with space for %d", len(grown), cap(grown)-len(grown), n)
		}
	}
}

// TestAllocations_memoryIsReused checks that a buffer needs no new memory up to 4 MB.
func TestAllocations_memoryIsReused(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testmode.Race {
		t.Skip("with the race detector, pools drop some buffers")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a garbage collection empties the pools
	var pool buffers.Pool
	for _, n := range []int{100, 16 << 10, 100_000, 1 << 20, 3_900_000} {
		piece := make([]byte, n/10+1)
		if got := testing.AllocsPerRun(20, func() {
			b := pool.Get()
			s := b.Bytes()
			for len(s) < n {
				s = append(b.Grow(s, len(piece)), piece...)
			}
			b.Release(s)
		}); got > 0 {
			t.Errorf("%d bytes: got %v allocations, want 0", n, got)
		}
	}
}

// TestPool_notShared checks that buffers in use have different memory.
func TestPool_notShared(t *testing.T) {
	t.Parallel()
	var pool buffers.Pool
	var group sync.WaitGroup
	problems := make(chan string, 8)
	for c := range byte(8) {
		group.Go(func() {
			for range 60 {
				b := pool.Get()
				n := rand.IntN(600_000)
				s := write(b, b.Bytes(), n, c)
				if rand.IntN(4) == 0 {
					s, n = append(s, bytes.Repeat([]byte{c}, 70_000)...), n+70_000
				}
				if got := bytes.Count(s, []byte{c}); got != n || len(s) != n {
					problems <- fmt.Sprintf("got %d of %d bytes of the caller", got, n)
					return
				}
				b.Release(s)
			}
		})
	}
	group.Wait()
	close(problems)
	for p := range problems {
		t.Error(p)
	}
}
