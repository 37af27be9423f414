package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/restclient"
)

// listOf returns an upstream that lists the items.
func listOf(items ...string) *demo.Upstream {
	upstream := demo.New(demo.Options{Items: -1})
	upstream.Edit(tenant(), func([]demo.Item) []demo.Item {
		list := make([]demo.Item, len(items))
		for i, text := range items {
			list[i].JSON = []byte(text)
		}
		return list
	})
	return upstream
}

// invalidItem is an item with an invalid value, and the expected response to a selection.
type invalidItem struct {
	item      string
	selection string
	want      string   // the JSON of the node
	paths     []string // the paths of the errors
}

func invalidItems() map[string]invalidItem {
	return map[string]invalidItem{
		"a number instead of a string": {
			item: `{"name": 7, "status": "running"}`, selection: `{ name status }`,
			want:  `{"name":null,"status":"running"}`,
			paths: []string{"cvms.nodes.1.name"},
		},
		"a field that is selected several times": {
			item: `{"name": 7}`, selection: `{ a: name b: name ... on Node { ... on Cvm { c: name } } }`,
			want:  `{"a":null,"b":null,"c":null}`,
			paths: []string{"cvms.nodes.1.a", "cvms.nodes.1.b", "cvms.nodes.1.c"},
		},
		"a field that is not selected": {
			item: `{"name": 7, "status": "running"}`, selection: `{ status }`,
			want: `{"status":"running"}`,
		},
		"booleans with defaults": {
			item:      `{"listed": 1, "hosted": {"configuration": {"compose_file": {"public_logs": "no", "secure_time": null}}}}`,
			selection: `{ listed hosted { configuration { composeFile { publicLogs secureTime } } } }`,
			want:      `{"listed":false,"hosted":{"configuration":{"composeFile":{"publicLogs":true,"secureTime":false}}}}`,
			paths:     []string{"cvms.nodes.1.listed", "cvms.nodes.1.hosted.configuration.composeFile.publicLogs"},
		},
		"a string and a list instead of objects": {
			item: `{"hosted": "soon", "node": [], "name": "x"}`, selection: `{ hosted { name } node { name } name vmId }`,
			want:  `{"hosted":null,"node":null,"name":"x","vmId":null}`,
			paths: []string{"cvms.nodes.1.hosted", "cvms.nodes.1.node"},
		},
		"an object and a number instead of lists": {
			item:      `{"public_urls": {}, "hosted": {"events": 7, "configuration": {"ports": null}}}`,
			selection: `{ publicUrls { app } hosted { events { body } configuration { ports { vmPort } kmsUrls } } }`,
			want:      `{"publicUrls":[],"hosted":{"events":[],"configuration":{"ports":[],"kmsUrls":[]}}}`,
			paths:     []string{"cvms.nodes.1.publicUrls", "cvms.nodes.1.hosted.events"},
		},
		"elements that are left out, so that later indexes change": {
			item:      `{"public_urls": [null, {"app": "a"}, "b", {"app": 3, "instance": "i"}]}`,
			selection: `{ publicUrls { app instance } }`,
			want:      `{"publicUrls":[{"app":"a","instance":null},{"app":null,"instance":"i"}]}`,
			paths:     []string{"cvms.nodes.1.publicUrls.0", "cvms.nodes.1.publicUrls.2", "cvms.nodes.1.publicUrls.1.app"},
		},
		"numbers that Int cannot represent": {
			item:      `{"vcpu": 3000000000, "memory": 1.5, "disk_size": 40.0, "kms_info": {"chain_id": 9007199254740993}}`,
			selection: `{ vcpu memory diskSize kmsInfo { chainId } }`,
			want:      `{"vcpu":null,"memory":null,"diskSize":40,"kmsInfo":{"chainId":9007199254740993}}`,
			paths:     []string{"cvms.nodes.1.vcpu", "cvms.nodes.1.memory"},
		},
		"a number instead of the VM's UUID": {
			item: `{"hosted": {"id": 5}}`, selection: `{ vmId hosted { vmId } }`,
			want:  `{"vmId":null,"hosted":{"vmId":null}}`,
			paths: []string{"cvms.nodes.1.vmId", "cvms.nodes.1.hosted.vmId"},
		},
		"an owner's ID that is a number, which is valid": {
			item: `{"managed_user": {"id": 1042}, "name": null}`, selection: `{ managedUser { userId username } name }`,
			want: `{"managedUser":{"userId":"1042","username":null},"name":null}`,
		},
	}
}

