package restclient_test

import (
	"math"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

// someItems returns n small items.
func someItems(n int) string { return strings.TrimPrefix(strings.Repeat(`,{"hosted":{}}`, n), ",") }

func TestDecodePage_envelope(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		page, size int
		body       string
		want       restclient.Reason
		wantTotal  int
		irregular  bool
	}{
		"a full page":                       {page: 2, size: 3, body: string(envelope(someItems(3), 9, 2, 3)), wantTotal: 9},
		"an empty list":                     {page: 1, size: 3, body: string(envelope("", 0, 1, 3))},
		"a page past the end":               {page: 9, size: 3, body: string(envelope("", 8, 9, 3)), wantTotal: 8},
		"the last page after a deletion":    {page: 3, size: 3, body: string(envelope(someItems(1), 8, 3, 3)), wantTotal: 7},
		"the full last page after one":      {page: 3, size: 3, body: string(envelope(someItems(2), 9, 3, 3)), wantTotal: 8},
		"an emptied last page":              {page: 3, size: 3, body: string(envelope("", 7, 3, 3)), wantTotal: 6},
		"the last page after an insertion":  {page: 3, size: 3, body: string(envelope(someItems(3), 8, 3, 3)), wantTotal: 9, irregular: true},
		"a full page past the end":          {page: 4, size: 3, body: string(envelope(someItems(3), 2, 4, 3)), wantTotal: 12, irregular: true},
		"an empty first page of a list":     {page: 1, size: 3, body: string(envelope("", 2, 1, 3)), wantTotal: 2, irregular: true},
		"a list whose only CVM was deleted": {page: 1, size: 3, body: string(envelope("", 1, 1, 3))},
		"a short page in the middle":        {page: 1, size: 3, body: string(envelope(someItems(2), 9, 1, 3)), wantTotal: 9, irregular: true},
		"an insertion past the end":         {page: 3, size: 3, body: string(envelope(someItems(1), 6, 3, 3)), wantTotal: 7},
		"an insertion into an empty list":   {page: 1, size: 3, body: string(envelope(someItems(1), 0, 1, 3)), wantTotal: 1},
		"the last possible page":            {page: math.MaxInt32, size: 100, body: string(envelope("", 8, math.MaxInt32, 100)), wantTotal: 8},
		"numbers as fractions":              {page: 1, size: 3, body: `{"items":[],"total":0.0,"page":1e0,"page_size":30e-1}`},
		"equal keys":                        {page: 1, size: 3, body: `{"items":[1],"total":"x","page":7,"page_size":3,"page":1,"total":0,"items":[]}`},
		"unknown keys":                      {page: 1, size: 3, body: `{"next":{"a":[1,2,{}]},"items":[],"total":0,"page":1,"page_size":3}`},
		"no list":                           {page: 1, size: 3, body: `{"total":0,"page":1,"page_size":3}`, want: restclient.ReasonEnvelope},
		"a null list":                       {page: 1, size: 3, body: `{"items":null,"total":0,"page":1,"page_size":3}`, want: restclient.ReasonEnvelope},
		"a list that is an object":          {page: 1, size: 3, body: `{"items":{},"total":0,"page":1,"page_size":3}`, want: restclient.ReasonEnvelope},
		"a list overridden by a number": {
			page: 1,
			size: 3,
			body: `{"items":[],"total":0,"page":1,"page_size":3,"items":0}`,
			want: restclient.ReasonEnvelope,
		},
		"no total":     {page: 1, size: 3, body: `{"items":[],"page":1,"page_size":3}`, want: restclient.ReasonEnvelope},
		"a null total": {page: 1, size: 3, body: `{"items":[],"total":null,"page":1,"page_size":3}`, want: restclient.ReasonEnvelope},
		"a total overridden by null": {
			page: 1,
			size: 3,
			body: `{"items":[],"total":0,"page":1,"page_size":3,"total":null}`,
			want: restclient.ReasonEnvelope,
		},
		"a total that is a string":   {page: 1, size: 3, body: `{"items":[],"total":"0","page":1,"page_size":3}`, want: restclient.ReasonEnvelope},
		"a total that is a fraction": {page: 1, size: 3, body: `{"items":[],"total":0.5,"page":1,"page_size":3}`, want: restclient.ReasonEnvelope},
		"no page":                    {page: 1, size: 3, body: `{"items":[],"total":0,"page_size":3}`, want: restclient.ReasonEnvelope},
		"no page size":               {page: 1, size: 3, body: `{"items":[],"total":0,"page":1}`, want: restclient.ReasonEnvelope},
		"a list at the top":          {page: 1, size: 3, body: `[]`, want: restclient.ReasonEnvelope},
		"a string at the top":        {page: 1, size: 3, body: `"items"`, want: restclient.ReasonEnvelope},
		"another page":               {page: 2, size: 3, body: string(envelope(someItems(3), 9, 1, 3)), want: restclient.ReasonEcho},
		"another page size":          {page: 2, size: 3, body: string(envelope(someItems(3), 9, 2, 30)), want: restclient.ReasonEcho},
		"a negative total":           {page: 1, size: 3, body: string(envelope("", -1, 1, 3)), want: restclient.ReasonTotal},
		"a total over 32 bits":       {page: 1, size: 3, body: string(envelope(someItems(3), 1<<31, 1, 3)), want: restclient.ReasonTotal},
		"items beyond 32 bits": {
			page: math.MaxInt32,
			size: 100,
			body: string(envelope(someItems(1), 8, math.MaxInt32, 100)),
			want: restclient.ReasonTotal,
		},
		"more items than requested":             {page: 1, size: 3, body: string(envelope(someItems(4), 9, 1, 3)), want: restclient.ReasonSurplus},
		"an entry that is a number":             {page: 1, size: 3, body: string(envelope(`{},3`, 2, 1, 3)), want: restclient.ReasonEntry},
		"an entry that is null":                 {page: 1, size: 3, body: string(envelope(`null`, 1, 1, 3)), want: restclient.ReasonEntry},
		"a surplus entry that is not an object": {page: 1, size: 1, body: string(envelope(`{},{},[]`, 1, 1, 1)), want: restclient.ReasonEntry},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := restclient.PageRequest{Page: tt.page, PageSize: tt.size}
			page, err := restclient.ShapeHosted.DecodePage([]byte(tt.body), req)
			if got := reasonOf(t, err); got != tt.want {
				t.Fatalf("got reason %q, want %q", got, tt.want)
			}
			if err == nil && (page.Total != tt.wantTotal || page.Irregular != tt.irregular) {
				t.Errorf("got total %d, irregular %t, want %d, %t", page.Total, page.Irregular, tt.wantTotal, tt.irregular)
			}
			if err == nil && page.Items == nil {
				t.Errorf("got nil items, want []")
			}
		})
	}
}

