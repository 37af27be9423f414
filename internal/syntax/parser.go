package syntax

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// MaxNesting is the maximum depth of selection sets, lists, objects and list types in each other,
// so that functions that recurse into a document cannot exhaust the stack.
const MaxNesting = 1000

// parser builds the tree of a document. After its first error, the next token is the last one.
type parser struct {
	tokens []token
	// next is the index of the next token. The last token is endOfFile or invalid.
	next    int
	nesting int
	// lexical is the error of the token of the kind invalid, if there is one.
	lexical *Error
	err     *Error
}

func (p *parser) peek() *token { return &p.tokens[p.next] }

// take returns the next token and skips it, unless it is the last one.
func (p *parser) take() *token {
	t := p.peek()
	if p.next < len(p.tokens)-1 {
		p.next++
	}
	return t
}

// fail records the first error of the document.
func (p *parser) fail(t *token, format string, args ...any) {
	if p.err == nil {
		p.err = &Error{fmt.Sprintf(format, args...), t.position.Line, t.position.Column}
		if t.kind == invalid {
			p.err = p.lexical
		}
	}
	p.next = len(p.tokens) - 1
}

// unexpected records that the token cannot be where it is.
func (p *parser) unexpected(t *token) { p.fail(t, "Unexpected %s.", t.describe()) }

// skip skips the next token and returns true if it has the kind.
func (p *parser) skip(k kind) bool {
	if p.err != nil || p.peek().kind != k {
		return false
	}
	p.take()
	return true
}

// isWord reports whether the token is the name.
func (t *token) isWord(word string) bool { return t.kind == name && t.value == word }

// isString reports whether the token is a string of either form.
func (t *token) isString() bool { return t.kind == text || t.kind == blockString }

// expect returns the next token, which must have the kind.
func (p *parser) expect(k kind) *token {
	t := p.peek()
	if t.kind != k {
		p.fail(t, "Expected %s, found %s.", k, t.describe())
	}
	return p.take()
}

// expectWord skips the next token, which must be the name.
func (p *parser) expectWord(word string) {
	if t := p.peek(); !t.isWord(word) {
		p.fail(t, `Expected "%s", found %s.`, word, t.describe())
	}
	p.take()
}

// many calls item for each item between two tokens. There must be at least one.
func (p *parser) many(open, end kind, item func()) {
	p.expect(open)
	p.nesting++
	if p.nesting > MaxNesting {
		p.fail(p.peek(), "The document is nested too deeply: at most %d levels are allowed.", MaxNesting)
	}
	for first := true; p.err == nil && (first || !p.skip(end)); first = false {
		item()
	}
	p.nesting--
}

// any calls item for each item between two tokens. There may be none.
func (p *parser) any(open, end kind, item func()) {
	if p.tokens[min(p.next+1, len(p.tokens)-1)].kind == end {
		p.take()
		p.take()
		return
	}
	p.many(open, end, item)
}

func (p *parser) document() *ast.QueryDocument {
	doc := &ast.QueryDocument{Position: &p.peek().position}
	for first := true; p.err == nil && (first || p.peek().kind != endOfFile); first = false {
		p.definition(doc)
	}
	return doc
}

// definition parses an operation or a fragment. A description may be before it.
func (p *parser) definition(doc *ast.QueryDocument) {
	start, keyword := p.peek(), p.peek()
	if start.isString() {
		keyword = &p.tokens[p.next+1]
	}
	switch {
	case keyword.kind == openBrace && start != keyword:
		p.fail(start, "Unexpected description, descriptions are not supported on shorthand queries.")
	case keyword.kind == openBrace, keyword.isWord("query"), keyword.isWord("mutation"), keyword.isWord("subscription"):
		doc.Operations = append(doc.Operations, p.operation())
	case keyword.isWord("fragment"):
		doc.Fragments = append(doc.Fragments, p.fragmentDefinition())
	case keyword.kind == name && start != keyword:
		p.fail(start, "Unexpected description, only GraphQL definitions support descriptions.")
	default:
		p.unexpected(keyword)
	}
}

// description skips a description and returns it. It returns an empty string without one.
func (p *parser) description() string {
	if p.peek().isString() {
		return p.take().value
	}
	return ""
}

func (p *parser) operation() *ast.OperationDefinition {
	o := &ast.OperationDefinition{Position: &p.peek().position, Operation: ast.Query}
	if p.peek().kind != openBrace {
		o.Description = p.description()
		o.Operation = ast.Operation(p.take().value)
		if p.peek().kind == name {
			o.Name = p.take().value
		}
		if p.peek().kind == openParen {
			p.many(openParen, closeParen, func() {
				o.VariableDefinitions = append(o.VariableDefinitions, p.variableDefinition())
			})
		}
		o.Directives = p.directives(false)
	}
	o.SelectionSet = p.selectionSet()
	return o
}

func (p *parser) variableDefinition() *ast.VariableDefinition {
	v := &ast.VariableDefinition{Position: &p.peek().position, Description: p.description()}
	v.Variable = p.variable()
	p.expect(colon)
	v.Type = p.typeReference()
	if p.skip(equals) {
		v.DefaultValue = p.value(true)
	}
	v.Directives = p.directives(true)
	return v
}

