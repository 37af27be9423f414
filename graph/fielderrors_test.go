package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"cvmgraph/internal/demo"
)

// listOf returns an upstream whose list is the given items.
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

func TestFieldErrors_invalidValue(t *testing.T) {
	t.Parallel()
	const good = `{"hosted": {"id": "good"}, "name": "fine"}`
	tests := map[string]struct {
		item      string
		selection string
		want      string // the second node
		paths     []string
	}{
		"a number for a string": {
			`{"name": 7, "status": "running"}`, `{ name status }`,
			`{"name":null,"status":"running"}`,
			[]string{"cvms.nodes.1.name"},
		},
		"under its alias, as often as it was asked for": {
			`{"name": 7}`, `{ a: name b: name ... on Node { ... on Cvm { c: name } } }`,
			`{"a":null,"b":null,"c":null}`,
			[]string{"cvms.nodes.1.a", "cvms.nodes.1.b", "cvms.nodes.1.c"},
		},
		"where it was not asked for": {
			`{"name": 7, "status": "running"}`, `{ status }`, `{"status":"running"}`, nil,
		},
		"booleans have their defaults": {
			`{"listed": 1, "hosted": {"configuration": {"compose_file": {"public_logs": "no", "secure_time": null}}}}`,
			`{ listed hosted { configuration { composeFile { publicLogs secureTime } } } }`,
			`{"listed":false,"hosted":{"configuration":{"composeFile":{"publicLogs":true,"secureTime":false}}}}`,
			[]string{"cvms.nodes.1.listed", "cvms.nodes.1.hosted.configuration.composeFile.publicLogs"},
		},
		"an object that is none": {
			`{"hosted": "soon", "node": [], "name": "x"}`, `{ hosted { name } node { name } name vmId }`,
			`{"hosted":null,"node":null,"name":"x","vmId":null}`,
			[]string{"cvms.nodes.1.hosted", "cvms.nodes.1.node"},
		},
		"lists are empty": {
			`{"public_urls": {}, "hosted": {"events": 7, "configuration": {"ports": null}}}`,
			`{ publicUrls { app } hosted { events { body } configuration { ports { vmPort } kmsUrls } } }`,
			`{"publicUrls":[],"hosted":{"events":[],"configuration":{"ports":[],"kmsUrls":[]}}}`,
			[]string{"cvms.nodes.1.publicUrls", "cvms.nodes.1.hosted.events"},
		},
		"elements are left out, and those behind them counted as they are shown": {
			`{"public_urls": [null, {"app": "a"}, "b", {"app": 3, "instance": "i"}]}`, `{ publicUrls { app instance } }`,
			`{"publicUrls":[{"app":"a","instance":null},{"app":null,"instance":"i"}]}`,
			[]string{"cvms.nodes.1.publicUrls.0", "cvms.nodes.1.publicUrls.2", "cvms.nodes.1.publicUrls.1.app"},
		},
		"numbers that no Int holds": {
			`{"vcpu": 3000000000, "memory": 1.5, "disk_size": 40.0, "kms_info": {"chain_id": 9007199254740993}}`, `{ vcpu memory diskSize kmsInfo { chainId } }`,
			`{"vcpu":null,"memory":null,"diskSize":40,"kmsInfo":{"chainId":9007199254740993}}`,
			[]string{"cvms.nodes.1.vcpu", "cvms.nodes.1.memory"},
		},
		"a uuid that is none": {
			`{"hosted": {"id": 5}}`, `{ vmId hosted { vmId } }`,
			`{"vmId":null,"hosted":{"vmId":null}}`,
			[]string{"cvms.nodes.1.vmId", "cvms.nodes.1.hosted.vmId"},
		},
		"an owner's id is a number or a text": {
			`{"managed_user": {"id": 1042}, "name": null}`, `{ managedUser { userId username } name }`,
			`{"managedUser":{"userId":"1042","username":null},"name":null}`, nil,
		},
	}
	for name, test := range tests {
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

func dotted(path []any) string {
	var text string
	for i, element := range path {
		if i > 0 {
			text += "."
		}
		text += fmt.Sprint(element)
	}
	return text
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

func TestCvmID_stable(t *testing.T) {
	t.Parallel()
	const waiting = `{"hosted": null, "name": "new", "project_id": "prj_1", "node": {"id": 3}}`
	ids := func(items ...string) []string {
		g := newGateway(t, listOf(items...))
		var ids []string
		for _, n := range g.post(t, walkQuery, nil, nil).cvms(t).Nodes {
			ids = append(ids, n.ID)
		}
		return ids
	}
	first := ids(waiting, `{"hosted": {"id": "a"}}`, waiting, `{"name": "new", "project_id": "prj_1", "node": {"id": 4}}`)
	again := ids(`{"hosted": {"id": "a", "name": "renamed"}}`, waiting)
	if again[0] != first[1] {
		t.Errorf("the id of a VM: got %s, then %s, want the same", first[1], again[0])
	}
	if again[1] != first[0] {
		t.Errorf("a provisional id: got %s, then %s, want the same", first[0], again[1])
	}
	slices.Sort(first)
	if distinct := slices.Compact(first); len(distinct) != 4 {
		t.Errorf("got %d distinct ids, want 4", len(distinct))
	}
}
