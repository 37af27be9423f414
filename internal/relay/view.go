package relay

import "slices"

// view is a part of the list as joined pages show it, with what a cursor remembers of it.
type view struct {
	memory
	path     traversal
	evidence evidence
	// indexes are the places of the witnesses in the path, by their offsets.
	indexes map[int]int
	// elsewhere has the offsets of the witnesses that only other pages have.
	elsewhere map[int]bool
	// ordered reports that the witnesses are in their old order.
	ordered bool
	// whole reports that the pages have the whole list, covered that they have all places at which
	// witnesses are that have not moved.
	whole, covered bool
	// growth is how many more items the list has than when the cursor was made.
	growth int
}

// view returns the view with the most witnesses. If the list changed between the calls, one that
// has a witness nearer to the cursor's place is better, unless that witness has moved. It has no
// witnesses if no page has one.
func (asm *Assembler) view(m memory) view {
	var best view
	for i := range asm.pages {
		if asm.outdated[i] || !asm.hasWitness(m, i) {
			continue
		}
		v := asm.viewFrom(m, i)
		asm.countOthers(&v)
		nearer := v.nearer(&best)
		if len(best.indexes) == 0 || nearer || !best.nearer(&v) && len(v.indexes) > len(best.indexes) {
			best = v
		}
	}
	best.memory = m
	if len(best.indexes) > 0 {
		best.whole, best.covered = asm.covers(Range{0, asm.total()}), asm.covers(best.region())
	}
	return best
}

// nearer reports whether the view has a witness nearer to the cursor's place than another view, in
// the old order and about as far from its old position.
func (v *view) nearer(other *view) bool {
	if !v.ordered || !other.ordered || len(other.indexes) == 0 {
		return false
	}
	a, b := v.nearest(), other.nearest()
	closer := a <= 0 && (b > 0 || a > b) || a > 0 && a < b && b > 0
	return closer && abs(v.shift(a)-other.shift(b)) <= abs(v.growth)+seamSlack
}

// nearest returns the offset of the nearest of the cursor's item and the previous witnesses, else
// that of the nearest next one.
func (v *view) nearest() int {
	if previous, ok := v.previousBefore(v.path.items.len); ok {
		return previous
	}
	next, _ := v.nextFrom(0)
	return next
}

// shift returns how far a witness is from its old position.
func (v *view) shift(offset int) int { return v.position(v.indexes[offset]) - v.oldPosition(offset) }

func (asm *Assembler) hasWitness(m memory, page int) bool {
	return slices.ContainsFunc(asm.pages[page].Items, func(f Fingerprint) bool {
		return m.witnesses.has(m.offset(f))
	})
}

// viewFrom returns the view that begins with a page.
func (asm *Assembler) viewFrom(m memory, page int) view {
	begin := boundary{page, 0}
	if m.dir < 0 {
		begin.index = len(asm.pages[page].Items)
	}
	v := view{
		memory: m, indexes: make(map[int]int), elsewhere: make(map[int]bool), ordered: true,
		path: asm.traverse(&span{from: alignment{boundary: begin}, view: true}, m.dir, maxPosition),
	}
	v.evidence = evidence{
		witnesses: m.witnesses, begins: asm.pages[page].ends(-m.dir), ends: v.path.complete,
		offsets: make([]int, v.path.items.len),
	}
	last := m.witnesses.lowest - 1
	for i := range v.evidence.offsets {
		offset := m.offset(asm.pages.item(v.path.items.at(i)))
		v.evidence.offsets[i] = offset
		if m.witnesses.has(offset) {
			v.indexes[offset] = i
			v.ordered = v.ordered && offset > last
			last = offset
			v.growth = asm.pages[v.path.items.at(i).page].Total - m.cursor.Total
		}
	}
	return v
}

