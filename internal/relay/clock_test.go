package relay_test

import (
	"testing"
	"time"

	"cvmgraph/internal/relay"
)

func TestWindow_since(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 123_456_789, time.UTC)
	seen := func(ago time.Duration) *relay.Cursor {
		return &relay.Cursor{Seen: relay.CursorTime(now.Add(-ago))}
	}
	rounded := time.UnixMicro(now.UnixMicro() + 1)
	for name, tt := range map[string]struct {
		window relay.Window
		want   time.Time
	}{
		"no cursor":                           {window: relay.Window{}, want: time.Time{}},
		"a cursor without a time":             {window: relay.Window{After: &relay.Cursor{}}, want: time.Time{}},
		"a moment ago":                        {window: relay.Window{After: seen(1500 * time.Microsecond)}, want: rounded.Add(-1500 * time.Microsecond)},
		"half an hour ago":                    {window: relay.Window{Before: seen(30 * time.Minute)}, want: rounded.Add(-30 * time.Minute)},
		"the later of two":                    {window: relay.Window{After: seen(time.Second), Before: seen(time.Minute)}, want: rounded.Add(-time.Second)},
		"by a clock that is fast":             {window: relay.Window{After: seen(-time.Second)}, want: rounded},
		"too long ago for 32 bits":            {window: relay.Window{After: seen(40 * time.Minute)}, want: rounded},
		"so long ago that it seems newer":     {window: relay.Window{After: seen(1<<32*time.Microsecond + time.Second)}, want: rounded.Add(-time.Second)},
		"one cursor with a time, one without": {window: relay.Window{After: &relay.Cursor{}, Before: seen(time.Second)}, want: rounded.Add(-time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.window.Since(now); !got.Equal(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
