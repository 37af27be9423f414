package restclient_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

// faultyFlatItems are items of the flat shape with values of the wrong type, and the field errors
// in their order.
var faultyFlatItems = map[string]struct {
	item string
	want []restclient.FieldError
}{
	"an id that is a fraction":          {item: `{"id":1.5,"status":"up"}`, want: fieldErrors("a string or an integer", path("id"))},
	"a uuid that is a number":           {item: `{"vm_uuid":7,"app_id":"a","status":"up"}`, want: fieldErrors("a string", path("vm_uuid"))},
	"a resource that is a list":         {item: `{"resource":[],"status":"up"}`, want: fieldErrors("an object", path("resource"))},
	"memory that is a string":           {item: `{"resource":{"memory_in_gb":"4"},"status":"up"}`, want: fieldErrors("a number of gigabytes", path("resource", "memory_in_gb"))},
	"memory over 32 bits":               {item: `{"resource":{"memory_in_gb":2097152},"status":"up"}`, want: fieldErrors("a number of gigabytes", path("resource", "memory_in_gb"))},
	"a price that is a number":          {item: `{"resource":{"compute_billing_price":0.116},"status":"up"}`, want: fieldErrors("a string", path("resource", "compute_billing_price"))},
	"a version that is not an integer":  {item: `{"manifest_version":"two","status":"up"}`, want: fieldErrors("an integer of 32 bits as a string", path("manifest_version"))},
	"a version that is empty":           {item: `{"manifest_version":"","status":"up"}`, want: fieldErrors("an integer of 32 bits as a string", path("manifest_version"))},
	"a wrong value of a key not served": {item: `{"services":7,"managed_env":{},"status":"up"}`},
	"wrong values of several objects": {
		item: `{"vm_uuid":"u","os":{"name":1,"is_dev":"no"},"kms_info":{"chain_id":"x"},"endpoints":[1,{"app":2}],"features":[3],"status":"up"}`,
		want: []restclient.FieldError{
			{Path: path("os", "name"), Want: "a string"},
			{Path: path("os", "is_dev"), Want: "true or false"},
			{Path: path("kms_info", "chain_id"), Want: "an integer of 64 bits"},
			{Path: path("endpoints", 0), Want: "an object"},
			{Path: path("endpoints", 1, "app"), Want: "a string"},
			{Path: path("features", 0), Want: "a string"},
		},
	},
	"a wrong object before a right one of the same key": {item: `{"resource":7,"status":"up","resource":{"vcpu":2}}`},
}

// decodeFlat decodes a page of one item of the flat shape.
func decodeFlat(t *testing.T, item string) restclient.Item {
	t.Helper()
	page, err := restclient.ShapeFlat.DecodePage(pageOf(1, []byte(item)), onePage)
	if err != nil {
		t.Fatalf("%s: got error %v, want a page", item, err)
	}
	want, _ := oraclePage(restclient.ShapeFlat, pageOf(1, []byte(item)), onePage)
	samePage(t, page, want)
	return page.Items[0]
}

func TestDecodePage_flatFieldErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range faultyFlatItems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decodeFlat(t, tt.item)
			if !reflect.DeepEqual(got.FieldErrors, tt.want) {
				t.Errorf("got field errors %v, want %v", got.FieldErrors, tt.want)
			}
			if got.Cvm.Status == nil || *got.Cvm.Status != "up" {
				t.Errorf("got status %v, want up", got.Cvm.Status)
			}
		})
	}
}

