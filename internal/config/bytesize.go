package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// ByteSize is a number of bytes.
type ByteSize int64

// The units that [ParseByteSize] knows, powers of 1024.
const (
	Byte ByteSize = 1
	KiB           = 1024 * Byte
	MiB           = 1024 * KiB
	GiB           = 1024 * MiB
)

// String returns the size with the largest unit that makes it a whole number.
func (s ByteSize) String() string {
	for _, unit := range []struct {
		bytes ByteSize
		name  string
	}{{GiB, "GiB"}, {MiB, "MiB"}, {KiB, "KiB"}} {
		if s >= unit.bytes && s%unit.bytes == 0 {
			return strconv.FormatInt(int64(s/unit.bytes), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// ParseByteSize parses decimal digits and a unit: B, KiB, MiB, GiB, or no unit for bytes. It
// accepts no sign, space or fraction, and no KB, which some read as 1000 bytes and others as 1024.
// The error names the rule, or the maximum of 2^63-1 bytes; it does not contain s.
func ParseByteSize(s string) (ByteSize, error) {
	unit := Byte
	digits := strings.TrimRight(s, "BKMGi")
	switch s[len(digits):] {
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
