package main

import (
	"maps"
	"os"
	"slices"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		line    string
		want    stat
		wantErr bool
	}{
		"simple name": {
			line: "42 (node) S 7 42 42 0 -1 4194560 1 0 0 0 120 30 0 0 20 0 11 0 5 1 1",
			want: stat{parent: 7, cpu: 1500 * time.Millisecond},
		},
		"name with parentheses": {
			line: "42 (a) S 1 (b) R 7 42 42 0 -1 4194560 1 0 0 0 1 2 9 9 20 0 11 0 5 1 1",
			want: stat{parent: 7, cpu: 30 * time.Millisecond},
		},
		"time of children is not counted": {
			line: "42 (node) S 7 42 42 0 -1 4194560 1 0 0 0 1 1 500 500 20 0",
			want: stat{parent: 7, cpu: 20 * time.Millisecond},
		},
		"no name":        {line: "42 node S 7", wantErr: true},
		"truncated line": {line: "42 (node) S 7 42 42 0 -1", wantErr: true},
		"invalid time":   {line: "42 (node) S 7 42 42 0 -1 4194560 1 0 0 0 x 30 0 0", wantErr: true},
		"empty line":     {wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStat(tt.line)
			if got != tt.want || (err != nil) != tt.wantErr {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestDescendants_allLevels(t *testing.T) {
	t.Parallel()
	seen := map[int]stat{1: {parent: 0}, 5: {parent: 1}, 9: {parent: 5}, 3: {parent: 9}, 6: {parent: 1}, 7: {parent: 6}}
	got, err := descendants(seen, 5)
	if ids := slices.Sorted(maps.Keys(got)); err != nil || !slices.Equal(ids, []int{3, 5, 9}) {
		t.Errorf("got %v, %v, want 3, 5 and 9", ids, err)
	}
	if _, err := descendants(seen, 4); err == nil {
		t.Error("got no error for an unknown process")
	}
}

func TestParseStatus_memory(t *testing.T) {
	t.Parallel()
	got, err := parseStatus("Name:\tnode\nVmPeak:\t  999999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nRssAnon:\t 1 kB\n")
	if want := (memory{now: 1 << 20, peak: 2 << 20}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := parseStatus("VmRSS:\tmuch\n"); err == nil {
		t.Error("got no error for an invalid size")
	}
}

func TestProcfs_ofThisProcess(t *testing.T) {
	t.Parallel()
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
	}
	after, err := cpuTime(os.Getpid())
	if err != nil || after <= before {
		t.Errorf("got %v, then %v, %v, want an increase", before, after, err)
	}
	m, err := residentMemory(os.Getpid())
	if err != nil || m.now < 1<<20 || m.peak < m.now {
		t.Errorf("got %+v, %v, want at least 1 MiB, and a peak of at least the current size", m, err)
	}
}
