package pages_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/internal/wire"
	"cvmgraph/restclient"
)

var shapes = []restclient.Shape{restclient.ShapeHosted, restclient.ShapeFlat}

// index decodes a document to a page of the shape hosted.
func index(tb testing.TB, body []byte, request restclient.PageRequest) (*pages.Page, error) {
	tb.Helper()
	return pages.NewUpstreamFunc(restclient.ShapeHosted, nil).Page(body, request)
}

func document(items string, total, page, size int) []byte {
	return fmt.Appendf(nil, `{"items":[%s],"total":%d,"page":%d,"page_size":%d}`, items, total, page, size)
}

// FuzzUpstream_page compares pages with the results of restclient's decoder and of encoding/json.
func FuzzUpstream_page(f *testing.F) {
	for _, file := range []string{"item.json", "item-flat.json"} {
		example, err := os.ReadFile("../../restclient/testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document(string(example), 1, 1, 1), 1, 1)
	}
	f.Add(document("", 7, 3, 5), 3, 5)
	for _, test := range unusualItems {
		f.Add(document(test.items, test.count, 1, 30), 1, 30)
	}
	f.Add([]byte(` { "page" : 1.0 , "items":[{}],"total":10e-1,"\u0069tems":[ {"hosted":{"id":"a"}} ,{ } ], "page_size":2,"total":2,"x":[[]]} `), 1, 2)
	f.Add([]byte(strings.Repeat("[", 600)+strings.Repeat("]", 600)), 1, 1)
	f.Fuzz(func(t *testing.T, body []byte, number, size int) {
		request := restclient.PageRequest{Page: max(1, number&0xffff), PageSize: max(1, size&0x7f%101)}
		for _, shape := range shapes {
			compareWithDecoder(t, shape, body, request)
		}
	})
}

// unusualItems are lists of items, each with one unusual property.
var unusualItems = map[string]struct {
	items string
	count int
}{
	"two equal items without a VM":             {items: `{"hosted":null,"name":"n","node":{"id":3}},{"name":"n","node":{"id":3.0}}`, count: 2},
	"two items with the same VM":               {items: `{"hosted":{"id":"a"}},{"hosted":{"\u0069d":"\u0061"}}`, count: 2},
	"two spellings of a uuid":                  {items: `{"hosted":{"id":"1A09D70626864E0A8B1D323FF0E3504B"}},{"hosted":{"id":"1a09d706-2686-4e0a-8b1d-323ff0e3504b"}}`, count: 2},
	"an escaped id":                            {items: `{"hosted":{"id":"\ud83d\ude00\ud83d\n\u00e9\/"}}`, count: 1},
	"an empty id":                              {items: `{"hosted":{"id":""},"managed_user":{"id":1042}},{"hosted":{"id":""},"managed_user":{"id":"1042"}}`, count: 2},
	"an id of the wrong type":                  {items: `{"hosted":{"id":7},"project_id":"p"},{"hosted":7,"project_id":"p"}`, count: 2},
	"duplicate keys":                           {items: `{"hosted":{"id":"a"},"hosted":{"name":"b"},"node":{"id":1},"node":null}`, count: 1},
	"a duplicate key repairs an invalid field": {items: `{"name":7,"name":"n","public_urls":[7],"public_urls":[]}`, count: 1},
	"invalid fields":                           {items: `{"name":7,"vcpu":2147483648,"listed":0,"public_urls":[null,{"app":1}],"kms_info":[],"hosted":{"events":{}}}`, count: 1},
	"numbers":                                  {items: `{"vcpu":1e2,"memory":-0,"disk_size":2147483647.0,"kms_info":{"chain_id":9223372036854775807}}`, count: 1},
	"numeric identifiers":                      {items: `{"managed_user":{"id":-9223372036854775808}},{"managed_user":{"id":1e19}},{"managed_user":{"id":1.50e1}}`, count: 3},
	"the flat shape":                           {items: `{"vm_uuid":null}`, count: 1},
	"the flat shape with a hosted key":         {items: `{"vm_uuid":null,"hosted":null}`, count: 1},
	"an item that is not an object":            {items: `{},null`, count: 2},
	"more items than requested":                {items: strings.Repeat(`{},`, 30) + `{}`, count: 31},
	"the flat shape with equal ids":            {items: `{"vm_uuid":"","id":1e1},{"vm_uuid":null,"id":"10"},{"vm_uuid":"a"},{"id":1.5}`, count: 4},
	"a flat uuid of the wrong type":            {items: `{"vm_uuid":7,"id":"\u0061"},{"resource":{"memory_in_gb":"4"}},{"manifest_version":"x"}`, count: 3},
	"white space":                              {items: " {\n\"name\" :\t\"n\" , \"public_urls\" : [ { } , 7 ]\r} ", count: 1},
}

func TestPage_agreesWithDecoder(t *testing.T) {
	t.Parallel()
	for name, test := range unusualItems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, shape := range shapes {
				compareWithDecoder(t, shape, document(test.items, test.count, 1, 30), restclient.PageRequest{Page: 1, PageSize: 30})
			}
		})
	}
}

