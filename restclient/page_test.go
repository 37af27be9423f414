package restclient_test

import (
	"math"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

// someItems is n small items.
func someItems(n int) string { return strings.TrimPrefix(strings.Repeat(`,{"hosted":{}}`, n), ",") }

func TestEnvelope(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		page, size int
		body       string
		want       restclient.Reason
		wantTotal  int
	}{
		"a full page":                       {2, 3, string(envelope(someItems(3), 9, 2, 3)), "", 9},
		"the last page":                     {3, 3, string(envelope(someItems(2), 8, 3, 3)), "", 8},
		"an empty list":                     {1, 3, string(envelope("", 0, 1, 3)), "", 0},
		"a page past the end":               {9, 3, string(envelope("", 8, 9, 3)), "", 8},
		"the last page after a deletion":    {3, 3, string(envelope(someItems(1), 8, 3, 3)), "", 7},
		"the full last page after one":      {3, 3, string(envelope(someItems(2), 9, 3, 3)), "", 8},
		"an emptied last page":              {3, 3, string(envelope("", 7, 3, 3)), "", 6},
		"the last page after an insertion":  {3, 3, string(envelope(someItems(3), 8, 3, 3)), "", 9},
		"an insertion past the end":         {3, 3, string(envelope(someItems(1), 6, 3, 3)), "", 7},
		"an insertion into an empty list":   {1, 3, string(envelope(someItems(1), 0, 1, 3)), "", 1},
		"the last page in the world":        {math.MaxInt32, 100, string(envelope("", 8, math.MaxInt32, 100)), "", 8},
		"numbers as fractions":              {1, 3, `{"items":[],"total":0.0,"page":1e0,"page_size":30e-1}`, "", 0},
		"equal keys":                        {1, 3, `{"items":[1],"total":"x","page":7,"page_size":3,"page":1,"total":0,"items":[]}`, "", 0},
		"unknown keys":                      {1, 3, `{"next":{"a":[1,2,{}]},"items":[],"total":0,"page":1,"page_size":3}`, "", 0},
		"no list":                           {1, 3, `{"total":0,"page":1,"page_size":3}`, restclient.ReasonEnvelope, 0},
		"a null list":                       {1, 3, `{"items":null,"total":0,"page":1,"page_size":3}`, restclient.ReasonEnvelope, 0},
		"a list that is none":               {1, 3, `{"items":{},"total":0,"page":1,"page_size":3}`, restclient.ReasonEnvelope, 0},
		"a list overridden by none":         {1, 3, `{"items":[],"total":0,"page":1,"page_size":3,"items":0}`, restclient.ReasonEnvelope, 0},
		"no total":                          {1, 3, `{"items":[],"page":1,"page_size":3}`, restclient.ReasonEnvelope, 0},
		"a null total":                      {1, 3, `{"items":[],"total":null,"page":1,"page_size":3}`, restclient.ReasonEnvelope, 0},
		"a total overridden by null":        {1, 3, `{"items":[],"total":0,"page":1,"page_size":3,"total":null}`, restclient.ReasonEnvelope, 0},
		"a total that is a text":            {1, 3, `{"items":[],"total":"0","page":1,"page_size":3}`, restclient.ReasonEnvelope, 0},
		"a total that is a fraction":        {1, 3, `{"items":[],"total":0.5,"page":1,"page_size":3}`, restclient.ReasonEnvelope, 0},
		"no page":                           {1, 3, `{"items":[],"total":0,"page_size":3}`, restclient.ReasonEnvelope, 0},
		"no page size":                      {1, 3, `{"items":[],"total":0,"page":1}`, restclient.ReasonEnvelope, 0},
		"a list at the top":                 {1, 3, `[]`, restclient.ReasonEnvelope, 0},
		"a text at the top":                 {1, 3, `"items"`, restclient.ReasonEnvelope, 0},
		"another page":                      {2, 3, string(envelope(someItems(3), 9, 1, 3)), restclient.ReasonEcho, 0},
		"another page size":                 {2, 3, string(envelope(someItems(3), 9, 2, 30)), restclient.ReasonEcho, 0},
		"a negative total":                  {1, 3, string(envelope("", -1, 1, 3)), restclient.ReasonTotal, 0},
		"a total over 32 bits":              {1, 3, string(envelope(someItems(3), 1<<31, 1, 3)), restclient.ReasonTotal, 0},
		"items beyond 32 bits":              {math.MaxInt32, 100, string(envelope(someItems(1), 8, math.MaxInt32, 100)), restclient.ReasonTotal, 0},
		"more items than asked for":         {1, 3, string(envelope(someItems(4), 9, 1, 3)), restclient.ReasonSurplus, 0},
		"a short page in the middle":        {1, 3, string(envelope(someItems(2), 9, 1, 3)), restclient.ReasonShortPage, 0},
		"an empty page in the middle":       {2, 3, string(envelope("", 9, 2, 3)), restclient.ReasonShortPage, 0},
		"an empty first page of a list":     {1, 3, string(envelope("", 2, 1, 3)), restclient.ReasonShortPage, 0},
		"an entry that is a number":         {1, 3, string(envelope(`{},3`, 2, 1, 3)), restclient.ReasonEntry, 0},
		"an entry that is null":             {1, 3, string(envelope(`null`, 1, 1, 3)), restclient.ReasonEntry, 0},
		"a surplus entry that is no object": {1, 1, string(envelope(`{},{},[]`, 1, 1, 1)), restclient.ReasonEntry, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := restclient.PageRequest{Page: tt.page, PageSize: tt.size}
			page, err := restclient.DecodePage([]byte(tt.body), req)
			if got := reasonOf(t, err); got != tt.want {
				t.Fatalf("got reason %q, want %q", got, tt.want)
			}
			if err == nil && page.Total != tt.wantTotal {
				t.Errorf("got total %d, want %d", page.Total, tt.wantTotal)
			}
			if err == nil && page.Items == nil {
				t.Errorf("got nil items, want []")
			}
		})
	}
}

