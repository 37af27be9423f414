package projection_test

import (
	"bytes"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

func TestIndex_invalidDocuments(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want bool
	}{
		"an object":                            {body: `{}`, want: true},
		"another value":                        {body: ` [1, {"a": null}] `, want: true},
		"nothing":                              {},
		"white space":                          {body: " \n"},
		"two documents":                        {body: `{} {}`},
		"truncated":                            {body: `{"items":[{"name":"a`},
		"truncated in an escape":               {body: `{"items":[{"name":"\u00`},
		"truncated after a key":                {body: `{"items":[{"name"`},
		"truncated after a comma":              {body: `{"items":[{},`},
		"an extra comma":                       {body: `{"items":[{},]}`},
		"an extra comma in an item":            {body: `{"items":[{"name":"a",}]}`},
		"no comma":                             {body: `{"items":[{"name":"a" "status":"b"}]}`},
		"no colon":                             {body: `{"items":[{"name" "a"}]}`},
		"a key without quotes":                 {body: `{"items":[{name:"a"}]}`},
		"another bracket":                      {body: `{"items":[{}}}`},
		"a control character":                  {body: "{\"items\":[{\"name\":\"a\x1fb\"}]}"},
		"a control character late in a string": {body: "{\"items\":[{\"name\":\"123456789 123456789 \x00\"}]}"},
		"an invalid escape":                    {body: `{"items":[{"name":"\x41"}]}`},
		"an invalid code unit":                 {body: `{"items":[{"name":"\u00g0"}]}`},
		"invalid UTF-8":                        {body: "{\"items\":[{\"name\":\"\xff\"}]}"},
		"invalid UTF-8 in a key":               {body: "{\"items\":[{\"\xc3\":1}]}"},
		"invalid UTF-8 in an unknown key":      {body: "{\"items\":[{\"unknown\":[\"\xed\xa0\x80\"]}]}"},
		"invalid UTF-8 outside of strings":     {body: "{\"items\":[{}]\xa0}"},
		"a leading zero":                       {body: `{"items":[{"vcpu":01}]}`},
		"a number without digits":              {body: `{"items":[{"vcpu":-}]}`},
		"a leading plus":                       {body: `{"items":[{"vcpu":+1}]}`},
		"a fraction without digits":            {body: `{"items":[{"vcpu":1.}]}`},
		"an exponent without digits":           {body: `{"items":[{"vcpu":1e}]}`},
		"an invalid literal":                   {body: `{"items":[{"listed":tru}]}`},
		"a literal with a suffix":              {body: `{"items":[{"listed":nullx}]}`},
		"the maximum depth":                    {body: strings.Repeat("[", 512) + strings.Repeat("]", 512), want: true},
		"too deep":                             {body: strings.Repeat("[", 513) + strings.Repeat("]", 513)},
		"too deep in an item":                  {body: `{"items":[{"unknown":` + strings.Repeat("[", 510) + strings.Repeat("]", 510) + `}]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := pages.Layout(restclient.ShapeHosted).Index(&projection.IndexedPage{}, []byte(test.body), 100)
			if got := err == nil; got != test.want {
				t.Errorf("got error %v, want one: %v", err, !test.want)
			}
			if valid := json.Valid([]byte(test.body)) && utf8.ValidString(test.body); valid != test.want && !strings.HasPrefix(name, "too deep") {
				t.Errorf("got %v from encoding/json, want %v", valid, test.want)
			}
		})
	}
}

//nolint:paralleltest // the allocations of other tests would count
func TestIndex_limits(t *testing.T) {
	const million = 1_000_000
	tests := map[string]struct {
		items string
		want  error
	}{
		"a million events":          {items: `{"hosted":{"events":[` + strings.Repeat(`{},`, million) + `{}]}}`, want: projection.ErrInvalid},
		"events of a million items": {items: strings.Repeat(`{"hosted":{"events":[{}]}},`, million) + `{}`, want: projection.ErrInvalid},
		"a million lists of events": {
			items: `{"hosted":{` + strings.Repeat(`"events":[{}],`, million) + `"events":[]}}`,
			want:  projection.ErrInvalid,
		},
		"a million wrong values": {items: `{"public_urls":[` + strings.Repeat(`0,`, million) + `0]}`, want: projection.ErrInvalid},
		"100,000 events":         {items: `{"hosted":{"events":[` + strings.Repeat(`{},`, 99_999) + `{}]}}`},
		"10,000 wrong values":    {items: `{"public_urls":[` + strings.Repeat(`0,`, 9_999) + `0]}`},
		"a million items":        {items: strings.Repeat(`{},`, million) + `{}`}, // the caller judges the envelope
		"many events and a long string": {
			items: `{"hosted":{"events":[` + strings.Repeat(`{},`, 90_000) + `{}]}},{"name":"` + strings.Repeat("n", 12*million) + `"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			page, body, layout := &projection.IndexedPage{}, document(test.items, 100), pages.Layout(restclient.ShapeHosted)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := layout.Index(page, body, 100)
			runtime.ReadMemStats(&after)
			if err != test.want { //nolint:errorlint // Index documents the identity
				t.Errorf("got error %v, want %v", err, test.want)
			}
			// 100,000 elements of at most 5 slots, and 100 items. The tape grows by copying.
			if got, want := page.MemorySize()-cap(body), 8<<20; got > want {
				t.Errorf("got an index of %d bytes, want at most %d", got, want)
			}
			if got, want := after.TotalAlloc-before.TotalAlloc, uint64(48<<20); got > want {
				t.Errorf("got %d bytes allocated, want at most %d", got, want)
			}
			if got := page.Len(); got > 100 {
				t.Errorf("got %d items, want at most 100", got)
			}
		})
	}
}

