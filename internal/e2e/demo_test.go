package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
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
		"with a refused token": {
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

func TestTrustedDocuments_enforced(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--admin-listen=127.0.0.1:0",
		"--trusted-documents=internal/config/testdata/documents/relay-md5.json",
		"--trusted-documents-mode=enforce")
	const list = `/graphql?documentId=86f3fc9d4827aee3f91ceb7f99561135&variables={%22first%22:1}`
	if _, got := fetch(t, http.MethodGet, p.url+list); !strings.HasPrefix(got, `{"data":{"cvms":{"edges":[`) {
		t.Errorf("a trusted document: got %s, want the list", got)
	}
	got, err := p.query(t.Context(), `{ __typename }`, "")
	if err != nil || !strings.Contains(got, `"code":"DOCUMENT_NOT_TRUSTED"`) {
		t.Errorf("another document: got %s, %v, want DOCUMENT_NOT_TRUSTED", got, err)
	}
	p.waitForMetrics(t, "cvmgraph_untrusted_documents_total 1")
}