func TestFieldErrors_invalidValue(t *testing.T) {
	t.Parallel()
	const good = `{"hosted": {"id": "good"}, "name": "fine"}`
	for name, test := range invalidItems() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, listOf(good, test.item, good+" "))
			a := g.post(t, `{ cvms(first: 2) { nodes `+test.selection+` } }`, nil, nil)
			var got struct{ Nodes []json.RawMessage }
			if err := json.Unmarshal(a.Data["cvms"], &got); err != nil || len(got.Nodes) != 2 {
				t.Fatalf("got %s, want two nodes", a.raw)
			}
			if string(got.Nodes[1]) != test.want {
				t.Errorf("got %s, want %s", got.Nodes[1], test.want)
			}
			var paths []string
			for _, e := range a.Errors {
				if e.code() != "UPSTREAM_INVALID_RESPONSE" {
					t.Errorf("got %+v, want the code UPSTREAM_INVALID_RESPONSE", e)
				}
				paths = append(paths, dotted(e.Path))
			}
			slices.Sort(paths)
			slices.Sort(test.paths)
			if !slices.Equal(paths, test.paths) {
				t.Errorf("errors: got paths %q, want %q", paths, test.paths)
			}
		})
	}
}

// dotted returns a path with dots between its elements.
func dotted(path []any) string {
	elements := make([]string, len(path))
	for i, element := range path {
		elements[i] = fmt.Sprint(element)
	}
	return strings.Join(elements, ".")
}

// TestFieldErrors_twoSources has a field that has two sources, both invalid.
func TestFieldErrors_twoSources(t *testing.T) {
	t.Parallel()
	s := newFakeSourceOf(restclient.ShapeFlat)
	s.putItems("Bearer a", false, `{"vm_uuid": "u", "os": {"name": 5, "version": 6}, "base_image": 7}`)
	g := &gateway{}
	g.serve(t, "http://upstream.invalid/api/v1", func(r *graph.Resolver) {
		r.Pages, r.Projection, r.APIVersion = s, true, versionOf(restclient.ShapeFlat)
	})
	var response struct{ Errors []struct{ Path []any } }
	raw := say(g.handler, "Bearer a", "{ cvms { nodes { hosted { configuration { image } } os { name } } } }", "", nil)
	if err := json.Unmarshal([]byte(raw), &response); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range response.Errors {
		paths = append(paths, dotted(e.Path))
	}
	slices.Sort(paths)
	want := []string{"cvms.nodes.0.hosted.configuration.image", "cvms.nodes.0.os.name"}
	if !slices.Equal(paths, want) {
		t.Errorf("errors: got paths %q, want %q", paths, want)
	}
}

func TestFieldErrors_edges(t *testing.T) {
	t.Parallel()
	g := newGateway(t, listOf(`{"hosted": null, "name": 7}`))
	a := g.post(t, `{ list: cvms { e: edges { n: node { t: name } m: node { id } } edges { cursor } } }`, nil, nil)
	if got := dotted(a.onlyError(t).Path); got != "list.e.0.n.t" {
		t.Errorf("path: got %s, want list.e.0.n.t", got)
	}
}

func TestFieldErrors_repeatedCVM(t *testing.T) {
	t.Parallel()
	g := newGateway(t, listOf(`{"hosted": {"id": "a"}}`, `{"hosted": {"id": "b"}}`, `{"hosted": {"id": "b"}}`))
	a := g.post(t, `{ cvms { totalCount nodes { vmId } } }`, nil, nil)
	if want := `{"totalCount":3,"nodes":[{"vmId":"a"},{"vmId":"b"}]}`; string(a.Data["cvms"]) != want {
		t.Errorf("got %s, want %s", a.Data["cvms"], want)
	}
	if got := dotted(a.onlyError(t).Path); got != "cvms.nodes.1" {
		t.Errorf("path: got %s, want cvms.nodes.1", got)
	}
}
