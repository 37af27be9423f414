package faulty

import (
	"encoding/json"
	"net/http"
)

// document is a page of the healthy upstream.
type document = map[string]any

// addDocuments adds pages with one wrong field or entry.
func (u *Upstream) addDocuments() {
	for name, edit := range map[string]func(document){
		"no-items":           func(d document) { delete(d, "items") },
		"null-items":         func(d document) { d["items"] = nil },
		"object-as-items":    func(d document) { d["items"] = document{"0": items(d)[0]} },
		"string-in-items":    func(d document) { items(d)[1] = Secret },
		"null-in-items":      func(d document) { items(d)[1] = nil },
		"too-many-items":     func(d document) { d["items"] = append(items(d), items(d)[0]) },
		"too-few-items":      func(d document) { d["items"] = items(d)[:7] },
		"empty-items":        func(d document) { d["items"] = []any{} },
		"no-total":           func(d document) { delete(d, "total") },
		"string-as-total":    func(d document) { d["total"] = Secret },
		"negative-total":     func(d document) { d["total"] = -1 },
		"huge-total":         func(d document) { d["total"] = json.Number("1e300") },
		"fractional-total":   func(d document) { d["total"] = 300.5 },
		"low-total":          func(d document) { d["total"] = 3 },
		"no-page":            func(d document) { delete(d, "page") },
		"another-page":       func(d document) { d["page"] = 7 },
		"another-page-size":  func(d document) { d["page_size"] = 100 },
		"string-as-page":     func(d document) { d["page"] = "1" },
		"wrong-types":        func(d document) { item(d)["name"], item(d)["vcpu"] = 7, Secret },
		"wrong-object":       func(d document) { item(d)["hosted"], item(d)["node"] = Secret, []any{Secret} },
		"unknown-keys":       func(d document) { item(d)["new"], d["new"] = document{"deep": []any{Secret}}, Secret },
		"duplicate-item":     func(d document) { items(d)[1] = items(d)[0] },
		"nothing-but-hosted": func(d document) { clear(item(d)); item(d)["hosted"] = nil },
	} {
		u.faults[name] = func(c *call) {
			d := make(document)
			if err := json.Unmarshal(c.page(), &d); err != nil {
				panic(err)
			}
			edit(d)
			body, err := json.Marshal(d)
			if err != nil {
				panic(err)
			}
			c.send(http.StatusOK, jsonType, string(body))
		}
	}
	u.faults["flat-shape"] = func(c *call) {
		c.r = c.r.Clone(c.r.Context())
		c.r.Header.Set("X-Phala-Version", "2026-06-23")
		c.send(http.StatusOK, jsonType, string(c.page()))
	}
}

func items(d document) []any { return d["items"].([]any) }

// item returns the item that the faults of one item change.
func item(d document) document { return items(d)[1].(document) }
