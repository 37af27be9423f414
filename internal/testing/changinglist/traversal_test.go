package changinglist_test

import (
	"testing"

	"cvmgraph/internal/testing/changinglist"
)

func TestTraversal_comparesReturnedWithStayedItems(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stayed, returned []int
		wantSkipped      int
		wantInOrder      bool // each item that stayed once, and in order
	}{
		"every item once":            {stayed: []int{1, 2, 3}, returned: []int{1, 2, 3}, wantInOrder: true},
		"inserted and deleted items": {stayed: []int{1, 3}, returned: []int{1, 2, 9, 3}, wantInOrder: true},
		"inserted item twice":        {stayed: []int{1, 2}, returned: []int{1, 9, 9, 2}, wantInOrder: true},
		"missing item":               {stayed: []int{1, 2, 3}, returned: []int{1, 3}, wantSkipped: 1},
		"item three times":           {stayed: []int{1, 2}, returned: []int{1, 2, 2, 2}},
		"wrong order":                {stayed: []int{1, 2}, returned: []int{2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			traversal := changinglist.Traversal{Stayed: tt.stayed, Returned: tt.returned}
			skipped, inOrder := len(traversal.Skipped()), traversal.OnceAndInOrder()
			if skipped != tt.wantSkipped || inOrder != tt.wantInOrder {
				t.Errorf("got %d skipped, in order %t, want %d, %t", skipped, inOrder, tt.wantSkipped, tt.wantInOrder)
			}
		})
	}
}
