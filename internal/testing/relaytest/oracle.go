// Package relaytest has a slow oracle that tests compare page covers with.
package relaytest

// maxPageSize is the upstream's maximum page size, in items.
const maxPageSize = 100

// Cheapest returns the minimum number of calls that fetch positions lo to hi-1 with pages that
// overlap by at least one position, and the minimum number of items for this number of calls.
// It is a breadth-first search over all pages that contain the next needed position.
func Cheapest(lo, hi int) (calls, items int) {
	if hi <= lo {
		return 0, 0
	}
	cheapest := map[int]int{lo: 0} // next needed position to items fetched so far
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
