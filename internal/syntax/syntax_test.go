package syntax_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"cvmgraph/internal/syntax"
)

func parse(source string) (*ast.QueryDocument, *syntax.Error) {
	return syntax.Scan(source, 5000).Parse()
}

// testErrors compares the errors of documents: their positions and messages.
func testErrors(t *testing.T, tests map[string]string) {
	t.Helper()
	for source, want := range tests {
		_, err := parse(source)
		if err == nil {
			t.Errorf("%q: got no error, want %s", source, want)
			continue
		}
		got := fmt.Sprintf("%d:%d %s", err.Line, err.Column, err.Message)
		if got != want || err.Error() != "Syntax Error: "+err.Message {
			t.Errorf("%q: got %s, want %s", source, got, want)
		}
	}
}

func TestParse_invalidCharacters(t *testing.T) {
	t.Parallel()
	testErrors(t, map[string]string{
		// Characters.
		"{ node(id: 'a') { id } }": `1:12 Unexpected single quote character ('), did you mean to use a double quote (")?`,
		"{ a ? }":                  `1:5 Unexpected character: "?".`,
		"{ \x01 }":                 "1:3 Unexpected character: U+0001.",
		"{ é }":                    "1:3 Unexpected character: U+00E9.",
		"{ a \xff }":               "1:5 Unexpected character: a byte that is not UTF-8.",
		"# \xff":                   "1:3 Unexpected character: a byte that is not UTF-8.",
		"{ .. }":                   `1:3 Unexpected character: ".".`,
		// Numbers.
		"{ a(b: 01) }":    `1:9 Invalid number, unexpected digit after 0: "1".`,
		"{ a(b: -) }":     `1:9 Invalid number, expected digit but got: ")".`,
		"{ a(b: 1.) }":    `1:10 Invalid number, expected digit but got: ")".`,
		"{ a(b: 1e) }":    `1:10 Invalid number, expected digit but got: ")".`,
		"{ a(b: 1e+":      `1:11 Invalid number, expected digit but got: <EOF>.`,
		"{ a(b: 0xF) }":   `1:9 Invalid number, expected digit but got: "x".`,
		"{ a(b: 1a) }":    `1:9 Invalid number, expected digit but got: "a".`,
		"{ a(b: 1.5.2) }": `1:11 Invalid number, expected digit but got: ".".`,
		"{ a(b: 1._) }":   `1:10 Invalid number, expected digit but got: "_".`,
		// Strings.
		`{ a(b: "c`:                   "1:10 Unterminated string.",
		"{ a(b: \"c\n\") }":           "1:10 Unterminated string.",
		"{ a(b: \"c\\":                `1:10 Invalid character escape sequence: "\".`,
		`{ a(b: "c\q") }`:             `1:10 Invalid character escape sequence: "\q".`,
		`{ a(b: "\u12") }`:            `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ a(b: "\u{}") }`:            `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ a(b: "\u{110000}") }`:      `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ a(b: "\uD83D") }`:          `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ a(b: "\uD83D\u0041") }`:    `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ a(b: "\uD83D\uD83D") }`:    `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ a(b: "\uDE00\uD83D") }`:    `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ a(b: "\uD83D\uDE0") }`:     `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ a(b: "\uDE00\u{1F600}") }`: `1:9 Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		"{ a(b: \"c\xff\") }":         "1:10 Invalid character within String: a byte that is not UTF-8.",
		`{ a(b: """c`:                 "1:12 Unterminated string.",
		"{ a(b: \"\"\"\r\n c\r\n":     "3:1 Unterminated string.",
	})
}

func TestParse_unexpectedTokens(t *testing.T) {
	t.Parallel()
	testErrors(t, map[string]string{
		"":                             "1:1 Unexpected <EOF>.",
		"# nothing":                    "1:10 Unexpected <EOF>.",
		"{":                            "1:2 Expected Name, found <EOF>.",
		"{ }":                          `1:3 Expected Name, found "}".`,
		"{ a } }":                      `1:7 Unexpected "}".`,
		"{ a() }":                      `1:5 Expected Name, found ")".`,
		"query () { a }":               `1:8 Expected "$", found ")".`,
		"query A":                      `1:8 Expected "{", found <EOF>.`,
		"{ a(b: ) }":                   `1:8 Unexpected ")".`,
		"{ a(b: [1 }":                  `1:11 Unexpected "}".`,
		"{ ...on }":                    `1:9 Expected Name, found "}".`,
		"{ a: }":                       `1:6 Expected Name, found "}".`,
		"{ a \"secret\" }":             "1:5 Expected Name, found String.",
		`{ a """secret""" }`:           "1:5 Expected Name, found BlockString.",
		"{ a 1.5 }":                    `1:5 Expected Name, found Float "1.5".`,
		"fragment on on A { a }":       `1:10 Unexpected Name "on".`,
		"fragment A { a }":             `1:12 Expected "on", found "{".`,
		"fragment A($b: C) on D { a }": `1:11 Expected "on", found "(".`,
		"query($a: [B C]) { a }":       `1:14 Expected "]", found Name "C".`,
		"query($a: []) { a }":          `1:12 Expected Name, found "]".`,
		"query($a: B = $c) { a }":      `1:15 Unexpected variable "$c" in constant value.`,
		"query($a: B = $) { a }":       `1:15 Unexpected "$".`,
		"query($a: B = $') { a }":      `1:16 Unexpected single quote character ('), did you mean to use a double quote (")?`,
		"query($a: B @c(d: $e)) { a }": `1:19 Unexpected variable "$e" in constant value.`,
		`"b" { a }`:                    "1:1 Unexpected description, descriptions are not supported on shorthand queries.",
		`"b" a`:                        "1:1 Unexpected description, only GraphQL definitions support descriptions.",
		`"b" (`:                        `1:5 Unexpected "(".`,
		"type A { b: C }":              `1:1 Unexpected Name "type".`,
	})
}

func TestParse_errorPositions(t *testing.T) {
	t.Parallel()
	testErrors(t, map[string]string{
		"{ a }\n{ b ?":                   `2:5 Unexpected character: "?".`,
		"{ a }\r\n{ b ?":                 `2:5 Unexpected character: "?".`,
		"{ a }\r{ b ?":                   `2:5 Unexpected character: "?".`,
		"{ a }\n\r{ b ?":                 `3:5 Unexpected character: "?".`,
		"\ufeff{ a ?":                    `1:6 Unexpected character: "?".`,
		"\t{ a ?":                        `1:6 Unexpected character: "?".`,
		"{ a(b: \"é😀\") ?":               `1:15 Unexpected character: "?".`,
		"# é😀\r\n{ ?":                    `2:3 Unexpected character: "?".`,
		"{ a(b: \"\"\"é\r\n😀\"\"\") ?":   `2:8 Unexpected character: "?".`,
		"{ a(b: \"\"\"\r\n\r\n\"\"\" 'c": `3:5 Unexpected single quote character ('), did you mean to use a double quote (")?`,
	})
}

// printed returns a document without its positions and comments.
func printed(doc *ast.QueryDocument) string {
	var b strings.Builder
	formatter.NewFormatter(&b).FormatQueryDocument(doc)
	return b.String()
}

// documents are valid documents with everything that a document can contain.
var documents = []string{
	"{a}", "query { a }", "mutation A { a }", "subscription { a b: c }", "query A($b: C!, $d: [E!]! = [F] @g, $h: [[I]]) @j { a }",
	`{ a(b: 1, c: -0, d: 1.5e-3, e: "", f: true, g: false, h: null, i: J, k: [], l: [1 [2, $m]], n: {}, o: {p: {q: "r"}}, s: $t) }`,
	"{ ...a ...b @c(d: $e) ... { f } ... @g { h } ... on I { j } ... on K @l { m } }", "fragment A on B @c { d } { ...A }",
	`"d" query A("e" $f: G) { a } """h""" fragment B on C { d }`, "{ query mutation fragment: on true null }",
	`{ a(b: "\"\\\/\b\f\n\r\té\u{1F600}\uD83D\uDE00 é😀", c: """d""") }`,
	"{ a(b: \"\"\"\r\n    c\r      d\n\n  \t\n    e\\\"\"\"f\"g\n  \"\"\") }", `{ a(b: """""", c: """ d """, e: """
  f""") }`, "\ufeff# é\r\n{,a,\t#😀\r b\n\n}",
}

func TestParse_equalsGqlparser(t *testing.T) {
	t.Parallel()
	for _, source := range documents {
		got, err := parse(source)
		if err != nil {
			t.Errorf("%q: got %v, want a document", source, err)
			continue
		}
		want, wantErr := parser.ParseQuery(&ast.Source{Input: source})
		if wantErr != nil || printed(got) != printed(want) {
			t.Errorf("%q: got\n%s\nwant\n%s%v", source, printed(got), printed(want), wantErr)
		}
	}
}

func TestParse_stringValues(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`""`:                    "",
		`"é😀 \"\\\/\b\f\n\r\t"`: "é😀 \"\\/\b\f\n\r\t",
		`"\u00e9\uD83D\uDE00\u{1F600}\u{0000e9}"`: "é😀😀é",
		`""""""`:                                 "",
		`"""a"""`:                                "a",
		`""" "a" \n \""" """`:                    ` "a" \n """ `,
		"\"\"\"a\r\n    b\r      c\n    d\"\"\"": "a\nb\n  c\nd",
		"\"\"\"\n\n \t\n  a\n\n   b\n  \"\"\"":   "a\n\n b",
		"\"\"\" \n\t\"\"\"":                      "",
	} {
		doc, err := parse("{ a(b: " + source + ") }")
		if err != nil {
			t.Errorf("%s: got %v, want %q", source, err, want)
			continue
		}
		if got := doc.Operations[0].SelectionSet[0].(*ast.Field).Arguments[0].Value.Raw; got != want {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
}

func TestParse_positions(t *testing.T) {
	t.Parallel()
	doc, err := parse("# é😀\r\n query A($b: C = \"😀\", $d: E) @f {\r a: g(h: \"\"\"\n\"\"\", i: [$b]) @j\n ...K ... on L { m } } fragment K on M { n }")
	if err != nil {
		t.Fatal(err)
	}
	o, k := doc.Operations[0], doc.Fragments[0]
	field, spread, inline := o.SelectionSet[0].(*ast.Field), o.SelectionSet[1].(*ast.FragmentSpread), o.SelectionSet[2].(*ast.InlineFragment)
	for name, test := range map[string]struct {
		position *ast.Position
		want     string
	}{
		"an operation":             {o.Position, "2:2"},
		"a variable":               {o.VariableDefinitions[0].Position, "2:10"},
		"a type":                   {o.VariableDefinitions[0].Type.Position, "2:14"},
		"a default":                {o.VariableDefinitions[0].DefaultValue.Position, "2:18"},
		"after an astral symbol":   {o.VariableDefinitions[1].Position, "2:24"},
		"a directive":              {o.Directives[0].Position, "2:31"},
		"a field":                  {field.Position, "3:2"},
		"an argument":              {field.Arguments[0].Position, "3:7"},
		"a block string":           {field.Arguments[0].Value.Position, "3:10"},
		"after a block string":     {field.Arguments[1].Position, "4:6"},
		"a variable in a list":     {field.Arguments[1].Value.Children[0].Value.Position, "4:10"},
		"a directive of the field": {field.Directives[0].Position, "4:15"},
		"a spread":                 {spread.Position, "5:2"},
		"an inline fragment":       {inline.Position, "5:7"},
		"a fragment":               {k.Position, "5:24"},
	} {
		if got := fmt.Sprintf("%d:%d", test.position.Line, test.position.Column); got != test.want || test.position.Src == nil {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestParse_nesting(t *testing.T) {
	t.Parallel()
	repeat := strings.Repeat
	for name, source := range map[string]func(n int) string{
		"selection sets": func(n int) string { return repeat("{a", n) + repeat("}", n) },
		"lists":          func(n int) string { return "{a(b:" + repeat("[", n-2) + repeat("]", n-2) + ")}" },
		"objects":        func(n int) string { return "{a(b:" + repeat("{c:", n-2) + "1" + repeat("}", n-2) + ")}" },
		"types":          func(n int) string { return "query($a:" + repeat("[", n-1) + "B" + repeat("]", n-1) + "){c}" },
	} {
		if _, err := syntax.Scan(source(syntax.MaxNesting), 1e6).Parse(); err != nil {
			t.Errorf("%s: got %v, want %d levels", name, err, syntax.MaxNesting)
		}
		if _, err := syntax.Scan(source(1e4), 1e6).Parse(); err == nil || !strings.Contains(err.Message, "at most 1000 levels") {
			t.Errorf("%s: got %v, want the limit of levels", name, err)
		}
	}
}

func TestScan_counts(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][2]int{
		"":                                 {0, 0},
		"{ abc: de # fghi jkl\n, ...f }":   {7, 3},
		`{ a(b: "cdef") """g""" }`:         {9, 1},
		"{ a abcd ? " + "efghij":           {3, 4},
		strings.Repeat("a ", 50) + "bcdef": {51, 5},
	} {
		s := syntax.Scan(source, 10)
		if got := [2]int{s.Count, s.LongestName}; got != want {
			t.Errorf("%q: got %d tokens and %d bytes, want %v", source, s.Count, s.LongestName, want)
		}
	}
}

// FuzzParse compares documents with those of gqlparser, which accepts more. It rejects some control
// characters, and takes the first line of a block string for indented.
func FuzzParse(f *testing.F) {
	for _, source := range documents {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		doc, err := parse(source)
		if err != nil {
			if err.Line < 1 || err.Column < 1 || err.Message == "" {
				t.Errorf("got %+v, want a position and a message", err)
			}
			return
		}
		if strings.Contains(source, `"""`) || strings.ContainsFunc(source, unicode.IsControl) {
			return
		}
		want, wantErr := parser.ParseQuery(&ast.Source{Input: source})
		if wantErr != nil {
			t.Fatalf("got a document, want %v", wantErr)
		}
		if printed(doc) != printed(want) {
			t.Errorf("got\n%s\nwant\n%s", printed(doc), printed(want))
		}
	})
}