func compareWithDecoder(t *testing.T, shape restclient.Shape, body []byte, request restclient.PageRequest) {
	t.Helper()
	got, gotErr := pages.NewUpstreamFunc(shape, nil).Page(bytes.Clone(body), request)
	want, wantErr := shape.DecodePage(body, request)
	if gotReason, wantReason := reasonOf(gotErr), reasonOf(wantErr); gotReason != wantReason {
		t.Fatalf("got %q, want %q", gotReason, wantReason)
	}
	if gotErr != nil {
		return
	}
	envelope, raw := slowEnvelope(t, shape, body)
	if got.Envelope != envelope {
		t.Errorf("envelope: got %+v, want %+v", got.Envelope, envelope)
	}
	if got.Total != want.Total || got.Len() != len(want.Items) || got.Len() != len(raw) || got.BodySize() != len(body) {
		t.Fatalf("got %d items of %d in %d bytes, want %d of %d in %d", got.Len(), got.Total, got.BodySize(), len(want.Items), want.Total, len(body))
	}
	identities := slowIdentities(shape, want.Items)
	if !slices.Equal(got.Identities, identities) {
		t.Errorf("identities: got %+v, want %+v", got.Identities, identities)
	}
	for i := range raw {
		if !bytes.Equal(got.Raw(i), raw[i]) {
			t.Errorf("item %d: got %q, want %q", i, got.Raw(i), raw[i])
		}
		// The index also counts an invalid value that a duplicate key replaces.
		if invalid, errs := got.Item(i).MayHaveInvalid(), want.Items[i].FieldErrors; invalid != (len(errs) > 0) && (!invalid || !hasDuplicateKey(raw[i])) {
			t.Errorf("item %d: got MayHaveInvalid %v, want it for the field errors %v", i, invalid, errs)
		}
		if got.Fingerprints[i] != identities[i].Fingerprint() {
			t.Errorf("item %d: got the fingerprint of another item", i)
		}
	}
	fingerprints := slices.Sorted(slices.Values(got.Fingerprints))
	if distinct := len(slices.Compact(fingerprints)) == len(raw); got.Distinct != distinct {
		t.Errorf("got Distinct %v, want %v", got.Distinct, distinct)
	}
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	if invalid, ok := errors.AsType[*restclient.InvalidResponseError](err); ok {
		return string(invalid.Reason)
	}
	return err.Error()
}

// slowEnvelope decodes the envelope and the items of a valid page with encoding/json.
func slowEnvelope(t *testing.T, shape restclient.Shape, body []byte) (e wire.Envelope, items []json.RawMessage) {
	t.Helper()
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(body, &keys); err != nil {
		t.Fatal(err)
	}
	e.IsList = json.Unmarshal(keys["items"], &items) == nil
	e.Count = len(items)
	for _, item := range items {
		var members map[string]json.RawMessage
		if json.Unmarshal(item, &members) != nil || members == nil {
			e.HasInvalidEntry = true
		}
		own, other := false, false
		for _, of := range shapes {
			for _, key := range of.Keys() {
				_, has := members[key]
				own = own || has && of == shape
				other = other || has && of != shape
			}
		}
		e.HasOther = e.HasOther || other && !own
	}
	e.Total, e.HasTotal = slowInteger(keys["total"])
	e.Page, e.HasPage = slowInteger(keys["page"])
	e.PageSize, e.HasPageSize = slowInteger(keys["page_size"])
	return e, items
}

// slowInteger returns the value of a JSON number, and whether it is an int64.
func slowInteger(number []byte) (int64, bool) {
	if mantissa, _, _ := strings.Cut(strings.ToLower(string(number)), "e"); strings.Trim(mantissa, "-0.") == "" {
		return 0, len(number) > 0
	}
	rational, ok := new(big.Rat).SetString(string(number))
	if !ok || !rational.IsInt() || !rational.Num().IsInt64() {
		return 0, false
	}
	return rational.Num().Int64(), true
}

