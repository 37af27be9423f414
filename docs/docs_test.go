// Package docs_test compares the repository's Markdown with the program: links have targets, listed
// settings and messages exist, and commands run and print the output on the page. docs/README.md
// describes how to write a page.
package docs_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	gqlast "github.com/vektah/gqlparser/v2/ast"
	gql "github.com/vektah/gqlparser/v2/parser"

	"cvmgraph/internal/config"
	"cvmgraph/internal/relay"
)

const (
	index      = "docs/README.md"
	reference  = "docs/reference.md"
	behavior   = "docs/behavior.md"
	operations = "docs/operations.md"
)

// TestLinks_targetsExist checks that each link leads to an existing file and heading.
func TestLinks_targetsExist(t *testing.T) {
	t.Parallel()
	pages := readPages(t)
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		p := pages[name]
		for _, target := range p.links() {
			if strings.Contains(target, "://") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			to := p.resolve(file)
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(to))); err != nil {
				t.Errorf("%s: got the link %s, want a link to an existing file", name, target)
				continue
			}
			if other := pages[to]; anchor != "" && (other == nil || !other.anchors()[anchor]) {
				t.Errorf("%s: got the link %s, want a link to an existing heading", name, target)
			}
		}
	}
}

// TestPages_reachableFromIndex checks that links lead from the index to each page.
func TestPages_reachableFromIndex(t *testing.T) {
	t.Parallel()
	pages := readPages(t)
	found := map[string]bool{index: true}
	for next := []string{index}; len(next) > 0; next = next[1:] {
		p := pages[next[0]]
		for _, target := range p.links() {
			file, _, _ := strings.Cut(target, "#")
			if to := p.resolve(file); pages[to] != nil && !found[to] {
				found[to] = true
				next = append(next, to)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if !found[name] && !strings.Contains(name, "/testdata/") {
			t.Errorf("%s: got no link to it from %s or its linked pages", name, index)
		}
	}
}

// TestSettings_listed compares the table of settings with the output of --help.
func TestSettings_listed(t *testing.T) {
	t.Parallel()
	has := settings(t)
	_, section, _ := strings.Cut(readPages(t)[reference].prose, "\n## Settings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (--[a-z][^|]*) \| ([^|]+) \|`).FindAllStringSubmatch(section, -1) {
		flags, defaults := strings.Split(row[1], ", "), strings.Split(row[2], ", ")
		for i, flag := range flags {
			listed[flag] = defaults[min(i, len(defaults)-1)]
		}
	}
	for _, flag := range slices.Sorted(maps.Keys(has)) {
		if got, ok := listed[flag]; !ok || got != has[flag] {
			t.Errorf("%s: got the default %q in %s, want %q", flag, got, reference, has[flag])
		}
	}
	for flag := range listed {
		if _, ok := has[flag]; !ok {
			t.Errorf("%s: got it in %s, want a setting of the program", flag, reference)
		}
	}
}

// settings returns the defaults of the program's settings by flag. A setting without a default has
// "empty".
func settings(t *testing.T) map[string]string {
	t.Helper()
	var help bytes.Buffer
	if _, err := config.Parse([]string{"--help"}, nil, &help); err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	text := strings.Join(strings.Fields(help.String()), " ")
	for _, match := range regexp.MustCompile(`Default (\S*?)\. \[(?:\$)?(CVMGRAPH_[A-Z_]+)`).FindAllStringSubmatch(text, -1) {
		flag := "--" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(match[2], "CVMGRAPH_")), "_", "-")
		defaults[flag] = match[1]
	}
	if len(defaults) < 20 {
		t.Fatalf("got %d settings, want at least 20: %v", len(defaults), defaults)
	}
	return defaults
}

// TestNames_exist checks that the settings, variables and make targets that pages mention exist.
func TestNames_exist(t *testing.T) {
	t.Parallel()
	has := settings(t)
	flag, variable := regexp.MustCompile(`^(?:cvmgraph )?(--[a-z][a-z-]*)`), regexp.MustCompile(`CVMGRAPH_[A-Z_]*[A-Z]`)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range readPages(t) {
		for _, span := range p.spans() {
			if match := flag.FindStringSubmatch(span); match != nil && match[1] != "--help" && match[1] != "--version" {
				if _, ok := has[match[1]]; !ok {
					t.Errorf("%s: got `%s`, want a setting of the program", name, span)
				}
			}
			if target, ok := strings.CutPrefix(span, "make "); ok && !regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(target)+`:`).Match(makefile) {
				t.Errorf("%s: got `%s`, want a target of the Makefile", name, span)
			}
		}
		for _, text := range append(codes(p), p.prose) {
			for _, v := range variable.FindAllString(text, -1) {
				_, setting := has["--"+strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(v, "CVMGRAPH_")), "_", "-")]
				if !setting && !strings.HasPrefix(v, "CVMGRAPH_TEST_") {
					t.Errorf("%s: got %s, want a variable of the program or of its tests", name, v)
				}
			}
		}
	}
}

// codes returns the code of the page's blocks.
func codes(p *page) []string {
	var all []string
	for _, b := range p.blocks {
		all = append(all, b.code)
	}
	return all
}

