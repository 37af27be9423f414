package restclient_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

// faultyItems are items with values of the wrong type: the item, and the faults in their order.
var faultyItems = map[string]struct {
	item string
	want []restclient.FieldError
}{
	"a string that is a number": {`{"name":1,"status":"up"}`, faults("a string", path("name"))},
	"a string that is an object": {
		`{"name":{"items":[1,{}]},"status":"up"}`, faults("a string", path("name")),
	},
	"an integer that is a string":   {`{"vcpu":"2","status":"up"}`, faults("an integer of 32 bits", path("vcpu"))},
	"an integer that is a fraction": {`{"vcpu":1.5,"status":"up"}`, faults("an integer of 32 bits", path("vcpu"))},
	"an integer over 32 bits":       {`{"vcpu":2147483648,"status":"up"}`, faults("an integer of 32 bits", path("vcpu"))},
	"an integer over 64 bits": {
		`{"kms_info":{"chain_id":9223372036854775808},"status":"up"}`, faults("an integer of 64 bits", path("kms_info", "chain_id")),
	},
	"a boolean that is a number": {`{"listed":1,"status":"up"}`, faults("true or false", path("listed"))},
	"an object that is a number": {`{"hosted":3,"status":"up"}`, faults("an object", path("hosted"))},
	"an object that is a list":   {`{"node":[],"status":"up"}`, faults("an object", path("node"))},
	"a list that is an object":   {`{"public_urls":{},"status":"up"}`, faults("a list", path("public_urls"))},
	"an identifier that is a fraction": {
		`{"managed_user":{"id":1.5},"status":"up"}`, faults("a string or an integer", path("managed_user", "id")),
	},
	"elements that are no objects": {
		`{"public_urls":[null,{"app":"a"},3,{"app":"b","instance":false}],"status":"up"}`,
		[]restclient.FieldError{
			{Path: path("public_urls", 0), Want: "an object"},
			{Path: path("public_urls", 2), Want: "an object"},
			{Path: path("public_urls", 3, "instance"), Want: "a string"},
		},
	},
	"elements that are no strings": {
		`{"hosted":{"configuration":{"kms_urls":["a",null,"b",["c"]]}},"status":"up"}`,
		faults("a string", path("hosted", "configuration", "kms_urls", 1), path("hosted", "configuration", "kms_urls", 3)),
	},
	"a deep value": {
		`{"hosted":{"configuration":{"gpus":{"gpus":[{"slot":"a"},{"slot":1}]}}},"status":"up"}`,
		faults("a string", path("hosted", "configuration", "gpus", "gpus", 1, "slot")),
	},
	"a wrong value before a right one of the same key": {`{"name":1,"status":"up","name":"a"}`, nil},
	"a wrong value after a right one of the same key": {
		`{"name":"a","status":"up","name":1}`, faults("a string", path("name")),
	},
	"a faulty object before another of the same key": {
		`{"node":{"id":"x","name":2},"listed":0,"status":"up","node":{"name":3}}`,
		[]restclient.FieldError{{Path: path("listed"), Want: "true or false"}, {Path: path("node", "name"), Want: "a string"}},
	},
	"a faulty list before null of the same key": {
		`{"public_urls":[1,2],"vcpu":true,"status":"up","public_urls":null}`, faults("an integer of 32 bits", path("vcpu")),
	},
	"a key that is escaped": {`{"n\u0061me":1,"status":"up"}`, faults("a string", path("name"))},
}

func path(steps ...any) []any { return steps }

func faults(want string, paths ...[]any) []restclient.FieldError {
	var list []restclient.FieldError
	for _, path := range paths {
		list = append(list, restclient.FieldError{Path: path, Want: want})
	}
	return list
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range faultyItems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decodeItem(t, tt.item)
			if !reflect.DeepEqual(got.FieldErrors, tt.want) {
				t.Errorf("got faults %v, want %v", got.FieldErrors, tt.want)
			}
			if got.Cvm.Status == nil || *got.Cvm.Status != "up" {
				t.Errorf("got status %v, want it to stand", got.Cvm.Status)
			}
			want, _ := oraclePage(pageOf(1, []byte(tt.item)), onePage)
			if !reflect.DeepEqual(got.Cvm, want.Items[0].Cvm) {
				t.Errorf("got other values than the oracle")
			}
		})
	}
}

func TestTheLastOfEqualKeysWins(t *testing.T) {
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
		t.Errorf("got listed, want the default, for null came last")
	}
	if configuration := cvm.Hosted.Configuration; !configuration.ComposeFile.KmsEnabled || len(configuration.KmsURLs) != 0 {
		t.Errorf("got configuration %+v, want the last one", configuration)
	}
}

func TestKeysMatchCaseSensitively(t *testing.T) {
	t.Parallel()
	item := decodeItem(t, `{"NAME":1,"Name":2,"name":"a","naMe":3,"status ":4,"":5}`)
	if *item.Cvm.Name != "a" || item.FieldErrors != nil {
		t.Errorf("got %q with faults %v, want a", *item.Cvm.Name, item.FieldErrors)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]restclient.Reason{10_000: "", 10_001: restclient.ReasonTooManyFieldErrors} {
		list := strings.TrimPrefix(strings.Repeat(",1", count), ",")
		_, err := restclient.DecodePage(pageOf(1, fmt.Appendf(nil, `{"public_urls":[%s]}`, list)), onePage)
		if got := reasonOf(t, err); got != want {
			t.Errorf("%d faults: got reason %q, want %q", count, got, want)
		}
	}
}

func TestForgettingFaultsIsNotQuadratic(t *testing.T) {
	t.Parallel()
	var item bytes.Buffer
	item.WriteString(`{"public_urls":[0` + strings.Repeat(",0", 4_999) + `]`)
	for range 200_000 {
		item.WriteString(`,"vcpu":1`)
	}
	item.WriteString("}")
	got := decodeItem(t, item.String())
	if len(got.FieldErrors) != 5_000 {
		t.Errorf("got %d faults, want 5000", len(got.FieldErrors))
	}
}