// slowIdentities returns the identities of decoded items.
func slowIdentities(shape restclient.Shape, items []restclient.Item) []relay.Identity {
	str := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	identities := make([]relay.Identity, len(items))
	equal := make(map[relay.Fingerprint]int)
	for i, item := range items {
		cvm := item.Cvm
		if id := cvm.VMID; id != nil {
			identities[i] = relay.VMIdentity(*id)
			continue
		}
		var node, user string
		if cvm.Node != nil && cvm.Node.NodeID != nil {
			node = strconv.Itoa(int(*cvm.Node.NodeID))
		}
		if cvm.ManagedUser != nil {
			user = str(cvm.ManagedUser.UserID)
		}
		traits := relay.FingerprintOf(str(cvm.ProjectID), str(cvm.Name), node, user, str(cvm.ContractAddress))
		if shape == restclient.ShapeFlat {
			traits = relay.FingerprintOf(str(cvm.CvmID))
		}
		equal[traits]++
		identities[i] = relay.Identity{Traits: traits, Number: equal[traits]}
	}
	return identities
}

// hasDuplicateKey reports whether an object in a document has the same key twice.
func hasDuplicateKey(document []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var scan func() (duplicate bool, err error)
	scan = func() (duplicate bool, err error) {
		token, err := decoder.Token()
		if err != nil {
			return false, err
		}
		if token != json.Delim('{') && token != json.Delim('[') {
			return false, nil
		}
		keys := make(map[json.Token]bool)
		for decoder.More() {
			if token == json.Delim('{') {
				key, err := decoder.Token()
				if err != nil {
					return false, err
				}
				duplicate = duplicate || keys[key]
				keys[key] = true
			}
			nested, err := scan()
			if err != nil {
				return false, err
			}
			duplicate = duplicate || nested
		}
		_, err = decoder.Token() // the closing bracket
		return duplicate, err
	}
	duplicate, err := scan()
	return duplicate && (err == nil || errors.Is(err, io.EOF))
}

func TestPage_hostileDocuments(t *testing.T) {
	t.Parallel()
	const million = 1_000_000
	tests := map[string]struct {
		items  string
		count  int
		reason restclient.Reason // empty if the page is valid
	}{
		"a million events": {
			items: `{"hosted":{"events":[` + strings.Repeat(`{},`, million) + `{}]}}`, count: 1,
			reason: restclient.ReasonTooManyElements,
		},
		"a million events in many lists": {
			items: strings.Repeat(`{"hosted":{"events":[{},{},{},{},{},{},{},{},{},{}]}},`, million/10) + `{}`, count: 100,
			reason: restclient.ReasonTooManyElements,
		},
		"a million events of equal keys": {
			items: `{"hosted":{` + strings.Repeat(`"events":[{}],`, million) + `"events":[]}}`, count: 1,
			reason: restclient.ReasonTooManyElements,
		},
		"a million events of the wrong type": {
			items: `{"hosted":{"events":[` + strings.Repeat(`0,`, million) + `0]}}`, count: 1,
			reason: restclient.ReasonTooManyFieldErrors,
		},
		"a million items": {
			items: strings.Repeat(`{},`, million) + `{}`, count: 100,
			reason: restclient.ReasonSurplus,
		},
		"a million strings": {
			items: `{"hosted":{"configuration":{"kms_urls":[` + strings.Repeat(`"",`, million) + `""]}}}`, count: 1,
		},
		"a first item with many events, and a long string": {
			items: `{"hosted":{"events":[` + strings.Repeat(`{},`, 90_000) + `{}]}},{"name":"` + strings.Repeat("n", 12*million) + `"}`, count: 2,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := document(test.items, test.count, 1, 100)
			page, err := index(t, body, restclient.PageRequest{Page: 1, PageSize: 100})
			if got := reasonOf(err); got != string(test.reason) {
				t.Fatalf("got %q, want %q", got, test.reason)
			}
			if err != nil {
				return
			}
			// At most 100,000 elements of 5 slots, and 100 items.
			if got, want := page.MemorySize()-len(body), 8<<20; got > want {
				t.Errorf("got an index of %d bytes, want at most %d", got, want)
			}
		})
	}
}
