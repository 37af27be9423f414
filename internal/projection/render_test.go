package projection_test

import (
	"math"
	"testing"

	"cvmgraph/internal/projection"
)

func TestConnections(t *testing.T) {
	t.Parallel()
	two := indexed(t, document(`{"hosted":{"id":"a"},"name":"\u0061\/"},{"vcpu":2.0}`, 2))
	none := indexed(t, document(``, 0))
	tests := map[string]struct {
		page      *projection.IndexedPage
		selection string
		variables map[string]any
		want      string
	}{
		"edges": {
			two, `edges { cursor c: node { id vmId name } }`, nil,
			`{"edges":[{"cursor":"c0","c":{"id":"id0","vmId":"a","name":"\u0061\/"}},{"cursor":"c1","c":{"id":"id1","vmId":null,"name":null}}]}`,
		},
		"nodes in aliases": {two, `a: nodes { vcpu } b: nodes { __typename }`, nil, `{"a":[{"vcpu":null},{"vcpu":2}],"b":[{"__typename":"Cvm"},{"__typename":"Cvm"}]}`},
		"what lies around": {
			two, `totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`, nil,
			`{"totalCount":300,"pageInfo":{"hasNextPage":true,"hasPreviousPage":false,"startCursor":"c0","endCursor":"c1"}}`,
		},
		"an empty window":           {none, `edges { cursor } nodes { id } pageInfo { startCursor endCursor }`, nil, `{"edges":[],"nodes":[],"pageInfo":{"startCursor":null,"endCursor":null}}`},
		"nothing is left":           {two, `totalCount @skip(if: $b)`, map[string]any{"b": true}, `{}`},
		"what is first is left out": {two, `totalCount @include(if: $b) __typename`, map[string]any{"b": false}, `{"__typename":"CvmConnection"}`},
		"selections are merged": {
			two, `nodes { node { name } } nodes { node { nodeId } name: name }`, nil,
			`{"nodes":[{"node":null,"name":"\u0061\/"},{"node":null,"name":null}]}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			head := "query"
			if test.variables != nil {
				head += "($b: Boolean!)"
			}
			plan, ok := newQuery(t, schema(t), head+" { cvms { "+test.selection+" } }").plan(test.variables)
			if !ok {
				t.Fatal("got no plan")
			}
			if got := plan.AppendConnection([]byte("ahead "), list{test.page}.window(), math.MaxInt); string(got) != "ahead "+test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestItems(t *testing.T) {
	t.Parallel()
	const everything = `{"name":"\ud83d","status":null,"public_urls":[7,{"app":"x"},null,{"instance":"y","app":1}],"managed_user":{"id":1.042e3},"node":{"id":-0},
		"listed":1,"in_progress":true,"kms_info":{"chain_id":9007199254740993},"vcpu":2147483648,"memory":1e2,"hosted":{"id":"",
		"configuration":{"kms_urls":["a" , 7, "\ude00" , "\u00e9"],"gateway_urls":[1],"gpus":{"gpus":[]},"compose_file":{"public_logs":"no","kms_enabled":false}}}}`
	tests := map[string]struct{ selection, want string }{
		"text":             {`name status gatewayDomain`, `{"name":"` + "\ufffd" + `","status":null,"gatewayDomain":null}`},
		"integers":         {`vcpu memory node { nodeId } kmsInfo { chainId }`, `{"vcpu":null,"memory":100,"node":{"nodeId":0},"kmsInfo":{"chainId":9007199254740993}}`},
		"an identifier":    {`managedUser { userId }`, `{"managedUser":{"userId":"1042"}}`},
		"an empty uuid":    {`vmId hosted { vmId }`, `{"vmId":null,"hosted":{"vmId":""}}`},
		"booleans":         {`listed inProgress allowUpgrade hosted { configuration { pinNuma composeFile { publicLogs kmsEnabled tproxyEnabled secureTime } } }`, `{"listed":false,"inProgress":true,"allowUpgrade":false,"hosted":{"configuration":{"pinNuma":false,"composeFile":{"publicLogs":true,"kmsEnabled":false,"tproxyEnabled":true,"secureTime":false}}}}`},
		"lists of objects": {`publicUrls { __typename app instance } hosted { events { body } configuration { ports { vmPort } gpus { gpus { slot } } } }`, `{"publicUrls":[{"__typename":"PublicUrl","app":"x","instance":null},{"__typename":"PublicUrl","app":null,"instance":"y"}],"hosted":{"events":[],"configuration":{"ports":[],"gpus":{"gpus":[]}}}}`},
		"lists of texts":   {`hosted { configuration { kmsUrls gatewayUrls composeFile { features } } }`, `{"hosted":{"configuration":{"kmsUrls":["a","` + "\ufffd" + `","\u00e9"],"gatewayUrls":[],"composeFile":{"features":[]}}}}`},
	}
	page := indexed(t, document(everything, 1))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, ok := newQuery(t, schema(t), `{ cvm(vmId: "x") { `+test.selection+` } }`).plan(nil)
			if !ok {
				t.Fatal("got no plan")
			}
			if got := string(plan.AppendItem(nil, list{page}.Item(0), math.MaxInt)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
