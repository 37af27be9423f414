package httpserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"cvmgraph/internal/httpserver"
)

func TestBasePath_routes(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page "+r.URL.Path) })
	for name, test := range map[string]struct {
		base, path   string
		wantStatus   int
		wantBody     string
		wantLocation string
		wantRoute    string
	}{
		"GraphQL":                     {base: "/a/b", path: "/a/b/graphql", wantStatus: 200, wantRoute: "/graphql"},
		"GraphQL with a slash":        {base: "/a/b", path: "/a/b/graphql/", wantStatus: 200, wantRoute: "/graphql"},
		"no base, with a slash":       {path: "/graphql/", wantStatus: 200, wantRoute: "/graphql"},
		"no base, with two slashes":   {path: "/graphql//", wantStatus: 404, wantRoute: "other"},
		"page":                        {base: "/a/b", path: "/a/b/", wantStatus: 200, wantBody: "page /", wantRoute: "/"},
		"asset":                       {base: "/a/b", path: "/a/b/assets/x.js", wantStatus: 200, wantBody: "page /assets/x.js", wantRoute: "/assets/"},
		"page without a slash":        {base: "/a/b", path: "/a/b?secret", wantStatus: 307, wantLocation: "/a/b/", wantRoute: "other"},
		"readiness":                   {base: "/a/b", path: "/a/b/readyz", wantStatus: 503, wantRoute: "/readyz"},
		"outside":                     {base: "/a/b", path: "/graphql", wantStatus: 404, wantRoute: "other"},
		"root":                        {base: "/a/b", path: "/", wantStatus: 404, wantRoute: "other"},
		"another path with the start": {base: "/a/b", path: "/a/bgraphql", wantStatus: 404, wantRoute: "other"},
		"base twice":                  {base: "/a", path: "/a/a/graphql", wantStatus: 404, wantRoute: "other"},
		"two slashes":                 {base: "/a", path: "/a//graphql", wantStatus: 404, wantRoute: "other"},
		"escaped base":                {base: "/a", path: "/%61/graphql", wantStatus: 404, wantRoute: "other"},
		"escaped route":               {base: "/a", path: "/a/%67raphql", wantStatus: 200, wantRoute: "/graphql"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s seen
			server := httpserver.New(httpserver.Options{GraphQL: echo(), Playground: page, BasePath: test.base, Observer: s.observer()})
			got := httptest.NewRecorder()
			server.ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil))
			if got.Code != test.wantStatus || got.Header().Get("Location") != test.wantLocation {
				t.Errorf("got status %d and Location %q, want %d and %q", got.Code, got.Header().Get("Location"), test.wantStatus, test.wantLocation)
			}
			if test.wantBody != "" && got.Body.String() != test.wantBody {
				t.Errorf("got %q, want %q", got.Body.String(), test.wantBody)
			}
			if len(s.ended) != 1 || s.ended[0].route != test.wantRoute {
				t.Errorf("got %v, want the route %q", s.ended, test.wantRoute)
			}
		})
	}
}
