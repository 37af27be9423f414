package faulty_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
)

func newServer(t *testing.T) (*faulty.Upstream, func(token, page string) int) {
	t.Helper()
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	return upstream, func(token, page string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+demo.ListPath+"?page="+page, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
}

func TestToken_failsTheSelectedCalls(t *testing.T) {
	t.Parallel()
	upstream, status := newServer(t)
	for when, want := range map[faulty.When][]int{
		faulty.Once:   {503, 200, 200},
		faulty.Twice:  {503, 503, 200},
		faulty.Always: {503, 503, 503},
		faulty.Later:  {200, 503, 200},
	} {
		token := upstream.Token("503-after-7", when, "x")
		var got []int
		for _, page := range []string{"1", "2", "1"} {
			got = append(got, status(token, page))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %d, want %d", when, got, want)
		}
		upstream.Repair(token)
		if got := status(token, "2"); got != 200 {
			t.Errorf("%s: got status %d after the repair, want 200", when, got)
		}
		if got := upstream.Calls(token); got != 4 {
			t.Errorf("%s: got %d calls, want 4", when, got)
		}
	}
	if got := status("healthy", "1"); got != 200 {
		t.Errorf("got status %d for a token without a fault, want 200", got)
	}
}

func TestToken_panicsForAnUnknownFault(t *testing.T) {
	t.Parallel()
	upstream, _ := newServer(t)
	for name, when := range map[string]faulty.When{"503": "never", "99": faulty.Once, "503-after-soon": faulty.Once, "503-xml": faulty.Once, "late-by-soon": faulty.Once, "": faulty.Always} {
		func() {
			defer func() { _ = recover() }()
			token := upstream.Token(name, when, "")
			t.Errorf("got token %s, want a panic", token)
		}()
	}
}

func TestFail_returnsThePageOfTheCaller(t *testing.T) {
	t.Parallel()
	list := demo.New(demo.Options{})
	upstream := faulty.New(list, "http://elsewhere.example")
	items := func(handler http.HandlerFunc) []any {
		request := httptest.NewRequest(http.MethodGet, demo.ListPath+"?page=2&page_size=10", nil)
		request.Header.Set("Authorization", "Bearer caller")
		recorder := httptest.NewRecorder()
		handler(recorder, request)
		var page struct{ Items []any }
		if err := json.Unmarshal(recorder.Body.Bytes(), &page); err != nil || len(page.Items) != 10 {
			t.Fatalf("got %.200s, %v, want a page of 10 items", recorder.Body, err)
		}
		return page.Items
	}
	own := items(list.ServeHTTP)
	failing := items(func(w http.ResponseWriter, r *http.Request) { upstream.Fail(w, r, "wrong-types") })
	if reflect.DeepEqual(failing[1], own[1]) {
		t.Errorf("got item %v, want one with wrong types", failing[1])
	}
	if failing[1] = own[1]; !reflect.DeepEqual(failing, own) {
		t.Errorf("got %v, want %v", failing, own)
	}
}

// hosted is the newest API version with the hosted shape, and flat the newest one.
const (
	hosted = "2025-10-28"
	flat   = "2026-06-23"
)

// fetch returns the response of a fault to a request for a page of an API version.
func fetch(upstream *faulty.Upstream, version, name string, page, size int) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, fmt.Sprintf("%s?page=%d&page_size=%d", demo.ListPath, page, size), nil)
	request.Header.Set("Authorization", "Bearer caller")
	request.Header.Set("X-Phala-Version", version)
	recorder := httptest.NewRecorder()
	upstream.Fail(recorder, request, name)
	return recorder
}

// TestFail_refusals compares responses that are not from the API: status, media type and body.
func TestFail_refusals(t *testing.T) {
	t.Parallel()
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")
	for name, want := range map[string]struct {
		status     int
		kind, body string
	}{
		"403-text":    {status: 403, kind: "text/plain", body: "error code: 1010"},
		"403-html":    {status: 403, kind: "text/html", body: "<!DOCTYPE html>"},
		"403-json":    {status: 403, kind: "application/json", body: `"cloudflare_error":true`},
		"403-empty":   {status: 403},
		"429-text":    {status: 429, kind: "text/plain", body: "error code: 1015"},
		"429-body-90": {status: 429, kind: "text/plain", body: "90"},
		"522-text":    {status: 522, kind: "text/plain", body: "error code: 522"},
		"530-html":    {status: 530, kind: "text/html", body: "<!DOCTYPE html>"},
		"403":         {status: 403, kind: "application/json", body: `{"detail":`},
	} {
		got := fetch(upstream, hosted, name, 1, 30)
		if kind := got.Header().Get("Content-Type"); got.Code != want.status || !strings.HasPrefix(kind, want.kind) || !strings.Contains(got.Body.String(), want.body) {
			t.Errorf("%s: got %d, %s and %s, want %+v", name, got.Code, kind, got.Body, want)
		}
	}
}

