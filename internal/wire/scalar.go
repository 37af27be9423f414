package wire

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		return rune(c - 'A' + 10)
	}
	return -1
}

// codeUnit returns the value of the four hexadecimal digits at the start of b.
func codeUnit(b []byte) (unit rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		digit := hexDigit(c)
		if digit < 0 {
			return 0, false
		}
		unit = unit<<4 | digit
	}
	return unit, true
}

// CutEscape splits the content of a string at its first escape: into the characters before, the
// escaped character, and the rest. Half of a surrogate pair becomes U+FFFD. If there is no escape,
// char is -1. The string must be valid JSON.
func CutEscape(raw []byte) (before []byte, char rune, after []byte) {
	at := bytes.IndexByte(raw, '\\')
	if at < 0 {
		return raw, -1, nil
	}
	before, after = raw[:at], raw[at+2:]
	switch c := raw[at+1]; c {
	case 'b':
		return before, '\b', after
	case 'f':
		return before, '\f', after
	case 'n':
		return before, '\n', after
	case 'r':
		return before, '\r', after
	case 't':
		return before, '\t', after
	case 'u':
		char, _ = codeUnit(after)
		after = after[4:]
		if utf16.IsSurrogate(char) {
			char, after = surrogatePair(char, after)
		}
		return before, char, after
	default:
		return before, rune(c), after
	}
}

// surrogatePair returns the character of a surrogate and the escape that follows it, and the rest
// after both.
func surrogatePair(first rune, after []byte) (char rune, rest []byte) {
	if len(after) >= 6 && after[0] == '\\' && after[1] == 'u' {
		if second, ok := codeUnit(after[2:]); ok {
			if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
				return r, after[6:]
			}
		}
	}
	return utf8.RuneError, after
}

// AppendUnescaped appends the content of a string, given without its quotes, to dst, without
// escapes.
func AppendUnescaped(dst, raw []byte) []byte {
	for {
		before, char, after := CutEscape(raw)
		dst = append(dst, before...)
		if char < 0 {
			return dst
		}
		dst, raw = utf8.AppendRune(dst, char), after
	}
}

// AppendString appends a string, given with its quotes, to dst, without a suffix of ASCII that it
// may end with. It replaces escaped surrogates by their characters and keeps other escapes, so that
// the result is a JSON string again.
func AppendString(dst, raw []byte, suffix string) []byte {
	dst = append(dst, '"')
	for rest := trimSuffix(raw[1:len(raw)-1], suffix); ; {
		at := bytes.IndexByte(rest, '\\')
		if at < 0 {
			return append(append(dst, rest...), '"')
		}
		dst = append(dst, rest[:at]...)
		length := 2
		if rest[at+1] == 'u' {
			length = 6
			if unit, _ := codeUnit(rest[at+2:]); utf16.IsSurrogate(unit) {
				unit, rest = surrogatePair(unit, rest[at+6:])
				dst = utf8.AppendRune(dst, unit)
				continue
			}
		}
		dst = append(dst, rest[at:at+length]...)
		rest = rest[at+length:]
	}
}

// trimSuffix returns the content of a string, given without its quotes, without a suffix, which can
// have escapes there. The first character of the suffix must be its only one of that kind.
func trimSuffix(raw []byte, suffix string) []byte {
	if suffix == "" {
		return raw
	}
	cut := -1 // where the last character that is the suffix's first one begins
	for rest := raw; ; {
		before, char, after := CutEscape(rest)
		if at := bytes.LastIndexByte(before, suffix[0]); at >= 0 {
			cut = len(raw) - len(rest) + at
		}
		if char < 0 {
			break
		}
		if char == rune(suffix[0]) {
			cut = len(raw) - len(rest) + len(before)
		}
		rest = after
	}
	var buf [64]byte
	if cut < 0 || len(raw)-cut > len(`\u0000`)*len(suffix) || string(AppendUnescaped(buf[:0], raw[cut:])) != suffix {
		return raw
	}
	return raw[:cut]
}

// Integer returns the value of a JSON number if it is an integer of 64 bits. 1.0 and 1e2 are
// integers.
func Integer(number []byte) (n int64, ok bool) {
	if len(number) > 18 {
		return decimalInteger(number)
	}
	for _, c := range number {
		if c < '0' || c > '9' {
			return decimalInteger(number)
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// decimalInteger is Integer for every form of a number: signed, long, with a fraction or an
// exponent.
func decimalInteger(number []byte) (int64, bool) {
	mantissa, exponent := number, int64(0)
	if at := bytes.IndexAny(number, "eE"); at >= 0 {
		mantissa = number[:at]
		// ParseInt saturates; the clamp keeps the sums below from overflowing.
		exponent, _ = strconv.ParseInt(string(number[at+1:]), 10, 64)
		exponent = max(-1<<40, min(exponent, 1<<40))
	}
	magnitude, negative := bytes.CutPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(magnitude, []byte("."))
	digits := strings.TrimLeft(string(whole)+string(fraction), "0")
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return 0, true
	}
	zeros := exponent - int64(len(fraction)) + int64(len(digits)-len(significant))
	if zeros < 0 || int64(len(significant))+zeros > 19 {
		return 0, false
	}
	decimal := significant + strings.Repeat("0", int(zeros))
	if negative {
		decimal = "-" + decimal
	}
	n, err := strconv.ParseInt(decimal, 10, 64)
	return n, err == nil
}
