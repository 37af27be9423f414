package relay_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"cvmgraph/internal/relay"
)

func TestFingerprintOf_partsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[relay.Fingerprint][]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"", "ab"}, {"ab", ""}, {"b", "a"}} {
		f := relay.FingerprintOf(parts...)
		if other, ok := seen[f]; ok {
			t.Errorf("FingerprintOf(%q): got that of %q, want another", parts, other)
		}
		seen[f] = parts
	}
}

func TestDecodeCursor_invalid(t *testing.T) {
	t.Parallel()
	list := relay.FingerprintOf("list")
	good := relay.Cursor{Position: 1000, Total: 2000, Item: relay.FingerprintOf("item"), List: list}
	raw, err := base64.RawURLEncoding.DecodeString(good.Encode())
	if err != nil {
		t.Fatal(err)
	}
	spell := base64.RawURLEncoding.EncodeToString
	tests := map[string]struct {
		encoded string
		want    error
	}{
		"an empty string":                   {encoded: "", want: relay.ErrDamagedCursor},
		"words":                             {encoded: "not a cursor", want: relay.ErrDamagedCursor},
		"base64 of other bytes":             {encoded: spell([]byte("cvm:1")), want: relay.ErrDamagedCursor},
		"padding":                           {encoded: good.Encode() + "==", want: relay.ErrDamagedCursor},
		"a line break":                      {encoded: good.Encode()[:5] + "\n" + good.Encode()[5:], want: relay.ErrDamagedCursor},
		"spaces around":                     {encoded: " " + good.Encode() + " ", want: relay.ErrDamagedCursor},
		"a byte more":                       {encoded: spell(append(raw[:len(raw):len(raw)], 0)), want: relay.ErrDamagedCursor},
		"a byte less":                       {encoded: spell(raw[:len(raw)-1]), want: relay.ErrDamagedCursor},
		"another format":                    {encoded: spell(append([]byte{1}, raw[1:]...)), want: relay.ErrDamagedCursor},
		"much too long":                     {encoded: strings.Repeat("A", 1<<20), want: relay.ErrDamagedCursor},
		"a position after the list's end":   {encoded: relay.Cursor{Position: 10, Total: 10, List: list}.Encode(), want: relay.ErrDamagedCursor},
		"a total above the largest Int":     {encoded: relay.Cursor{Position: 10, Total: math.MaxInt32 + 1, List: list}.Encode(), want: relay.ErrDamagedCursor},
		"a position of 64 bits":             {encoded: relay.Cursor{Position: math.MaxInt, Total: math.MaxInt, List: list}.Encode(), want: relay.ErrDamagedCursor},
		"a cursor of another list":          {encoded: relay.Cursor{Position: 1, Total: 2, List: relay.FingerprintOf("other")}.Encode(), want: relay.ErrForeignCursor},
		"the standard alphabet of base64":   {encoded: strings.NewReplacer("-", "+", "_", "/").Replace(withSpecials(t, list)), want: relay.ErrDamagedCursor},
		"a cursor with its last bit turned": {encoded: turnLastBit(good.Encode()), want: relay.ErrDamagedCursor},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := relay.DecodeCursor(test.encoded, list); !errors.Is(err, test.want) {
				t.Errorf("DecodeCursor(%.60q): got error %v, want %v", test.encoded, err, test.want)
			}
		})
	}
}

// withSpecials returns a cursor with a character that differs between the alphabets of base64.
func withSpecials(t *testing.T, list relay.Fingerprint) string {
	t.Helper()
	for i := range 1000 {
		if encoded := (relay.Cursor{Position: i, Total: 1000, Item: relay.FingerprintOf(fmt.Sprint(i)), List: list}).Encode(); strings.ContainsAny(encoded, "-_") {
			return encoded
		}
	}
	t.Fatal("no cursor has such a character")
	return ""
}