// countOthers counts the witnesses outside of the view. Those on pages that do not join it are
// before or after it by their positions.
func (asm *Assembler) countOthers(v *view) {
	begin, end := asm.position(v.path.items.at(0)), asm.position(v.path.items.at(v.path.items.len-1))
	for i, page := range asm.pages {
		for j, f := range page.Items {
			offset := v.offset(f)
			if v.has(offset) || !v.witnesses.has(offset) || v.elsewhere[offset] || asm.outdated[i] {
				continue
			}
			side := 1
			switch position := page.start() + j; {
			case v.dir*(position-begin) < 0:
				v.evidence.before++
				side = -1
			case v.dir*(position-end) > 0:
				v.evidence.after++
			default:
				continue // a page of another moment
			}
			v.elsewhere[offset] = true
			for other := range v.indexes {
				v.ordered = v.ordered && (other < offset) == (side > 0)
			}
		}
	}
	v.evidence.missing = v.witnesses.highest - v.witnesses.lowest + 1 - len(v.indexes) - len(v.elsewhere)
	v.evidence.missing = max(v.evidence.missing-v.deleted(), 0)
	if v.toStart() {
		v.evidence.before++
	}
	if v.toEnd() {
		v.evidence.after++
	}
}

// deleted returns how many of the missing witnesses are deleted, if no item has moved: those at
// places that the view shows, if the list has become shorter by as many.
func (v *view) deleted() int {
	if !v.ordered {
		return 0
	}
	first, last := v.witnesses.highest, v.witnesses.lowest
	for offset := range v.indexes {
		first, last = min(first, offset), max(last, offset)
	}
	if first > 0 && v.first() >= nearMost {
		first = v.witnesses.lowest
	}
	if n := v.missingFrom(first, last); v.onlyDeleted(n) {
		return n
	}
	return 0
}

// first returns the index of the first witness.
func (v *view) first() int {
	return slices.IndexFunc(v.evidence.offsets, v.witnesses.has)
}

// onlyDeleted reports whether the list has only become shorter, by n witnesses at least, as far as
// the view shows.
func (v *view) onlyDeleted(n int) bool {
	for offset := range v.indexes {
		if moved := v.shift(offset); moved > 0 || moved < v.growth {
			return false
		}
	}
	return n <= -v.growth
}

func (v *view) has(offset int) bool {
	_, ok := v.indexes[offset]
	return ok
}

// previousBefore returns the offset of the nearest of the cursor's item and the previous items that
// is before an index of the view.
func (v *view) previousBefore(index int) (offset int, ok bool) {
	for offset = 0; v.witnesses.has(offset); offset-- {
		if i, ok := v.indexes[offset]; ok && i < index {
			return offset, true
		}
	}
	return 0, false
}

// nextFrom returns the offset of the nearest next item that is not before an index of the view.
func (v *view) nextFrom(index int) (offset int, ok bool) {
	for offset = 1; v.witnesses.has(offset); offset++ {
		if i, ok := v.indexes[offset]; ok && i >= index {
			return offset, true
		}
	}
	return 0, false
}

// place returns the index of the first item after the cursor's place if no item has moved.
func (v *view) place() int {
	if previous, ok := v.previousBefore(v.path.items.len); ok {
		return v.indexes[previous] + 1
	}
	if next, ok := v.nextFrom(0); ok {
		return v.indexes[next]
	}
	return 0
}

// orderedStart returns where a traversal begins if the witnesses are in their old order: at the
// cursor's place, unless items are before it because witnesses have moved past them.
func (v *view) orderedStart() int {
	place, e := v.place(), &v.evidence
	before, from, last := e.before, 0, -1 // of the gap before the next witness, and the witness before it
	total := e.before + e.after + len(v.indexes)
	for i, offset := range e.offsets[:place] {
		if !e.witnesses.has(offset) {
			continue
		}
		tied := 2*before == total && (v.growth > 0 || v.inPlace())
		if v.strangers(from, i) > 0 && 2*before >= total && !tied && v.movesExplain(last, i) {
			return from
		}
		before, from, last = before+1, i+1, i
	}
	return place
}

