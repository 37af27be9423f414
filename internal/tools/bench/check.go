package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// expected returns the items as GraphQL has them, made from the upstream's page without any of the servers.
func (w workload) expected(page []byte) ([]any, error) {
	var decoded struct{ Items []any }
	if err := decode(page, &decoded); err != nil {
		return nil, err
	}
	if len(decoded.Items) != w.first {
		return nil, fmt.Errorf("%d items on a page of %d", len(decoded.Items), w.first)
	}
	return renamed(decoded.Items, w.fields, field.upstream), nil
}

// renamed returns values with the selected fields alone, under their names in GraphQL.
func renamed(values []any, fields []field, key func(field) string) []any {
	list := make([]any, len(values))
	for i, value := range values {
		object, ok := value.(map[string]any)
		if !ok {
			list[i] = value
			continue
		}
		out := make(map[string]any, len(fields))
		for _, f := range fields {
			out[f.name] = f.value(object[key(f)], key)
		}
		list[i] = out
	}
	return list
}

func (f field) value(v any, key func(field) string) any {
	switch v := v.(type) {
	case nil:
		if f.list {
			return []any{}
		}
	case []any:
		return renamed(v, f.fields, key)
	case map[string]any:
		return renamed([]any{v}, f.fields, key)[0]
	case json.Number:
		if f.id {
			return v.String()
		}
	}
	return v
}

// checkRelay returns whether a connection's answer holds the items.
func checkRelay(_ workload, body []byte, want expectation) error {
	var answer struct {
		Data *struct {
			Cvms struct {
				Edges []struct{ Node any }
			}
		}
		Errors []any
	}
	if err := decode(body, &answer); err != nil {
		return err
	}
	if answer.Data == nil || len(answer.Errors) > 0 {
		return fmt.Errorf("an answer with errors: %.300s", body)
	}
	items := make([]any, len(answer.Data.Cvms.Edges))
	for i, edge := range answer.Data.Cvms.Edges {
		items[i] = edge.Node
	}
	return same(items, want.items)
}

// checkNative returns whether an answer of the upstream's shape holds the items.
func checkNative(w workload, body []byte, want expectation) error {
	var answer struct {
		Data *struct {
			Cvms struct{ Items []any }
		}
		Errors []any
	}
	if err := decode(body, &answer); err != nil {
		return err
	}
	if answer.Data == nil || len(answer.Errors) > 0 {
		return fmt.Errorf("an answer with errors: %.300s", body)
	}
	return same(renamed(answer.Data.Cvms.Items, w.fields, field.upstream), want.items)
}

// checkPage returns whether an answer is the upstream's page.
func checkPage(_ workload, body []byte, want expectation) error {
	if !bytes.Equal(body, want.page) {
		return errors.New("not the upstream's page")
	}
	return nil
}

// expectation is what a right answer to a workload holds.
type expectation struct {
	page  []byte
	items []any
}

// constant returns a connection's whole answer.
func (e expectation) constant() ([]byte, error) {
	edges := make([]any, len(e.items))
	for i, item := range e.items {
		edges[i] = map[string]any{"node": item}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(map[string]any{"data": map[string]any{"cvms": map[string]any{"edges": edges}}})
	return bytes.TrimSpace(b.Bytes()), err
}

// same compares items and names the first that differs.
func same(got, want []any) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d items, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			return fmt.Errorf("item %d is %.200v, want %.200v%s", i, got[i], want[i], difference(got[i], want[i]))
		}
	}
	return nil
}

// difference names a field of two objects that differs.
func difference(got, want any) string {
	g, _ := got.(map[string]any)
	w, _ := want.(map[string]any)
	for name := range w {
		if !reflect.DeepEqual(g[name], w[name]) {
			return fmt.Sprintf("; %s is %.200v, want %.200v", name, g[name], w[name])
		}
	}
	return ""
}

// decode reads JSON and keeps numbers as they are written.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	return decoder.Decode(into)
}