func TestFlatShape(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		items string
		flat  bool
	}{
		"vm_uuid":                               {`{"name":"a","vm_uuid":"u"},{"name":"b"}`, true},
		"resource":                              {`{"name":"a"},{"resource":{}}`, true},
		"node_info, null":                       {`{"name":"a"},{"node_info":null}`, true},
		"vm_uuid beside hosted":                 {`{"hosted":{},"vm_uuid":"u"},{}`, false},
		"vm_uuid beside a null hosted":          {`{"vm_uuid":"u"},{"hosted":null}`, false},
		"vm_uuid beside a wrong hosted":         {`{"vm_uuid":"u"},{"hosted":3}`, false},
		"no hosted":                             {`{"name":"a"},{}`, false},
		"vm_uuid below the top":                 {`{"node":{"vm_uuid":"u"}},{"x":{"resource":1}}`, false},
		"vm_uuid in a list overridden by items": {`{"vm_uuid":1}],"items":[{},{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := restclient.DecodePage(envelope(tt.items, 2, 1, 2), restclient.PageRequest{Page: 1, PageSize: 2})
			if got := reasonOf(t, err) == restclient.ReasonFlatShape; got != tt.flat {
				t.Errorf("got flat shape %t (%v), want %t", got, err, tt.flat)
			}
		})
	}
}

func TestGrammar(t *testing.T) {
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
		"nothing":                      {"", restclient.ReasonTruncated},
		"white space":                  {" \n", restclient.ReasonTruncated},
		"HTML":                         {"<!DOCTYPE html>", restclient.ReasonNotJSON},
		"a byte order mark":            {"\ufeff" + inItem(""), restclient.ReasonNotJSON},
		"white space around":           {" \t\r\n" + inItem("") + "\n ", ""},
		"other white space":            {"\v" + inItem(""), restclient.ReasonNotJSON},
		"text behind":                  {inItem("") + "{}", restclient.ReasonNotJSON},
		"half a page":                  {inItem("")[:20], restclient.ReasonTruncated},
		"half a word":                  {`{"items":nu`, restclient.ReasonTruncated},
		"half a text":                  {`{"items":[{"name":"a`, restclient.ReasonTruncated},
		"half an escape":               {`{"items":[{"name":"a\`, restclient.ReasonTruncated},
		"half a code unit":             {`{"items":[{"name":"a\u00`, restclient.ReasonTruncated},
		"half a number":                {`{"total":-`, restclient.ReasonTruncated},
		"a wrong word":                 {inItem(`"x":nil`), restclient.ReasonNotJSON},
		"a wrong word for a boolean":   {inItem(`"listed":tru`), restclient.ReasonNotJSON},
		"a longer word":                {inItem(`"listed":truer`), restclient.ReasonNotJSON},
		"a leading zero":               {inItem(`"vcpu":01`), restclient.ReasonNotJSON},
		"a leading plus":               {inItem(`"vcpu":+1`), restclient.ReasonNotJSON},
		"a bare point":                 {inItem(`"vcpu":1.`), restclient.ReasonNotJSON},
		"a missing digit":              {inItem(`"vcpu":.5`), restclient.ReasonNotJSON},
		"a bare exponent":              {inItem(`"vcpu":1e`), restclient.ReasonNotJSON},
		"not a number":                 {inItem(`"vcpu":NaN`), restclient.ReasonNotJSON},
		"a comma too many":             {inItem(`"vcpu":1,`), restclient.ReasonNotJSON},
		"a comma too many in a list":   {inItem(`"public_urls":[{},]`), restclient.ReasonNotJSON},
		"a comma at the start":         {inItem(`,"vcpu":1`), restclient.ReasonNotJSON},
		"a comma missing":              {inItem(`"vcpu":1 "memory":2`), restclient.ReasonNotJSON},
		"a colon missing":              {inItem(`"vcpu" 1`), restclient.ReasonNotJSON},
		"a key without quotes":         {inItem(`vcpu:1`), restclient.ReasonNotJSON},
		"the wrong bracket":            {inItem(`"x":[1}`), restclient.ReasonNotJSON},
		"a comment":                    {inItem(`/**/`), restclient.ReasonNotJSON},
		"a control byte in a text":     {inItem("\"x\":\"a\nb\""), restclient.ReasonNotJSON},
		"a control byte in a value":    {inItem("\"name\":\"seven b\x1f\""), restclient.ReasonNotJSON},
		"an unknown escape":            {inItem(`"name":"\x"`), restclient.ReasonNotJSON},
		"a wrong code unit":            {inItem(`"name":"\u00g0"`), restclient.ReasonNotJSON},
		"a bad escape in what we skip": {inItem(`"x":{"y":"\'"}`), restclient.ReasonNotJSON},
		"invalid UTF-8":                {inItem("\"name\":\"\xff\""), restclient.ReasonNotJSON},
		"invalid UTF-8 we skip":        {inItem("\"x\":\"\xc3\""), restclient.ReasonNotJSON},
		"a surrogate in UTF-8":         {inItem("\"x\":\"\xed\xa0\x80\""), restclient.ReasonNotJSON},
		"the deepest nesting":          {deep(512), ""},
		"nesting too deep":             {deep(513), restclient.ReasonTooDeep},
		"bottomless nesting":           {strings.Repeat("[", 1<<20), restclient.ReasonTooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := restclient.DecodePage([]byte(tt.body), onePage)
			if got := reasonOf(t, err); got != tt.want {
				t.Errorf("got reason %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEveryPrefixOfAPageIsTruncated(t *testing.T) {
	t.Parallel()
	body := pageOf(1, compact(t, exampleItem(t)))
	for length := range body {
		_, err := restclient.DecodePage(body[:length], onePage)
		if got := reasonOf(t, err); got != restclient.ReasonTruncated {
			t.Fatalf("%d of %d bytes: got reason %q, want %q", length, len(body), got, restclient.ReasonTruncated)
		}
	}
}
