package relay

import "time"

// Clock returns a time as cursors carry it: microseconds, rounded up, of which 32 bits are kept. It is never 0.
func Clock(t time.Time) uint32 {
	return max(uint32(roundedUp(t).UnixMicro()), 1)
}

func roundedUp(t time.Time) time.Time { return time.UnixMicro((t.UnixNano() + 999) / 1000) }

// later returns the later of two times that are less than 35 minutes apart.
func later(a, b uint32) uint32 {
	if a == 0 || b != 0 && int32(b-a) > 0 {
		return b
	}
	return a
}

// Since returns when a page may have been asked for at the earliest to show the list no earlier than the window's cursors saw it:
// zero where there are none, or where they do not tell. Now is the time.
func (w Window) Since(now time.Time) time.Time {
	seen := w.seen()
	if seen == 0 {
		return time.Time{}
	}
	// How long ago that was, as far as 32 bits tell: what is taken for the future was seen long ago, or by a clock that is ahead, and
	// then no page that is at hand will do. What was seen 71 minutes earlier than it seems is only taken for newer.
	ago := time.Duration(max(int32(Clock(now)-seen), 0)) * time.Microsecond
	return roundedUp(now).Add(-ago)
}

// seen returns when the window's cursors saw the list last, 0 if that is unknown.
func (w Window) seen() uint32 {
	var seen uint32
	for _, c := range []*Cursor{w.After, w.Before} {
		if c != nil {
			seen = later(seen, c.Seen)
		}
	}
	return seen
}