// TestDecodeCursor_spareBits decodes all other spellings of cursors whose last character has spare
// bits.
func TestDecodeCursor_spareBits(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	list := relay.FingerprintOf("list")
	var spellings int
	for _, position := range []int{1, 200, 20_000} { // of different lengths
		encoded := relay.Cursor{Position: position, Total: 1 << 20, Item: relay.FingerprintOf("item"), List: list}.Encode()
		if _, err := relay.DecodeCursor(encoded, list); err != nil {
			t.Errorf("DecodeCursor(%s): got error %v, want none", encoded, err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		for _, last := range alphabet {
			other := encoded[:len(encoded)-1] + string(last)
			if same, err := base64.RawURLEncoding.DecodeString(other); err != nil || other == encoded || string(same) != string(raw) {
				continue
			}
			spellings++
			if _, err := relay.DecodeCursor(other, list); !errors.Is(err, relay.ErrDamagedCursor) {
				t.Errorf("DecodeCursor(%s), in another spelling: got error %v, want %v", other, err, relay.ErrDamagedCursor)
			}
		}
	}
	if spellings < 10 {
		t.Errorf("got %d other spellings, want some", spellings)
	}
}

func turnLastBit(encoded string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, encoded[len(encoded)-1])
	return encoded[:len(encoded)-1] + alphabet[last^1:last^1+1]
}

func TestDecodeCursor_damagedBits(t *testing.T) {
	t.Parallel()
	list := relay.FingerprintOf("list")
	encoded := relay.Cursor{Position: 123, Total: 300, Item: relay.FingerprintOf("item"), List: list}.Encode()
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		damaged := []byte(string(raw))
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := relay.DecodeCursor(base64.RawURLEncoding.EncodeToString(damaged), list); !errors.Is(err, relay.ErrDamagedCursor) {
			t.Errorf("bit %d turned: got error %v, want %v", bit, err, relay.ErrDamagedCursor)
		}
	}
}

func FuzzDecodeCursor(f *testing.F) {
	list := relay.FingerprintOf("list")
	f.Add(relay.Cursor{Position: 29, Total: 300, Item: 1, List: list}.Encode())
	f.Add(relay.Cursor{Position: math.MaxInt32 - 1, Total: math.MaxInt32, Item: math.MaxUint64, List: list}.Encode())
	f.Add("")
	f.Fuzz(func(t *testing.T, encoded string) {
		c, err := relay.DecodeCursor(encoded, list)
		if err != nil {
			return
		}
		if c.Position < 0 || c.Position >= c.Total || c.List != list {
			t.Fatalf("DecodeCursor(%q): got %+v, which no list has", encoded, c)
		}
		if got := c.Encode(); got != encoded || len(got) > relay.MaxCursor {
			t.Fatalf("DecodeCursor(%q).Encode(): got %q, want the same string", encoded, got)
		}
	})
}

func FuzzCursorRoundTrip(f *testing.F) {
	f.Add(uint32(29), uint32(300), uint64(1), uint64(2), uint8(5), uint8(3), uint8(15))
	f.Fuzz(func(t *testing.T, position, total uint32, item, list uint64, preceding, following, moving uint8) {
		want := relay.Cursor{
			Total:     1 + int(total%math.MaxInt32),
			Item:      relay.Fingerprint(item),
			List:      relay.Fingerprint(list),
			Drift:     int(moving % 16),
			Preceding: neighborBuf(int(preceding%6), int(preceding/6%3)),
			Following: neighborBuf(int(following%4), int(following/4%2)),

			PrecedingInherited: moving&64 != 0,
			FollowingInherited: moving&128 != 0,
		}
		want.Position = int(position) % want.Total
		encoded := want.Encode()
		got, err := relay.DecodeCursor(encoded, want.List)
		if err != nil || !reflect.DeepEqual(got, want) || len(encoded) > relay.MaxCursor {
			t.Fatalf("DecodeCursor(Encode(%+v)): got %+v, %v from %d characters", want, got, err, len(encoded))
		}
	})
}

// neighborBuf returns a run of the nearest and some far ones.
func neighborBuf(run, far int) []relay.Neighbor {
	var all []relay.Neighbor
	for d := range run {
		all = append(all, relay.Neighbor{Distance: d + 1, Item: relay.Fingerprint(d+1) << 20})
	}
	for i := range far {
		all = append(all, relay.Neighbor{Distance: run + 10<<(3*i), Item: relay.Fingerprint(i+1) << 40})
	}
	return all
}
