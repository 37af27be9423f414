package relay

import "math"

// stranger is the offset of an item that a cursor does not remember.
const stranger = math.MaxInt

// evidence is what a part of the list shows of a cursor's witnesses: its own item and the nearest
// items on both sides, without a gap. If the run of the nearest items reaches an end of the list,
// this end is a witness too. It never moves.
type evidence struct {
	// offsets are those of the items of the part, in the order of the traversal.
	offsets   []int
	witnesses offsets
	// before and after are how many ends of the list are witnesses on either side of the part, and
	// how many witnesses are on other pages there.
	before, after int
	// missing is how many witnesses were not found.
	missing int
	// begins and ends report that the part reaches the end of the list where the traversal begins,
	// or the other one.
	begins, ends bool
}

// verdict is where a traversal begins in a part of the list.
type verdict struct {
	// start is an index of the part's items. firm is the first one, not before start, of an item
	// that is one of the rest if it has not moved.
	start, firm int
	// certain reports that the witnesses that were not found cannot change the verdict.
	certain bool
	// ambiguous reports that the traversal may return items again. It would lose items otherwise.
	ambiguous bool
}

// weigh decides where a traversal begins: at the first item that may be one of the rest of the
// traversal and not have moved, if fewer of the witnesses moved than stayed.
//
//   - If an item that the cursor does not remember has not moved, all witnesses that have not moved
//     are on its one side. It cannot be one of the rest if more of the witnesses are after it than
//     before it.
//   - If a next item has not moved, all witnesses on the wrong side of it have moved. It must have
//     moved itself if more than half of the witnesses are on its wrong side.
func (e *evidence) weigh() verdict {
	inside := 0
	for _, offset := range e.offsets {
		if e.witnesses.has(offset) {
			inside++
		}
	}
	all := e.before + e.after + inside
	// precedes reports that an item is not one of the rest. It is before as many witnesses as are
	// not before it. Missing witnesses may be on either side, unless the part reaches an end.
	missingBefore, missingAfter := e.missing, e.missing
	if e.begins {
		missingBefore = 0
	}
	if e.ends {
		missingAfter = 0
	}
	precedes := func(before int) bool { return before < all-before }
	v := verdict{start: len(e.offsets), firm: len(e.offsets)}
	v.certain = (e.begins || e.before+missingBefore < all-e.before) && (e.ends || e.before+inside >= e.after+missingAfter)
	before := e.before
	for i, offset := range e.offsets {
		belongs, firmly := false, false
		switch {
		case e.unplaced(offset):
			belongs, firmly = !precedes(before), before > all-before
			v.certain = v.certain && (before+missingBefore < all-before || before >= all-before+missingAfter)
			v.ambiguous = v.ambiguous || v.start < i && precedes(before) || before == all-before
		case e.witnesses.has(offset) && offset > 0:
			inversions := e.inversions(i)
			belongs, firmly = 2*inversions <= all, 2*inversions < all
			v.certain = v.certain && (2*inversions > all+e.missing || 2*(inversions+e.missing) <= all)
		}
		if e.witnesses.has(offset) {
			before++
		}
		if belongs {
			v.start = min(v.start, i)
		}
		if firmly {
			v.firm = min(v.firm, i)
		}
	}
	return v
}

// unplaced reports whether an offset is that of an item that the cursor does not remember, or does
// not remember as a near one: the next items are not all of them.
func (e *evidence) unplaced(offset int) bool { return offset > 0 && !e.witnesses.has(offset) }

// inversions returns how many witnesses of the part are on the other side of the one at an index
// than they were.
func (e *evidence) inversions(index int) int {
	n := 0
	for i, offset := range e.offsets {
		if e.witnesses.has(offset) && (i < index) != (offset < e.offsets[index]) && i != index {
			n++
		}
	}
	return n
}
