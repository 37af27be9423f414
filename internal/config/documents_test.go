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

func TestDocumentsOfEachTool(t *testing.T) {
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
			for id, text := range got {
				if len(id) != ids || !strings.Contains(text, "query ") {
					t.Errorf("got %s for %q, want a document under an id of %d characters", id, text, ids)
				}
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	const label = "--trusted-documents (CVMGRAPH_TRUSTED_DOCUMENTS): must be a file that relay-compiler, graphql-codegen or genqlient wrote, not "
	for name, test := range map[string]struct{ text, want string }{
		"a SHA-256":                   {`{"` + sha256OfA + `":"{ a }"}`, ""},
		"one with its prefix":         {`{"sha256:` + sha256OfA + `":"{ a }"}`, ""},
		"in capitals":                 {`{"` + strings.ToUpper(sha256OfA) + `":"{ a }"}`, ""},
		"a SHA-1":                     {`{"` + sha1OfA + `":"{ a }"}`, ""},
		"an MD5":                      {`{"` + md5OfA + `":"{ a }"}`, ""},
		"names":                       {`{"list-1.0":"{ a }","x-own:~_":"{ b }"}`, ""},
		"a document named operations": {`{"operations":"{ a }"}`, ""},
		"a list":                      {`{"operations":[{"query":"{ a }","operationName":"","sourceLocation":"a.graphql"}]}`, ""},
		"nothing":                     {``, "it is not a JSON object"},
		"half a file":                 {`{"a":"{ secret }"`, "it is not a JSON object"},
		"two of them":                 {`{"a":"{ a }"}{}`, "it is not a JSON object"},
		"null":                        {`null`, "it is not a JSON object"},
		"another list":                {`["{ a }"]`, "it is not a JSON object"},
		"no documents":                {`{}`, "it has no documents"},
		"no operations":               {`{"operations":[]}`, "it has no documents"},
		"operations that are none":    {`{"operations":["{ a }"]}`, "its operations are not a list of objects"},
		"an operation without query":  {`{"operations":[{"query":"{ a }"},{"operationName":"secret"}]}`, "operation 2 of it has no query"},
		"another text's SHA-256":      {`{"` + sha256OfA + `":"{ secret }"}`, `"` + sha256OfA[:40] + `…" in it is not the hash of its text`},
		"another text's SHA-1":        {`{"` + sha1OfA + `":"{ secret }"}`, `"` + sha1OfA + `" in it is not the hash of its text`},
		"another text's MD5":          {`{"` + md5OfA + `":"{ secret }"}`, `"` + md5OfA + `" in it is not the hash of its text`},
		"a prefix of another hash":    {`{"sha256:` + md5OfA + `":"{ a }"}`, `"sha256:` + md5OfA + `" in it is not the hash of its text`},
		"a prefix of no hash":         {`{"sha256:list":"{ a }"}`, `"sha256:list" in it is not the hash of its text`},
		"an empty id":                 {`{"":"{ a }"}`, `"" in it is not a document's id`},
		"an id with a space":          {`{"a b":"{ a }"}`, `"a b" in it is not a document's id`},
		"an empty text":               {`{"a":""}`, `what it has under "a" is not a document's text`},
		"a document that is a number": {`{"a":7}`, `what it has under "a" is not a document's text`},
		"a tree":                      {`{"a":{"secret":"{ a }"}}`, `what it has under "a" is not a document's text`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
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

func TestDocumentsThatCannotBeRead(t *testing.T) {
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
		"no such file":         {[]string{"--trusted-documents=none.json"}, []string{`must be a file that can be read, not "none.json": no such file or directory`}},
		"a folder":             {[]string{"--trusted-documents=testdata"}, []string{`must be a file that can be read, not "testdata": is a directory`}},
		"a file that is large": {[]string{"--trusted-documents=" + large}, []string{`: it is larger than 64 MiB`}},
		"a mode without a file": {[]string{"--trusted-documents-mode=enforce"}, []string{
			`--trusted-documents-mode (CVMGRAPH_TRUSTED_DOCUMENTS_MODE): must be off without --trusted-documents (CVMGRAPH_TRUSTED_DOCUMENTS)`,
		}},
		"an empty name":                 {[]string{"--trusted-documents=", "--trusted-documents-mode=log"}, []string{`must be off without --trusted-documents (CVMGRAPH_TRUSTED_DOCUMENTS)`}},
		"a command that does not serve": {[]string{"health", "--trusted-documents=none.json"}, nil},
		"off without a file":            {[]string{"--trusted-documents-mode=off"}, nil},
		"a file that nobody asks of":    {[]string{"--trusted-documents=testdata/documents/codegen.json"}, nil},
		"beside other problems": {[]string{"--trusted-documents=none.json", "--trusted-documents-mode=on", "--max-first=0"}, []string{
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
