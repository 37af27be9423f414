package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
)

const entitiesQuery = `query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Cvm { id vmId name } } }`

// entity is the selection of an entity in the tests.
type entity struct {
	Typename       string `json:"__typename"`
	ID, VMID, Name string
}

func (a response) entities(t *testing.T) []*entity {
	t.Helper()
	var entities []*entity
	if err := json.Unmarshal(a.Data["_entities"], &entities); err != nil {
		t.Fatalf("%v: %.500s", err, a.raw)
	}
	return entities
}

func TestEntities_manyShareOneScan(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const total = 450
			upstream := demo.New(demo.Options{Items: total})
			ids, vmIDs := everyID(t, newGatewayOf(t, version, upstream))
			var representations []vars
			var want []string // ids
			add := func(id string, keys vars) {
				keys["__typename"] = "Cvm"
				representations, want = append(representations, keys), append(want, id)
			}
			for i, id := range slices.Backward(ids) {
				add(id, vars{"id": id})
				if vmIDs[i] != "" {
					add(id, vars{"vmId": vmIDs[i]})
					add(id, vars{"id": id, "vmId": vmIDs[i]})
					add(id, vars{"id": nil, "vmId": vmIDs[i]})
				}
			}
			add("", vars{"id": "Q3ZtOm5vbmU"}) // Cvm:none
			add("", vars{"vmId": "none"})
			g := newGatewayOf(t, version, upstream, func(r *graph.Resolver) { r.MaxFirst = len(representations) })
			a := g.post(t, entitiesQuery, vars{"r": representations}, nil)
			if len(a.Errors) > 0 {
				t.Fatalf("got errors %+v, want none", a.Errors)
			}
			entities := a.entities(t)
			if len(entities) != len(want) {
				t.Fatalf("got %d entities, want %d", len(entities), len(want))
			}
			for i, id := range want {
				switch e := entities[i]; {
				case id == "" && e != nil:
					t.Errorf("entity %d: got %+v, want null", i, e)
				case id != "" && (e == nil || e.ID != id || e.Typename != "Cvm" || e.Name == ""):
					t.Errorf("entity %d: got %+v, want %s", i, e, id)
				}
			}
			if calls := g.takeCalls(); len(calls) > total/90+1 {
				t.Errorf("got %d calls, want at most %d", len(calls), total/90+1)
			}
			// There are hints for all of them now, and the fields of an operation share the pages.
			a = g.post(t, `query($r: [_Any!]!, $id: ID!) { _entities(representations: $r) { ... on Node { id } } node(id: $id) { id } cvms(first: 5) { nodes { id } } }`,
				vars{"r": []vars{{"__typename": "Cvm", "id": ids[2]}, {"__typename": "Cvm", "vmId": vmIDs[3]}}, "id": ids[4]}, nil)
			if entities := a.entities(t); len(a.Errors) > 0 || entities[0].ID != ids[2] || entities[1].ID != ids[3] || string(a.Data["node"]) != fmt.Sprintf(`{"id":%q}`, ids[4]) {
				t.Errorf("got %s, want CVMs 2, 3 and 4", a.raw)
			}
			if calls := g.takeCalls(); len(calls) != 1 {
				t.Errorf("got the calls %q, want one", calls)
			}
		})
	}
}

