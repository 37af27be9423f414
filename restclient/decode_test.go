package restclient_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

func TestDecodePage_everyField(t *testing.T) {
	t.Parallel()
	item := decodeItem(t, string(exampleItem(t)))
	if item.FieldErrors != nil {
		t.Errorf("got field errors %v, want none", item.FieldErrors)
	}
	encoded, err := json.Marshal(item.Cvm)
	if err != nil {
		t.Fatal(err)
	}
	got := generic(t, encoded).(map[string]any)
	want := generic(t, exampleItem(t)).(map[string]any)
	want["managed_user"].(map[string]any)["id"] = "1042" // an ID is a string
	sameTree(t, "item", got, want)
}

func generic(t *testing.T, document []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// sameTree compares two generic documents, and reports each difference with its path.
func sameTree(t *testing.T, path string, got, want any) {
	t.Helper()
	gotObject, ok1 := got.(map[string]any)
	wantObject, ok2 := want.(map[string]any)
	if !ok1 || !ok2 {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
		return
	}
	for key := range wantObject {
		sameTree(t, path+"."+key, gotObject[key], wantObject[key])
	}
	for key := range gotObject {
		if !has(wantObject, key) {
			t.Errorf("%s: got the key %s, want none", path, key)
		}
	}
}

func TestDecodePage_agreesWithOracle(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			decodePages(t, shape)
		})
	}
}

func decodePages(t *testing.T, shape restclient.Shape) {
	t.Helper()
	example := compact(t, exampleOf(t, shape))
	for name, body := range map[string][]byte{
		"a full page":        pageOf(100, example),
		"an indented page":   pageOf(3, exampleOf(t, shape)),
		"an empty item":      pageOf(1, []byte(`{}`)),
		"nested empties":     pageOf(1, []byte(`{"hosted":{"configuration":{"compose_file":{},"gpus":{}}},"node":{},"managed_user":{},"kms_info":{}}`)),
		"flat empties":       pageOf(1, []byte(`{"vm_uuid":"","resource":{},"node_info":{},"os":{},"kms_info":{},"gateway":{},"logs":{},"creator":{},"workspace":{}}`)),
		"no values of a VM":  pageOf(1, []byte(`{"vm_uuid":"u"}`)),
		"other key orders":   pageOf(1, reversed(t, example)),
		"items that differ":  envelope(`{"name":"a"},`+string(example)+`,{},{"hosted":null},`+string(example), 5, 1, 5),
		"escapes everywhere": pageOf(1, bytes.ReplaceAll(example, []byte("app"), []byte(`\u0061pp`))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked struct {
				Size int `json:"page_size"`
			}
			if err := json.Unmarshal(body, &asked); err != nil {
				t.Fatal(err)
			}
			req := restclient.PageRequest{Page: 1, PageSize: asked.Size}
			got, err := shape.DecodePage(body, req)
			want, reason := oraclePage(shape, body, req)
			if gotReason := reasonOf(t, err); gotReason != reason {
				t.Fatalf("got reason %q, want %q", gotReason, reason)
			}
			if reason == "" {
				samePage(t, got, want)
			}
		})
	}
}

// reversed returns the object with its members in another order.
func reversed(t *testing.T, object []byte) []byte {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for key := range members {
		rest := bytes.Clone(b.Bytes())
		b.Reset()
		fmt.Fprintf(&b, ",%q:%s%s", key, members[key], rest)
	}
	if len(object) != b.Len()+1 {
		t.Fatalf("got %d bytes, want %d", b.Len()+1, len(object))
	}
	return []byte("{" + strings.TrimPrefix(b.String(), ",") + "}")
}

// oddNumbers are valid JSON numbers, integers and others.
var oddNumbers = []string{
	"0", "-0", "-0.0", "0e999999999999999999999", "1.0", "1e2", "1E+2", "10e-1", "1.5e1", "-12.50e1", "1.5", "1e-1",
	"2147483647", "2147483648", "-2147483648", "-2147483649", "2.147483647e9", "2.147483648e9", "21474836470e-1",
	"999999999999999999", "1000000000000000000", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
	"-9223372036854775809", "9.223372036854775807e18", "1e18", "1e19", "1e999999999999999999999", "1e-999999999999999999999",
	"100000000000000000000000000000e-29", "0.0000000000000000000000000001e28", "1234567890123456789012345678901234567890",
}

func TestDecodePage_integers(t *testing.T) {
	t.Parallel()
	for _, number := range oddNumbers {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			item := fmt.Sprintf(`{"vcpu":%[1]s,"kms_info":{"chain_id":%[1]s},"managed_user":{"id":%[1]s}}`, number)
			body := pageOf(1, []byte(item))
			got, err := restclient.ShapeHosted.DecodePage(body, onePage)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := oraclePage(restclient.ShapeHosted, body, onePage)
			samePage(t, got, want)
		})
	}
}

