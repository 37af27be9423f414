package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestTooLarge_smallerPages has a list whose pages of 100 CVMs exceed the limit of a response.
func TestTooLarge_smallerPages(t *testing.T) {
	t.Parallel()
	items := numbered(130)
	for i := range items {
		items[i] = fmt.Sprintf(`{"hosted":{"id":"vm-%d","configuration":{"compose_file":{"name":"c","docker_compose_file":%q}}},"name":"%d"}`, i, strings.Repeat("x", 190<<10), i)
	}
	g := newGateway(t, &oddList{items: items})
	for _, backward := range []bool{false, true} {
		if got := walk(t, g, 100, backward); len(got.names) != len(items) || got.names[99] != "99" || got.inexact {
			t.Errorf("backward %t: got %d CVMs, inexact %t, want %d", backward, len(got.names), got.inexact, len(items))
		}
	}
	g.takeCalls()
	for vmID, want := range map[string]string{"vm-125": `{"name":"125"}`, "vm-1": `{"name":"1"}`, "none": "null"} {
		if a := newGateway(t, &oddList{items: items}).post(t, fmt.Sprintf(`{ cvm(vmId: %q) { name } }`, vmID), nil, nil); len(a.Errors) > 0 || string(a.Data["cvm"]) != want {
			t.Errorf("%s: got %.300s, want %s", vmID, a.raw, want)
		}
	}
	g.post(t, `{ cvms(first: 100) { nodes { name } } }`, nil, nil)
	if calls := g.takeCalls(); slices.ContainsFunc(calls, func(c string) bool { return strings.Contains(c, "page_size=100") }) {
		t.Errorf("got the calls %q, want no page of a size that is known to be too large", calls)
	}
}

func TestTooLarge_oneItem(t *testing.T) {
	t.Parallel()
	list := &oddList{items: []string{fmt.Sprintf(`{"hosted":{"id":"vm-0"},"name":%q}`, strings.Repeat("x", 17<<20))}}
	e := newGateway(t, list).post(t, `{ cvms(first: 1) { nodes { id } } }`, nil, nil).onlyError(t)
	if e.code() != "UPSTREAM_INVALID_RESPONSE" || !strings.Contains(e.Message, "ask for fewer") {
		t.Errorf("got %+v, want advice to ask for fewer CVMs", e)
	}
}

// TestTooLarge_once has an upstream of which one response is too large. The calls of later requests
// are as if it had not been.
func TestTooLarge_once(t *testing.T) {
	t.Parallel()
	const query = `{ cvms(first: 80) { nodes { name } } }`
	for name, hidden := range map[string]func(int) bool{"regular": nil, "irregular": func(i int) bool { return i == 50 }} {
		for fault := 1; fault <= 2; fault++ {
			list := &oddList{items: numbered(90), hidden: hidden}
			g := newGateway(t, list)
			g.post(t, query, nil, nil)
			g.takeCalls()
			g.post(t, query, nil, nil)
			want := g.takeCalls()

			calls, item := 0, list.items[0]
			list.before = func(int) {
				if calls++; calls == fault {
					list.items[0] = strings.Replace(item, "}", `},"x":"`+strings.Repeat("x", 17<<20)+`"`, 1)
				} else {
					list.items[0] = item
				}
			}
			for range 3 {
				if a := g.post(t, query, nil, nil); len(a.Errors) > 0 {
					t.Errorf("%s, call %d: got %+v, want no errors", name, fault, a.Errors)
				}
			}
			g.takeCalls()
			g.post(t, query, nil, nil)
			if got := g.takeCalls(); !slices.Equal(got, want) {
				t.Errorf("%s, call %d: got the calls %q, want %q as before", name, fault, got, want)
			}
		}
	}
}

// TestTooLarge_laterFailure has an upstream that fails while smaller pages are loaded.
func TestTooLarge_laterFailure(t *testing.T) {
	t.Parallel()
	list := &oddList{items: numbered(90), notFound: true}
	item := list.items[0]
	list.items[0] = strings.Replace(item, "}", `},"x":"`+strings.Repeat("x", 17<<20)+`"`, 1)
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		list.ServeHTTP(w, r)
		list.items[0] = item
	}))
	if e := g.post(t, `{ cvms(first: 80) { nodes { name } } }`, nil, nil).onlyError(t); e.code() != "BAD_USER_INPUT" {
		t.Errorf("got %+v, want the upstream's error", e)
	}
}
