package config_test

import (
	"math"
	"strconv"
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
		"no unit":                      {text: "300000", want: 300000},
		"bytes":                        {text: "5B", want: 5},
		"kibibytes":                    {text: "256KiB", want: 262144},
		"mebibytes":                    {text: "64MiB", want: 67108864},
		"gibibytes":                    {text: "1GiB", want: 1 << 30},
		"zero":                         {text: "0KiB"},
		"leading zeros":                {text: "0010", want: 10},
		"maximum":                      {text: "9223372036854775807", want: math.MaxInt64},
		"maximum with a unit":          {text: "8589934591GiB", want: math.MaxInt64 - (1<<30 - 1)},
		"maximum plus one":             {text: "9223372036854775808", want: -1},
		"maximum with a unit plus one": {text: "8589934592GiB", want: -1},
		"empty":                        {want: -1},
		"unit only":                    {text: "KiB", want: -1},
		"decimal unit":                 {text: "1KB", want: -1},
		"truncated unit":               {text: "1Ki", want: -1},
		"unit in lower case":           {text: "1kib", want: -1},
		"two units":                    {text: "1KiBKiB", want: -1},
		"sign":                         {text: "+1", want: -1},
		"negative":                     {text: "-1", want: -1},
		"fraction":                     {text: "1.5MiB", want: -1},
		"space":                        {text: "1 KiB", want: -1},
		"underscore":                   {text: "1_000", want: -1},
		"hexadecimal":                  {text: "0x10", want: -1},
		"digits of another script":     {text: "١", want: -1},
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

func FuzzByteSize(f *testing.F) {
	for _, text := range []string{"", "0", "256KiB", "1MiB", "300000", "8589934591GiB", "9223372036854775807B", "1KB"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := config.ParseByteSize(text)
		if err != nil {
			if size != 0 {
				t.Errorf("got %d and error %v, want 0", size, err)
			}
			return
		}
		if size < 0 || strings.Trim(text, "0123456789BKMGi") != "" {
			t.Errorf("ParseByteSize(%q): got %d, want an error", text, size)
		}
		if again, err := config.ParseByteSize(size.String()); again != size || err != nil {
			t.Errorf("%q is %d: got %d, %v from %q", text, size, again, err, size)
		}
		if again, err := config.ParseByteSize(strconv.FormatInt(int64(size), 10)); again != size || err != nil {
			t.Errorf("%q is %d: got %d, %v when read back, want %d", text, size, again, err, size)
		}
	})
}
