package main

import (
	"bytes"
	"strings"
	"testing"
)

// expectations returns a workload and the data of correct responses.
func expectations(t *testing.T, name string) (workload, expectation) {
	t.Helper()
	list, err := selectWorkloads([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	want, err := list[0].expectation(&upstream{items: newItems()})
	if err != nil {
		t.Fatal(err)
	}
	return list[0], want
}

func TestCheckRelay_rejectsWrongResponses(t *testing.T) {
	t.Parallel()
	w, want := expectations(t, "c")
	body, err := want.constant()
	if err != nil {
		t.Fatal(err)
	}
	if err := checkRelay(w, body, want); err != nil {
		t.Fatalf("correct response: %v", err)
	}
	if len(body) < 300_000 {
		t.Errorf("got %d bytes for all fields of 100 items, want at least 300,000", len(body))
	}
	for name, change := range map[string]func(string) string{
		"wrong number":    func(s string) string { return strings.Replace(s, `"timestamp":1`, `"timestamp":2`, 1) },
		"wrong string":    func(s string) string { return strings.Replace(s, `"runner":"docker-compose"`, `"runner":"bash"`, 1) },
		"null for a list": func(s string) string { return strings.Replace(s, `"ports":[`, `"ports":null,"x":[`, 1) },
		"missing field":   func(s string) string { return strings.Replace(s, `"uptime"`, `"downtime"`, 1) },
		"missing items":   func(s string) string { return strings.Replace(s, `{"edges":[`, `{"edges":[],"x":[`, 1) },
		"no data":         func(string) string { return `{"data":null}` },
		"errors":          func(s string) string { return strings.Replace(s, `{"data"`, `{"errors":[{"message":"no"}],"data"`, 1) },
		"not JSON":        func(string) string { return "upstream failed" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := []byte(change(string(body)))
			if bytes.Equal(changed, body) {
				t.Fatal("the change has no effect")
			}
			if err := checkRelay(w, changed, want); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestCheckNative_comparesValues(t *testing.T) {
	t.Parallel()
	w, want := expectations(t, "c")
	body := bytes.Join([][]byte{[]byte(`{"data":{"cvms":`), want.page, []byte(`}}`)}, nil)
	if err := checkNative(w, body, want); err != nil {
		t.Fatalf("correct response: %v", err)
	}
	changed := bytes.Replace(body, []byte(`"memory":2048`), []byte(`"memory":2049`), 1)
	if err := checkNative(w, changed, want); err == nil || bytes.Equal(changed, body) {
		t.Errorf("got %v for a wrong number, want an error", err)
	}
}

func TestCheckPage_comparesBytes(t *testing.T) {
	t.Parallel()
	w, want := expectations(t, "a")
	if err := checkPage(w, want.page, want); err != nil {
		t.Error(err)
	}
	if err := checkPage(w, want.page[1:], want); err == nil {
		t.Error("got no error for a page without its first byte")
	}
}

func TestWorkload_expectedValues(t *testing.T) {
	t.Parallel()
	w := workload{first: 1, fields: []field{
		{name: "publicUrls", list: true, fields: []field{{name: "app"}}},
		{name: "managedUser", fields: []field{{name: "userId", id: true}}},
		{name: "node", fields: []field{{name: "name"}}},
	}}
	items, err := w.expected([]byte(`{"items":[{"public_urls":null,"managed_user":{"id":12345678901234567890},"node":null,"name":"x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []any{map[string]any{
		"publicUrls":  []any{},
		"managedUser": map[string]any{"userId": "12345678901234567890"},
		"node":        nil,
	}}
	if err := compareItems(items, want); err != nil {
		t.Error(err)
	}
	if _, err := w.expected([]byte(`{"items":[]}`)); err == nil {
		t.Error("got no error for a page without items")
	}
}
