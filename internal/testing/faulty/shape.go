package faulty

import "slices"

// hostedVersion and flatVersion are the newest API versions of each shape.
const (
	hostedVersion = "2025-10-28"
	flatVersion   = "2026-06-23"
)

// flat reports whether the call is for the flat shape.
func (c *call) flat() bool {
	return !slices.Contains([]string{"2025-05-31", hostedVersion}, c.r.Header.Get("X-Phala-Version"))
}

// isFlat reports whether an item has the flat shape.
func isFlat(item document) bool { return item["resource"] != nil }

// sizes returns the object of an item that has the number of its CPUs.
func sizes(item document) document {
	if isFlat(item) {
		return item["resource"].(document)
	}
	return item
}

// spoilObjects replaces two objects of an item by other values.
func spoilObjects(item document) {
	if isFlat(item) {
		item["resource"], item["node_info"] = Secret, []any{Secret}
	} else {
		item["hosted"], item["node"] = Secret, []any{Secret}
	}
}

// emptyID makes the id of an item's VM empty.
func emptyID(item document) {
	if isFlat(item) {
		item["vm_uuid"] = ""
	} else {
		hosted(item)["id"] = ""
	}
}

// enlarge adds a text to an item.
func enlarge(item document, text string) {
	if isFlat(item) {
		item["services"] = []any{document{"compose": text}}
	} else {
		hosted(item)["configuration"] = document{"compose_file": document{"name": "large", "docker_compose_file": text}}
	}
}

// hosted returns the VM of an item in the hosted shape. An item without one gets one.
func hosted(item document) document {
	vm, ok := item["hosted"].(document)
	if !ok {
		vm = make(document)
		item["hosted"] = vm
	}
	return vm
}

// bare removes all values of an item. The keys of its shape remain.
func bare(item document) {
	flat := isFlat(item)
	clear(item)
	if flat {
		item["resource"], item["gateway"] = document{}, document{}
	} else {
		item["hosted"] = nil
	}
}

// either returns one of two texts, by the shape of the call.
func (c *call) either(hosted, flat string) string {
	if c.flat() {
		return flat
	}
	return hosted
}