// TestLogMessages_listed compares the log messages on the page for operators with the program's.
func TestLogMessages_listed(t *testing.T) {
	t.Parallel()
	logged := loggedMessages(t)
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (?:debug|info|warn|error)[a-z, ]* \\| `([^`]+)`").FindAllStringSubmatch(readPages(t)[operations].prose, -1) {
		listed[row[1]] = true
	}
	for _, message := range slices.Sorted(maps.Keys(logged)) {
		if !listed[message] {
			t.Errorf("got no row for %q of %s in %s", message, logged[message], operations)
		}
	}
	for _, message := range slices.Sorted(maps.Keys(listed)) {
		if logged[message] == "" {
			t.Errorf("got a row for %q in %s, which the program does not log", message, operations)
		}
	}
}

// loggedMessages returns the constant messages of the program's log, each with its file.
func loggedMessages(t *testing.T) map[string]string {
	t.Helper()
	logged := map[string]string{}
	levels := []string{"Debug", "Info", "Warn", "Error"}
	for _, name := range gitFiles(t, "--cached", "--others", "*.go") {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "internal/tools/bench/") || strings.HasPrefix(name, "clients/") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || method.Sel.Name != "LogAttrs" && !slices.Contains(levels, strings.TrimSuffix(method.Sel.Name, "Context")) {
				return true
			}
			if name := lastName(method.X); name == "http" || name == "observer" {
				return true
			}
			for _, argument := range call.Args {
				if literal, ok := argument.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					message, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					logged[message] = name
					break
				}
			}
			return true
		})
	}
	if len(logged) < 10 {
		t.Fatalf("got %d messages, want at least 10: %v", len(logged), logged)
	}
	return logged
}

// lastName returns the name after the last dot of an expression, or "" if there is no name.
func lastName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

// TestPageCosts compares the table of upstream calls with the program's covers, for cursors at the
// first positions.
func TestPageCosts(t *testing.T) {
	t.Parallel()
	const positions = 3000
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| (\d+) \| (\d+(?: or \d+)?) \|$`).FindAllStringSubmatch(readPages(t)[behavior].prose, -1)
	if len(rows) < 5 {
		t.Fatalf("got %d rows, want at least 5", len(rows))
	}
	for _, row := range rows {
		first, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		without := strconv.Itoa(len(relay.Cover(relay.Range{Lo: 0, Hi: first})))
		fewest, most := math.MaxInt, 0
		for cursor := range positions {
			calls := len(relay.Cover(relay.Range{Lo: cursor, Hi: cursor + 1 + first}))
			fewest, most = min(fewest, calls), max(most, calls)
		}
		with := strconv.Itoa(most)
		if fewest < most {
			with = fmt.Sprintf("%d or %d", fewest, most)
		}
		if row[2] != without || row[3] != with {
			t.Errorf("first: %d: got %s calls without a cursor and %s with one, want %s and %s", first, row[2], row[3], without, with)
		}
	}
}

// TestBlocks_valid checks that blocks of JSON are valid JSON, and blocks of GraphQL valid
// operations or definitions.
func TestBlocks_valid(t *testing.T) {
	t.Parallel()
	sdl, err := os.ReadFile(filepath.Join(root, "schema.graphqls"))
	if err != nil {
		t.Fatal(err)
	}
	schema := gqlparser.MustLoadSchema(&gqlast.Source{Name: "schema.graphqls", Input: string(sdl)})
	for name, p := range readPages(t) {
		for _, b := range p.blocks {
			var err error
			switch b.language {
			case "json":
				var value any
				err = decode(withAnything(b.code), &value)
			case "graphql":
				err = checkGraphQL(schema, b.code)
			case "bash", "shell", "console", "zsh", "fish", "powershell":
				err = fmt.Errorf("got a block of %s, want commands in blocks of sh", b.language)
			}
			if err != nil {
				t.Errorf("%s:%d: %v", name, b.line, err)
			}
		}
	}
}

// checkGraphQL accepts an operation that is valid for the schema, and type definitions of other
// services.
func checkGraphQL(schema *gqlast.Schema, document string) error {
	if _, err := gql.ParseQuery(&gqlast.Source{Input: document}); err != nil {
		_, err := gql.ParseSchema(&gqlast.Source{Input: document})
		return err
	}
	if _, errs := gqlparser.LoadQueryWithRules(schema, document, nil); len(errs) > 0 {
		return errs
	}
	return nil
}

// TestPatterns_matchTests checks that the commands in pages select tests: go test passes if a
// pattern matches none.
func TestPatterns_matchTests(t *testing.T) {
	t.Parallel()
	command := regexp.MustCompile(`go test .*-(run|bench)[ =]'?([^'\s` + "`" + `]+)`)
	functions := map[string]*regexp.Regexp{
		"run":   regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`),
		"bench": regexp.MustCompile(`(?m)^func (Benchmark\w*)\(`),
	}
	names := map[string][]string{}
	for _, file := range gitFiles(t, "--cached", "--others", "*_test.go") {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for flag, function := range functions {
			for _, match := range function.FindAllStringSubmatch(string(source), -1) {
				names[flag] = append(names[flag], match[1])
			}
		}
	}
	found := 0
	for name, p := range readPages(t) {
		for _, text := range append(p.spans(), codes(p)...) {
			for _, match := range command.FindAllStringSubmatch(text, -1) {
				found++
				if match[2] == "^NAME$" { // a placeholder
					continue
				}
				if !slices.ContainsFunc(names[match[1]], regexp.MustCompile(match[2]).MatchString) {
					t.Errorf("%s: got `%s`, want a pattern that matches a test", name, match[0])
				}
			}
		}
	}
	if found < 3 {
		t.Errorf("got %d commands with a pattern, want at least 3", found)
	}
}
