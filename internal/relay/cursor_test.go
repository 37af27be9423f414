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

func TestFingerprintOfKeepsPartsApart(t *testing.T) {
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

func TestDecodeCursorRefuses(t *testing.T) {
	t.Parallel()
	list := relay.FingerprintOf("list")
	good := relay.Cursor{Position: 1000, Total: 2000, Item: relay.FingerprintOf("item"), List: list}
	raw, err := base64.RawURLEncoding.DecodeString(good.Encode())
	if err != nil {
		t.Fatal(err)
	}
	spell := base64.RawURLEncoding.EncodeToString
	tests := map[string]struct {
		text string
		want error
	}{
		"no text":                           {"", relay.ErrDamagedCursor},
		"words":                             {"not a cursor", relay.ErrDamagedCursor},
		"base64 of nothing much":            {spell([]byte("cvm:1")), relay.ErrDamagedCursor},
		"padding":                           {good.Encode() + "==", relay.ErrDamagedCursor},
		"a line break":                      {good.Encode()[:5] + "\n" + good.Encode()[5:], relay.ErrDamagedCursor},
		"spaces around":                     {" " + good.Encode() + " ", relay.ErrDamagedCursor},
		"a byte more":                       {spell(append(raw[:len(raw):len(raw)], 0)), relay.ErrDamagedCursor},
		"a byte less":                       {spell(raw[:len(raw)-1]), relay.ErrDamagedCursor},
		"another format":                    {spell(append([]byte{1}, raw[1:]...)), relay.ErrDamagedCursor},
		"far too long":                      {strings.Repeat("A", 1<<20), relay.ErrDamagedCursor},
		"a position behind the list's end":  {relay.Cursor{Position: 10, Total: 10, List: list}.Encode(), relay.ErrDamagedCursor},
		"a total that no Int holds":         {relay.Cursor{Position: 10, Total: math.MaxInt32 + 1, List: list}.Encode(), relay.ErrDamagedCursor},
		"a position of 64 bits":             {relay.Cursor{Position: math.MaxInt, Total: math.MaxInt, List: list}.Encode(), relay.ErrDamagedCursor},
		"a cursor of another list":          {relay.Cursor{Position: 1, Total: 2, List: relay.FingerprintOf("other")}.Encode(), relay.ErrForeignCursor},
		"the standard alphabet of base64":   {strings.NewReplacer("-", "+", "_", "/").Replace(withSpecials(t, list)), relay.ErrDamagedCursor},
		"a cursor with its last bit turned": {turnLastBit(good.Encode()), relay.ErrDamagedCursor},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := relay.DecodeCursor(test.text, list); !errors.Is(err, test.want) {
				t.Errorf("DecodeCursor(%.60q): got error %v, want %v", test.text, err, test.want)
			}
		})
	}
}

// withSpecials returns a cursor whose text has a character that the alphabets of base64 spell differently.
func withSpecials(t *testing.T, list relay.Fingerprint) string {
	t.Helper()
	for i := range 1000 {
		if text := (relay.Cursor{Position: i, Total: 1000, Item: relay.FingerprintOf(fmt.Sprint(i)), List: list}).Encode(); strings.ContainsAny(text, "-_") {
			return text
		}
	}
	t.Fatal("no cursor has such a character")
	return ""
}

// TestSpareBitsOfACursorAreNoticed spells cursors whose last character has bits to spare in all the other ways.
func TestSpareBitsOfACursorAreNoticed(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	list := relay.FingerprintOf("list")
	var spellings int
	for _, position := range []int{1, 200, 20_000} { // of different lengths
		text := relay.Cursor{Position: position, Total: 1 << 20, Item: relay.FingerprintOf("item"), List: list}.Encode()
		if _, err := relay.DecodeCursor(text, list); err != nil {
			t.Errorf("DecodeCursor(%s): got error %v, want none", text, err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, last := range alphabet {
			other := text[:len(text)-1] + string(last)
			if same, err := base64.RawURLEncoding.DecodeString(other); err != nil || other == text || string(same) != string(raw) {
				continue
			}
			spellings++
			if _, err := relay.DecodeCursor(other, list); !errors.Is(err, relay.ErrDamagedCursor) {
				t.Errorf("DecodeCursor(%s), spelled otherwise: got error %v, want %v", other, err, relay.ErrDamagedCursor)
			}
		}
	}
	if spellings < 10 {
		t.Errorf("got %d other spellings, want some", spellings)
	}
}

func turnLastBit(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + alphabet[last^1:last^1+1]
}

func TestEveryDamagedBitOfACursorIsNoticed(t *testing.T) {
	t.Parallel()
	list := relay.FingerprintOf("list")
	text := relay.Cursor{Position: 123, Total: 300, Item: relay.FingerprintOf("item"), List: list}.Encode()
	raw, err := base64.RawURLEncoding.DecodeString(text)
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
	f.Fuzz(func(t *testing.T, text string) {
		c, err := relay.DecodeCursor(text, list)
		if err != nil {
			return
		}
		if c.Position < 0 || c.Position >= c.Total || c.List != list {
			t.Fatalf("DecodeCursor(%q): got %+v, which no list has", text, c)
		}
		if got := c.Encode(); got != text || len(got) > relay.MaxCursor {
			t.Fatalf("DecodeCursor(%q).Encode(): got %q, want the same text", text, got)
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
			Moving:    int(moving % 16),
			Preceding: neighborBuf(int(preceding%6), int(preceding/6%3)),
			Following: neighborBuf(int(following%4), int(following/4%2)),

			PrecedingInherited: moving&64 != 0,
			FollowingInherited: moving&128 != 0,
		}
		want.Position = int(position) % want.Total
		text := want.Encode()
		got, err := relay.DecodeCursor(text, want.List)
		if err != nil || !reflect.DeepEqual(got, want) || len(text) > relay.MaxCursor {
			t.Fatalf("DecodeCursor(Encode(%+v)): got %+v, %v from %d characters", want, got, err, len(text))
		}
	})
}

// memories returns a run of the nearest and some far ones.
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
