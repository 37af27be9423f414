package wire_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"cvmgraph/internal/wire"
)

var integers = []string{
	"0", "-0", "1", "-1", "1.0", "-1.50e1", "1.5", "1e2", "1E+2", "100e-2", "101e-2", "0.01e1", "0.0e-400", "0e400", "1e400", "1e-400",
	"2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "922337203685477580.7e1",
	"92233720368547758070e-1", "1e18", "1e19", "0.1e20", "0.01e20", "00000000000000000000001e-1", "12345678901234567890",
	"0.00000000000000000001e20", "100000000000000000000e-20", "1e99999999999999999999", "0e99999999999999999999", "1e-99999999999999999999",
	"10e-9223372036854775808", "1.5e-9223372036854775808", "1e9223372036854775807",
}

// FuzzInteger compares Integer with exact arithmetic.
func FuzzInteger(f *testing.F) {
	for _, number := range integers {
		f.Add([]byte(number))
	}
	f.Fuzz(func(t *testing.T, number []byte) {
		if len(number) > 100 || len(number) == 0 || !strings.ContainsRune("-0123456789", rune(number[0])) || !json.Valid(number) || number[len(number)-1] <= ' ' {
			return
		}
		got, ok := wire.Integer(number)
		want, wantOK := exactInteger(string(number))
		if ok != wantOK || ok && got != want {
			t.Errorf("%s: got %d, %v, want %d, %v", number, got, ok, want, wantOK)
		}
	})
}

func exactInteger(number string) (int64, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	if strings.Trim(mantissa, "-0.") == "" {
		return 0, true
	}
	if power, err := strconv.Atoi(exponent); exponent != "" && (err != nil || max(power, -power) > 1000) {
		return 0, false // a mantissa of 100 characters is too short to make this an integer of 64 bits
	}
	rational, ok := new(big.Rat).SetString(number)
	if !ok || !rational.IsInt() || !rational.Num().IsInt64() {
		return 0, false
	}
	return rational.Num().Int64(), true
}

var contents = []string{
	``, `plain`, `\"\\\/\b\f\n\r\t`, `\u0041\u00e9\u2028\u0000`, `\ud83d\ude00`, `\uD83D\uDE00`, `\ud83d`, `\ude00`, `\ude00\ud83d`, `\ud83d\ud83d\ude00`,
	`\ud83dx`, `\ud83d\n`, `\ud83d\u0041`, `\ud83d\\ude00`, `\\ud83d`, `\\\ud83d`, "é日本😀\u2028\ufffd", `\ufffd`, `\ud83`, `\`, `"`,
	`t=x&ch=serial`, `t=x\u0026ch=serial`, `t=x\u0026\u0063h=\u0073erial`, `\\u0026ch=serial`, `&ch=serial&ch=serial`, `&ch=serial `, `ch=serial`, `&`,
}

var surrogate = regexp.MustCompile(`\\u[dD][89a-fA-F]`)

// FuzzString compares AppendUnescaped and AppendString with encoding/json.
func FuzzString(f *testing.F) {
	for _, content := range contents {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		quoted := append(append([]byte{'"'}, raw...), '"')
		if !utf8.Valid(raw) || !json.Valid(quoted) || bytes.ContainsAny(raw, "\n\r\t") {
			return
		}
		var want string
		if err := json.Unmarshal(quoted, &want); err != nil {
			t.Fatal(err)
		}
		if got := wire.AppendUnescaped([]byte("before "), quoted[1:len(quoted)-1]); string(got) != "before "+want {
			t.Errorf("unescaped: got %q, want %q", got, want)
		}
		for _, suffix := range []string{"", "&ch=serial", "b"} {
			written := wire.AppendString([]byte("["), quoted, suffix)
			want := strings.TrimSuffix(want, suffix)
			var got []string
			if err := json.Unmarshal(append(written, ']'), &got); err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("written without %q: got %s, want [%q]", suffix, written, want)
			}
			// After an escaped backslash, it is not an escape.
			if surrogate.Match(bytes.ReplaceAll(written, []byte(`\\`), nil)) {
				t.Errorf("got a surrogate in %s, want the character", written)
			}
		}
	})
}