func TestDecodePage_flatConversions(t *testing.T) {
	t.Parallel()
	configuration := func(c *restclient.Cvm) *restclient.VmConfiguration { return c.Hosted.Configuration }
	for _, tt := range []struct {
		item string
		got  func(*restclient.Cvm) any
		want string
	}{
		{item: `"resource":{"memory_in_gb":4.0}`, got: func(c *restclient.Cvm) any { return c.Memory }, want: `4096`},
		{item: `"resource":{"memory_in_gb":4}`, got: func(c *restclient.Cvm) any { return configuration(c).Memory }, want: `4096`},
		{item: `"resource":{"memory_in_gb":0.1}`, got: func(c *restclient.Cvm) any { return c.Memory }, want: `102`},
		{item: `"resource":{"memory_in_gb":0.5e0}`, got: func(c *restclient.Cvm) any { return c.Memory }, want: `512`},
		{item: `"resource":{"memory_in_gb":null}`, got: func(c *restclient.Cvm) any { return c.Memory }, want: `null`},
		{item: `"manifest_version":"2"`, got: func(c *restclient.Cvm) any { return configuration(c).ComposeFile.ManifestVersion }, want: `2`},
		{item: `"manifest_version":3`, got: func(c *restclient.Cvm) any { return configuration(c).ComposeFile.ManifestVersion }, want: `3`},
		{item: `"id":1042`, got: func(c *restclient.Cvm) any { return c.CvmID }, want: `"1042"`},
		{item: `"kms_info":{"dstack_kms_address":""}`, got: func(c *restclient.Cvm) any { return c.KmsInfo.KmsContractAddress }, want: `null`},
		{item: `"endpoints":[{"app":"a","instance":""}]`, got: func(c *restclient.Cvm) any { return c.PublicURLs }, want: `[{"app":"a","instance":""}]`},
		{item: `"endpoints":null`, got: func(c *restclient.Cvm) any { return c.PublicURLs }, want: `[]`},
		{item: `"base_image":"b"`, got: func(c *restclient.Cvm) any { return configuration(c).Image }, want: `"b"`},
		{item: `"base_image":"b","os":{"name":"a"}`, got: func(c *restclient.Cvm) any { return configuration(c).Image }, want: `"a"`},
		{item: `"logs":{"serial":"u?t=s&ch=serial"}`, got: func(c *restclient.Cvm) any { return c.SyslogEndpoint }, want: `"u?t=s"`},
		{item: `"logs":{"serial":"u?t=s\u0026ch=serial"}`, got: func(c *restclient.Cvm) any { return c.SyslogEndpoint }, want: `"u?t=s"`},
		{item: `"logs":{"serial":"\u0026ch=serial"}`, got: func(c *restclient.Cvm) any { return c.SyslogEndpoint }, want: `null`},
		{item: `"logs":{"serial":""}`, got: func(c *restclient.Cvm) any { return c.SyslogEndpoint }, want: `null`},
		{item: `"logs":{"serial":"u?ch=stdout"}`, got: func(c *restclient.Cvm) any { return c.SyslogEndpoint }, want: `"u?ch=stdout"`},
		{item: `"gateway_enabled":true`, got: func(c *restclient.Cvm) any { return configuration(c).ComposeFile.TproxyEnabled }, want: `true`},
	} {
		cvm := decodeFlat(t, `{"vm_uuid":"u",`+tt.item+`}`).Cvm
		got, err := json.Marshal(tt.got(&cvm))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.item, got, err, tt.want)
		}
	}
}

func TestDecodePage_flatWithoutVM(t *testing.T) {
	t.Parallel()
	for _, vm := range []string{`null`, `""`, `7`} {
		cvm := decodeFlat(t, `{"vm_uuid":`+vm+`,"name":"n","app_id":"a","public_logs":true,"resource":{"vcpu":2}}`).Cvm
		if cvm.Hosted != nil || cvm.VMID != nil || *cvm.Name != "n" || *cvm.Vcpu != 2 {
			t.Errorf("vm_uuid %s: got %+v, want a CVM without a VM", vm, cvm)
		}
	}
}

func TestDecodePage_hostedShapeInsteadOfFlat(t *testing.T) {
	t.Parallel()
	for items, want := range map[string]bool{
		`{"hosted":{}},{}`:                  true,
		`{},{"hosted":null}`:                true,
		`{"hosted":null},{"node_info":{}}`:  true,
		`{"vm_uuid":"u"},{"hosted":{}}`:     true,
		`{"node":{}},{}`:                    true,
		`{},{"managed_user":null}`:          true,
		`{"syslog_endpoint":"s"},{}`:        true,
		`{"node":{},"node_info":{}},{}`:     false,
		`{"hosted":null,"resource":{}},{}`:  false,
		`{"vm_uuid":null,"hosted":3},{}`:    false,
		`{"name":"a"},{}`:                   false,
		`{"x":{"hosted":1}},{"hosting":{}}`: false,
	} {
		_, err := restclient.ShapeFlat.DecodePage(envelope(items, 2, 1, 2), restclient.PageRequest{Page: 1, PageSize: 2})
		if got := reasonOf(t, err) == restclient.ReasonOtherShape; got != want {
			t.Errorf("%s: got error %v, want that of another shape: %v", items, err, want)
		}
	}
	for _, shape := range shapes {
		if _, err := shape.DecodePage(envelope("", 0, 1, 2), restclient.PageRequest{Page: 1, PageSize: 2}); err != nil {
			t.Errorf("an empty page as %s: got error %v, want none", shape, err)
		}
	}
}

