package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The SHA-256, SHA-1 and MD5 of "{ a }".
const (
	sha256OfA = "1c7e1e347f726166b5b1c55afd61f278cc9b45e00c108ec33d540a566379811b"
	sha1OfA   = "a8b6cba75cdaf27eb2f56ac3f2480030c3c5daf0"
	md5OfA    = "d7fe099d6f46846bb761d84678c79f68"
)

func TestParse_documentsOfEachTool(t *testing.T) {
	t.Parallel()
	for file, ids := range map[string]int{
		"relay-md5.json":    32,
		"relay-sha256.json": 64,
		"codegen.json":      len("sha256:") + 64,
		"codegen-sha1.json": 40,
		"genqlient.json":    len("sha256:") + 64,
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			got := parse(t, []string{"--trusted-documents=testdata/documents/" + file}).Documents
			if len(got) != 2 {
				t.Errorf("got %d documents, want 2", len(got))
			}
			for id, document := range got {
				if len(id) != ids || !strings.Contains(document, "query ") {
					t.Errorf("got id %s of document %q, want an id of %d characters", id, document, ids)
				}
			}
		})
	}
}

func TestParse_documents(t *testing.T) {
	t.Parallel()
	const label = "--trusted-documents (CVMGRAPH_TRUSTED_DOCUMENTS) must be a file written by relay-compiler, graphql-codegen or genqlient, not "
	for name, test := range map[string]struct{ content, want string }{
		"SHA-256":                         {content: `{"` + sha256OfA + `":"{ a }"}`},
		"SHA-256 with a prefix":           {content: `{"sha256:` + sha256OfA + `":"{ a }"}`},
		"SHA-256 in capitals":             {content: `{"` + strings.ToUpper(sha256OfA) + `":"{ a }"}`},
		"SHA-1":                           {content: `{"` + sha1OfA + `":"{ a }"}`},
		"MD5":                             {content: `{"` + md5OfA + `":"{ a }"}`},
		"names":                           {content: `{"list-1.0":"{ a }","x-own:~_":"{ b }"}`},
		"document with the id operations": {content: `{"operations":"{ a }"}`},
		"list of operations":              {content: `{"operations":[{"query":"{ a }","operationName":"","sourceLocation":"a.graphql"}]}`},
		"empty file":                      {want: "it is not a JSON object"},
		"truncated file":                  {content: `{"a":"{ secret }"`, want: "it is not a JSON object"},
		"two objects":                     {content: `{"a":"{ a }"}{}`, want: "it is not a JSON object"},
		"null":                            {content: `null`, want: "it is not a JSON object"},
		"list of strings":                 {content: `["{ a }"]`, want: "it is not a JSON object"},
		"no documents":                    {content: `{}`, want: "it has no documents"},
		"no operations":                   {content: `{"operations":[]}`, want: "it has no documents"},
		"operations that are strings":     {content: `{"operations":["{ a }"]}`, want: "its operations are not a list of objects"},
		"operation without a query":       {content: `{"operations":[{"query":"{ a }"},{"operationName":"secret"}]}`, want: "operation 2 in it has no query"},
		"SHA-256 of another document":     {content: `{"` + sha256OfA + `":"{ secret }"}`, want: `"` + sha256OfA[:40] + `…" in it is not the hash of its document`},
		"SHA-1 of another document":       {content: `{"` + sha1OfA + `":"{ secret }"}`, want: `"` + sha1OfA + `" in it is not the hash of its document`},
		"MD5 of another document":         {content: `{"` + md5OfA + `":"{ secret }"}`, want: `"` + md5OfA + `" in it is not the hash of its document`},
		"prefix before an MD5":            {content: `{"sha256:` + md5OfA + `":"{ a }"}`, want: `"sha256:` + md5OfA + `" in it is not the hash of its document`},
		"prefix before a name":            {content: `{"sha256:list":"{ a }"}`, want: `"sha256:list" in it is not the hash of its document`},
		"empty id":                        {content: `{"":"{ a }"}`, want: `"" in it is not a valid id`},
		"id with a space":                 {content: `{"a b":"{ a }"}`, want: `"a b" in it is not a valid id`},
		"empty document":                  {content: `{"a":""}`, want: `the value of "a" in it is not a document`},
		"number instead of a document":    {content: `{"a":7}`, want: `the value of "a" in it is not a document`},
		"object instead of a document":    {content: `{"a":{"secret":"{ a }"}}`, want: `the value of "a" in it is not a document`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(problems(t, []string{"--trusted-documents=" + file}), "\n")
			if test.want == "" && got != "" || !strings.HasSuffix(got, ": "+test.want) && test.want != "" || strings.Contains(got, "secret") {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got != "" && !strings.HasPrefix(got, label) {
				t.Errorf("got %q, want it to begin with %q", got, label)
			}
		})
	}
}

func TestParse_unreadableDocuments(t *testing.T) {
	t.Parallel()
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 64<<20+1); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want []string // suffixes
	}{
		"missing file": {args: []string{"--trusted-documents=none.json"}, want: []string{`must be a readable file, not "none.json": no such file or directory`}},
		"folder":       {args: []string{"--trusted-documents=testdata"}, want: []string{`must be a readable file, not "testdata": is a directory`}},
		"large file":   {args: []string{"--trusted-documents=" + large}, want: []string{`: it is larger than 64MiB`}},
		"mode without a file": {args: []string{"--trusted-documents-mode=enforce"}, want: []string{
			`--trusted-documents-mode (CVMGRAPH_TRUSTED_DOCUMENTS_MODE) must be off without --trusted-documents (CVMGRAPH_TRUSTED_DOCUMENTS)`,
		}},
		"empty name":          {args: []string{"--trusted-documents=", "--trusted-documents-mode=log"}, want: []string{`must be off without --trusted-documents (CVMGRAPH_TRUSTED_DOCUMENTS)`}},
		"another command":     {args: []string{"health", "--trusted-documents=none.json"}},
		"off without a file":  {args: []string{"--trusted-documents-mode=off"}},
		"file without a mode": {args: []string{"--trusted-documents=testdata/documents/codegen.json"}},
		"with other problems": {args: []string{"--trusted-documents=none.json", "--trusted-documents-mode=on", "--max-first=0"}, want: []string{
			`must be a whole number from 1 to 10000, not "0"`, `must be off, log or enforce, not "on"`, `"none.json": no such file or directory`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := problems(t, test.args)
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for i, want := range test.want {
				if !strings.HasSuffix(got[i], want) {
					t.Errorf("got %q, want it to end with %q", got[i], want)
				}
			}
		})
	}
}
