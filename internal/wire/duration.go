package wire

import "math"

// Seconds returns a duration such as "1month 3days 4h 12m 9s" in whole seconds. It accepts the
// units of the Rust crate humantime, in which a year is 365.25 days and a month is 30.44 days. The
// unit of each part is shorter than that of the previous part. Parts of a second count as 0.
// ok is false for every other string, such as "never", "" or "1.5h".
func Seconds(duration []byte) (seconds int64, ok bool) {
	i := 0
	previous := math.MaxInt // the rank of the previous part's unit
	for {
		number, digits := int64(0), 0
		for ; i < len(duration) && '0' <= duration[i] && duration[i] <= '9'; i++ {
			digit := int64(duration[i] - '0')
			if number > (math.MaxInt64-digit)/10 {
				return 0, false
			}
			number = 10*number + digit
			digits++
		}
		if i < len(duration) && duration[i] == ' ' {
			i++
		}
		begin := i
		for i < len(duration) && 'a' <= duration[i]|0x20 && duration[i]|0x20 <= 'z' {
			i++
		}
		rank, length := unit(duration[begin:i])
		if digits == 0 || rank == 0 || rank >= previous || length > 0 && number > (math.MaxInt64-seconds)/length {
			return 0, false
		}
		seconds += number * length
		if i == len(duration) {
			return seconds, true
		}
		for previous = rank; i < len(duration) && duration[i] == ' '; {
			i++
		}
	}
}

// unit returns the rank of a unit, which is higher for a longer unit, and its length in seconds: 0
// for a part of a second. For an unknown name, the rank is 0.
func unit(name []byte) (rank int, seconds int64) {
	switch string(name) {
	case "years", "year", "yrs", "yr", "y":
		return 10, 31_557_600
	case "months", "month", "M":
		return 9, 2_630_016
	case "weeks", "week", "wks", "wk", "w":
		return 8, 604_800
	case "days", "day", "d":
		return 7, 86_400
	case "hours", "hour", "hrs", "hr", "h":
		return 6, 3600
	case "minutes", "minute", "mins", "min", "m":
		return 5, 60
	case "seconds", "second", "secs", "sec", "s":
		return 4, 1
	case "millis", "msec", "ms":
		return 3, 0
	case "usec", "us":
		return 2, 0
	case "nanos", "nsec", "ns":
		return 1, 0
	}
	return 0, 0
}
