package projection_test

import (
	"testing"

	"cvmgraph/internal/projection"
	"cvmgraph/restclient"
)

func TestAppendConnection(t *testing.T) {
	t.Parallel()
	two := indexed(t, restclient.ShapeHosted, document(`{"hosted":{"id":"a"},"name":"\u0061\/"},{"vcpu":2.0}`, 2))
	none := indexed(t, restclient.ShapeHosted, document(``, 0))
	tests := map[string]struct {
		page      *projection.IndexedPage
		selection string
		variables map[string]any
		want      string
	}{
		"edges": {
			page:      two,
			selection: `edges { cursor c: node { id vmId name } }`,
			want:      `{"edges":[{"cursor":"c0","c":{"id":"id0","vmId":"a","name":"\u0061\/"}},{"cursor":"c1","c":{"id":"id1","vmId":null,"name":null}}]}`,
		},
		"nodes in aliases": {
			page:      two,
			selection: `a: nodes { vcpu } b: nodes { __typename }`,
			want:      `{"a":[{"vcpu":null},{"vcpu":2}],"b":[{"__typename":"Cvm"},{"__typename":"Cvm"}]}`,
		},
		"counts and pageInfo": {
			page:      two,
			selection: `totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`,
			want:      `{"totalCount":300,"pageInfo":{"hasNextPage":true,"hasPreviousPage":false,"startCursor":"c0","endCursor":"c1"}}`,
		},
		"an empty window": {
			page:      none,
			selection: `edges { cursor } nodes { id } pageInfo { startCursor endCursor }`,
			want:      `{"edges":[],"nodes":[],"pageInfo":{"startCursor":null,"endCursor":null}}`,
		},
		"all fields are skipped": {page: two, selection: `totalCount @skip(if: $b)`, variables: map[string]any{"b": true}, want: `{}`},
		"the first field is skipped": {
			page:      two,
			selection: `totalCount @include(if: $b) __typename`,
			variables: map[string]any{"b": false},
			want:      `{"__typename":"CvmConnection"}`,
		},
		"selections are merged": {
			page:      two,
			selection: `nodes { node { name } } nodes { node { nodeId } name: name }`,
			want:      `{"nodes":[{"node":null,"name":"\u0061\/"},{"node":null,"name":null}]}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			head := "query"
			if test.variables != nil {
				head += "($b: Boolean!)"
			}
			selection, ok := newQuery(t, restclient.ShapeHosted, schema(t), head+" { cvms { "+test.selection+" } }").selection(test.variables)
			if !ok {
				t.Fatal("got no selection")
			}
			if got := selection.AppendConnection([]byte("before "), list{test.page}.window(), unlimited); string(got) != "before "+test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestAppendItem(t *testing.T) {
	t.Parallel()
	const everything = `{"name":"\ud83d","status":null,"public_urls":[7,{"app":"x"},null,{"instance":"y","app":1}],"managed_user":{"id":1.042e3,"username":""},"node":{"id":-0},
		"listed":1,"in_progress":true,"kms_info":{"chain_id":9007199254740993},"vcpu":2147483648,"memory":1e2,"hosted":{"id":"","uptime":"1\u006donth 3days","exited_at":"never",
		"configuration":{"kms_urls":["a" , 7, "\ude00" , "\u00e9"],"gateway_urls":[1],"gpus":{"gpus":[]},"compose_file":{"public_logs":"no","kms_enabled":false}}}}`
	tests := map[string]struct{ selection, want string }{
		"strings": {selection: `name status gatewayDomain`, want: `{"name":"` + "\ufffd" + `","status":null,"gatewayDomain":null}`},
		"integers": {
			selection: `vcpu memory node { nodeId } kmsInfo { chainId }`,
			want:      `{"vcpu":null,"memory":100,"node":{"nodeId":0},"kmsInfo":{"chainId":9007199254740993}}`,
		},
		"an identifier":   {selection: `managedUser { userId }`, want: `{"managedUser":{"userId":"1042"}}`},
		"an empty string": {selection: `managedUser { username }`, want: `{"managedUser":{"username":""}}`},
		"durations":       {selection: `hosted { uptime uptimeSeconds secondsSinceExit }`, want: `{"hosted":{"uptime":"1\u006donth 3days","uptimeSeconds":2889216,"secondsSinceExit":null}}`},
		"an empty uuid":   {selection: `vmId hosted { vmId }`, want: `{"vmId":null,"hosted":{"vmId":null}}`},
		"booleans": {
			selection: `listed inProgress allowUpgrade hosted { configuration { pinNuma composeFile { publicLogs kmsEnabled tproxyEnabled secureTime } } }`,
			want:      `{"listed":false,"inProgress":true,"allowUpgrade":false,"hosted":{"configuration":{"pinNuma":false,"composeFile":{"publicLogs":true,"kmsEnabled":false,"tproxyEnabled":true,"secureTime":false}}}}`,
		},
		"lists of objects": {
			selection: `publicUrls { __typename app instance } hosted { events { body } configuration { ports { vmPort } gpus { gpus { slot } } } }`,
			want:      `{"publicUrls":[{"__typename":"PublicUrl","app":"x","instance":null},{"__typename":"PublicUrl","app":null,"instance":"y"}],"hosted":{"events":[],"configuration":{"ports":[],"gpus":{"gpus":[]}}}}`,
		},
		"lists of strings": {
			selection: `hosted { configuration { kmsUrls gatewayUrls composeFile { features } } }`,
			want:      `{"hosted":{"configuration":{"kmsUrls":["a","` + "\ufffd" + `","\u00e9"],"gatewayUrls":[],"composeFile":{"features":[]}}}}`,
		},
	}
	page := indexed(t, restclient.ShapeHosted, document(everything, 1))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			selection, ok := newQuery(t, restclient.ShapeHosted, schema(t), `{ cvm(vmId: "x") { `+test.selection+` } }`).selection(nil)
			if !ok {
				t.Fatal("got no selection")
			}
			if got := string(selection.AppendItem(nil, list{page}.Item(0), unlimited)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestAppendItem_flat(t *testing.T) {
	t.Parallel()
	const everything = `{"id":1e1,"vm_uuid":"u","name":"n","resource":{"memory_in_gb":0.5,"vcpu":2.0,"gpus":1},"os":{"name":null,"version":"v"},
		"base_image":"b","manifest_version":"\u0032","logs":{"serial":"s\u0026ch=serial"},"public_tcbinfo":7,"gateway_enabled":true,
		"kms_info":{"dstack_kms_address":"","rpc_endpoint":"r"},"endpoints":[{"app":"x","instance":""}],"creator":{"id":7},"workspace":{}}`
	tests := map[string]struct{ selection, want string }{
		"ids":         {selection: `cvmId vmId managedUser { userId }`, want: `{"cvmId":"10","vmId":"u","managedUser":{"userId":"7"}}`},
		"conversions": {selection: `memory vcpu gpuCount hosted { configuration { memory composeFile { manifestVersion } } }`, want: `{"memory":512,"vcpu":2,"gpuCount":1,"hosted":{"configuration":{"memory":512,"composeFile":{"manifestVersion":2}}}}`},
		"one key for several fields": {
			selection: `name hosted { name imageVersion configuration { name composeFile { gatewayEnabled tproxyEnabled } } }`,
			want:      `{"name":"n","hosted":{"name":"n","imageVersion":"v","configuration":{"name":"n","composeFile":{"gatewayEnabled":true,"tproxyEnabled":true}}}}`,
		},
		"another source": {selection: `os { name } hosted { configuration { image } }`, want: `{"os":{"name":null},"hosted":{"configuration":{"image":"b"}}}`},
		"a suffix":       {selection: `syslogEndpoint logs { serial }`, want: `{"syslogEndpoint":"s","logs":{"serial":"s\u0026ch=serial"}}`},
		"absent values": {
			selection: `allowUpgrade kmsInfo { kmsContractAddress url slug } hosted { events { body } configuration { hugepages gpus { attachMode } kmsUrls composeFile { publicTcbinfo publicLogs } } }`,
			want:      `{"allowUpgrade":null,"kmsInfo":{"kmsContractAddress":null,"url":"r","slug":null},"hosted":{"events":[],"configuration":{"hugepages":null,"gpus":null,"kmsUrls":[],"composeFile":{"publicTcbinfo":true,"publicLogs":false}}}}`,
		},
		"lists and empty objects": {selection: `publicUrls { app instance } workspace { name } progress { target }`, want: `{"publicUrls":[{"app":"x","instance":""}],"workspace":{"name":null},"progress":null}`},
	}
	page := indexed(t, restclient.ShapeFlat, document(everything, 1))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			selection, ok := newQuery(t, restclient.ShapeFlat, schema(t), `{ cvm(vmId: "x") { `+test.selection+` } }`).selection(nil)
			if !ok {
				t.Fatal("got no selection")
			}
			if got := string(selection.AppendItem(nil, list{page}.Item(0), unlimited)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestAppendItem_nothingBeforeSuffix(t *testing.T) {
	t.Parallel()
	selection, ok := newQuery(t, restclient.ShapeFlat, schema(t), `{ cvm(vmId: "x") { syslogEndpoint } }`).selection(nil)
	if !ok {
		t.Fatal("got no selection")
	}
	for _, serial := range []string{`""`, `"&ch=serial"`, `"\u0026ch=serial"`} {
		page := indexed(t, restclient.ShapeFlat, document(`{"logs":{"serial":`+serial+`}}`, 1))
		if got := string(selection.AppendItem(nil, list{page}.Item(0), unlimited)); got != `{"syslogEndpoint":null}` {
			t.Errorf("%s: got %s, want null", serial, got)
		}
	}
}
