package demo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/demo"
)

var alice = demo.Tenant{Bearer: "alice"}

// clock always returns the same time, so that lists are equal byte by byte.
func clock() time.Time { return time.Date(2026, time.June, 20, 12, 0, 0, 0, time.UTC) }

// headers returns the headers of a request for the hosted shape.
func headers(t demo.Tenant) http.Header {
	h := http.Header{"X-Phala-Version": {"2025-10-28"}}
	if t.Bearer != "" {
		h.Set("Authorization", "Bearer "+t.Bearer)
	}
	if t.APIKey != "" {
		h.Set("X-API-Key", t.APIKey)
	}
	if t.Workspace != "" {
		h.Set("X-Phala-Workspace", t.Workspace)
	}
	return h
}

func get(u *demo.Upstream, h http.Header, query string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, demo.ListPath+"?"+query, nil)
	r.Header = h
	w := httptest.NewRecorder()
	u.ServeHTTP(w, r)
	return w
}

type page struct {
	Items []map[string]any `json:"items"`
	Total int              `json:"total"`
	Page  int              `json:"page"`
	Size  int              `json:"page_size"`
	Pages int              `json:"pages"`
}

func getPage(t *testing.T, u *demo.Upstream, h http.Header, query string) page {
	t.Helper()
	w := get(u, h, query)
	if w.Code != http.StatusOK {
		t.Fatalf("%q: got status %d, want 200: %s", query, w.Code, w.Body)
	}
	var p page
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%q: %v", query, err)
	}
	return p
}

// hostedID returns the hosted.id of an item, like IDs.
func hostedID(item map[string]any) string {
	hosted, _ := item["hosted"].(map[string]any)
	id, _ := hosted["id"].(string)
	return id
}