func TestDecodePage_strings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ encoded, want string }{
		"empty":                             {encoded: `""`},
		"plain":                             {encoded: `"running"`, want: "running"},
		"all short escapes":                 {encoded: `"\"\\\/\b\f\n\r\t"`, want: "\"\\/\b\f\n\r\t"},
		"a code unit":                       {encoded: `"\u00e4\u20AC"`, want: "ä€"},
		"a surrogate pair":                  {encoded: `"\ud83d\ude00"`, want: "😀"},
		"half a pair":                       {encoded: `"a\ud83db"`, want: "a\ufffdb"},
		"half a pair at the end":            {encoded: `"\ud83d"`, want: "\ufffd"},
		"the low half alone":                {encoded: `"\ude00x"`, want: "\ufffdx"},
		"two high halves before a low one":  {encoded: `"\ud83d\ud83d\ude00"`, want: "\ufffd😀"},
		"half a pair before a short escape": {encoded: `"\ud83d\n"`, want: "\ufffd\n"},
		"raw UTF-8":                         {encoded: `"naïve 😀"`, want: "naïve 😀"},
		"delete and a null":                 {encoded: `"\u0000` + "\x7f\"", want: "\x00\x7f"},
		"longer than a guess":               {encoded: `"` + strings.Repeat("x", 1<<20) + `"`, want: strings.Repeat("x", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := decodeItem(t, `{"name":"before","status":`+tt.encoded+`,"project_id":"after"}`)
			if got := *item.Cvm.Status; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := *item.Cvm.Name + *item.Cvm.ProjectID; got != "beforeafter" {
				t.Errorf("got neighbors %q, want beforeafter", got)
			}
		})
	}
}

func TestDecodePage_absentAndNull(t *testing.T) {
	t.Parallel()
	absent := decodeItem(t, `{"hosted":{"configuration":{"compose_file":{},"gpus":{}}}}`)
	null := decodeItem(t, `{"hosted":{"id":null,"events":null,"configuration":{"vcpu":null,"ports":null,"kms_urls":null,"hugepages":null,
		"compose_file":{"kms_enabled":null,"features":null,"runner":null,"secure_time":null},"gpus":{"gpus":null,"attach_mode":null}}},
		"name":null,"public_urls":null,"node":null,"listed":null,"managed_user":null,"kms_info":null}`)
	if !reflect.DeepEqual(absent, null) {
		t.Errorf("got another item for null than for absent keys")
	}
	cvm := absent.Cvm
	compose := cvm.Hosted.Configuration.ComposeFile
	if !*compose.KmsEnabled || *compose.NoInstanceID || *cvm.AllowUpgrade || !compose.PublicLogs || !compose.TproxyEnabled || compose.SecureTime || cvm.Listed {
		t.Errorf("got booleans %+v, want the documented defaults", compose)
	}
	if cvm.PublicURLs == nil || cvm.Hosted.Events == nil || compose.Features == nil || len(compose.Features) != 0 {
		t.Errorf("got a nil list, or the default of one; want []")
	}
	if cvm.Hosted.Configuration.Gpus.AttachMode != nil || compose.Runner != nil || cvm.Node != nil {
		t.Errorf("got a value for an absent key, want nil")
	}
	if bare := decodeItem(t, `{"hosted":{"configuration":{}}}`); bare.Cvm.Hosted.Configuration.Gpus != nil {
		t.Errorf("got GPUs, want nil")
	}
}

func TestCvm_vmID(t *testing.T) {
	t.Parallel()
	for item, want := range map[string]any{
		`{}`:                                  nil,
		`{"hosted":null}`:                     nil,
		`{"hosted":{}}`:                       nil,
		`{"hosted":{"id":""}}`:                nil,
		`{"hosted":{"id":7}}`:                 nil,
		`{"hosted":{"id":"x"},"vm_uuid":"y"}`: "x",
	} {
		cvm := decodeItem(t, item).Cvm
		if cvm.Hosted != nil && cvm.VMID != cvm.Hosted.VMID {
			t.Errorf("%s: got %v, want that of the VM, %v", item, cvm.VMID, cvm.Hosted.VMID)
		}
		if got := cvm.VMID; (got == nil) != (want == nil) || got != nil && *got != want {
			t.Errorf("%s: got %v, want %v", item, got, want)
		}
	}
}

func TestDecodePage_copiesValues(t *testing.T) {
	t.Parallel()
	body := pageOf(1, compact(t, exampleItem(t)))
	page, err := restclient.ShapeHosted.DecodePage(body, onePage)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := oraclePage(restclient.ShapeHosted, bytes.Clone(body), onePage)
	clear(body)
	samePage(t, page, want)
}
