package main

import (
	"bytes"
	"strings"
	"testing"
)

// expectations returns what right answers to a workload hold.
func expectations(t *testing.T, name string) (workload, expectation) {
	t.Helper()
	list, err := chosen([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	want, err := list[0].expectation(&upstream{items: newItems()})
	if err != nil {
		t.Fatal(err)
	}
	return list[0], want
}

func TestAWrongAnswerIsFound(t *testing.T) {
	t.Parallel()
	w, want := expectations(t, "c")
	body, err := want.constant()
	if err != nil {
		t.Fatal(err)
	}
	if err := checkRelay(w, body, want); err != nil {
		t.Fatalf("a right answer: %v", err)
	}
	if len(body) < 300_000 {
		t.Errorf("got %d bytes for all fields of 100 items", len(body))
	}
	for name, change := range map[string]func(string) string{
		"another number":  func(s string) string { return strings.Replace(s, `"timestamp":1`, `"timestamp":2`, 1) },
		"another text":    func(s string) string { return strings.Replace(s, `"runner":"docker-compose"`, `"runner":"bash"`, 1) },
		"null for a list": func(s string) string { return strings.Replace(s, `"ports":[`, `"ports":null,"x":[`, 1) },
		"a field missing": func(s string) string { return strings.Replace(s, `"uptime"`, `"downtime"`, 1) },
		"an item missing": func(s string) string { return strings.Replace(s, `{"edges":[`, `{"edges":[],"x":[`, 1) },
		"no data":         func(string) string { return `{"data":null}` },
		"errors":          func(s string) string { return strings.Replace(s, `{"data"`, `{"errors":[{"message":"no"}],"data"`, 1) },
		"no JSON":         func(string) string { return "upstream gone" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := []byte(change(string(body)))
			if bytes.Equal(changed, body) {
				t.Fatal("nothing was changed")
			}
			if err := checkRelay(w, changed, want); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestTheUpstreamsShapeIsComparedByValue(t *testing.T) {
	t.Parallel()
	w, want := expectations(t, "c")
	body := bytes.Join([][]byte{[]byte(`{"data":{"cvms":`), want.page, []byte(`}}`)}, nil)
	if err := checkNative(w, body, want); err != nil {
		t.Fatalf("a right answer: %v", err)
	}
	changed := bytes.Replace(body, []byte(`"memory":2048`), []byte(`"memory":2049`), 1)
	if err := checkNative(w, changed, want); err == nil || bytes.Equal(changed, body) {
		t.Errorf("got %v for another number, want an error", err)
	}
}

func TestAPageIsComparedByteForByte(t *testing.T) {
	t.Parallel()
	w, want := expectations(t, "a")
	if err := checkPage(w, want.page, want); err != nil {
		t.Error(err)
	}
	if err := checkPage(w, want.page[1:], want); err == nil {
		t.Error("got no error for a page with a byte less")
	}
}

func TestExpectedValues(t *testing.T) {
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
	if err := same(items, want); err != nil {
		t.Error(err)
	}
	if _, err := w.expected([]byte(`{"items":[]}`)); err == nil {
		t.Error("got no error for a page without the items")
	}
}