func TestUpstream_errors(t *testing.T) {
	t.Parallel()
	bearer := func(value string) http.Header { return http.Header{"Authorization": {value}} }
	tests := map[string]struct {
		method, path string
		header       http.Header
		status       int
		body         string
	}{
		"no credential":           {header: http.Header{}, status: 401, body: `{"detail":"Authentication required"}`},
		"an empty bearer token":   {header: bearer("Bearer  "), status: 401, body: `{"detail":"Authentication required"}`},
		"another scheme":          {header: bearer("Basic YTpi"), status: 401, body: `{"detail":"Authentication required"}`},
		"an empty key":            {header: http.Header{"X-Api-Key": {""}}, status: 401, body: `{"detail":"Authentication required"}`},
		"the invalid token":       {header: bearer("Bearer invalid"), status: 401, body: `{"detail":"Invalid token"}`},
		"an invalid token":        {header: bearer("Bearer invalid-2"), status: 401, body: `{"detail":"Invalid token"}`},
		"an invalid key":          {header: http.Header{"X-Api-Key": {"invalid"}}, status: 401, body: `{"detail":"Invalid token"}`},
		"an unknown version":      {header: http.Header{"X-Phala-Version": {"2024-01-01"}}, status: 400, body: `{"detail":"Unsupported API version"}`},
		"another path":            {path: "/api/v1/cvms", header: headers(alice), status: 404, body: `{"detail":"Not Found"}`},
		"a path without its base": {path: "/cvms/paginated", header: headers(alice), status: 404, body: `{"detail":"Not Found"}`},
		"another method":          {method: http.MethodPost, header: headers(alice), status: 405, body: `{"detail":"Method Not Allowed"}`},
		"another error as well":   {path: demo.ListPath + "?page=0", header: http.Header{}, status: 401, body: `{"detail":"Authentication required"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method, path := test.method, test.path
			if method == "" {
				method = http.MethodGet
			}
			if path == "" {
				path = demo.ListPath
			}
			r := httptest.NewRequest(method, path, nil)
			r.Header = test.header
			w := httptest.NewRecorder()
			demo.New(demo.Options{}).ServeHTTP(w, r)
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, test.status, test.body)
			}
			if got := w.Header().Get("Allow"); (got == "GET") != (test.status == 405) {
				t.Errorf("got Allow %q with status %d", got, w.Code)
			}
			checkHeaders(t, w)
		})
	}
}

func checkHeaders(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if got, want := w.Header().Get("Content-Type"), "application/json"; got != want {
		t.Errorf("got Content-Type %q, want %q", got, want)
	}
	if got, want := w.Header().Get("Content-Length"), strconv.Itoa(w.Body.Len()); got != want {
		t.Errorf("got Content-Length %q, want %q", got, want)
	}
	if w.Header().Get("X-Request-ID") == "" {
		t.Error("got no X-Request-ID, want one")
	}
}

func TestUpstream_versions(t *testing.T) {
	t.Parallel()
	const hosted, flat, refused = "hosted", "flat", "refused"
	tests := map[string]struct {
		options demo.Options
		want    map[string]string // by version
	}{
		"the real API": {want: map[string]string{
			"2025-05-31": hosted, "2025-10-28": hosted, "2026-01-21": flat, "2026-05-22": flat, "2026-06-23": flat,
			"": flat, "LATEST": flat, "latest": flat, "2026-06-24": refused, "x": refused,
		}},
		"a token of an older version": {
			options: demo.Options{DefaultVersion: "2025-10-28"},
			want:    map[string]string{"": hosted, "LaTest": flat, "2026-01-21": flat, "x": refused},
		},
		"unknown versions": {
			options: demo.Options{ServeUnknownVersions: true},
			want:    map[string]string{"": flat, "x": flat, "2024-01-01": flat, "2025-10-28": hosted},
		},
		"unknown versions, a token of an older version": {
			options: demo.Options{ServeUnknownVersions: true, DefaultVersion: "2025-05-31"},
			want:    map[string]string{"": hosted, "x": hosted, "2026-05-22": flat},
		},
		"a withdrawn version": {
			options: demo.Options{WithdrawnVersions: []string{"2025-10-28"}},
			want:    map[string]string{"2025-10-28": refused, "2025-05-31": hosted, "": flat},
		},
		"a withdrawn default": {
			options: demo.Options{WithdrawnVersions: []string{"2025-10-28"}, DefaultVersion: "2025-10-28", ServeUnknownVersions: true},
			want:    map[string]string{"2025-10-28": refused, "": refused, "latest": flat},
		},
		"a withdrawn version with a response": {
			options: demo.Options{WithdrawnVersions: []string{"2025-10-28"}, ServeUnknownVersions: true},
			want:    map[string]string{"2025-10-28": flat, "2025-05-31": hosted},
		},
		"no flat version": {
			options: demo.Options{WithdrawnVersions: []string{"2026-01-21", "2026-05-22", "2026-06-23"}},
			want:    map[string]string{"": hosted, "LATEST": hosted, "2026-06-23": refused},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := demo.New(test.options)
			for version, want := range test.want {
				if got := shapeOf(t, u, version); got != want {
					t.Errorf("version %q: got the shape %s, want %s", version, got, want)
				}
			}
		})
	}
}

// shapeOf returns the shape of the responses to an API version, or "refused". It checks the ids of
// the items.
func shapeOf(t *testing.T, u *demo.Upstream, version string) string {
	t.Helper()
	w := get(u, versioned(alice, version), "page_size=100")
	if w.Code == http.StatusBadRequest && w.Body.String() == `{"detail":"Unsupported API version"}` {
		return "refused"
	}
	got := getPage(t, u, versioned(alice, version), "page_size=100")
	shape, ids := "hosted", u.IDs(alice)[:100]
	for i, item := range got.Items {
		id := hostedID(item)
		if _, ok := item["resource"]; ok {
			shape = "flat"
			id, _ = item["vm_uuid"].(string)
		}
		if _, hosted := item["hosted"]; hosted && shape == "flat" || id != ids[i] {
			t.Errorf("item %d: got id %q and hosted %t in the shape %s, want id %q", i, id, hosted, shape, ids[i])
		}
	}
	return shape
}

func TestUpstream_latency(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		timeout time.Duration
		took    time.Duration
		status  int
	}{
		"a long timeout":  {timeout: time.Hour, took: 3 * time.Millisecond, status: http.StatusOK},
		"a short timeout": {timeout: time.Millisecond, took: time.Millisecond, status: http.StatusServiceUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				u := demo.New(demo.Options{Latency: 3 * time.Millisecond})
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, demo.ListPath, nil)
				r.Header = headers(alice)
				w := httptest.NewRecorder()
				start := time.Now()
				u.ServeHTTP(w, r)
				if took := time.Since(start); took != test.took || w.Code != test.status {
					t.Errorf("got status %d after %v, want %d after %v", w.Code, took, test.status, test.took)
				}
			})
		})
	}
}
