package changinglist

import (
	"errors"
	"slices"
)

// NearItems is how many of the last returned items decide whether a traversal is exact: a cursor
// remembers its own item and at least three previous ones.
const NearItems = 4

// maxPages is the maximum number of pages of a traversal. A traversal with offset cursors does not
// end if the list grows by a page or more between two pages.
const maxPages = 1000

// Page is one page of a traversal.
type Page struct {
	// Items are in the order of the traversal.
	Items []int
	// Cursor is the cursor of the last item. It is nil if the page is empty.
	Cursor *string
	// More reports whether the traversal goes on after this page.
	More bool
}

// Traversal is the outcome of paging through a list while it changes.
type Traversal struct {
	// Stayed are the items that were listed throughout, in the order of the traversal. Returned are
	// the items of all pages.
	Stayed, Returned []int
	// Exact reports that the list still had one of the NearItems items before a page when that page
	// was loaded, for each page. Then each item that stayed must be returned once and in order.
	Exact bool
	Pages int
}

// ErrEndless is the error of [List.Traverse] if the traversal does not end, or if a page without
// items reports more.
var ErrEndless = errors.New("the traversal does not end")

// Traverse pages through the list. load returns the page after a cursor, which is nil for the first
// page. change is called between two pages with the items returned so far. If backward is true, the
// order of the traversal is the reverse of the list's.
func (l *List) Traverse(backward bool, load func(cursor *string) (Page, error), change func(returned []int)) (Traversal, error) {
	t := Traversal{Stayed: slices.Clone(l.Items), Exact: true}
	var cursor *string
	for {
		page, err := load(cursor)
		if err != nil {
			return t, err
		}
		near := t.Returned[max(0, len(t.Returned)-NearItems):]
		if cursor != nil && !slices.ContainsFunc(near, func(item int) bool { return !l.deleted[item] }) {
			t.Exact = false
		}
		t.Returned = append(t.Returned, page.Items...)
		if page.Cursor != nil {
			cursor = page.Cursor
		}
		t.Pages++
		if !page.More {
			break
		}
		if len(page.Items) == 0 || t.Pages == maxPages {
			return t, ErrEndless
		}
		change(t.Returned)
	}
	t.Stayed = slices.DeleteFunc(t.Stayed, l.Deleted)
	if backward {
		slices.Reverse(t.Stayed)
	}
	return t, nil
}

// Skipped returns the items that stayed and were not returned.
func (t *Traversal) Skipped() []int {
	returned := make(map[int]bool, len(t.Returned))
	for _, item := range t.Returned {
		returned[item] = true
	}
	return slices.DeleteFunc(slices.Clone(t.Stayed), func(item int) bool { return returned[item] })
}

// Kept returns the returned items that stayed, in the order in which they were returned.
func (t *Traversal) Kept() []int {
	stayed := make(map[int]bool, len(t.Stayed))
	for _, item := range t.Stayed {
		stayed[item] = true
	}
	return slices.DeleteFunc(slices.Clone(t.Returned), func(item int) bool { return !stayed[item] })
}

// OnceAndInOrder reports whether each item that stayed was returned once, and all of them in order.
func (t *Traversal) OnceAndInOrder() bool { return slices.Equal(t.Kept(), t.Stayed) }
