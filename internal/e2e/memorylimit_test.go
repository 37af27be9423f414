package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func setLimit(t *testing.T, file string, limit int) {
	t.Helper()
	if err := os.WriteFile(file, fmt.Append(nil, limit), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMemoryLimit_changedInPlace runs the program in a container whose memory limit is smaller than
// its cache, and then raises the limit.
func TestMemoryLimit_changedInPlace(t *testing.T) {
	t.Parallel()
	const small, large = 256 << 20, 4 << 30
	inside := container(t, small)
	dir := filepath.Dir(inside[len(inside)-1])
	file := filepath.Join(dir, "memory.max")
	if _, err := os.Stat(file); err != nil {
		file = filepath.Join(dir, "memory.limit_in_bytes") // version 1
	}
	p := startIn(t, inside, nil, "--demo", "--cache-bytes=1GiB")
	limit := func(container int64) int64 { return int64(float64(container) * 0.9) }
	warning := fmt.Sprintf(`"cache_bytes":%d,"memory_limit":%d}`, 1<<30, limit(small))
	for _, want := range []string{fmt.Sprintf(`"msg":"memory limit set","bytes":%d}`, limit(small)), warning} {
		if !strings.Contains(p.logged(), want) {
			t.Errorf("got %s, want %s", p.logged(), want)
		}
	}
	setLimit(t, file, large)
	waitFor(t, func() bool {
		return strings.Contains(p.logged(), fmt.Sprintf(`"msg":"memory limit set","bytes":%d}`, limit(large)))
	})
	if n := strings.Count(p.logged(), `"memory_limit":`); n != 1 {
		t.Errorf("got %d warnings about the cache, want 1: %s", n, p.logged())
	}
}

// TestMemoryLimit_cache starts and checks the program with a memory limit and a cache.
func TestMemoryLimit_cache(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limit, cache string
		want         []string // in the log and in the report
	}{
		"larger than the limit":  {limit: "128MiB", cache: "1GiB", want: []string{"1073741824", "134217728"}},
		"no room for the rest":   {limit: "128MiB", cache: "100MiB", want: []string{"104857600", "134217728"}},
		"smaller than the limit": {limit: "200MiB", cache: "64MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := []string{"GOMEMLIMIT=" + test.limit}
			p := startWith(t, environ, "--demo", "--cache-bytes="+test.cache)
			report := run(t, environ, "check", "--demo", "--cache-bytes="+test.cache)
			if report.code != exitOK {
				t.Errorf("got %+v, want status 0", report)
			}
			for _, text := range []string{p.logged(), report.stdout} {
				warned := strings.Contains(text, "does not fit") || strings.Contains(text, "has no room")
				if warned != (test.want != nil) {
					t.Errorf("got a warning: %v, in %s", warned, text)
				}
				for _, want := range test.want {
					if !strings.Contains(text, want) {
						t.Errorf("got %s, want %s in it", text, want)
					}
				}
			}
		})
	}
}
