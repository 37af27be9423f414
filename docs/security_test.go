package docs_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSecurityPage_namedTestsExist checks that each promise in SECURITY.md names tests, and that
// these tests exist.
func TestSecurityPage_namedTestsExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, promises, found := strings.Cut(string(page), "| promise | tests |\n| --- | --- |\n")
	promises, _, ended := strings.Cut(promises, "\n\n")
	if !found || !ended {
		t.Fatal("got no table of promises")
	}
	named := map[string]bool{}
	for row := range strings.Lines(promises) {
		tests := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`").FindAllStringSubmatch(row, -1)
		if len(tests) == 0 {
			t.Errorf("got no test of %s", row)
		}
		for _, test := range tests {
			named[test[1]] = true
		}
	}
	defined := definedTests(t)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !defined[name] {
			t.Errorf("%s: got no test with this name", name)
		}
	}
}

// definedTests returns the names of all tests and fuzz targets.
func definedTests(t *testing.T) map[string]bool {
	t.Helper()
	defined := map[string]bool{}
	definition := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(\w+ \*testing\.[TF]\)`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git"):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, match := range definition.FindAllStringSubmatch(string(source), -1) {
			defined[match[1]] = true
		}
		return err
	})
	if err != nil || len(defined) < 100 {
		t.Fatalf("got %d tests, %v", len(defined), err)
	}
	return defined
}
