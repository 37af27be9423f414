package restclient

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// unescape writes the text of a string whose grammar the reader has checked. Half of a surrogate
// pair becomes U+FFFD, as in encoding/json.
func unescape(b *strings.Builder, raw []byte) {
	for {
		plain := bytes.IndexByte(raw, '\\')
		if plain < 0 {
			b.Write(raw)
			return
		}
		b.Write(raw[:plain])
		raw = raw[plain:]
		switch raw[1] {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			char := codeUnit(raw)
			raw = raw[6:]
			if utf16.IsSurrogate(char) {
				char = utf16.DecodeRune(char, codeUnit(raw))
				if char != unicode.ReplacementChar {
					raw = raw[6:]
				}
			}
			b.WriteRune(char)
			continue
		default:
			b.WriteByte(raw[1])
		}
		raw = raw[2:]
	}
}

// codeUnit returns the value of the \u escape raw starts with, U+FFFD when it starts with none.
func codeUnit(raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return unicode.ReplacementChar
	}
	n, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil {
		return unicode.ReplacementChar
	}
	return rune(n)
}

// integer returns the value of a number's text if that is an integer of 64 bits; 1.0 and 1e2 are.
func integer(number []byte) (int64, bool) {
	if len(number) > 18 {
		return decimalInteger(number)
	}
	n := int64(0)
	for _, c := range number {
		if c < '0' || c > '9' {
			return decimalInteger(number)
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// decimalInteger is integer for all numbers: signed, long, with a fraction, with an exponent.
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
	text := significant + strings.Repeat("0", int(zeros))
	if negative {
		text = "-" + text
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
