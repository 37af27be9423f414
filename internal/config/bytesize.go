package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// ByteSize is a number of bytes; zero is none.
type ByteSize int64

// The units that [ParseByteSize] knows, powers of 1024.
const (
	Byte ByteSize = 1
	KiB           = 1024 * Byte
	MiB           = 1024 * KiB
	GiB           = 1024 * MiB
)

// ParseByteSize reads decimal digits and a unit: B, KiB, MiB, GiB, or none for bytes. There is neither a sign, a
// space nor a fraction, and KB is refused, since some read it as 1000 and some as 1024. The error says so, or that
// the size is over 2^63-1 bytes; it does not repeat text.
func ParseByteSize(text string) (ByteSize, error) {
	unit := Byte
	digits := strings.TrimRight(text, "BKMGi")
	switch text[len(digits):] {
	case "", "B":
	case "KiB":
		unit = KiB
	case "MiB":
		unit = MiB
	case "GiB":
		unit = GiB
	default:
		return 0, errors.New("a byte size ends in B, KiB, MiB, GiB or no unit")
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if errors.Is(err, strconv.ErrRange) || err == nil && n > uint64(math.MaxInt64/unit) {
		return 0, errors.New("the byte size is over 2^63-1 bytes")
	}
	if err != nil {
		return 0, errors.New("a byte size starts with decimal digits")
	}
	return ByteSize(n) * unit, nil
}

// String returns the size in the largest unit that divides it, without a unit below 1KiB or where none does.
// [ParseByteSize] reads it back, unless it is negative.
func (s ByteSize) String() string {
	switch {
	case s == 0:
		return "0"
	case s%GiB == 0:
		return strconv.FormatInt(int64(s/GiB), 10) + "GiB"
	case s%MiB == 0:
		return strconv.FormatInt(int64(s/MiB), 10) + "MiB"
	case s%KiB == 0:
		return strconv.FormatInt(int64(s/KiB), 10) + "KiB"
	}
	return strconv.FormatInt(int64(s), 10)
}