func (p *parser) variable() string {
	p.expect(dollar)
	return p.expect(name).value
}

// typeReference parses a type. It recurses once for each list.
func (p *parser) typeReference() *ast.Type {
	t := &ast.Type{Position: &p.peek().position}
	if p.peek().kind == openList {
		elements := 0
		p.many(openList, closeList, func() {
			if elements++; elements > 1 {
				p.fail(p.peek(), "Expected %s, found %s.", closeList, p.peek().describe())
				return
			}
			t.Elem = p.typeReference()
		})
	} else {
		t.NamedType = p.expect(name).value
	}
	t.NonNull = p.skip(bang)
	return t
}

func (p *parser) selectionSet() ast.SelectionSet {
	var set ast.SelectionSet
	p.many(openBrace, closeBrace, func() {
		if p.peek().kind == spread {
			set = append(set, p.fragment())
		} else {
			set = append(set, p.field())
		}
	})
	return set
}

func (p *parser) field() *ast.Field {
	f := &ast.Field{Position: &p.peek().position}
	f.Alias = p.expect(name).value
	f.Name = f.Alias
	if p.skip(colon) {
		f.Name = p.expect(name).value
	}
	f.Arguments = p.arguments(false)
	f.Directives = p.directives(false)
	if p.peek().kind == openBrace {
		f.SelectionSet = p.selectionSet()
	}
	return f
}

// fragment parses a fragment spread or an inline fragment.
func (p *parser) fragment() ast.Selection {
	start := p.expect(spread)
	if p.peek().kind == name && !p.peek().isWord("on") {
		return &ast.FragmentSpread{Position: &start.position, Name: p.take().value, Directives: p.directives(false)}
	}
	f := &ast.InlineFragment{Position: &start.position}
	if p.peek().isWord("on") {
		p.take()
		f.TypeCondition = p.expect(name).value
	}
	f.Directives = p.directives(false)
	f.SelectionSet = p.selectionSet()
	return f
}

func (p *parser) fragmentDefinition() *ast.FragmentDefinition {
	f := &ast.FragmentDefinition{Position: &p.peek().position, Description: p.description()}
	p.expectWord("fragment")
	if p.peek().isWord("on") {
		p.unexpected(p.peek())
	}
	f.Name = p.expect(name).value
	p.expectWord("on")
	f.TypeCondition = p.expect(name).value
	f.Directives = p.directives(false)
	f.SelectionSet = p.selectionSet()
	return f
}

// directives parses directives. If constant is true, their arguments must not have variables.
func (p *parser) directives(constant bool) ast.DirectiveList {
	var directives ast.DirectiveList
	for p.err == nil && p.peek().kind == at {
		start := p.take()
		directives = append(directives, &ast.Directive{
			Position: &start.position, Name: p.expect(name).value, Arguments: p.arguments(constant),
		})
	}
	return directives
}

func (p *parser) arguments(constant bool) ast.ArgumentList {
	var arguments ast.ArgumentList
	if p.peek().kind != openParen {
		return nil
	}
	p.many(openParen, closeParen, func() {
		start := p.expect(name)
		p.expect(colon)
		arguments = append(arguments, &ast.Argument{Position: &start.position, Name: start.value, Value: p.value(constant)})
	})
	return arguments
}

// value parses a value. It recurses once for each list and object.
func (p *parser) value(constant bool) *ast.Value {
	t := p.peek()
	v := &ast.Value{Position: &t.position, Raw: t.value}
	switch t.kind { //nolint:exhaustive // no other token begins a value
	case openList:
		v.Kind = ast.ListValue
		p.any(openList, closeList, func() {
			v.Children = append(v.Children, &ast.ChildValue{Value: p.value(constant)})
		})
		return v
	case openBrace:
		v.Kind = ast.ObjectValue
		p.any(openBrace, closeBrace, func() {
			start := p.expect(name)
			p.expect(colon)
			v.Children = append(v.Children, &ast.ChildValue{Position: &start.position, Name: start.value, Value: p.value(constant)})
		})
		return v
	case dollar:
		if constant {
			p.constantVariable()
			return v
		}
		v.Kind, v.Raw = ast.Variable, p.variable()
		return v
	case integer:
		v.Kind = ast.IntValue
	case float:
		v.Kind = ast.FloatValue
	case text:
		v.Kind = ast.StringValue
	case blockString:
		v.Kind = ast.BlockValue
	case name:
		v.Kind = wordKind(t.value)
	default:
		p.unexpected(t)
	}
	p.take()
	return v
}

// constantVariable records that the next token begins a variable where none is allowed.
func (p *parser) constantVariable() {
	switch start, variable := p.take(), p.peek(); variable.kind { //nolint:exhaustive // the others are equal
	case name:
		p.fail(start, `Unexpected variable "$%s" in constant value.`, variable.value)
	case invalid:
		p.unexpected(variable)
	default:
		p.unexpected(start)
	}
}

// wordKind returns the kind of a value that is a name.
func wordKind(word string) ast.ValueKind {
	switch word {
	case "true", "false":
		return ast.BooleanValue
	case "null":
		return ast.NullValue
	}
	return ast.EnumValue
}
