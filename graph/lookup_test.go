package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/relay"
)

const lookupQuery = `query($id: ID!, $vmId: ID!) {
	node(id: $id) { __typename id ... on Cvm { name vmId } }
	cvm(vmId: $vmId) { id name }
}`

// everyID returns the ids and the VMs' uuids of a list, in order.
func everyID(t *testing.T, g *gateway) (ids, vmIDs []string) {
	t.Helper()
	for _, n := range g.post(t, cvmsQuery, vars{"first": 1000}, nil).cvms(t).Nodes {
		ids, vmIDs = append(ids, n.ID), append(vmIDs, n.VMID)
	}
	return ids, vmIDs
}

func TestLookup_everyCVM(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const total = 450
			upstream := demo.New(demo.Options{Items: total})
			ids, vmIDs := everyID(t, newGatewayOf(t, version, upstream))
			if len(ids) != total {
				t.Fatalf("got %d ids, want %d", len(ids), total)
			}
			for i := 0; i < total; i += 23 {
				if vmIDs[i] == "" {
					continue
				}
				g := newGatewayOf(t, version, upstream)
				a := g.post(t, lookupQuery, vars{"id": ids[i], "vmId": vmIDs[i]}, nil)
				var node, cvm struct{ ID, VMID, Name string }
				if len(a.Errors) > 0 || json.Unmarshal(a.Data["node"], &node) != nil || json.Unmarshal(a.Data["cvm"], &cvm) != nil {
					t.Fatalf("CVM %d: got %s, want it", i, a.raw)
				}
				if node.ID != ids[i] || node.VMID != vmIDs[i] || cvm.ID != ids[i] || cvm.Name != node.Name {
					t.Errorf("CVM %d: got %+v and %+v, want %s", i, node, cvm, ids[i])
				}
				if calls := g.takeCalls(); len(calls) > total/90+1 {
					t.Errorf("CVM %d: got %d calls, want at most %d", i, len(calls), total/90+1)
				}
				// The second lookup has a hint.
				g.post(t, lookupQuery, vars{"id": ids[i], "vmId": vmIDs[i]}, nil)
				if calls := g.takeCalls(); len(calls) != 1 {
					t.Errorf("CVM %d again: got the calls %q, want one", i, calls)
				}
			}
		})
	}
}

func TestLookup_manyShareOneScan(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const total = 450
			upstream := demo.New(demo.Options{Items: total})
			ids, _ := everyID(t, newGatewayOf(t, version, upstream))
			unknown := "Q3ZtOm5vbmU" // Cvm:none
			asked := append(slices.Clone(ids), unknown, ids[0])
			slices.Reverse(asked)
			g := newGatewayOf(t, version, upstream)
			a := g.post(t, `query($ids: [ID!]!) { nodes(ids: $ids) { id } again: nodes(ids: $ids) { __typename } }`, vars{"ids": asked}, nil)
			var nodes []*struct{ ID string }
			if err := json.Unmarshal(a.Data["nodes"], &nodes); err != nil || len(a.Errors) > 0 || len(nodes) != len(asked) {
				t.Fatalf("got %.300s, %v, want %d nodes", a.raw, err, len(asked))
			}
			for i, id := range asked {
				switch {
				case id == unknown && nodes[i] != nil:
					t.Errorf("node %d: got %v, want null", i, nodes[i])
				case id != unknown && (nodes[i] == nil || nodes[i].ID != id):
					t.Errorf("node %d: got %v, want %s", i, nodes[i], id)
				}
			}
			if calls := g.takeCalls(); len(calls) > total/90+1 {
				t.Errorf("got %d calls, want at most %d", len(calls), total/90+1)
			}
		})
	}
}

