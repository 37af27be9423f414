package relay_test

import (
	"fmt"

	"cvmgraph/internal/relay"
)

func ExampleCursor() {
	list := relay.FingerprintOf("2025-10-28", "node 18")
	encoded := relay.Cursor{Position: 29, Total: 300, Item: relay.FingerprintOf("the item's id"), List: list}.Encode()

	cursor, err := relay.DecodeCursor(encoded, list)
	fmt.Println(cursor.Position, cursor.Total, err)
	_, err = relay.DecodeCursor(encoded, relay.FingerprintOf("2025-10-28", "node 19"))
	fmt.Println(err)
	// Output:
	// 29 300 <nil>
	// the cursor belongs to another list
}

func ExampleCover() {
	// One page covers 20 items and the cursor before them.
	fmt.Println(relay.Cover(relay.Range{Lo: 39, Hi: 60}))
	// Several pages share a position, so that a change between the calls is noticed.
	fmt.Println(relay.Cover(relay.Range{Lo: 0, Hi: 150}))
	// Output:
	// [{2 30}]
	// [{1 76} {2 75}]
}

func ExampleAssembler() {
	letters := []string{"a", "b", "c", "d", "e", "f", "g"}
	list := relay.FingerprintOf("letters")
	load := func(args relay.Args) (loaded []string, endCursor string) {
		window, err := args.Window(list, 100)
		if err != nil {
			fmt.Println(err)
			return nil, ""
		}
		assembler := relay.NewAssembler(window, nil)
		for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
			for _, page := range next.Pages {
				fmt.Printf("page %d of %d items (%s)\n", page.Number, page.Size, next.Reason)
				snapshot := relay.PageSnapshot{Ref: page, Total: len(letters)}
				for i := page.Range().Lo; i < min(page.Range().Hi, len(letters)); i++ {
					snapshot.Items = append(snapshot.Items, relay.FingerprintOf(letters[i]))
				}
				assembler.Add(snapshot)
			}
		}
		result := assembler.Result()
		for _, item := range result.Items() {
			loaded = append(loaded, letters[item.Position])
		}
		return loaded, result.Cursor(result.Len()-1, list).Encode()
	}

	loaded, cursor := load(relay.Args{First: new(int32(3))})
	fmt.Println(loaded)
	letters = letters[1:] // the first item is deleted between the two windows
	loaded, _ = load(relay.Args{First: new(int32(3)), After: &cursor})
	fmt.Println(loaded)
	// Output:
	// page 1 of 3 items (window)
	// [a b c]
	// page 1 of 6 items (window)
	// [d e f]
}
