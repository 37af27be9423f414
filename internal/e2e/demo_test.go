package e2e_test

import (
	"net/http"
	"regexp"
	"testing"
)

func TestDemo_queries(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo")
	tests := map[string]struct {
		query, token string
		want         string // a regular expression
	}{
		"without a credential": {
			query: `{ cvms(first: 2) { totalCount nodes { id name } } }`,
			want:  `^\{"data":\{"cvms":\{"totalCount":3\d\d,"nodes":\[\{"id":"\w+","name":"[\w-]+"\},`,
		},
		"with a token": {
			query: `{ cvms { pageInfo { hasNextPage } } }`,
			token: "any",
			want:  `^\{"data":\{"cvms":\{"pageInfo":\{"hasNextPage":true\}\}\}\}$`,
		},
		"with a rejected token": {
			query: `{ cvms { totalCount } }`,
			token: "invalid",
			want:  `"code":"UNAUTHENTICATED"`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := p.query(t.Context(), test.query, test.token)
			if err != nil || !regexp.MustCompile(test.want).MatchString(got) {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestSchemaEndpoint(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo")
	if _, got := fetch(t, http.MethodGet, p.url+"/schema.graphql"); got != readFile(t, "schema.graphqls") {
		t.Errorf("got %.80q, want the schema", got)
	}
}
