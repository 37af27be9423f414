// Package relaytest holds the slow oracle that page covers are compared with in tests.
package relaytest

// maxPageSize is the largest page, in items, that the upstream hands out.
const maxPageSize = 100

// Cheapest returns the fewest calls that fetch the positions from lo up to but not including hi by pages that overlap by one
// position or more, and the fewest items that so many calls fetch. It tries every page that holds the next position needed,
// level by level.
func Cheapest(lo, hi int) (calls, items int) {
	if hi <= lo {
		return 0, 0
	}
	cheapest := map[int]int{lo: 0} // from the position needed next to the items fetched so far
	for calls = 1; ; calls++ {
		next := map[int]int{}
		done := -1
		for need, fetched := range cheapest {
			for size := 1; size <= maxPageSize; size++ {
				end := need/size*size + size
				total := fetched + size
				if end >= hi {
					if done < 0 || total < done {
						done = total
					}
					continue
				}
				if best, ok := next[end-1]; !ok || total < best {
					next[end-1] = total
				}
			}
		}
		if done >= 0 {
			return calls, done
		}
		cheapest = next
	}
}
