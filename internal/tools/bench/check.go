package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// expected returns the items of an upstream page as GraphQL values. No server is involved.
func (w workload) expected(page []byte) ([]any, error) {
	var decoded struct{ Items []any }
	if err := decode(page, &decoded); err != nil {
		return nil, err
	}
	if len(decoded.Items) != w.first {
		return nil, fmt.Errorf("got %d items on a page, want %d", len(decoded.Items), w.first)
	}
	return selectFields(decoded.Items, w.fields, field.upstream), nil
}

// selectFields returns the values with only these fields, under their GraphQL names. key returns a
// field's key in the values.
func selectFields(values []any, fields []field, key func(field) string) []any {
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
		return selectFields(v, f.fields, key)
	case map[string]any:
		return selectFields([]any{v}, f.fields, key)[0]
	case json.Number:
		if f.id {
			return v.String()
		}
	}
	return v
}

// checkRelay returns an error if the body of a connection's response does not have the items.
func checkRelay(_ workload, body []byte, want expectation) error {
	var response struct {
		Data *struct {
			Cvms struct {
				Edges []struct{ Node any }
			}
		}
		Errors []any
	}
	if err := decode(body, &response); err != nil {
		return err
	}
	if response.Data == nil || len(response.Errors) > 0 {
		return fmt.Errorf("the response has errors: %.300s", body)
	}
	items := make([]any, len(response.Data.Cvms.Edges))
	for i, edge := range response.Data.Cvms.Edges {
		items[i] = edge.Node
	}
	return compareItems(items, want.items)
}

// checkNative returns an error if the body of a response in the upstream's format does not have the
// items.
func checkNative(w workload, body []byte, want expectation) error {
	var response struct {
		Data *struct {
			Cvms struct{ Items []any }
		}
		Errors []any
	}
	if err := decode(body, &response); err != nil {
		return err
	}
	if response.Data == nil || len(response.Errors) > 0 {
		return fmt.Errorf("the response has errors: %.300s", body)
	}
	return compareItems(selectFields(response.Data.Cvms.Items, w.fields, field.upstream), want.items)
}

// checkPage returns an error if the body is not the upstream's page.
func checkPage(_ workload, body []byte, want expectation) error {
	if !bytes.Equal(body, want.page) {
		return errors.New("the body is not the upstream's page")
	}
	return nil
}

// expectation is the data of correct responses to a workload.
type expectation struct {
	page  []byte // as the upstream sends it
	items []any  // as GraphQL values
}

// constant returns the body of a connection's response.
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

// compareItems returns an error with the first item that differs.
func compareItems(got, want []any) error {
	if len(got) != len(want) {
		return fmt.Errorf("got %d items, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			return fmt.Errorf("item %d: got %.200v, want %.200v%s", i, got[i], want[i], difference(got[i], want[i]))
		}
	}
	return nil
}

// difference returns a description of a field that differs in two objects.
func difference(got, want any) string {
	g, _ := got.(map[string]any)
	w, _ := want.(map[string]any)
	for name := range w {
		if !reflect.DeepEqual(g[name], w[name]) {
			return fmt.Sprintf("; %s: got %.200v, want %.200v", name, g[name], w[name])
		}
	}
	return ""
}

// decode decodes JSON. Numbers are decoded as json.Number.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	return decoder.Decode(into)
}
