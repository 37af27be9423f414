package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"

	"cvmgraph/internal/apierror"
)

// Limits bound a document before it is validated. Each must be at least 1.
type Limits struct {
	// Tokens is how many tokens it may have.
	Tokens int
	// Depth is how deep its fields may be nested, with fragments followed.
	Depth int
	// Aliases is how many aliases its operations may have, with fragments followed.
	Aliases int
}

// Bounds that need no setting: no tool that we know comes near them.
const (
	maxDirectives = 50
	maxRootFields = 30
	maxSelections = 300 // in one selection set, with fragments followed: validation compares each with each
	maxName       = 200 // bytes of a name
)

// limiter refuses documents beyond the limits. Those that are parsed already have passed.
type limiter struct {
	limits Limits
	parsed boundedCache[*ast.QueryDocument]
}

// ExtensionName names the extension for gqlgen.
func (*limiter) ExtensionName() string { return "Limits" }

// Validate accepts every schema.
func (*limiter) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters looks at the document and changes nothing.
func (l *limiter) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if _, ok := l.parsed.Get(ctx, params.Query); ok {
		return nil
	}
	source := &ast.Source{Input: params.Query}
	if e := l.checkTokens(source); e != nil {
		return e.GraphQL()
	}
	doc, err := parser.ParseQueryWithTokenLimit(source, l.limits.Tokens)
	if wrong, ok := errors.AsType[*gqlerror.Error](err); ok {
		return parseFailure(source, wrong)
	}
	if e := l.checkDocument(doc); e != nil {
		return e.GraphQL()
	}
	return nil
}

func tooComplex(what string, limit, actual int) *apierror.Error {
	return &apierror.Error{
		Code: apierror.CodeTooComplex, Limit: int64(limit), Actual: int64(actual),
		Message: fmt.Sprintf("the document has %d %s: at most %d are allowed", actual, what, limit),
	}
}

func (l *limiter) checkTokens(source *ast.Source) *apierror.Error {
	tokens, count := lexer.New(source), 0
	token, err := tokens.ReadToken()
	for err == nil && token.Kind != lexer.EOF {
		if token.Kind == lexer.Name && len(token.Value) > maxName {
			return tooComplex("bytes in one name", maxName, len(token.Value))
		}
		count++
		token, err = tokens.ReadToken()
	}
	if count > l.limits.Tokens {
		return tooComplex("tokens", l.limits.Tokens, count)
	}
	return nil
}

// shape is what counts of a selection set, with its fragments followed. Numbers stop at saturated.
type shape struct{ depth, aliases, selections, widest int }

// saturated bounds what is counted: fragments that spread fragments can stand for more than an int holds.
const saturated = 1 << 30

func (l *limiter) checkDocument(doc *ast.QueryDocument) *apierror.Error {
	m := measure{doc: doc, shapes: make(map[string]shape)}
	var all shape
	for _, operation := range doc.Operations {
		m.directives += len(operation.Directives)
		for _, v := range operation.VariableDefinitions {
			m.directives += len(v.Directives)
		}
		s := m.set(operation.SelectionSet)
		if s.selections > maxRootFields {
			return tooComplex("fields at its root", maxRootFields, s.selections)
		}
		all = shape{
			depth:   max(all.depth, s.depth),
			aliases: min(all.aliases+s.aliases, saturated),
			widest:  max(all.widest, s.widest),
		}
	}
	for _, fragment := range doc.Fragments {
		m.directives += len(fragment.Directives)
		s := m.fragment(fragment.Name) // also of those that no operation spreads
		all.depth, all.widest = max(all.depth, s.depth), max(all.widest, s.widest)
	}
	switch {
	case all.depth > l.limits.Depth:
		return tooComplex("levels of fields", l.limits.Depth, all.depth)
	case all.aliases > l.limits.Aliases:
		return tooComplex("aliases", l.limits.Aliases, all.aliases)
	case all.widest > maxSelections:
		return tooComplex("fields in one selection set", maxSelections, all.widest)
	case m.directives > maxDirectives:
		return tooComplex("directives", maxDirectives, m.directives)
	}
	return nil
}

// measure measures the selection sets of one document, each fragment once.
type measure struct {
	doc        *ast.QueryDocument
	shapes     map[string]shape // of fragments by name; empty while one is being measured, which ends cycles
	directives int
}

func (m *measure) set(selections ast.SelectionSet) shape {
	var s shape
	for _, selection := range selections {
		switch selection := selection.(type) {
		case *ast.Field:
			m.directives += len(selection.Directives)
			below := m.set(selection.SelectionSet)
			s.selections++
			s.depth = max(s.depth, below.depth+1)
			s.aliases = min(s.aliases+below.aliases, saturated)
			s.widest = max(s.widest, below.widest)
			if selection.Alias != selection.Name {
				s.aliases++
			}
		case *ast.InlineFragment:
			m.directives += len(selection.Directives)
			s = s.join(m.set(selection.SelectionSet))
		case *ast.FragmentSpread:
			m.directives += len(selection.Directives)
			s = s.join(m.fragment(selection.Name))
		}
	}
	s.widest = max(s.widest, s.selections)
	return s
}

// join adds the selections of a fragment to those of the set that spreads it.
func (s shape) join(o shape) shape {
	return shape{
		depth:      max(s.depth, o.depth),
		aliases:    min(s.aliases+o.aliases, saturated),
		selections: min(s.selections+o.selections, saturated),
		widest:     max(s.widest, o.widest),
	}
}

func (m *measure) fragment(name string) shape {
	if s, ok := m.shapes[name]; ok {
		return s
	}
	m.shapes[name] = shape{}
	fragment := m.doc.Fragments.ForName(name)
	if fragment == nil {
		return shape{}
	}
	s := m.set(fragment.SelectionSet)
	m.shapes[name] = s
	return s
}
