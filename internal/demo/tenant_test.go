package demo_test

import (
	"net/http"
	"strconv"
	"testing"

	"cvmgraph/internal/demo"
)

func TestTenant_lists(t *testing.T) {
	t.Parallel()
	const query = "page_size=100"
	base := get(demo.New(demo.Options{Now: clock}), headers(alice), query).Body.String()
	tests := map[string]struct {
		seed   uint64
		header http.Header
		same   bool
	}{
		"the same token":           {header: headers(alice), same: true},
		"the scheme in lower case": {header: http.Header{"Authorization": {"bearer alice"}, "X-Phala-Version": {"2025-10-28"}}, same: true},
		"a key in addition":        {header: http.Header{"Authorization": {"Bearer alice"}, "X-Api-Key": {"k"}, "X-Phala-Version": {"2025-10-28"}}, same: true},
		"another seed":             {seed: 1, header: headers(alice)},
		"another token":            {header: headers(demo.Tenant{Bearer: "bob"})},
		"the token as a key":       {header: headers(demo.Tenant{APIKey: "alice"})},
		"another workspace":        {header: headers(demo.Tenant{Bearer: "alice", Workspace: "w"})},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := demo.New(demo.Options{Seed: test.seed, Now: clock})
			if got := get(u, test.header, query).Body.String() == base; got != test.same {
				t.Errorf("got an equal page: %t, want %t", got, test.same)
			}
		})
	}
}

func TestUpstream_discardsOldTenants(t *testing.T) {
	t.Parallel()
	u := demo.New(demo.Options{Items: -1})
	u.Edit(alice, func([]demo.Item) []demo.Item { return []demo.Item{demo.NewItem(1)} })
	u.Edit(demo.Tenant{Bearer: "bob"}, func([]demo.Item) []demo.Item { return []demo.Item{demo.NewItem(2)} })
	for i := range 1023 {
		u.IDs(demo.Tenant{APIKey: strconv.Itoa(i)})
		u.IDs(alice)
	}
	if got := len(u.IDs(alice)); got != 1 {
		t.Errorf("a recently used tenant: got %d items, want 1", got)
	}
	if got := len(u.IDs(demo.Tenant{Bearer: "bob"})); got != 0 {
		t.Errorf("the least recently used tenant: got %d items, want 0", got)
	}
}