// TestFail_lists walks through all pages of lists of 300 CVMs.
func TestFail_lists(t *testing.T) {
	t.Parallel()
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")
	for name, want := range map[string]struct {
		items, total, beyond int // beyond is the status of the page after the last one
	}{
		"filtered-items":     {items: 280, total: 300, beyond: 200},
		"total-too-small":    {items: 300, total: 299, beyond: 200},
		"404-beyond-the-end": {items: 300, total: 300, beyond: 404},
		"late-by-1ms":        {items: 300, total: 300, beyond: 200},
	} {
		names, total := map[string]bool{}, 0
		for page := 1; page <= 10; page++ {
			var list struct {
				Items []struct{ Name string }
				Total int
			}
			if got := fetch(upstream, hosted, name, page, 30); json.Unmarshal(got.Body.Bytes(), &list) != nil {
				t.Fatalf("%s: got %s for page %d", name, got.Body, page)
			}
			total = list.Total
			for _, item := range list.Items {
				names[item.Name] = true
			}
		}
		if got := fetch(upstream, hosted, name, 11, 30).Code; len(names) != want.items || total != want.total || got != want.beyond {
			t.Errorf("%s: got %d items, total %d and %d beyond the end, want %+v", name, len(names), total, got, want)
		}
	}
	if got := fetch(upstream, hosted, "large-items", 1, 100).Body.Len(); got < 16<<20 {
		t.Errorf("large-items: got %d bytes for 100 items, want more than 16 MiB", got)
	}
}

// TestFail_shapes compares the item that a fault changes with the healthy one, in both shapes.
func TestFail_shapes(t *testing.T) {
	t.Parallel()
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")
	for name, want := range map[string]map[string][]string{ // the keys that differ, by version
		"unknown-keys": {hosted: {"new"}, flat: {"new"}},
		"wrong-types":  {hosted: {"name", "vcpu"}, flat: {"name", "resource"}},
		"wrong-object": {hosted: {"hosted", "node"}, flat: {"node_info", "resource"}},
		"empty-vm-id":  {hosted: {"hosted"}, flat: {"vm_uuid"}},
		"large-items":  {hosted: {"hosted"}, flat: {"services"}},
	} {
		for version, want := range want {
			got, healthy := itemsOf(t, fetch(upstream, version, name, 1, 30)), itemsOf(t, fetch(upstream, version, "hints", 1, 30))
			var keys []string
			for key := range got[1] {
				if !reflect.DeepEqual(got[1][key], healthy[1][key]) {
					keys = append(keys, key)
				}
			}
			if slices.Sort(keys); !slices.Equal(keys, want) {
				t.Errorf("%s in version %s: got other values of %q, want of %q", name, version, keys, want)
			}
		}
	}
	for version, want := range map[string]string{hosted: `[map[hosted:<nil>]]`, flat: `[map[gateway:map[] resource:map[]]]`} {
		if got := fmt.Sprint(itemsOf(t, fetch(upstream, version, "bare-item", 1, 30))[1:2]); got != want {
			t.Errorf("bare-item in version %s: got %s, want %s", version, got, want)
		}
	}
	for version, other := range map[string]string{hosted: flat, flat: hosted} {
		got, want := itemsOf(t, fetch(upstream, version, "other-shape", 1, 30)), itemsOf(t, fetch(upstream, other, "hints", 1, 30))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("other-shape in version %s: got %v, want %v", version, got[0], want[0])
		}
	}
	for _, name := range []string{"many-wrong-types", "long-number", "long-string", "many-keys", "deep-objects"} {
		for version, want := range map[string]bool{hosted: true, flat: false} {
			if got := bytes.Contains(fetch(upstream, version, name, 1, 30).Body.Bytes()[:100], []byte(`"hosted"`)); got != want {
				t.Errorf("%s in version %s: got the hosted shape: %t, want %t", name, version, got, want)
			}
		}
	}
}

func itemsOf(t *testing.T, response *httptest.ResponseRecorder) []map[string]any {
	t.Helper()
	var page struct{ Items []map[string]any }
	if err := json.Unmarshal(response.Body.Bytes(), &page); err != nil {
		t.Fatalf("got %.200s: %v", response.Body, err)
	}
	return page.Items
}