func TestEntities_invalidRepresentations(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			g := newGatewayOf(t, version, listOf(`{"hosted": {"id": "a"}, "name": "n"}`))
			tests := map[string]struct {
				representation string
				want           string // in the message
			}{
				"another __typename":          {representation: `{"__typename":"Machine","id":"Q3ZtOmE"}`, want: "__typename"},
				"an abstract type":            {representation: `{"__typename":"Node","id":"Q3ZtOmE"}`, want: "__typename"},
				"no __typename":               {representation: `{"id":"Q3ZtOmE"}`, want: "__typename"},
				"a __typename that is a list": {representation: `{"__typename":["Cvm"],"id":"Q3ZtOmE"}`, want: "__typename"},
				"a string":                    {representation: `"Cvm"`, want: "__typename"},
				"a list":                      {representation: `[{"__typename":"Cvm","id":"Q3ZtOmE"}]`, want: "__typename"},
				"no key":                      {representation: `{"__typename":"Cvm"}`, want: "neither id nor vmId"},
				"a key of another name":       {representation: `{"__typename":"Cvm","name":"n"}`, want: "neither id nor vmId"},
				"nulls":                       {representation: `{"__typename":"Cvm","id":null,"vmId":null}`, want: "neither id nor vmId"},
				"a key that is an object":     {representation: `{"__typename":"Cvm","id":{"a":1}}`, want: "not a string"},
				"a key that is a fraction":    {representation: `{"__typename":"Cvm","vmId":1.5}`, want: "not a string"},
				"a key that is true":          {representation: `{"__typename":"Cvm","vmId":true}`, want: "not a string"},
				"an invalid id":               {representation: `{"__typename":"Cvm","id":"a"}`, want: "not of this gateway"},
				"an invalid id and a uuid": {
					representation: `{"__typename":"Cvm","id":"a","vmId":"a"}`, want: "not of this gateway",
				},
				"an id of another type": {representation: `{"__typename":"Cvm","id":"VXNlcjox"}`, want: "not of this gateway"},
				"an empty uuid":         {representation: `{"__typename":"Cvm","vmId":""}`, want: "not of this gateway"},
			}
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					good := json.RawMessage(`{"__typename":"Cvm","vmId":"a"}`)
					a := g.post(t, entitiesQuery, vars{"r": []json.RawMessage{good, json.RawMessage(test.representation), good}}, nil)
					e := a.onlyError(t)
					if e.code() != "BAD_USER_INPUT" || e.Extensions["argument"] != "representations" || !strings.Contains(e.Message, test.want) || dotted(e.Path) != "_entities.1" {
						t.Errorf("got %+v, want BAD_USER_INPUT at _entities.1 with %q", e, test.want)
					}
					if got := a.entities(t); len(got) != 3 || got[1] != nil || got[0] == nil || got[2] == nil || got[2].Name != "n" {
						t.Errorf("got %s, want the CVM, null, the CVM", a.raw)
					}
				})
			}
		})
	}
}

func TestEntities_allFail(t *testing.T) {
	t.Parallel()
	many := make([]vars, 11)
	for i := range many {
		many[i] = vars{"__typename": "Cvm", "vmId": fmt.Sprint(i)}
	}
	tests := map[string]struct {
		representations any
		header          http.Header
		wantCode        string
		wantData        bool
	}{
		"more than first may be": {representations: many, header: nil, wantCode: "BAD_USER_INPUT", wantData: true},
		"no credential":          {representations: many[:1], header: http.Header{}, wantCode: "UNAUTHENTICATED", wantData: true},
		"a rejected credential":  {representations: many[:1], header: http.Header{"Authorization": {"Bearer invalid"}}, wantCode: "UNAUTHENTICATED", wantData: true},
		"null among them":        {representations: []any{nil}, header: nil, wantCode: "GRAPHQL_VALIDATION_FAILED", wantData: false},
		"null for them":          {representations: nil, header: nil, wantCode: "GRAPHQL_VALIDATION_FAILED", wantData: false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{}), func(r *graph.Resolver) { r.MaxFirst = 10 })
			a := g.post(t, entitiesQuery, vars{"r": test.representations}, test.header)
			if e := a.onlyError(t); e.code() != test.wantCode || test.wantData && dotted(e.Path) != "_entities" {
				t.Errorf("got %+v, want %s at _entities", e, test.wantCode)
			}
			if got := strings.HasSuffix(a.raw, `"data":null}`); got != test.wantData {
				t.Errorf("got %s, want data that is null: %v", a.raw, test.wantData)
			}
			wantCalls := 0
			if name == "a rejected credential" {
				wantCalls = 1
			}
			if calls := g.takeCalls(); len(calls) != wantCalls {
				t.Errorf("got the calls %q, want %d", calls, wantCalls)
			}
		})
	}
}

func TestEntities_invalidValues(t *testing.T) {
	t.Parallel()
	g := newGateway(t, listOf(`{"hosted": {"id": "a"}, "name": 7}`))
	a := g.post(t, `{ e: _entities(representations: [{__typename: "Cvm", vmId: "a"}]) { ... on _Entity { ... on Cvm { n: name } } } }`, nil, nil)
	if e := a.onlyError(t); e.code() != "UPSTREAM_INVALID_RESPONSE" || dotted(e.Path) != "e.0.n" {
		t.Errorf("got %+v, want UPSTREAM_INVALID_RESPONSE at e.0.n", e)
	}
}

// subgraphSDL returns the schema for routers, from a request without a credential.
func subgraphSDL(t *testing.T) string {
	t.Helper()
	g := newGateway(t, demo.New(demo.Options{}))
	a := g.post(t, `{ _service { sdl } }`, nil, http.Header{})
	var service struct{ SDL string }
	if err := json.Unmarshal(a.Data["_service"], &service); err != nil || len(a.Errors) > 0 {
		t.Fatalf("got %.300s, %v, want the schema", a.raw, err)
	}
	if calls := g.takeCalls(); len(calls) > 0 {
		t.Errorf("got the calls %q, want none", calls)
	}
	return service.SDL
}

