package graph_test

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"cvmgraph/restclient"
)

// randomList is a list of CVMs, valid and invalid, of an upstream with its own way of writing JSON.
type randomList struct {
	shape restclient.Shape
	items []*part
	// surplus is the difference between the upstream's total and the number of items.
	surplus int
	// cached is true if all pages are cached.
	cached bool
	// envelope returns the document of a page.
	envelope func(items string, total, page, pageSize int) []byte
}

func (l *randomList) page(request restclient.PageRequest) []byte {
	lo := min(max(0, (request.Page-1)*request.PageSize), len(l.items))
	hi := min(lo+request.PageSize, len(l.items))
	var items bytes.Buffer
	for i, item := range l.items[lo:hi] {
		if i > 0 {
			items.WriteByte(',')
		}
		items.Write(item.append(nil))
	}
	return l.envelope(items.String(), len(l.items)+l.surplus, request.Page, request.PageSize)
}

// lister makes random lists.
type lister struct {
	random
	shape  restclient.Shape
	spaced bool // whether there is optional white space
	dense  int  // percentage of keys that are present
	wrong  int  // percentage of values of another type
	ids    int  // approximate number of VMs
	// distinct is true if each item has its own VM and makes no page invalid. made is the number of
	// items so far.
	distinct bool
	made     int
}

func newList(r random, shape restclient.Shape) *randomList {
	g := &lister{random: r, shape: shape, spaced: r.in100(15), dense: pick(r, []int{10, 40, 80, 100}), wrong: pick(r, []int{0, 2, 5, 10, 30}), ids: pick(r, []int{2, 8, 1000})}
	l := &randomList{shape: shape, envelope: g.envelope(), cached: r.in100(50)}
	n := r.IntN(6)
	if r.in100(4) { // several pages
		n, g.dense = 90+r.IntN(150), min(g.dense, 10)
	}
	for range n {
		l.items = append(l.items, g.item())
	}
	if r.in100(3) {
		l.surplus = r.IntN(4) - 2
	}
	return l
}

// newDistinctList makes a list whose items have distinct VMs. Its total is correct, and each of its
// pages is valid.
func newDistinctList(r random) *randomList {
	g := &lister{random: r, shape: restclient.ShapeHosted, distinct: true, spaced: r.in100(15), dense: pick(r, []int{5, 10, 40}), wrong: pick(r, []int{0, 2, 5})}
	l := &randomList{envelope: g.envelope(), cached: r.in100(30)}
	n := r.IntN(9)
	if r.in100(30) { // several pages
		n, g.dense = 90+r.IntN(250), min(g.dense, 10)
	}
	for range n {
		l.items = append(l.items, g.item())
	}
	return l
}

// changed returns the list after some items were inserted, deleted and moved.
func (l *randomList) changed(r random) *randomList {
	g := &lister{random: r, shape: l.shape, dense: 20, ids: 1000}
	after := &randomList{shape: l.shape, envelope: l.envelope, cached: l.cached}
	for _, item := range l.items {
		if r.in100(10) {
			after.items = append(after.items, g.item())
		}
		if !r.in100(20) {
			after.items = append(after.items, item)
		}
	}
	if len(after.items) > 1 && r.in100(20) {
		after.items[0], after.items[1] = after.items[1], after.items[0]
	}
	return after
}

// envelope returns a function that writes the documents of the upstream's pages.
func (g *lister) envelope() func(items string, total, page, pageSize int) []byte {
	order, space, extra := g.Perm(3), g.space(), ""
	switch {
	case g.in100(10):
		extra = `"unknown":` + g.unknown() + `,`
	case g.in100(3):
		extra = `"items":[{"hosted":{"id":"forgotten"}}],"total":7,`
	case g.in100(2):
		extra = `"items":7,`
	}
	number := pick(g.random, []string{"%d", "%d", "%d", "%d", "%d.0", "%de0", "%d0e-1"})
	last := ""
	if g.in100(1) {
		last = pick(g.random, []string{`,"page":"1"`, `,"items":null`, `,`, `,"total":1.5`, `}`, `,"page":99`})
	}
	return func(items string, total, page, pageSize int) []byte {
		parts := []string{
			`"items":` + space + `[` + space + items + space + `]`,
			`"total":` + space + fmt.Sprintf(number, total),
			`"page":` + space + fmt.Sprintf(number, page) + space + `,"page_size":` + fmt.Sprintf(number, pageSize),
		}
		return []byte(space + `{` + space + extra + parts[order[0]] + `,` + parts[order[1]] + space + `,` + parts[order[2]] + last + `}` + space)
	}
}