func TestLookup_notFound(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			upstream := demo.New(demo.Options{})
			tests := map[string]struct {
				query     string
				want      string // the data
				wantCode  any
				wantCalls int
			}{
				"an id of no CVM":                  {query: `{ node(id: "Q3ZtOm5vbmU") { id } }`, want: `{"node":null}`, wantCode: nil, wantCalls: 4},
				"a provisional id of no CVM":       {query: `{ node(id: "Q3ZtUHJvdmlzaW9uYWw6AAAAAAAAAAE") { id } }`, want: `{"node":null}`, wantCode: nil, wantCalls: 4},
				"a uuid of no VM":                  {query: `{ cvm(vmId: "00000000-0000-4000-8000-000000000000") { id } }`, want: `{"cvm":null}`, wantCode: nil, wantCalls: 4},
				"a string that is not an id":       {query: `{ node(id: "1") { id } }`, want: `{"node":null}`, wantCode: "BAD_USER_INPUT", wantCalls: 0},
				"an empty id":                      {query: `{ node(id: "") { id } }`, want: `{"node":null}`, wantCode: "BAD_USER_INPUT", wantCalls: 0},
				"an id in another spelling":        {query: `{ node(id: "Q3ZtOm5vbmU=") { id } }`, want: `{"node":null}`, wantCode: "BAD_USER_INPUT", wantCalls: 0},
				"an id of another type":            {query: `{ node(id: "VXNlcjox") { id } }`, want: `{"node":null}`, wantCode: "BAD_USER_INPUT", wantCalls: 0},
				"an empty uuid":                    {query: `{ cvm(vmId: "") { id } }`, want: `{"cvm":null}`, wantCode: "BAD_USER_INPUT", wantCalls: 0},
				"no ids":                           {query: `{ nodes(ids: []) { id } }`, want: `{"nodes":[]}`, wantCode: nil, wantCalls: 0},
				"an invalid id among others":       {query: `{ nodes(ids: ["Q3ZtOm5vbmU", "1"]) { id } }`, want: `{"nodes":[null,null]}`, wantCode: "BAD_USER_INPUT", wantCalls: 4},
				"a skipped lookup beside the list": {query: `{ node(id: "Q3ZtOm5vbmU") @skip(if: true) { id } cvms(first: 1) { totalCount } }`, want: `{"cvms":{"totalCount":300}}`, wantCode: nil, wantCalls: 1},
			}
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					g := newGatewayOf(t, version, upstream)
					a := g.post(t, test.query, nil, nil)
					data, err := json.Marshal(a.Data)
					if err != nil || string(data) != test.want {
						t.Errorf("got %s, %v, want %s", data, err, test.want)
					}
					if test.wantCode == nil && len(a.Errors) > 0 || test.wantCode != nil && (len(a.Errors) != 1 || a.Errors[0].code() != test.wantCode) {
						t.Errorf("got errors %+v, want %v", a.Errors, test.wantCode)
					}
					if calls := g.takeCalls(); len(calls) != test.wantCalls {
						t.Errorf("got the calls %q, want %d", calls, test.wantCalls)
					}
				})
			}
		})
	}
}

func TestLookup_sharesPagesOfConnections(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			upstream := demo.New(demo.Options{})
			ids, _ := everyID(t, newGatewayOf(t, version, upstream))
			g := newGatewayOf(t, version, upstream)
			a := g.post(t, `query($a: ID!, $b: ID!) { x: node(id: $a) { id } cvms(first: 30) { nodes { id } } y: node(id: $b) { id } }`, vars{"a": ids[3], "b": ids[29]}, nil)
			if len(a.Errors) > 0 || !strings.Contains(string(a.Data["x"]), ids[3]) || !strings.Contains(string(a.Data["y"]), ids[29]) {
				t.Errorf("got %.300s, want both nodes", a.raw)
			}
			if calls := g.takeCalls(); len(calls) != 1 {
				t.Errorf("got the calls %q, want one", calls)
			}
		})
	}
}

func TestLookup_listTooLarge(t *testing.T) {
	t.Parallel()
	const limit = 100
	for total, tooLarge := range map[int]bool{8800: false, 8950: true, 10_001: true} {
		g := newGateway(t, demo.New(demo.Options{Items: total}))
		a := g.post(t, `{ node(id: "Q3ZtOm5vbmU") { id } }`, nil, nil)
		got := len(g.takeCalls())
		want := len(relay.Cover(relay.Range{Lo: 0, Hi: total}))
		if !tooLarge {
			if len(a.Errors) > 0 || got != want {
				t.Errorf("%d CVMs: got %s and %d calls, want null and %d", total, a.raw, got, want)
			}
			continue
		}
		e := a.onlyError(t)
		if e.code() != "QUERY_TOO_COMPLEX" || e.Extensions["limit"] != float64(limit) || e.Extensions["actual"] != float64(want) {
			t.Errorf("%d CVMs: got %+v, want QUERY_TOO_COMPLEX with limit %d and actual %d", total, e, limit, want)
		}
		if got != 1 {
			t.Errorf("%d CVMs: got %d calls, want one call for the total", total, got)
		}
	}
}