func TestFederation_routerSchema(t *testing.T) {
	t.Parallel()
	sdl := subgraphSDL(t)
	for _, unwanted := range []string{"_Any", "_entities", "_service", "directive @"} {
		if strings.Contains(sdl, unwanted) {
			t.Errorf("got %s in it, want that left to routers", unwanted)
		}
	}
	const directives = `
		directive @link(url: String!, import: [String!]) repeatable on SCHEMA
		directive @key(fields: String!) repeatable on OBJECT
		directive @shareable on OBJECT`
	got, err := gqlparser.LoadSchema(&ast.Source{Input: sdl}, &ast.Source{Input: directives})
	if err != nil {
		t.Fatal(err)
	}
	if link := got.SchemaDirectives.ForName("link"); link == nil || link.Arguments.ForName("url").Value.Raw != "https://specs.apollo.dev/federation/v2.0" {
		t.Errorf("got the schema's directives %v, want a link to Federation 2.0", got.SchemaDirectives)
	}
	applied := map[string]string{}
	for name, definition := range got.Types {
		for _, directive := range definition.Directives {
			applied[name] += " @" + directive.Name
			if fields := directive.Arguments.ForName("fields"); fields != nil {
				applied[name] += " " + fields.Value.Raw
			}
		}
	}
	if want := map[string]string{"Cvm": " @key id @key vmId", "PageInfo": " @shareable"}; fmt.Sprint(applied) != fmt.Sprint(want) {
		t.Errorf("directives: got %v, want %v", applied, want)
	}
	public := loadSchema(t)
	for name, want := range public.Types {
		definition := got.Types[name]
		if definition == nil || definition.Description != want.Description || !slices.Equal(definition.Interfaces, want.Interfaces) {
			t.Errorf("%s: got %+v, want %+v", name, definition, want)
			continue
		}
		for _, field := range want.Fields {
			f := definition.Fields.ForName(field.Name)
			if left := name == "Query" && (field.Name == "node" || field.Name == "nodes"); left != (f == nil) {
				t.Errorf("%s.%s: got it: %v, want it: %v", name, field.Name, f != nil, !left)
			} else if f != nil && (f.Type.String() != field.Type.String() || f.Description != field.Description || len(f.Arguments) != len(field.Arguments)) {
				t.Errorf("%s.%s: got %+v, want %+v", name, field.Name, f, field)
			}
		}
	}
	if len(got.Types) != len(public.Types) {
		t.Errorf("got %d types, want %d", len(got.Types), len(public.Types))
	}
}

func TestFederation_introspectionShowsPublicSchema(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	a := g.post(t, `{ __schema { types { name fields(includeDeprecated: true) { name } } directives { name } } __type(name: "_Entity") { name } }`, nil, nil)
	var shown struct {
		Types []struct {
			Name   string
			Fields []struct{ Name string }
		}
		Directives []struct{ Name string }
	}
	if err := json.Unmarshal(a.Data["__schema"], &shown); err != nil || len(a.Errors) > 0 {
		t.Fatalf("got %.300s, %v, want the schema", a.raw, err)
	}
	if string(a.Data["__type"]) != "null" {
		t.Errorf("_Entity: got %s, want null", a.Data["__type"])
	}
	public := loadSchema(t)
	if len(shown.Types) != len(public.Types) || len(shown.Directives) != len(public.Directives) {
		t.Errorf("got %d types and %d directives, want %d and %d", len(shown.Types), len(shown.Directives), len(public.Types), len(public.Directives))
	}
	for _, shown := range shown.Types {
		var want, got []string
		for _, f := range public.Types[shown.Name].Fields {
			if !strings.HasPrefix(f.Name, "__") {
				want = append(want, f.Name)
			}
		}
		for _, f := range shown.Fields {
			got = append(got, f.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got the fields %q, want %q", shown.Name, got, want)
		}
	}
}

func TestFederation_introspectionDisabled(t *testing.T) {
	t.Parallel()
	g := newGateway(t, listOf(`{"hosted": {"id": "a"}, "name": "n"}`), func(r *graph.Resolver) { r.Introspection = false })
	if e := g.post(t, `{ _service { sdl } }`, nil, nil).onlyError(t); e.code() != "GRAPHQL_VALIDATION_FAILED" || !strings.Contains(e.Message, "_service") {
		t.Errorf("got %+v, want GRAPHQL_VALIDATION_FAILED for _service", e)
	}
	a := g.post(t, entitiesQuery, vars{"r": []vars{{"__typename": "Cvm", "vmId": "a"}}}, nil)
	if got := a.entities(t); len(a.Errors) > 0 || got[0].Name != "n" {
		t.Errorf("got %s, want the CVM", a.raw)
	}
}
