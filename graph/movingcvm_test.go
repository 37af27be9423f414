package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLookup_itemMovesToFront moves the CVM to the front between the calls of a lookup.
func TestLookup_itemMovesToFront(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const size = 350
			for name, query := range map[string]string{
				"cvm":       `{ x: cvm(vmId: "vm-%d") { name } }`,
				"nodes":     `{ x: nodes(ids: [%q]) { ... on Cvm { name } } }`,
				"_entities": `{ x: _entities(representations: [{__typename: "Cvm", vmId: "vm-%d"}]) { ... on Cvm { name } } }`,
			} {
				for _, ttl := range []time.Duration{0, 2 * time.Second} {
					for target := 110; target < size; target += 80 {
						for call := 2; call <= 4; call++ {
							list := &oddList{items: numbered(size)}
							list.before = func(n int) {
								if n == call {
									at := slices.Index(list.items, numbered(size)[target])
									list.items = slices.Insert(slices.Delete(slices.Clone(list.items), at, at+1), 0, list.items[at])
								}
							}
							key := any(target)
							if name == "nodes" {
								key = walk(t, newGatewayOf(t, version, &oddList{items: numbered(size)}), 1000, false).ids[target]
							}
							a := oddGatewayOf(t, version, list, ttl).post(t, fmt.Sprintf(query, key), nil, nil)
							if want := fmt.Sprintf(`{"name":"%d"}`, target); len(a.Errors) > 0 || !strings.Contains(string(a.Data["x"]), want) {
								t.Errorf("%s of CVM %d, which moves before call %d: got %s, want it", name, target, call, a.raw)
							}
						}
					}
				}
			}
		})
	}
}

// TestLookup_listMovesAllTheTime changes the list before each call. CVMs that are found are
// returned, and those that are not found are errors, because they may have been missed.
func TestLookup_listMovesAllTheTime(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			list := &oddList{items: numbered(350)}
			list.before = func(n int) {
				list.items = slices.Insert(slices.Clone(list.items), 0, fmt.Sprintf(`{"hosted":{"id":"new-%d"},"name":"new"}`, n))
			}
			ids := walk(t, newGatewayOf(t, version, &oddList{items: numbered(350)}), 1000, false).ids
			a := newGatewayOf(t, version, list).post(t, `query($ids: [ID!]!) { nodes(ids: $ids) { ... on Cvm { name } } }`, vars{"ids": []string{ids[5], "Q3ZtOm5vbmU", ids[349]}}, nil)
			if got, want := string(a.Data["nodes"]), `[{"name":"5"},null,{"name":"349"}]`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if e := a.onlyError(t); e.code() != "UNAVAILABLE" || dotted(e.Path) != "nodes.1" {
				t.Errorf("got %+v, want UNAVAILABLE at nodes.1", e)
			}
		})
	}
}
