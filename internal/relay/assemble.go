package relay

import "slices"

// Identity is what tells an item of a list apart: the uuid of its VM, or, where VMID is empty, its other traits.
type Identity struct {
	VMID   string
	Traits Fingerprint
}

// Loaded is a page with the identities of its items, in order.
type Loaded struct {
	Page  Page
	Items []Identity
}

// Slot is an item of an answer.
type Slot struct {
	// Position is its place in the list, counted from 0.
	Position int
	// Page and Item are its place in the pages given to [Assemble].
	Page, Item int
	// ID is its global id.
	ID string
	// Repeats is how many more times the upstream listed it in the same range.
	Repeats int
}

// Assemble picks the items at the positions of want from the pages, which may overlap, in the order of the list. No id
// occurs twice. It repeats a VM only where the list itself does, and not where pages disagree on what stands at a
// position: then the list has moved between them, and an item was met again.
func Assemble(pages []Loaded, want Range) []Slot {
	slots, moved := merge(pages)

	numbers := make(map[Fingerprint]int)
	picked := make(map[string]int, want.Len()) // by id: its place in answer
	answer := make([]Slot, 0, want.Len())
	for _, s := range slots {
		// Items ahead of want count too, so that a number does not depend on where a window begins on its page.
		s.ID = globalID(pages[s.Page].Items[s.Item], numbers)
		if s.Position < want.Lo || s.Position >= want.Hi {
			continue
		}
		if i, ok := picked[s.ID]; ok {
			if !moved || answer[i].Page == s.Page {
				answer[i].Repeats++
			}
			continue
		}
		picked[s.ID] = len(answer)
		answer = append(answer, s)
	}
	return answer
}

func globalID(item Identity, numbers map[Fingerprint]int) string {
	if item.VMID != "" {
		return VMNodeID(item.VMID)
	}
	numbers[item.Traits]++
	return ProvisionalNodeID(item.Traits, numbers[item.Traits])
}

// merge returns one slot, still without its id, for each position that a page holds an item for, in order; moved says
// that two pages hold different items for one position.
func merge(pages []Loaded) (slots []Slot, moved bool) {
	order := make([]int, len(pages))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return pages[a].Page.Range().Lo - pages[b].Page.Range().Lo })

	for _, page := range order {
		lo := pages[page].Page.Range().Lo
		for item, identity := range pages[page].Items {
			position := lo + item
			at, taken := slices.BinarySearchFunc(slots, position, func(s Slot, p int) int { return s.Position - p })
			if taken {
				other := slots[at]
				moved = moved || pages[other.Page].Items[other.Item] != identity
				continue
			}
			slots = slices.Insert(slots, at, Slot{Position: position, Page: page, Item: item})
		}
	}
	return slots, moved
}
