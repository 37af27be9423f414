package faulty

import (
	"encoding/json"
	"maps"
	"net/http"
)

// document is a page of the healthy upstream.
type document = map[string]any

// addDocuments adds pages with one wrong field or entry.
func (u *Upstream) addDocuments() {
	for name, edit := range map[string]func(document){
		"no-items":          func(d document) { delete(d, "items") },
		"null-items":        func(d document) { d["items"] = nil },
		"object-as-items":   func(d document) { d["items"] = document{"0": items(d)[0]} },
		"string-in-items":   func(d document) { items(d)[1] = Secret },
		"null-in-items":     func(d document) { items(d)[1] = nil },
		"too-many-items":    func(d document) { d["items"] = append(items(d), items(d)[0]) },
		"too-few-items":     func(d document) { d["items"] = items(d)[:7] },
		"empty-items":       func(d document) { d["items"] = []any{} },
		"no-total":          func(d document) { delete(d, "total") },
		"string-as-total":   func(d document) { d["total"] = Secret },
		"negative-total":    func(d document) { d["total"] = -1 },
		"huge-total":        func(d document) { d["total"] = json.Number("1e300") },
		"fractional-total":  func(d document) { d["total"] = 300.5 },
		"low-total":         func(d document) { d["total"] = 3 },
		"no-page":           func(d document) { delete(d, "page") },
		"another-page":      func(d document) { d["page"] = 7 },
		"another-page-size": func(d document) { d["page_size"] = 100 },
		"string-as-page":    func(d document) { d["page"] = "1" },
		"wrong-types":       func(d document) { item(d)["name"], sizes(item(d))["vcpu"] = 7, Secret },
		"wrong-object":      func(d document) { spoilObjects(item(d)) },
		"unknown-keys":      func(d document) { item(d)["new"], d["new"] = document{"deep": []any{Secret}}, Secret },
		"duplicate-item":    func(d document) { items(d)[1] = items(d)[0] },
		"empty-vm-id":       func(d document) { emptyID(item(d)) },
		"no-page-size":      func(d document) { delete(d, "page_size") },
		"nested-page":       func(d document) { nest(d, "data") },
		"renamed-items":     func(d document) { rename(d, "items", "cvms") },
		"bare-item":         func(d document) { bare(item(d)) },
	} {
		u.faults[name] = func(c *call) { c.sendEdited(edit) }
	}
	u.faults["bare-list"] = func(c *call) {
		items, err := json.Marshal(items(c.document()))
		if err != nil {
			panic(err)
		}
		c.send(http.StatusOK, jsonType, string(items))
	}
	u.faults["other-shape"] = func(c *call) {
		version := flatVersion
		if c.flat() {
			version = hostedVersion
		}
		c.r = c.r.Clone(c.r.Context())
		c.r.Header.Set("X-Phala-Version", version)
		c.send(http.StatusOK, jsonType, string(c.page()))
	}
}

// document returns the decoded page of the healthy upstream.
func (c *call) document() document {
	d := make(document)
	if err := json.Unmarshal(c.page(), &d); err != nil {
		panic(err)
	}
	return d
}

// sendEdited sends the edited page of the healthy upstream.
func (c *call) sendEdited(edit func(document)) {
	d := c.document()
	edit(d)
	body, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	c.send(http.StatusOK, jsonType, string(body))
}

// nest moves all members of a document below a key.
func nest(d document, key string) {
	inner := maps.Clone(d)
	clear(d)
	d[key] = inner
}

// rename renames a key of a document.
func rename(d document, from, to string) {
	d[to] = d[from]
	delete(d, from)
}

func items(d document) []any { return d["items"].([]any) }

// item returns the item that the faults of one item change.
func item(d document) document { return items(d)[1].(document) }
