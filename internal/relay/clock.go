package relay

import "time"

// CursorTime returns a time as cursors encode it: the lower 32 bits of the microseconds since 1970,
// rounded up. It is never 0.
func CursorTime(t time.Time) uint32 {
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

// Since returns the earliest time at which a page may have been requested so that it shows the list
// no earlier than the window's cursors saw it. It returns zero if the cursors do not record that
// time.
func (w Window) Since(now time.Time) time.Time {
	seen := w.seen()
	if seen == 0 {
		return time.Time{}
	}
	// The 32 bits repeat every 71 minutes. A time that seems to be in the future is either long ago
	// or from a clock that is fast: then no cached page serves. A time that is 71 minutes earlier
	// than it seems is only taken for newer.
	ago := time.Duration(max(int32(CursorTime(now)-seen), 0)) * time.Microsecond
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
