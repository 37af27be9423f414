//go:build unix

package redis_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/redis"
)

// page returns a page of 100 items from the demo upstream.
func page(b *testing.B) []byte {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/api/v1/cvms/paginated?page=1&page_size=100", nil)
	r.Header.Set("X-API-Key", "phak_benchmark")
	r.Header.Set("X-Phala-Version", "2025-10-28")
	w := httptest.NewRecorder()
	demo.New(demo.Options{}).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("got status %d: %s", w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func BenchmarkSeal(b *testing.B) {
	s, value := newSealer(b, newKey()), page(b)
	var sealed []byte
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if sealed, err = s.Seal("key", value, time.Now(), time.Second); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(value)), "page-bytes")
	b.ReportMetric(float64(len(sealed)), "sealed-bytes")
}

func BenchmarkUnseal(b *testing.B) {
	s, value := newSealer(b, newKey()), page(b)
	sealed, err := s.Seal("key", value, time.Now(), time.Second)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := s.Open("key", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStore(b *testing.B) {
	s, value := connected(b, anyRedis(b), newKey(), patient), page(b)
	id := redis.EntryID{Group: [32]byte{1}, Name: "page=1"}
	b.Run("save", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Save(b.Context(), id, value, time.Minute)
		}
	})
	load := func(b *testing.B, id redis.EntryID, want bool) {
		b.Helper()
		b.ReportAllocs()
		for b.Loop() {
			if _, _, ok := s.Load(b.Context(), id); ok != want {
				b.Fatalf("got %v, want %v", ok, want)
			}
		}
	}
	b.Run("hit", func(b *testing.B) { load(b, id, true) })
	b.Run("miss", func(b *testing.B) { load(b, redis.EntryID{}, false) })
	b.Run("compute", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			_, _, computed, err := s.GetOrCompute(b.Context(), redis.EntryID{Name: strconv.Itoa(i)}, 100*time.Millisecond, time.Second,
				func(context.Context) ([]byte, bool, error) { return value, true, nil })
			if !computed || err != nil {
				b.Fatalf("got %v, %v", computed, err)
			}
		}
	})
	b.Run("down", func(b *testing.B) {
		gone := open(b, "redis://127.0.0.1:1", newKey(), patient)
		b.ReportAllocs()
		for b.Loop() {
			gone.Load(b.Context(), id)
		}
	})
}
