package relay_test

import (
	"testing"
	"time"

	"cvmgraph/internal/relay"
)

func TestSinceWhenACursorCounts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 123_456_789, time.UTC)
	seen := func(ago time.Duration) *relay.Cursor {
		return &relay.Cursor{Seen: relay.Clock(now.Add(-ago))}
	}
	rounded := time.UnixMicro(now.UnixMicro() + 1)
	for name, tt := range map[string]struct {
		window relay.Window
		want   time.Time
	}{
		"no cursor":                         {relay.Window{}, time.Time{}},
		"a cursor that does not tell":       {relay.Window{After: &relay.Cursor{}}, time.Time{}},
		"a moment ago":                      {relay.Window{After: seen(1500 * time.Microsecond)}, rounded.Add(-1500 * time.Microsecond)},
		"half an hour ago":                  {relay.Window{Before: seen(30 * time.Minute)}, rounded.Add(-30 * time.Minute)},
		"the later of two":                  {relay.Window{After: seen(time.Second), Before: seen(time.Minute)}, rounded.Add(-time.Second)},
		"by a clock that is ahead":          {relay.Window{After: seen(-time.Second)}, rounded},
		"long ago, so that nobody knows":    {relay.Window{After: seen(40 * time.Minute)}, rounded},
		"longer ago, and taken for newer":   {relay.Window{After: seen(1<<32*time.Microsecond + time.Second)}, rounded.Add(-time.Second)},
		"one that tells, one that does not": {relay.Window{After: &relay.Cursor{}, Before: seen(time.Second)}, rounded.Add(-time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.window.Since(now); !got.Equal(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