func TestCompare_hostedShapeInsteadOfFlat(t *testing.T) {
	t.Parallel()
	got, err := restclient.ShapeFlat.Compare(pageOf(2, exampleItem(t)), restclient.Credential{})
	want := []string{"changed items[] (should be an item of API version 2026-01-21 or later, is an item of another version; 2 of 2)"}
	if err != nil || !got.OtherShape || got.Unknown+got.Missing != 0 || !reflect.DeepEqual(lines(got), want) {
		t.Errorf("got %+v, %v, want %s", got, err, want)
	}
}

func TestCompare_flatExample(t *testing.T) {
	t.Parallel()
	example := string(exampleOf(t, restclient.ShapeFlat))
	for replaced, want := range map[string]string{
		"":                          "",
		`"manifest_version": "2"`:   `changed items[].manifest_version (should be an integer of 32 bits as a string, is boolean; 1 of 1)`,
		`"memory_in_gb": 4.0`:       `changed items[].resource.memory_in_gb (should be a number of gigabytes, is boolean; 1 of 1)`,
		`"services": []`:            ``,
		`"gateway_enabled": true,`:  ``,
		`"status": "running",`:      `missing items[].status (a string; 1 of 1)`,
		`"id": "wks_0123abcd",`:     `missing items[].workspace.id (a string; 1 of 1)`,
		`"in_progress": false`:      ``,
		`"compute": "0.116000",`:    ``,
		`"object_type": "user",`:    ``,
		`"dstack_app_address": "0x`: `unknown items[].kms_info.renamed (string; 1 of 1)`,
	} {
		with := ""
		switch key, _, _ := strings.Cut(replaced, ":"); {
		case strings.HasPrefix(want, "changed"), replaced == `"services": []`:
			with = key + `: true`
		case strings.HasPrefix(want, "unknown"):
			with = `"renamed": "0x`
		case replaced == `"in_progress": false`:
			with = replaced
		}
		got, err := restclient.ShapeFlat.Compare(pageOf(1, []byte(strings.Replace(example, replaced, with, 1))), restclient.Credential{})
		if text := strings.Join(lines(got), "\n"); err != nil || !strings.Contains(text, want) || want == "" && text != "" {
			t.Errorf("%s: got %q, %v, want %q", replaced, text, err, want)
		}
	}
}

// TestFlat_requiredKeys compares the tags with the upstream's reference.
func TestFlat_requiredKeys(t *testing.T) {
	t.Parallel()
	want := map[string]string{"FlatCvm": "id name resource status gateway", "Workspace": "id name", "PublicUrl": "app instance"}
	for _, of := range []reflect.Type{
		reflect.TypeFor[restclient.FlatCvm](), reflect.TypeFor[restclient.Workspace](), reflect.TypeFor[restclient.PublicUrl](),
	} {
		var keys []string
		for i := range of.NumField() {
			if f := of.Field(i); f.Tag.Get("required") == "true" {
				keys = append(keys, f.Tag.Get("json"))
			}
		}
		name := strings.Title(of.Name()) //nolint:staticcheck // ASCII
		if got := strings.Join(keys, " "); got != want[name] {
			t.Errorf("%s: got %s, want %s", name, got, want[name])
		}
	}
}

// TestDecodePage_flatSharesNothing changes a body after it was decoded.
func TestDecodePage_flatSharesNothing(t *testing.T) {
	t.Parallel()
	body := pageOf(2, compact(t, exampleOf(t, restclient.ShapeFlat)))
	request := restclient.PageRequest{Page: 1, PageSize: 2}
	page, err := restclient.ShapeFlat.DecodePage(body, request)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := oraclePage(restclient.ShapeFlat, bytes.Clone(body), request)
	clear(body)
	samePage(t, page, want)
}