func TestIndex_reusesPage(t *testing.T) {
	t.Parallel()
	layout, page := pages.Layout(restclient.ShapeHosted), &projection.IndexedPage{}
	name, user := layout.Value("Name"), layout.Value("ManagedUser", "UserID")
	for _, test := range []struct{ items, want string }{
		{items: `{"name":"first","managed_user":{"id":1},"public_urls":[{"app":"x"}]},{"name":"second"}`, want: "first 1,second ,"},
		{items: `{},{"managed_user":{"id":"2"}},{}`, want: " , 2, ,"},
		{},
		{items: `{"name":"\u0061","name":7}`, want: " ,"},
		{items: `{"name":7,"name":"\u0062\ud83d","managed_user":{"id":2.0}}`, want: "b\ufffd 2,"},
	} {
		if err := layout.Index(page, document(test.items, 3), 2+len(test.items)%2); err != nil {
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

func TestLayout_panics(t *testing.T) {
	t.Parallel()
	layout, flat := pages.Layout(restclient.ShapeHosted), pages.Layout(restclient.ShapeFlat)
	tests := map[string]func(){
		"a value of an unknown field":          func() { layout.Value("Unknown") },
		"a value of an object":                 func() { layout.Value("Hosted") },
		"a value of a boolean":                 func() { layout.Value("Listed") },
		"a value below a string":               func() { layout.Value("Name", "First") },
		"a value that the shape does not have": func() { layout.Value("CreatedAt") },
		"a value of another shape":             func() { flat.Value("ProjectID") },
		"an object without a key of its own":   func() { flat.Value("Hosted") },
		"a value without a path":               func() { layout.Value() },
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

//nolint:paralleltest // the allocations of other tests would count
func TestAllocations(t *testing.T) {
	if testmode.Race {
		t.Skip("the race detector allocates")
	}
	for _, shape := range shapes {
		t.Run(string(shape), func(t *testing.T) { checkAllocations(t, shape) }) //nolint:paralleltest // as above
	}
}

func checkAllocations(t *testing.T, shape restclient.Shape) {
	t.Helper()
	body, layout, page := pageOf(t, shape, 100), pages.Layout(shape), &projection.IndexedPage{}
	index := func() {
		if err := layout.Index(page, body, 100); err != nil {
			t.Fatal(err)
		}
	}
	index()
	if got := testing.AllocsPerRun(20, index); got > 0 {
		t.Errorf("an index in reused memory: got %v allocations, want none", got)
	}
	fresh := testing.AllocsPerRun(20, func() {
		page = &projection.IndexedPage{}
		index()
	})
	if fresh > 3 {
		t.Errorf("an index: got %v allocations, want at most 3: the page, its items and its tape", fresh)
	}
	window := list{page}.window()
	for name, query := range workloads(t) {
		selection, ok := newQuery(t, shape, schema(t), query).selection(nil)
		if !ok {
			t.Fatalf("%s: got no selection", name)
		}
		dst := selection.AppendConnection(nil, window, unlimited)
		if !json.Valid(dst) {
			t.Errorf("%s: got %.200s, want JSON", name, dst)
		}
		first := bytes.Clone(dst)
		if got := testing.AllocsPerRun(20, func() { dst = selection.AppendConnection(dst[:0], window, unlimited) }); got > 0 {
			t.Errorf("%s: got %v allocations, want none", name, got)
		}
		if !bytes.Equal(dst, first) {
			t.Errorf("%s: got another result the second time", name)
		}
	}
}
