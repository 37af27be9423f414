package wire_test

import (
	"math/big"
	"regexp"
	"testing"

	"cvmgraph/internal/wire"
)

func TestSeconds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want int64
		ok   bool
	}{
		"3days 4h 12m 9s":                   {want: 3*86400 + 4*3600 + 12*60 + 9, ok: true},
		"1month 3days":                      {want: 2_630_016 + 3*86400, ok: true},
		"2years 11months 30days 23h":        {want: 2*31_557_600 + 11*2_630_016 + 30*86400 + 23*3600, ok: true},
		"1year":                             {want: 31_557_600, ok: true},
		"1day 1s":                           {want: 86401, ok: true},
		"5m 3s":                             {want: 303, ok: true},
		"0s":                                {ok: true},
		"24h":                               {want: 86400, ok: true},
		"2h30m":                             {want: 9000, ok: true},
		"2 hours  5 min":                    {want: 7500, ok: true},
		"1M 1m":                             {want: 2_630_076, ok: true},
		"2weeks 1s 999ms 999us 999ns":       {want: 2*604_800 + 1, ok: true},
		"9223372036854775807s":              {want: 9223372036854775807, ok: true},
		"9223372036854775808s":              {},
		"292277024626years 9999999999hours": {},
		"never":                             {},
		"":                                  {},
		" ":                                 {},
		"Never":                             {},
		"5":                                 {},
		"m":                                 {},
		"5m 3":                              {},
		"5m 3s ":                            {},
		" 5m":                               {},
		"3s 5m":                             {},
		"5m 5m":                             {},
		"1.5h":                              {},
		"-5m":                               {},
		"+5m":                               {},
		"5mo":                               {},
		"5 0m":                              {},
		"5m, 3s":                            {},
		"3d 04:12:09":                       {},
		"5M 1month":                         {},
		"5H":                                {},
		"5hour minutes":                     {},
		"١s":                                {},
		"5m\u00a03s":                        {},
		"5m\t3s":                            {},
		"2026-06-20T11:58:47Z":              {},
		"about a minute":                    {},
	}
	for text, test := range tests {
		if got, ok := wire.Seconds([]byte(text)); got != test.want || ok != test.ok {
			t.Errorf("%q: got %d, %v, want %d, %v", text, got, ok, test.want, test.ok)
		}
	}
}

// durationUnits are the units of durations, each with one group for its number.
var durationUnits = []struct {
	pattern string
	seconds int64
}{
	{"(?:years?|yrs?|y)", 31_557_600},
	{"(?:months?|M)", 2_630_016},
	{"(?:weeks?|wks?|w)", 604_800},
	{"(?:days?|d)", 86_400},
	{"(?:hours?|hrs?|h)", 3600},
	{"(?:minutes?|mins?|m)", 60},
	{"(?:seconds?|secs?|s)", 1},
	{"(?:ms|msec|millis)", 0},
	{"(?:us|usec)", 0},
	{"(?:ns|nsec|nanos)", 0},
}

// FuzzSeconds compares Seconds with a regular expression and exact arithmetic.
func FuzzSeconds(f *testing.F) {
	for _, text := range []string{"3days 4h 12m 9s", "1month 3days", "never", "", "2h30m", "1M 1m", "9223372036854775807s 1ns", "1year 9223372036854775807s", "5 0m", "3s 5m", "5m 3s "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, wantOK := exactSeconds(text)
		got, ok := wire.Seconds([]byte(text))
		if ok != wantOK || got != want {
			t.Errorf("%q: got %d, %v, want %d, %v", text, got, ok, want, wantOK)
		}
	})
}

var durationPattern = func() *regexp.Regexp {
	pattern := ""
	for _, unit := range durationUnits {
		pattern += `(?: *([0-9]+) ?` + unit.pattern + `)?`
	}
	return regexp.MustCompile("^" + pattern + "$")
}()

// exactSeconds returns the number of seconds of a duration.
func exactSeconds(text string) (int64, bool) {
	numbers := durationPattern.FindStringSubmatch(text)
	if numbers == nil || text == "" || text[0] == ' ' {
		return 0, false
	}
	sum := new(big.Int)
	for i, unit := range durationUnits {
		number, ok := new(big.Int).SetString(numbers[i+1], 10)
		if numbers[i+1] == "" {
			continue
		}
		if !ok || !number.IsInt64() {
			return 0, false
		}
		sum.Add(sum, number.Mul(number, big.NewInt(unit.seconds)))
	}
	if !sum.IsInt64() {
		return 0, false
	}
	return sum.Int64(), true
}