func TestDecodePage_flatShape(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		items string
		flat  bool
	}{
		"vm_uuid":                               {items: `{"name":"a","vm_uuid":"u"},{"name":"b"}`, flat: true},
		"resource":                              {items: `{"name":"a"},{"resource":{}}`, flat: true},
		"node_info, null":                       {items: `{"name":"a"},{"node_info":null}`, flat: true},
		"vm_uuid and hosted":                    {items: `{"hosted":{},"vm_uuid":"u"},{}`},
		"vm_uuid and a null hosted":             {items: `{"vm_uuid":"u","hosted":null}`},
		"vm_uuid and a wrong hosted":            {items: `{},{"vm_uuid":"u","hosted":3}`},
		"vm_uuid and a node":                    {items: `{"vm_uuid":"u","node":null}`},
		"one of the flat shape after another":   {items: `{"hosted":{}},{"vm_uuid":"u"}`, flat: true},
		"no hosted":                             {items: `{"name":"a"},{}`},
		"vm_uuid below the top":                 {items: `{"node":{"vm_uuid":"u"}},{"x":{"resource":1}}`},
		"vm_uuid in a list overridden by items": {items: `{"vm_uuid":1}],"items":[{},{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := restclient.ShapeHosted.DecodePage(envelope(tt.items, 2, 1, 2), restclient.PageRequest{Page: 1, PageSize: 2})
			if got := reasonOf(t, err) == restclient.ReasonOtherShape; got != tt.flat {
				t.Errorf("got flat shape %t (%v), want %t", got, err, tt.flat)
			}
		})
	}
}

func TestDecodePage_grammar(t *testing.T) {
	t.Parallel()
	deep := func(depth int) string {
		// The document, the list and the item are three levels.
		return string(pageOf(1, []byte(`{"x":`+strings.Repeat("[", depth-3)+strings.Repeat("]", depth-3)+`}`)))
	}
	inItem := func(member string) string { return string(pageOf(1, []byte(`{`+member+`}`))) }
	for name, tt := range map[string]struct {
		body string
		want restclient.Reason
	}{
		"nothing":                          {want: restclient.ReasonTruncated},
		"white space":                      {body: " \n", want: restclient.ReasonTruncated},
		"HTML":                             {body: "<!DOCTYPE html>", want: restclient.ReasonNotJSON},
		"a byte order mark":                {body: "\ufeff" + inItem(""), want: restclient.ReasonNotJSON},
		"white space around":               {body: " \t\r\n" + inItem("") + "\n "},
		"other white space":                {body: "\v" + inItem(""), want: restclient.ReasonNotJSON},
		"text after it":                    {body: inItem("") + "{}", want: restclient.ReasonNotJSON},
		"half a page":                      {body: inItem("")[:20], want: restclient.ReasonTruncated},
		"half a word":                      {body: `{"items":nu`, want: restclient.ReasonTruncated},
		"half a string":                    {body: `{"items":[{"name":"a`, want: restclient.ReasonTruncated},
		"half an escape":                   {body: `{"items":[{"name":"a\`, want: restclient.ReasonTruncated},
		"half a code unit":                 {body: `{"items":[{"name":"a\u00`, want: restclient.ReasonTruncated},
		"half a number":                    {body: `{"total":-`, want: restclient.ReasonTruncated},
		"a wrong word":                     {body: inItem(`"x":nil`), want: restclient.ReasonNotJSON},
		"a wrong word for a boolean":       {body: inItem(`"listed":tru`), want: restclient.ReasonNotJSON},
		"a longer word":                    {body: inItem(`"listed":truer`), want: restclient.ReasonNotJSON},
		"a leading zero":                   {body: inItem(`"vcpu":01`), want: restclient.ReasonNotJSON},
		"a leading plus":                   {body: inItem(`"vcpu":+1`), want: restclient.ReasonNotJSON},
		"a bare point":                     {body: inItem(`"vcpu":1.`), want: restclient.ReasonNotJSON},
		"a missing digit":                  {body: inItem(`"vcpu":.5`), want: restclient.ReasonNotJSON},
		"a bare exponent":                  {body: inItem(`"vcpu":1e`), want: restclient.ReasonNotJSON},
		"not a number":                     {body: inItem(`"vcpu":NaN`), want: restclient.ReasonNotJSON},
		"a comma too many":                 {body: inItem(`"vcpu":1,`), want: restclient.ReasonNotJSON},
		"a comma too many in a list":       {body: inItem(`"public_urls":[{},]`), want: restclient.ReasonNotJSON},
		"a comma at the start":             {body: inItem(`,"vcpu":1`), want: restclient.ReasonNotJSON},
		"a comma missing":                  {body: inItem(`"vcpu":1 "memory":2`), want: restclient.ReasonNotJSON},
		"a colon missing":                  {body: inItem(`"vcpu" 1`), want: restclient.ReasonNotJSON},
		"a key without quotes":             {body: inItem(`vcpu:1`), want: restclient.ReasonNotJSON},
		"the wrong bracket":                {body: inItem(`"x":[1}`), want: restclient.ReasonNotJSON},
		"a comment":                        {body: inItem(`/**/`), want: restclient.ReasonNotJSON},
		"a control byte in an unknown key": {body: inItem("\"x\":\"a\nb\""), want: restclient.ReasonNotJSON},
		"a control byte in a value":        {body: inItem("\"name\":\"seven b\x1f\""), want: restclient.ReasonNotJSON},
		"an unknown escape":                {body: inItem(`"name":"\x"`), want: restclient.ReasonNotJSON},
		"a wrong code unit":                {body: inItem(`"name":"\u00g0"`), want: restclient.ReasonNotJSON},
		"a bad escape in an unknown key":   {body: inItem(`"x":{"y":"\'"}`), want: restclient.ReasonNotJSON},
		"invalid UTF-8":                    {body: inItem("\"name\":\"\xff\""), want: restclient.ReasonNotJSON},
		"invalid UTF-8 in an unknown key":  {body: inItem("\"x\":\"\xc3\""), want: restclient.ReasonNotJSON},
		"a surrogate in UTF-8":             {body: inItem("\"x\":\"\xed\xa0\x80\""), want: restclient.ReasonNotJSON},
		"the deepest nesting":              {body: deep(512)},
		"nesting beyond the limit":         {body: deep(513), want: restclient.ReasonTooDeep},
		"endless nesting":                  {body: strings.Repeat("[", 1<<20), want: restclient.ReasonTooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := restclient.ShapeHosted.DecodePage([]byte(tt.body), onePage)
			if got := reasonOf(t, err); got != tt.want {
				t.Errorf("got reason %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDecodePage_everyPrefix(t *testing.T) {
	t.Parallel()
	body := pageOf(1, compact(t, exampleItem(t)))
	for length := range body {
		_, err := restclient.ShapeHosted.DecodePage(body[:length], onePage)
		if got := reasonOf(t, err); got != restclient.ReasonTruncated {
			t.Fatalf("%d of %d bytes: got reason %q, want %q", length, len(body), got, restclient.ReasonTruncated)
		}
	}
}
