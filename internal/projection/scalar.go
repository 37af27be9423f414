package projection

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// appendUnescaped appends the text of a string whose grammar the scanner has checked, given without its quotes. Half of a
// surrogate pair becomes U+FFFD.
func appendUnescaped(dst, raw []byte) []byte {
	for {
		plain := bytes.IndexByte(raw, '\\')
		if plain < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:plain]...)
		c := raw[plain+1]
		raw = raw[plain+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			unit, _ := codeUnit(raw)
			raw = raw[4:]
			if utf16.IsSurrogate(unit) {
				unit, raw = surrogatePair(unit, raw)
			}
			dst = utf8.AppendRune(dst, unit)
			continue
		}
		dst = append(dst, c)
	}
}

// surrogatePair returns the character that a surrogate and the escape behind it stand for, and what follows.
func surrogatePair(first rune, raw []byte) (rune, []byte) {
	if len(raw) >= 6 && raw[0] == '\\' && raw[1] == 'u' {
		if second, ok := codeUnit(raw[2:]); ok {
			if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
				return r, raw[6:]
			}
		}
	}
	return utf8.RuneError, raw
}

// appendString appends raw, a string with its quotes, with each surrogate as the character it stands for.
func appendString(dst, raw []byte) []byte {
	dst = append(dst, '"')
	for rest := raw[1 : len(raw)-1]; ; {
		escape := bytes.IndexByte(rest, '\\')
		if escape < 0 {
			return append(append(dst, rest...), '"')
		}
		dst = append(dst, rest[:escape]...)
		length := 2
		if rest[escape+1] == 'u' {
			length = 6
			if unit, _ := codeUnit(rest[escape+2:]); utf16.IsSurrogate(unit) {
				unit, rest = surrogatePair(unit, rest[escape+6:])
				dst = utf8.AppendRune(dst, unit)
				continue
			}
		}
		dst = append(dst, rest[escape:escape+length]...)
		rest = rest[escape+length:]
	}
}

// appendInteger appends the digits of a number that is an integer of 64 bits.
func appendInteger(dst, number []byte) []byte {
	n, _ := integer(number)
	return strconv.AppendInt(dst, n, 10)
}

// integer returns the value of a JSON number if that is an integer of 64 bits; 1.0 and 1e2 are.
func integer(number []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		return n, true
	}
	mantissa, exponent := number, 0
	if at := bytes.IndexAny(number, "eE"); at >= 0 {
		mantissa = number[:at]
		var err error
		if exponent, err = strconv.Atoi(string(number[at+1:])); err != nil {
			exponent = len(number) // beyond what the digits can make up for, whichever its sign: 0 alone stays 0
			if number[at+1] == '-' {
				exponent = -exponent
			}
			exponent *= 100
		}
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte{'.'})
	digits := append(bytes.Clone(whole), fraction...)
	exponent -= len(fraction)
	for exponent < 0 && len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits, exponent = digits[:len(digits)-1], exponent+1
	}
	if len(bytes.Trim(digits, "-0")) == 0 {
		return 0, true
	}
	if exponent < 0 || exponent > 19 {
		return 0, false
	}
	digits = append(digits, "0000000000000000000"[:exponent]...)
	n, err := strconv.ParseInt(string(digits), 10, 64)
	return n, err == nil
}
