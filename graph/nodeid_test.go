package graph_test

import (
	"slices"
	"testing"
)

func TestCvmID_stable(t *testing.T) {
	t.Parallel()
	const waiting = `{"hosted": null, "name": "new", "project_id": "prj_1", "node": {"id": 3}}`
	ids := func(items ...string) []string {
		g := newGateway(t, listOf(items...))
		var ids []string
		for _, n := range g.post(t, cvmsQuery, nil, nil).cvms(t).Nodes {
			ids = append(ids, n.ID)
		}
		return ids
	}
	first := ids(waiting, `{"hosted": {"id": "a"}}`, waiting, `{"name": "new", "project_id": "prj_1", "node": {"id": 4}}`)
	again := ids(`{"hosted": {"id": "a", "name": "renamed"}}`, waiting)
	if again[0] != first[1] {
		t.Errorf("the ID of a VM: got %s, then %s, want the same", first[1], again[0])
	}
	if again[1] != first[0] {
		t.Errorf("a provisional ID: got %s, then %s, want the same", first[0], again[1])
	}
	slices.Sort(first)
	if distinct := slices.Compact(first); len(distinct) != 4 {
		t.Errorf("got %d distinct IDs, want 4", len(distinct))
	}
}