// movedBack reports whether the cursor's item must have moved, if the witnesses are in their old
// order: none is before it, and there are more other items between it and the next ones than were
// inserted. With a witness before it, others have been inserted after it, or it would have moved
// past that witness.
func (v *view) movedBack() bool {
	place := v.place()
	next, ok := v.nextFrom(place)
	return ok && v.has(0) && v.evidence.before == 0 && v.first() == v.indexes[0] &&
		v.strangers(place, v.indexes[next]) > max(v.growth, 0)+v.missingFrom(1, next-1)
}

// movesExplain reports whether the witnesses from index j on may have moved past the items between
// it and the witness at index i. If it is a single one, it may always have. Otherwise, moves must
// explain the view with fewer changes than inserts. The cursor of the next window remembers as many
// items that it has to leave out.
func (v *view) movesExplain(i, j int) bool {
	movers := v.witnessesFrom(j)
	if movers <= 1 || movers > maxFar || i < 0 {
		return movers <= 1
	}
	deleted := v.missingFrom(v.evidence.offsets[j], 0)                                  // after the gap
	inserted := v.strangers(i, j) - (v.evidence.offsets[j] - v.evidence.offsets[i] - 1) // others were replaced
	lower := i                                                                          // in the order of the list
	if v.dir < 0 {
		lower = j
	}
	shift := v.shift(v.evidence.offsets[lower])
	rest := v.growth - shift - inserted // of the list after both witnesses
	if v.dir > 0 {
		rest += deleted
	} else {
		shift += deleted
	}
	byInserts := abs(shift) + abs(inserted) + abs(rest)
	byMoves := movers + abs(shift) + abs(rest+inserted)
	if v.dir < 0 {
		byMoves = movers + abs(shift+inserted) + abs(rest)
	}
	return byMoves < byInserts
}

// witnessesFrom returns how many witnesses have an index or a later one.
func (v *view) witnessesFrom(index int) int {
	n := 0
	for _, i := range v.indexes {
		if i >= index {
			n++
		}
	}
	return n
}

// showsItem reports whether the view has the cursor's item, or shows that it is deleted if no item
// has moved.
func (v *view) showsItem() bool {
	if v.has(0) || v.whole {
		return true
	}
	if !v.ordered {
		return false
	}
	previous, hasPrevious := v.previousBefore(v.path.items.len)
	_, hasNext := v.nextFrom(0)
	if !hasPrevious {
		previous = v.witnesses.lowest - 1
	}
	return hasPrevious && (hasNext || v.evidence.ends) || hasNext && v.evidence.begins ||
		(v.covered || hasNext && v.first() >= nearMost) && v.onlyDeleted(-previous)
}

// inPlace reports whether the cursor's item is at its position.
func (v *view) inPlace() bool {
	return v.has(0) && v.position(v.indexes[0]) == v.cursor.Position
}

// position returns the position in the list of the item at an index.
func (v *view) position(index int) int { return v.path.pages.position(v.path.items.at(index)) }

// strangers returns how many items of the view between two indexes are none of the near ones that
// the cursor remembers, and none of those that a traversal in the other direction passed.
func (v *view) strangers(from, to int) int {
	n := 0
	for i := from; i < to; i++ {
		if offset := v.evidence.offsets[i]; v.evidence.unplaced(offset) && !passedBack(offset) {
			n++
		}
	}
	return n
}

// passedBack reports whether an offset is that of an item that a traversal in the other direction
// passed, although it would have met it again. When the cursor was made, it was a previous item.
func passedBack(offset int) bool { return offset >= passedDistance && offset != stranger }

// missingFrom returns how many of the witnesses with these offsets no page has.
func (v *view) missingFrom(from, to int) int {
	n := 0
	for offset := from; offset <= to; offset++ {
		if !v.has(offset) && !v.elsewhere[offset] {
			n++
		}
	}
	return n
}