func (g *lister) space() string {
	if !g.spaced {
		return ""
	}
	return pick(g.random, []string{"", "", " ", "\n", "\t \r\n"})
}

// item makes an item. An entry that is not an object makes the whole page invalid, so it is rare.
func (g *lister) item() *part {
	if !g.distinct && g.in100(1) && g.in100(20) {
		return leaf(pick(g.random, oddValues))
	}
	item := g.object(g.shape.Table().Item.Blank.Type())
	if g.distinct || g.in100(90) { // most items have a VM
		item.parts = append(item.parts, g.vm())
	}
	if g.in100(3) {
		other := restclient.ShapeFlat
		if g.shape == other {
			other = restclient.ShapeHosted
		}
		item.parts = append(item.parts, g.member(pick(g.random, other.Keys()), leaf("1")))
	}
	g.shuffle(item)
	return item
}

// vm makes the member of an item that has the VM's uuid.
func (g *lister) vm() *part {
	if g.shape == restclient.ShapeFlat {
		return g.member("vm_uuid", leaf(g.vmID()))
	}
	hosted := g.object(reflect.TypeFor[restclient.HostedVm]())
	hosted.parts = append(hosted.parts, g.member("id", leaf(g.vmID())))
	return g.member("hosted", hosted)
}

func (g *lister) vmID() string {
	if g.distinct {
		g.made++
		return fmt.Sprintf(`"vm-%d"`, g.made)
	}
	switch g.IntN(20) {
	case 0:
		return pick(g.random, []string{`""`, `null`, `7`, `{}`, `"` + strings.Repeat("long", 40) + `"`})
	case 1:
		return g.text()
	case 2:
		return `"\u0076m-` + strconv.Itoa(1+g.IntN(g.ids)) + `"` // another spelling
	}
	return `"vm-` + strconv.Itoa(1+g.IntN(g.ids)) + `"`
}

// object makes an object with some keys of the wire type, and others.
func (g *lister) object(t reflect.Type) *part {
	o := &part{before: g.space() + "{" + g.space(), separator: ",", after: g.space() + "}" + g.space()}
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("json") + f.Tag.Get("skipped")
		if key == "-" {
			continue
		}
		if g.distinct && (t == reflect.TypeFor[restclient.Cvm]() && key == "hosted" || t == reflect.TypeFor[restclient.HostedVm]() && key == "id") {
			continue // item adds the only one
		}
		for g.in100(g.dense) {
			o.parts = append(o.parts, g.member(key, g.value(f)))
			if !g.in100(3) { // else the key is repeated
				break
			}
		}
	}
	if g.in100(10) {
		o.parts = append(o.parts, g.member(pick(g.random, []string{"unknown", "", "Name", "name ", "é", "nam"}), leaf(g.unknown())))
	}
	if g.in100(20) {
		g.shuffle(o)
	}
	return o
}

func (g *lister) shuffle(p *part) {
	g.Shuffle(len(p.parts), func(i, j int) { p.parts[i], p.parts[j] = p.parts[j], p.parts[i] })
}

func (g *lister) member(key string, value *part) *part {
	if letters := []rune(key); len(letters) > 0 && g.in100(2) {
		at := g.IntN(len(letters))
		key = string(letters[:at]) + fmt.Sprintf(`\u%04x`, letters[at]) + string(letters[at+1:])
	}
	return &part{before: g.space() + `"` + key + `"` + g.space() + ":" + g.space(), parts: []*part{value}, after: g.space()}
}

// value makes a value of a field of a wire type.
func (g *lister) value(f reflect.StructField) *part {
	if g.in100(5) {
		return leaf("null")
	}
	if g.in100(g.wrong) {
		return leaf(pick(g.random, oddValues))
	}
	switch reflect.Zero(f.Type).Interface().(type) {
	case *string:
		if f.Tag.Get("wire") == "identifier" && g.in100(60) {
			return leaf(g.number())
		}
		return leaf(g.text())
	case *int32, *int64:
		if f.Tag.Get("wire") == "text" && g.in100(80) {
			return leaf(`"` + g.number() + `"`)
		}
		return leaf(g.number())
	case struct{}:
		return leaf(g.unknown())
	case bool, *bool:
		return leaf(strconv.FormatBool(g.in100(50)))
	case []string:
		return g.list(func() *part { return leaf(g.text()) })
	}
	if f.Type.Kind() == reflect.Slice {
		return g.list(func() *part { return g.object(f.Type.Elem()) })
	}
	return g.object(f.Type.Elem())
}

