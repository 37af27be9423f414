package restclient_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

// faultyItems are items with values of the wrong type, and the field errors in their order.
var faultyItems = map[string]struct {
	item string
	want []restclient.FieldError
}{
	"a string that is a number":     {item: `{"name":1,"status":"up"}`, want: fieldErrors("a string", path("name"))},
	"a string that is an object":    {item: `{"name":{"items":[1,{}]},"status":"up"}`, want: fieldErrors("a string", path("name"))},
	"an integer that is a string":   {item: `{"vcpu":"2","status":"up"}`, want: fieldErrors("an integer of 32 bits", path("vcpu"))},
	"an integer that is a fraction": {item: `{"vcpu":1.5,"status":"up"}`, want: fieldErrors("an integer of 32 bits", path("vcpu"))},
	"an integer over 32 bits":       {item: `{"vcpu":2147483648,"status":"up"}`, want: fieldErrors("an integer of 32 bits", path("vcpu"))},
	"an integer over 64 bits": {
		item: `{"kms_info":{"chain_id":9223372036854775808},"status":"up"}`,
		want: fieldErrors("an integer of 64 bits", path("kms_info", "chain_id")),
	},
	"a boolean that is a number": {item: `{"listed":1,"status":"up"}`, want: fieldErrors("true or false", path("listed"))},
	"an object that is a number": {item: `{"hosted":3,"status":"up"}`, want: fieldErrors("an object", path("hosted"))},
	"an object that is a list":   {item: `{"node":[],"status":"up"}`, want: fieldErrors("an object", path("node"))},
	"a list that is an object":   {item: `{"public_urls":{},"status":"up"}`, want: fieldErrors("a list", path("public_urls"))},
	"an identifier that is a fraction": {
		item: `{"managed_user":{"id":1.5},"status":"up"}`,
		want: fieldErrors("a string or an integer", path("managed_user", "id")),
	},
	"elements that are not objects": {
		item: `{"public_urls":[null,{"app":"a"},3,{"app":"b","instance":false}],"status":"up"}`,
		want: []restclient.FieldError{
			{Path: path("public_urls", 0), Want: "an object"},
			{Path: path("public_urls", 2), Want: "an object"},
			{Path: path("public_urls", 3, "instance"), Want: "a string"},
		},
	},
	"elements that are not strings": {
		item: `{"hosted":{"configuration":{"kms_urls":["a",null,"b",["c"]]}},"status":"up"}`,
		want: fieldErrors("a string", path("hosted", "configuration", "kms_urls", 1), path("hosted", "configuration", "kms_urls", 3)),
	},
	"a deep value": {
		item: `{"hosted":{"configuration":{"gpus":{"gpus":[{"slot":"a"},{"slot":1}]}}},"status":"up"}`,
		want: fieldErrors("a string", path("hosted", "configuration", "gpus", "gpus", 1, "slot")),
	},
	"a wrong value before a right one of the same key": {item: `{"name":1,"status":"up","name":"a"}`},
	"a wrong value after a right one of the same key":  {item: `{"name":"a","status":"up","name":1}`, want: fieldErrors("a string", path("name"))},
	"a faulty object before another of the same key": {
		item: `{"node":{"id":"x","name":2},"listed":0,"status":"up","node":{"name":3}}`,
		want: []restclient.FieldError{{Path: path("listed"), Want: "true or false"}, {Path: path("node", "name"), Want: "a string"}},
	},
	"a faulty list before null of the same key": {
		item: `{"public_urls":[1,2],"vcpu":true,"status":"up","public_urls":null}`,
		want: fieldErrors("an integer of 32 bits", path("vcpu")),
	},
	"a key that is escaped": {item: `{"n\u0061me":1,"status":"up"}`, want: fieldErrors("a string", path("name"))},
}

func path(steps ...any) []any { return steps }

func fieldErrors(want string, paths ...[]any) []restclient.FieldError {
	var list []restclient.FieldError
	for _, path := range paths {
		list = append(list, restclient.FieldError{Path: path, Want: want})
	}
	return list
}

func TestDecodePage_fieldErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range faultyItems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decodeItem(t, tt.item)
			if !reflect.DeepEqual(got.FieldErrors, tt.want) {
				t.Errorf("got field errors %v, want %v", got.FieldErrors, tt.want)
			}
			if got.Cvm.Status == nil || *got.Cvm.Status != "up" {
				t.Errorf("got status %v, want up", got.Cvm.Status)
			}
			want, _ := oraclePage(restclient.ShapeHosted, pageOf(1, []byte(tt.item)), onePage)
			if !reflect.DeepEqual(got.Cvm, want.Items[0].Cvm) {
				t.Errorf("got other values than the oracle")
			}
		})
	}
}

func TestDecodePage_equalKeys(t *testing.T) {
	t.Parallel()
	item := decodeItem(t, `{"listed":true,"node":{"id":1,"name":"a"},"public_urls":[{"app":"x"},{"app":"y"}],
		"hosted":{"configuration":{"compose_file":{"kms_enabled":false},"kms_urls":["u","v"]}},
		"node":{"id":2},"public_urls":[{"instance":"z"}],"listed":null,
		"hosted":{"configuration":{"compose_file":{}, "kms_urls":[]}}}`)
	cvm := item.Cvm
	if *cvm.Node.NodeID != 2 || cvm.Node.Name != nil {
		t.Errorf("got node %+v, want the last one, not merged", cvm.Node)
	}
	if len(cvm.PublicURLs) != 1 || cvm.PublicURLs[0].App != nil {
		t.Errorf("got URLs %+v, want the last list, not merged", cvm.PublicURLs)
	}
	if cvm.Listed {
		t.Errorf("got listed, want the default, because null came last")
	}
	if configuration := cvm.Hosted.Configuration; !*configuration.ComposeFile.KmsEnabled || len(configuration.KmsURLs) != 0 {
		t.Errorf("got configuration %+v, want the last one", configuration)
	}
}

func TestDecodePage_keysAreCaseSensitive(t *testing.T) {
	t.Parallel()
	item := decodeItem(t, `{"NAME":1,"Name":2,"name":"a","naMe":3,"status ":4,"":5}`)
	if *item.Cvm.Name != "a" || item.FieldErrors != nil {
		t.Errorf("got %q with field errors %v, want a", *item.Cvm.Name, item.FieldErrors)
	}
}

func TestDecodePage_fieldErrorLimit(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]restclient.Reason{10_000: "", 10_001: restclient.ReasonTooManyFieldErrors} {
		list := strings.TrimPrefix(strings.Repeat(",1", count), ",")
		_, err := restclient.ShapeHosted.DecodePage(pageOf(1, fmt.Appendf(nil, `{"public_urls":[%s]}`, list)), onePage)
		if got := reasonOf(t, err); got != want {
			t.Errorf("%d field errors: got reason %q, want %q", count, got, want)
		}
	}
}

func TestDecodePage_equalKeysTakeLinearTime(t *testing.T) {
	t.Parallel()
	var item bytes.Buffer
	item.WriteString(`{"public_urls":[0` + strings.Repeat(",0", 4_999) + `]`)
	for range 200_000 {
		item.WriteString(`,"vcpu":1`)
	}
	item.WriteString("}")
	got := decodeItem(t, item.String())
	if len(got.FieldErrors) != 5_000 {
		t.Errorf("got %d field errors, want 5000", len(got.FieldErrors))
	}
}
