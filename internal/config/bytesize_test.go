package config_test

import (
	"math"
	"strings"
	"testing"

	"cvmgraph/internal/config"
)

func TestParseByteSize(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want config.ByteSize // -1 for an error
	}{
		"no unit is bytes":               {"300000", 300000},
		"bytes":                          {"5B", 5},
		"kibibytes":                      {"256KiB", 262144},
		"mebibytes":                      {"64MiB", 67108864},
		"gibibytes":                      {"1GiB", 1 << 30},
		"zero":                           {"0KiB", 0},
		"leading zeros":                  {"0010", 10},
		"the largest":                    {"9223372036854775807", math.MaxInt64},
		"the largest in a unit":          {"8589934591GiB", math.MaxInt64 - (1<<30 - 1)},
		"one over the largest":           {"9223372036854775808", -1},
		"one over the largest in a unit": {"8589934592GiB", -1},
		"nothing":                        {"", -1},
		"a unit alone":                   {"KiB", -1},
		"a decimal unit":                 {"1KB", -1},
		"half a unit":                    {"1Ki", -1},
		"a unit in small letters":        {"1kib", -1},
		"two units":                      {"1KiBKiB", -1},
		"a sign":                         {"+1", -1},
		"a negative":                     {"-1", -1},
		"a fraction":                     {"1.5MiB", -1},
		"a space":                        {"1 KiB", -1},
		"an underscore":                  {"1_000", -1},
		"hexadecimal":                    {"0x10", -1},
		"digits of another script":       {"١", -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := config.ParseByteSize(test.text)
			if failed := err != nil; failed != (test.want < 0) || !failed && got != test.want {
				t.Errorf("ParseByteSize(%q): got %d, %v, want %d", test.text, got, err, test.want)
			}
		})
	}
}

func TestByteSizeString(t *testing.T) {
	t.Parallel()
	for want, size := range map[string]config.ByteSize{
		"0": 0, "1": 1, "1023": 1023, "1KiB": 1024, "1025": 1025, "256KiB": 256 * config.KiB,
		"1MiB": config.MiB, "1025KiB": config.MiB + config.KiB, "2GiB": 2 * config.GiB, "300000": 300000,
	} {
		if got := size.String(); got != want {
			t.Errorf("String of %d: got %q, want %q", int64(size), got, want)
		}
	}
}

func FuzzByteSize(f *testing.F) {
	for _, text := range []string{"", "0", "256KiB", "1MiB", "300000", "8589934591GiB", "9223372036854775807B", "1KB"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := config.ParseByteSize(text)
		if err != nil {
			if size != 0 {
				t.Errorf("got %d beside error %v, want 0", size, err)
			}
			return
		}
		if size < 0 || strings.Trim(text, "0123456789BKMGi") != "" {
			t.Errorf("ParseByteSize(%q): got %d, want an error", text, size)
		}
		if again, err := config.ParseByteSize(size.String()); again != size || err != nil {
			t.Errorf("%q is %v: got %d, %v when read back, want %d", text, size, again, err, size)
		}
	})
}