func (g *lister) list(element func() *part) *part {
	l := &part{before: "[" + g.space(), separator: ",", after: g.space() + "]"}
	for range g.IntN(4) {
		if g.in100(g.wrong) {
			l.parts = append(l.parts, leaf(g.space()+pick(g.random, oddValues)+g.space()))
		} else {
			l.parts = append(l.parts, element())
		}
	}
	return l
}

// oddValues are valid for some fields only.
var oddValues = []string{
	`null`, `true`, `false`, `0`, `-1`, `1.5`, `1e19`, `"x"`, `""`, `[]`, `{}`, `[null]`, `[1,"a",{},[]]`, `{"id":1,"name":"n","gpus":[{}]}`,
	`[{"slot":"a"},7,{"app":2,"app":"b"}]`, `{"a":{"b":{"c":[1,2]}}}`,
}

var textPieces = []string{
	"a", "name", "longer than one word of eight bytes", " ", "é", "日本", "😀", "\u2028", "\u2029", "\ufffd", "\u007f", "<&>'", "/",
	`\"`, `\\`, `\/`, `\b\f`, `\n`, `\r\t`, `\u0000`, `\u001f`, `\u0041`, `\u00E9`, `\u2028`, `\ud83d\ude00`, `\uD83D\uDE00`,
	`\ud83d`, `\ude00`, `\ude00\ud83d`, `\ud83d\ud83d\ude00`, `\ud83dx`, `\ud83d\n`, `\ud83d\u0041`, `\\ud83d`, `\ufffd`, `\udfff`, `\ud800\udc00`,
}

func (g *lister) text() string {
	text := `"`
	for range g.IntN(4) {
		text += pick(g.random, textPieces)
	}
	if g.in100(3) {
		text += pick(g.random, []string{`&ch=serial`, `\u0026ch=\u0073erial`, `&ch=serial&`})
	}
	return text + `"`
}

var numbers = []string{
	"0", "-0", "1", "-1", "42", "1042", "1.0", "-1.0", "0.0", "-0.0", "1e2", "1E+2", "1.5e1", "1.50e1", "100e-2", "101e-2", "10e8", "21474836470e-1",
	"2147483647", "2147483648", "2147483647.0", "-2147483648", "-2147483649", "123456789", "1234567890", "-99999999", "-999999999",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9007199254740993", "999999999999999999",
	"1000000000000000000", "12345678901234567890", "1700000000000", "1e18", "1e19", "-1e18", "0.1e1", "0.01e1", "1.5", "-1.5", "1e400", "1e-400", "-1e400",
	"0e400", "0.0e-400", "1e99999999999999999999", "0e99999999999999999999", "1e-99999999999999999999", "10e-9223372036854775808", "922337203685477580.7e1",
	"0.00000000000000000001e20", "100000000000000000000e-20", "1.5e9", "3e9",
}

func (g *lister) number() string {
	switch g.IntN(4) {
	case 0:
		return strconv.Itoa(g.IntN(100_000))
	case 1:
		return strconv.FormatInt(int64(g.Uint64())>>g.IntN(64), 10)
	case 2:
		return strconv.Itoa(math.MaxInt32 - 1 + g.IntN(3))
	}
	return pick(g.random, numbers)
}

// unknown makes a value of an unknown key.
func (g *lister) unknown() string {
	depth := g.IntN(4)
	if !g.distinct && g.in100(2) {
		depth = 1 + g.IntN(600) // some nest too deep, which makes the page invalid
	}
	inner := pick(g.random, oddValues)
	if g.in100(50) {
		inner = g.text()
	}
	if g.in100(50) {
		return strings.Repeat(`{"items":`, depth) + inner + strings.Repeat("}", depth)
	}
	return strings.Repeat(`[`, depth) + inner + strings.Repeat("]", depth)
}
