package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

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
