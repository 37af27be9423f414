package projection_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/testing/testmode"
)

func TestDocumentsThatAreNone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want bool
	}{
		"an object":                   {`{}`, true},
		"another value":               {` [1, {"a": null}] `, true},
		"nothing":                     {``, false},
		"white space":                 {" \n", false},
		"two documents":               {`{} {}`, false},
		"cut short":                   {`{"items":[{"name":"a`, false},
		"cut short in an escape":      {`{"items":[{"name":"\u00`, false},
		"cut short behind a key":      {`{"items":[{"name"`, false},
		"cut short behind a comma":    {`{"items":[{},`, false},
		"a comma too many":            {`{"items":[{},]}`, false},
		"a comma too many in objects": {`{"items":[{"name":"a",}]}`, false},
		"no comma":                    {`{"items":[{"name":"a" "status":"b"}]}`, false},
		"no colon":                    {`{"items":[{"name" "a"}]}`, false},
		"a key without quotes":        {`{"items":[{name:"a"}]}`, false},
		"another bracket":             {`{"items":[{}}}`, false},
		"a control character":         {"{\"items\":[{\"name\":\"a\x1fb\"}]}", false},
		"one far into a text":         {"{\"items\":[{\"name\":\"123456789 123456789 \x00\"}]}", false},
		"an escape that is none":      {`{"items":[{"name":"\x41"}]}`, false},
		"digits that are none":        {`{"items":[{"name":"\u00g0"}]}`, false},
		"bytes that are no UTF-8":     {"{\"items\":[{\"name\":\"\xff\"}]}", false},
		"the same in a key":           {"{\"items\":[{\"\xc3\":1}]}", false},
		"the same in what is skipped": {"{\"items\":[{\"unknown\":[\"\xed\xa0\x80\"]}]}", false},
		"the same outside of texts":   {"{\"items\":[{}]\xa0}", false},
		"a number with a zero ahead":  {`{"items":[{"vcpu":01}]}`, false},
		"a number without digits":     {`{"items":[{"vcpu":-}]}`, false},
		"one with a plus":             {`{"items":[{"vcpu":+1}]}`, false},
		"a fraction without digits":   {`{"items":[{"vcpu":1.}]}`, false},
		"an exponent without digits":  {`{"items":[{"vcpu":1e}]}`, false},
		"a word that is none":         {`{"items":[{"listed":tru}]}`, false},
		"a word with more behind it":  {`{"items":[{"listed":nullx}]}`, false},
		"as deep as may be":           {strings.Repeat("[", 512) + strings.Repeat("]", 512), true},
		"deeper":                      {strings.Repeat("[", 513) + strings.Repeat("]", 513), false},
		"deeper in an item":           {`{"items":[{"unknown":` + strings.Repeat("[", 510) + strings.Repeat("]", 510) + `}]}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := pages.Shape().Index(&projection.IndexedPage{}, []byte(test.body), 100)
			if got := err == nil; got != test.want {
				t.Errorf("got error %v, want one: %v", err, !test.want)
			}
			if valid := json.Valid([]byte(test.body)) && utf8.ValidString(test.body); valid != test.want && !strings.HasPrefix(name, "deeper") {
				t.Errorf("got %v from encoding/json, want %v", valid, test.want)
			}
		})
	}
}

//nolint:paralleltest // what others allocate would count
func TestBoundsOfAPage(t *testing.T) {
	const million = 1_000_000
	tests := map[string]struct {
		items string
		want  error
	}{
		"a million events":          {`{"hosted":{"events":[` + strings.Repeat(`{},`, million) + `{}]}}`, projection.ErrInvalid},
		"events of a million items": {strings.Repeat(`{"hosted":{"events":[{}]}},`, million) + `{}`, projection.ErrInvalid},
		"a million lists of events": {`{"hosted":{` + strings.Repeat(`"events":[{}],`, million) + `"events":[]}}`, projection.ErrInvalid},
		"a million wrong values":    {`{"public_urls":[` + strings.Repeat(`0,`, million) + `0]}`, projection.ErrInvalid},
		"100,000 events":            {`{"hosted":{"events":[` + strings.Repeat(`{},`, 99_999) + `{}]}}`, nil},
		"10,000 wrong values":       {`{"public_urls":[` + strings.Repeat(`0,`, 9_999) + `0]}`, nil},
		"a million items":           {strings.Repeat(`{},`, million) + `{}`, nil}, // what the envelope tells is for others to judge
		"many events, a long text":  {`{"hosted":{"events":[` + strings.Repeat(`{},`, 90_000) + `{}]}},{"name":"` + strings.Repeat("n", 12*million) + `"}`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			page, body, shape := &projection.IndexedPage{}, document(test.items, 100), pages.Shape()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := shape.Index(page, body, 100)
			runtime.ReadMemStats(&after)
			if err != test.want { //nolint:errorlint // it is this one
				t.Errorf("got error %v, want %v", err, test.want)
			}
			// 100,000 elements of 5 slots at most, and 100 items; what they are collected in grows by copying.
			if got, want := page.MemorySize()-cap(body), 8<<20; got > want {
				t.Errorf("got an index of %d bytes, want at most %d", got, want)
			}
			if got, want := after.TotalAlloc-before.TotalAlloc, uint64(48<<20); got > want {
				t.Errorf("got %d bytes on the way, want at most %d", got, want)
			}
			if got := page.Len(); got > 100 {
				t.Errorf("got %d items, want at most 100", got)
			}
		})
	}
}

func TestAPageIsUsedAgain(t *testing.T) {
	t.Parallel()
	shape, page := pages.Shape(), &projection.IndexedPage{}
	name, user := shape.Value("name"), shape.Value("managed_user", "id")
	for _, test := range []struct{ items, want string }{
		{`{"name":"first","managed_user":{"id":1},"public_urls":[{"app":"x"}]},{"name":"second"}`, "first 1,second ,"},
		{`{},{"managed_user":{"id":"2"}},{}`, " , 2, ,"},
		{``, ""},
		{`{"name":"\u0061","name":7}`, " ,"},
		{`{"name":7,"name":"\u0062\ud83d","managed_user":{"id":2.0}}`, "b\ufffd 2,"},
	} {
		if err := shape.Index(page, document(test.items, 3), 2+len(test.items)%2); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for i := range page.Len() {
			got = append(page.AppendText(got, i, name), ' ')
			got = append(page.AppendText(got, i, user), ',')
		}
		if want := test.want; string(got) != want {
			t.Errorf("%s: got %q, want %q", test.items, got, want)
		}
	}
}

func TestShapesThatCannotBe(t *testing.T) {
	t.Parallel()
	shape := pages.Shape()
	tests := map[string]func(){
		"a value of an unknown key": func() { shape.Value("unknown") },
		"a value of an object":      func() { shape.Value("hosted") },
		"a value of a boolean":      func() { shape.Value("listed") },
		"a value below a text":      func() { shape.Value("name", "first") },
		"a value of a skipped key":  func() { shape.Value("vm_uuid") },
		"a value without a path":    func() { shape.Value() },
		"a Go type without JSON":    func() { projection.NewShape(reflect.TypeFor[struct{ F float64 }]()) },
		"more keys than a set of bits": func() {
			projection.NewShape(reflect.TypeFor[struct{}](), strings.Split(strings.Repeat("k,", 64), ",")...)
		},
	}
	for name, try := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("got no panic")
				}
			}()
			try()
		})
	}
}

//nolint:paralleltest // what others allocate would count
func TestAllocations(t *testing.T) {
	if testmode.Race {
		t.Skip("the race detector allocates")
	}
	body, shape, page := pageOf(t, 100), pages.Shape(), &projection.IndexedPage{}
	index := func() {
		if err := shape.Index(page, body, 100); err != nil {
			t.Fatal(err)
		}
	}
	index()
	if got := testing.AllocsPerRun(20, index); got > 0 {
		t.Errorf("an index in memory of its own: got %v allocations, want none", got)
	}
	fresh := testing.AllocsPerRun(20, func() {
		page = &projection.IndexedPage{}
		index()
	})
	if fresh > 3 {
		t.Errorf("an index: got %v allocations, want those of the page, of its items and of its tape", fresh)
	}
	window := list{page}.window()
	for name, text := range workloads(t) {
		plan, ok := newQuery(t, schema(t), text).plan(nil)
		if !ok {
			t.Fatalf("%s: got no plan", name)
		}
		dst := plan.AppendConnection(nil, window, math.MaxInt)
		if !json.Valid(dst) {
			t.Errorf("%s: got %.200s, want JSON", name, dst)
		}
		first := bytes.Clone(dst)
		if got := testing.AllocsPerRun(20, func() { dst = plan.AppendConnection(dst[:0], window, math.MaxInt) }); got > 0 {
			t.Errorf("%s: got %v allocations, want none", name, got)
		}
		if !bytes.Equal(dst, first) {
			t.Errorf("%s: got another answer at the second time", name)
		}
	}
}
