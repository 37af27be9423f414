package restclient_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// compared returns the differences of a document, one line each.
func compared(t *testing.T, document []byte) []string {
	t.Helper()
	got, err := restclient.ShapeHosted.Compare(document, restclient.Credential{})
	if err != nil {
		t.Fatal(err)
	}
	return lines(got)
}

func lines(c restclient.Comparison) (lines []string) {
	for _, d := range c.Differences {
		lines = append(lines, d.String())
	}
	return lines
}

// edited returns a page of three example items, of which the last ones are edited.
func edited(t *testing.T, items int, edit func(item, hosted, configuration map[string]any)) []byte {
	t.Helper()
	page := generic(t, pageOf(3, exampleItem(t))).(map[string]any)
	for _, item := range page["items"].([]any)[3-items:] {
		item := item.(map[string]any)
		hosted := item["hosted"].(map[string]any)
		edit(item, hosted, hosted["configuration"].(map[string]any))
	}
	document, err := json.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func rename(object map[string]any, from, to string) {
	object[to] = object[from]
	delete(object, from)
}

type object = map[string]any

// comparisons are edits of the last items of a page, and the differences that they make.
var comparisons = map[string]struct {
	items int
	edit  func(item, hosted, configuration object)
	want  []string
}{
	"no difference": {items: 3, edit: func(_, _, _ object) {}},
	"a required key is missing": {
		items: 2,
		edit:  func(_, hosted, _ object) { delete(hosted, "uptime") },
		want:  []string{"missing items[].hosted.uptime (a string; 2 of 3)"},
	},
	"a required key has another name": {
		items: 3,
		edit:  func(_, hosted, _ object) { rename(hosted, "uptime", "up_time") },
		want: []string{
			"missing items[].hosted.uptime (a string; renamed to up_time?; 3 of 3)", "unknown items[].hosted.up_time (string; 3 of 3)",
		},
	},
	"an optional key is missing": {items: 3, edit: func(item, _, _ object) { delete(item, "memory") }},
	"an optional key has another name": {
		items: 3,
		edit:  func(item, _, _ object) { rename(item, "memory", "memory_mb") },
		want: []string{
			"missing items[].memory (an integer of 32 bits; renamed to memory_mb?; 3 of 3)", "unknown items[].memory_mb (number; 3 of 3)",
		},
	},
	"an optional key has another name in some items": {
		items: 2,
		edit:  func(item, _, _ object) { rename(item, "memory", "memory_mb") },
		want:  []string{"unknown items[].memory_mb (number; 2 of 3)"},
	},
	"an optional key is missing, a key of another type is unknown": {
		items: 3,
		edit:  func(item, _, _ object) { delete(item, "memory"); item["updated_at"] = "now" },
		want: []string{
			"unknown items[].updated_at (string; 3 of 3)",
		},
	},
	"an optional key is missing, an unknown one is null": {
		items: 3,
		edit:  func(item, _, _ object) { delete(item, "memory"); item["updated_at"] = nil },
		want: []string{
			"unknown items[].updated_at (null; 3 of 3)",
		},
	},
	"no item has a VM": {items: 3, edit: func(item, _, _ object) { delete(item, "hosted") }},
	"VMs have another name": {
		items: 3,
		edit:  func(item, _, _ object) { rename(item, "hosted", "vm") },
		want: []string{
			"missing items[].hosted (an object; renamed to vm?; 3 of 3)", "unknown items[].vm (object; 3 of 3)",
		},
	},
	"a null": {items: 3, edit: func(item, hosted, _ object) { item["name"], item["vcpu"], hosted["configuration"] = nil, nil, nil }},
	"other types": {
		items: 2,
		edit: func(item, hosted, configuration object) {
			item["name"], item["listed"], hosted["events"], configuration["gpus"] = 7, "true", object{}, []any{}
		},
		want: []string{
			"changed items[].hosted.configuration.gpus (should be an object, is array; 2 of 3)",
			"changed items[].hosted.events (should be a list, is object; 2 of 3)",
			"changed items[].name (should be a string, is number; 2 of 3)",
			"changed items[].listed (should be true or false, is string; 2 of 3)",
		},
	},
	"numbers of the wrong type": {
		items: 3,
		edit: func(item, hosted, _ object) {
			item["vcpu"], item["memory"], item["disk_size"] = 1.5, 1<<31, json.Number("1e2")
			hosted["events"] = []any{object{"event": "e", "body": "", "timestamp": 1 << 40}, object{"event": "e", "body": "", "timestamp": "1"}}
			item["managed_user"] = object{"id": 1.5, "username": "u"}
		},
		want: []string{
			"changed items[].hosted.events[].timestamp (should be an integer of 64 bits, is string; 3 of 6)",
			"changed items[].managed_user.id (should be a string or an integer, is number; 3 of 3)",
			"changed items[].vcpu (should be an integer of 32 bits, is number; 3 of 3)",
			"changed items[].memory (should be an integer of 32 bits, is number; 3 of 3)",
		},
	},
	"elements of lists": {
		items: 3,
		edit: func(item, _, configuration object) {
			item["public_urls"], configuration["kms_urls"] = []any{nil, object{"app": "a", "instance": "b", "url": true}}, []any{"a", 7, nil}
		},
		want: []string{
			"changed items[].hosted.configuration.kms_urls[] (should be a string, is null, number; 6 of 9)",
			"changed items[].public_urls[] (should be an object, is null; 3 of 6)",
			"unknown items[].public_urls[].url (boolean; 3 of 3)",
		},
	},
	"keys that are not shown": {
		items: 3,
		edit: func(item, _, _ object) {
			item[""], item["größe"], item["a b"], item[strings.Repeat("x", 65)] = object{}, 2, 3, 4
			item[strings.Repeat("y", 64)] = 5
			delete(item, "node")
		},
		want: []string{
			"unknown items[].(not shown) (3 of 3)", "unknown items[]." + strings.Repeat("y", 64) + " (number; 3 of 3)",
		},
	},
	"keys of the flat shape and hosted": {
		items: 1,
		edit:  func(item, _, _ object) { item["vm_uuid"], item["node_info"] = "a", object{} },
		want: []string{
			"unknown items[].node_info (object; 1 of 3)", "unknown items[].vm_uuid (string; 1 of 3)",
		},
	},
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for name, test := range comparisons {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := compared(t, edited(t, test.items, test.edit)); !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestCompare_document(t *testing.T) {
	t.Parallel()
	const whole = `"items":[],"total":0,"page":1,"page_size":1,"pages":0`
	for name, test := range map[string]struct {
		document string
		want     []string
	}{
		"all of it": {document: `{` + whole + `}`},
		"more":      {document: `{` + whole + `,"next":null}`, want: []string{"unknown next (null; 1 of 1)"}},
		"no difference": {
			document: `{}`,
			want:     []string{"missing items (a list; 1 of 1)", "missing total (an integer of 64 bits; 1 of 1)", "missing page (an integer of 64 bits; 1 of 1)", "missing page_size (an integer of 64 bits; 1 of 1)", "missing pages (an integer of 64 bits; 1 of 1)"},
		},
		"a null": {
			document: `{` + strings.Replace(whole, `:0,`, `:null,`, 1) + `}`,
			want:     []string{"changed total (should be an integer of 64 bits, is null; 1 of 1)"},
		},
		"items by their ids": {
			document: `{` + strings.Replace(whole, `[]`, `{"a":{}}`, 1) + `}`,
			want:     []string{"changed items (should be a list, is object; 1 of 1)"},
		},
		"items that are not objects": {
			document: `{` + strings.Replace(whole, `[]`, `[1,{"name":"n","status":"s","public_urls":[]}]`, 1) + `}`,
			want:     []string{"changed items[] (should be an object, is number; 1 of 2)"},
		},
		"the last of equal keys": {
			document: `{` + whole + `,"total":"x","total":1,"items":[{"name":1}],"items":[],"x":1,"x":"y"}`,
			want: []string{
				"unknown x (string; 1 of 1)",
			},
		},
		"a list":   {document: ` [{}] `, want: []string{"changed . (should be an object, is array; 1 of 1)"}},
		"a string": {document: `"items"`, want: []string{"changed . (should be an object, is string; 1 of 1)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := compared(t, []byte(test.document)); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCompare_flatShape(t *testing.T) {
	t.Parallel()
	got, err := restclient.ShapeHosted.Compare(envelope(`{"vm_uuid":"a","name":"n"},{"id":"cvm_1","resource":{},"hosting":1}`, 2, 1, 2), restclient.Credential{})
	want := []string{"changed items[] (should be an item of API version 2025-10-28, is an item of another version; 2 of 2)"}
	if err != nil || !got.OtherShape || got.Items != 2 || got.Changed != 1 || got.Unknown+got.Missing != 0 || !slices.Equal(lines(got), want) {
		t.Errorf("got %+v, %v, want %s", got, err, want)
	}
}

func TestCompare_invalidDocuments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		document string
		want     restclient.Reason
	}{
		"no difference":     {want: restclient.ReasonTruncated},
		"a page":            {document: "<!DOCTYPE html>", want: restclient.ReasonNotJSON},
		"half of it":        {document: `{"items":[{"name"`, want: restclient.ReasonTruncated},
		"more after it":     {document: `{} {}`, want: restclient.ReasonNotJSON},
		"not UTF-8":         {document: "{\"a\":\"\xff\"}", want: restclient.ReasonNotJSON},
		"too deep":          {document: `{"items":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, want: restclient.ReasonTooDeep},
		"an invalid number": {document: `{"items":[{"vcpu":1.}]}`, want: restclient.ReasonNotJSON},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := restclient.ShapeHosted.Compare([]byte(test.document), restclient.Credential{})
			if got := reasonOf(t, err); got != test.want {
				t.Errorf("got reason %q, want %q", got, test.want)
			}
		})
	}
}

// TestCompare_showsNoCredential compares a document with keys that contain parts of the credential.
func TestCompare_showsNoCredential(t *testing.T) {
	t.Parallel()
	credential := restclient.NewCredential(restclient.Headers{Authorization: "Bearer sec.ret-token", APIKey: "phak_0123456789", Workspace: "the-workspace"})
	document := envelope(`{"hosted":null,"name":"n","status":"s","public_urls":[],"sec.ret-token":null,"x-phak_0123456789-x":null,"workspace":{},"ret-token":null,"phak":null}`, 1, 1, 1)
	got, err := restclient.ShapeHosted.Compare(document, credential)
	want := []string{"unknown items[].(not shown) (1 of 1)", "unknown items[].phak (null; 1 of 1)"}
	if err != nil || !slices.Equal(lines(got), want) {
		t.Errorf("got %q, %v, want %q", lines(got), err, want)
	}
}

func TestCompare_limits(t *testing.T) {
	t.Parallel()
	var item strings.Builder
	item.WriteString(`{"hosted":7,"status":"s"`)
	for i := range 100_000 {
		fmt.Fprintf(&item, `,"key%05d":%d`, i, i)
	}
	got, err := restclient.ShapeHosted.Compare(envelope(item.String()+"}", 1, 1, 1), restclient.Credential{})
	// name, public_urls, and the optional keys of numbers, which may have other names, such as
	// memory.
	if err != nil || got.Missing != 5 || got.Changed != 1 || got.Unknown != 65 || len(got.Differences) != 40 || got.Omitted() != 31 {
		t.Fatalf("got %d missing, %d changed, %d unknown, %d described and %d more, %v", got.Missing, got.Changed, got.Unknown, len(got.Differences), got.Omitted(), err)
	}
	if first, last := got.Differences[0], got.Differences[39]; first.Kind != restclient.DifferenceMissing || last.Kind != restclient.DifferenceUnknown {
		t.Errorf("got %v first and %v last, want missing keys first", first, last)
	}
	for _, d := range got.Differences {
		if len(d.Candidates) > 8 {
			t.Errorf("got %d candidates for %s, want 8 at most", len(d.Candidates), d.Path)
		}
	}
}

// TestCvm_requiredKeys compares the tags with the upstream's reference. CVMs without a VM lack
// hosted, although it is required there.
func TestCvm_requiredKeys(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"Cvm": "name status public_urls", "HostedVm": "id name status uptime app_id", "VmEvent": "event body",
		"VmConfiguration": "name image vcpu memory disk_size", "ComposeFile": "name", "PortMapping": "protocol host_port vm_port", "GpuConfig": "gpus",
		"Gpu": "slot", "KmsInfo": "id url version", "PublicUrl": "app instance", "CvmNode": "id name", "ManagedUser": "id username",
		// These are not in the reference of this shape.
		"HourlyRate": "", "CvmOs": "", "CvmProgress": "", "Workspace": "id name", "CvmLogs": "",
	}
	got := map[string]string{}
	var visit func(reflect.Type)
	visit = func(of reflect.Type) {
		if of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of.Name() == "" {
			return
		}
		var keys []string
		for i := range of.NumField() {
			if of.Field(i).Tag.Get("required") == "true" {
				keys = append(keys, of.Field(i).Tag.Get("json"))
			}
			visit(of.Field(i).Type)
		}
		got[of.Name()] = strings.Join(keys, " ")
	}
	visit(reflect.TypeFor[restclient.Cvm]())
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// demoPage returns a page of the demo upstream in an API version.
func demoPage(tb testing.TB, version string, size int) []byte {
	tb.Helper()
	request := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, fmt.Sprintf("%s?page=1&page_size=%d", demo.ListPath, size), nil)
	request.Header.Set("Authorization", "Bearer contract")
	request.Header.Set("X-Phala-Version", version)
	recorder := httptest.NewRecorder()
	demo.New(demo.Options{}).ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		tb.Fatalf("got status %d", recorder.Code)
	}
	return recorder.Body.Bytes()
}

func TestCompare_demoUpstream(t *testing.T) {
	t.Parallel()
	for _, version := range restclient.KnownVersions() {
		got, err := restclient.ShapeOf(version).Compare(demoPage(t, version, 100), restclient.Credential{})
		if err != nil || got.Items != 100 || got.Differences != nil {
			t.Errorf("version %s: got %+v, %v, want 100 items without a difference", version, got, err)
		}
	}
	if got, err := restclient.ShapeHosted.Compare(demoPage(t, "2026-06-23", 100), restclient.Credential{}); err != nil || !got.OtherShape {
		t.Errorf("got %+v, %v, want the flat shape", got, err)
	}
}

// mutated returns a page of items written by a mutator.
func mutated(m *mutator, items []any) []byte {
	m.out.Reset()
	m.out.WriteString(`{"items":[`)
	for i, item := range items {
		m.out.WriteString(strings.Repeat(",", min(i, 1)))
		m.write(item)
	}
	fmt.Fprintf(&m.out, `],"total":%s,"page":1,"page_size":%d,"pages":1}`, oddValues[m.rand.IntN(len(oddValues))], len(items))
	return []byte(m.out.String())
}

func TestCompare_randomDocuments(t *testing.T) {
	t.Parallel()
	rounds := 300
	if testmode.Full() {
		rounds = 5_000
	}
	for shape, object := range map[restclient.Shape]string{restclient.ShapeHosted: "hosted", restclient.ShapeFlat: "resource"} {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			example := generic(t, exampleOf(t, shape)).(map[string]any)
			example["new"], example[object].(map[string]any)["more"] = 7, "text"
			compareRandomDocuments(t, shape, example, rounds)
		})
	}
}

func compareRandomDocuments(t *testing.T, shape restclient.Shape, example any, rounds int) {
	t.Helper()
	m := &mutator{rand: rand.New(rand.NewPCG(3, 4))}
	seen := map[restclient.DifferenceKind]int{}
	for range rounds {
		document := mutated(m, []any{example, example, example}[:1+m.rand.IntN(3)])
		got, err := shape.Compare(document, restclient.Credential{})
		if err != nil {
			t.Fatalf("got error %v for %s", err, document)
		}
		sameComparison(t, shape, document, got)
		for _, d := range got.Differences {
			seen[d.Kind]++
		}
	}
	for _, kind := range []restclient.DifferenceKind{restclient.DifferenceMissing, restclient.DifferenceChanged, restclient.DifferenceUnknown} {
		if seen[kind] < rounds/10 {
			t.Errorf("got %d differences of kind %s in %d documents, want at least a tenth of them", seen[kind], kind, rounds)
		}
	}
}

// sameComparison compares with the oracle's result.
func sameComparison(t *testing.T, shape restclient.Shape, document []byte, got restclient.Comparison) {
	t.Helper()
	want, ok := oracleCompare(shape, document)
	if !ok {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got\n%+v\nwant\n%+v\nfor %s", got, want, document)
	}
}

func FuzzCompare(f *testing.F) {
	for _, shape := range shapes {
		f.Add(pageOf(1, compact(f, exampleOf(f, shape))))
	}
	f.Add(envelope(`{"vm_uuid":null},{"hosted":null,"größe":1,"":2}`, 2, 1, 2))
	f.Add([]byte(`{"items":[{"name":1,"name":null,"nam\u0065":[],"x":1,"x":{"y":2}},7,null],"total":1.0,"page":1e99,"page_size":"","pages":null,"items":[{}]}`))
	for _, items := range faultyItems {
		f.Add(pageOf(1, []byte(items.item)))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		for _, shape := range shapes {
			checkComparison(t, shape, document)
		}
	})
}

// checkComparison compares any document with the oracle.
func checkComparison(t *testing.T, shape restclient.Shape, document []byte) {
	t.Helper()
	got, err := shape.Compare(document, restclient.Credential{})
	if valid := json.Valid(document); err != nil {
		if reason := reasonOf(t, err); valid && reason != restclient.ReasonTooDeep && reason != restclient.ReasonNotJSON {
			// ReasonNotJSON: the document is not UTF-8.
			t.Errorf("got reason %q for JSON", reason)
		}
		return
	} else if !valid {
		t.Fatal("got no error for invalid JSON")
	}
	if len(got.Differences) > 40 || got.Omitted() < 0 {
		t.Errorf("got %d differences and %d more", len(got.Differences), got.Omitted())
	}
	sameComparison(t, shape, document, got)
}

func BenchmarkCompare(b *testing.B) {
	document := demoPage(b, "2025-10-28", 100)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := restclient.ShapeHosted.Compare(document, restclient.Credential{}); err != nil {
			b.Fatal(err)
		}
	}
}