func TestLookup_withoutCredential(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	a := g.post(t, `{ node(id: "Q3ZtOm5vbmU") { id } cvm(vmId: "x") { id } nodes(ids: ["Q3ZtOm5vbmU"]) { id } }`, nil, http.Header{})
	for _, e := range a.Errors {
		if e.code() != "UNAUTHENTICATED" {
			t.Errorf("got %+v, want UNAUTHENTICATED", e)
		}
	}
	if len(a.Errors) != 3 || len(g.takeCalls()) > 0 {
		t.Errorf("got %d errors, want 3 and no call", len(a.Errors))
	}
}

func TestLookup_invalidValues(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			g := newGatewayOf(t, version, listOf(`{"hosted": {"id": "a"}, "name": 7}`))
			a := g.post(t, `{ c: cvm(vmId: "a") { n: name } nodes(ids: ["Q3ZtOmE"]) { ... on Cvm { name } } }`, nil, nil)
			var paths []string
			for _, e := range a.Errors {
				paths = append(paths, dotted(e.Path))
			}
			slices.Sort(paths)
			if !slices.Equal(paths, []string{"c.n", "nodes.0.name"}) {
				t.Errorf("paths: got %q, want c.n and nodes.0.name", paths)
			}
		})
	}
}

// TestLookup_listMoves deletes CVMs during a search, so that the target moves to positions that
// were searched before.
func TestLookup_listMoves(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			upstream := demo.New(demo.Options{})
			list := upstream.IDs(tenant())
			target := list[len(list)-1]
			var calls atomic.Int64
			g := newGatewayOf(t, version, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) == 2 {
					upstream.Edit(tenant(), func(items []demo.Item) []demo.Item {
						return slices.Delete(items, 10, 40)
					})
				}
				upstream.ServeHTTP(w, r)
			}))
			a := g.post(t, fmt.Sprintf(`{ cvm(vmId: %q) { vmId } }`, target), nil, nil)
			if string(a.Data["cvm"]) != fmt.Sprintf(`{"vmId":%q}`, target) {
				t.Errorf("got %s, want the CVM", a.raw)
			}
		})
	}
}

// TestLookup_vmIDSpellings looks up CVMs by other spellings of their uuids than the upstream's.
func TestLookup_vmIDSpellings(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const dashed, bare = "7c0ffee0-0000-4000-8000-00000000000a", "7C0FFEE000004000800000000000000B"
			g := newGatewayOf(t, version, listOf(`{"hosted": {"id": "`+dashed+`"}, "name": "n"}`, `{"hosted": {"id": "`+bare+`"}, "name": "n"}`, `{"hosted": {"id": "vm-2"}, "name": "n"}`))
			ids := g.post(t, cvmsQuery, vars{"first": 3}, nil).cvms(t).Nodes
			for name, test := range map[string]struct {
				vmID string
				want int // index in ids; -1 for null
			}{
				"as listed":                   {vmID: dashed, want: 0},
				"without dashes":              {vmID: strings.ReplaceAll(dashed, "-", ""), want: 0},
				"upper case":                  {vmID: strings.ToUpper(dashed), want: 0},
				"upper case, without dashes":  {vmID: "7C0FFEE000004000800000000000000A", want: 0},
				"in braces":                   {vmID: "{" + dashed + "}", want: 0},
				"as listed, without dashes":   {vmID: bare, want: 1},
				"with dashes":                 {vmID: "7c0ffee0-0000-4000-8000-00000000000b", want: 1},
				"no uuid, as listed":          {vmID: "vm-2", want: 2},
				"no uuid, in other case":      {vmID: "VM-2", want: -1},
				"no uuid, without the dashes": {vmID: "vm2", want: -1},
				"another uuid":                {vmID: "7C0FFEE0-0000-4000-8000-00000000000C", want: -1},
			} {
				a := g.post(t, `query($v: ID!) { cvm(vmId: $v) { id vmId } _entities(representations: [{__typename: "Cvm", vmId: $v}]) { ... on Cvm { id vmId } } }`, vars{"v": test.vmID}, nil)
				cvm, entity := "null", "[null]"
				if test.want >= 0 {
					cvm = fmt.Sprintf(`{"id":%q,"vmId":%q}`, ids[test.want].ID, ids[test.want].VMID)
					entity = "[" + cvm + "]"
				}
				if len(a.Errors) > 0 || string(a.Data["cvm"]) != cvm || string(a.Data["_entities"]) != entity {
					t.Errorf("%s: got %s, want %s and the same entity", name, a.raw, cvm)
				}
			}
			if got := relay.VMIdentity(bare).NodeID(); ids[1].ID != got || ids[1].VMID != bare {
				t.Errorf("got id %s and vmId %s, want the id of the uuid, %s, and the upstream's spelling", ids[1].ID, ids[1].VMID, got)
			}
		})
	}
}
