package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// Limits of CONTRIBUTING.md's section on style.
const (
	maxPhrase       = 10  // occurrences of each discouraged phrase
	maxCommentWidth = 100 // columns of a comment line, with tabs of 4
	maxTestLines    = 80  // lines of a test function
	maxPackageFiles = 20  // files of a package, without tests and generated files
)

// discouraged are phrases that a reader has to translate, by what to write instead.
var discouraged = map[string]*regexp.Regexp{
	"after, next":                  phrase("behind"),
	"before, previous":             phrase("ahead of"),
	"cached, available":            phrase("at hand"),
	"no caller, no component":      phrase("nobody"),
	"another caller, a client":     phrase("somebody"),
	"reports whether":              phrase("says whether"),
	"reports whether (2)":          phrase("tells whether"),
	"receives, records, is called": phrase("is told"),
	"is not a, there is no":        phrase("is none"),
	"American spelling":            phrase("behaviours?", "neighbours?", "neighbouring", "colours?", "licences?", "favours?", "honours?", "cancelled", "cancelling"),
}

func phrase(words ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:` + strings.ReplaceAll(strings.Join(words, "|"), " ", `\s+`) + `)\b`)
}

// generated matches files that a program writes, and texts that are not ours.
var generated = regexp.MustCompile(`^LICENSE$|package-lock\.json$|go\.sum$|^internal/playground/dist/|/generated/|/generated\.go$|^deploy/monitoring/dashboard\.json$|\.(?:svg|png|woff2)$|^docs/style_test\.go$`)

// ownFiles returns the texts that are written by hand, by their paths.
func ownFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range gitFiles(t, "--cached", "--others") {
		if generated.MatchString(name) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if utf8.Valid(text) {
			files[name] = string(text)
		}
	}
	if len(files) < 300 {
		t.Fatalf("got %d files, want all of them", len(files))
	}
	return files
}

func TestStyle_discouragedPhrases(t *testing.T) {
	t.Parallel()
	files := ownFiles(t)
	for _, instead := range slices.Sorted(maps.Keys(discouraged)) {
		var found []string
		for _, name := range slices.Sorted(maps.Keys(files)) {
			for _, at := range discouraged[instead].FindAllStringIndex(files[name], -1) {
				line := 1 + strings.Count(files[name][:at[0]], "\n")
				found = append(found, position(name, line)+" "+files[name][at[0]:at[1]])
			}
		}
		if len(found) > maxPhrase {
			t.Errorf("got %d times what should be %q, want at most %d:\n%s", len(found), instead, maxPhrase, strings.Join(found, "\n"))
		}
	}
}

func TestStyle_commentWidth(t *testing.T) {
	t.Parallel()
	comment := regexp.MustCompile(`^\s*(?://|\* |/\*|#)`)
	for name, text := range ownFiles(t) {
		switch path.Ext(name) {
		case ".go", ".ts", ".tsx", ".js", ".jsx", ".css", ".sh", ".graphql", ".graphqls", ".yaml", ".yml", "":
		default:
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			width := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
			if width > maxCommentWidth && comment.MatchString(line) && !strings.Contains(line, "://") && !strings.Contains(line, "//go:") && !strings.Contains(line, "//nolint") {
				t.Errorf("%s: got a comment of %d columns, want at most %d", position(name, i+1), width, maxCommentWidth)
			}
		}
	}
}

func TestStyle_testFunctionLength(t *testing.T) {
	t.Parallel()
	for name, text := range ownFiles(t) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			begin, end := files.Position(function.Pos()).Line, files.Position(function.End()).Line
			if lines := end - begin + 1; lines > maxTestLines {
				t.Errorf("%s: got %s of %d lines, want at most %d", position(name, begin), function.Name.Name, lines, maxTestLines)
			}
		}
	}
}

func TestStyle_packageSize(t *testing.T) {
	t.Parallel()
	sizes := map[string]int{}
	for name := range ownFiles(t) {
		if path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") {
			sizes[path.Dir(name)]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if sizes[name] > maxPackageFiles {
			t.Errorf("%s: got %d files, want at most %d", name, sizes[name], maxPackageFiles)
		}
	}
}

func position(file string, line int) string { return file + ":" + strconv.Itoa(line) }
