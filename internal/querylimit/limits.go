package querylimit

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/syntax"
)

// Limits are the configurable limits of a document. Each must be at least 1.
type Limits struct {
	// Tokens is the maximum number of tokens.
	Tokens int
	// Depth is the maximum nesting of fields, including those of fragments.
	Depth int
	// Aliases is the maximum number of aliases of all operations, including those of fragments.
	Aliases int
}

// MaxRootFields is the maximum number of fields of an operation's root, including those of
// fragments.
const MaxRootFields = 30

// maxName is the maximum length of a name, in bytes.
const maxName = 200

// Limits without a setting. The queries of known tools are far below them.
const (
	maxDirectives = 50
	// maxSelections is the limit of one selection set, including its fragments: validation compares
	// each field with each other.
	maxSelections = 300
	// maxLists is the limit of lists in each other in the type of a variable: a value that is not a
	// list becomes one for each of them.
	maxLists = 5
)

func tooComplex(what string, limit, actual int) *apierror.Error {
	message := fmt.Sprintf("the document has %d %s: at most %d are allowed", actual, what, limit)
	return apierror.TooComplex(limit, actual, message)
}

// checkTokens checks the tokens of a document, up to the first one that is not valid.
func (l *documentLimits) checkTokens(tokens *syntax.Tokens) *apierror.Error {
	switch {
	case tokens.LongestName > maxName:
		return tooComplex("bytes in one name", maxName, tokens.LongestName)
	case tokens.Count > l.limits.Tokens:
		return tooComplex("tokens", l.limits.Tokens, tokens.Count)
	}
	return nil
}

// selectionSize is the size of a selection set, including its fragments. Counts stop at saturated.
type selectionSize struct {
	depth, aliases, selections int
	widest                     int // selections of the largest set
}

// saturated is the largest count: fragments that spread fragments can multiply beyond an int.
const saturated = 1 << 30

// checkDocument checks a parsed document against the limits.
func (l *documentLimits) checkDocument(doc *ast.QueryDocument) *apierror.Error {
	m := measure{doc: doc, sizes: make(map[string]selectionSize)}
	var all selectionSize
	for _, operation := range doc.Operations {
		m.directives += len(operation.Directives)
		for _, v := range operation.VariableDefinitions {
			m.directives += len(v.Directives)
			if lists := nestedLists(v.Type); lists > maxLists {
				return tooComplex("lists in each other in the type of a variable", maxLists, lists)
			}
		}
		s := m.set(operation.SelectionSet)
		if s.selections > MaxRootFields {
			return tooComplex("fields at its root", MaxRootFields, s.selections)
		}
		all = all.add(s)
	}
	for _, fragment := range doc.Fragments {
		m.directives += len(fragment.Directives)
		s := m.fragment(fragment.Name) // also if no operation spreads it
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

// nestedLists returns the number of lists in each other in a type.
func nestedLists(t *ast.Type) int {
	lists := 0
	for ; t.Elem != nil; t = t.Elem {
		lists++
	}
	return lists
}

// measure computes the sizes of one document's selection sets, of each fragment once.
type measure struct {
	doc        *ast.QueryDocument
	sizes      map[string]selectionSize // of fragments, by name; empty during the computation, which ends cycles
	directives int
}

func (m *measure) set(selections ast.SelectionSet) selectionSize {
	var s selectionSize
	for _, selection := range selections {
		switch selection := selection.(type) {
		case *ast.Field:
			m.directives += len(selection.Directives)
			field := m.set(selection.SelectionSet)
			field.selections = 1
			field.depth++
			if selection.Alias != selection.Name {
				field.aliases++
			}
			s = s.add(field)
		case *ast.InlineFragment:
			m.directives += len(selection.Directives)
			s = s.add(m.set(selection.SelectionSet))
		case *ast.FragmentSpread:
			m.directives += len(selection.Directives)
			s = s.add(m.fragment(selection.Name))
		}
	}
	s.widest = max(s.widest, s.selections)
	return s
}

// add adds the selections of a field or a fragment to those of the set that has it.
func (s selectionSize) add(o selectionSize) selectionSize {
	return selectionSize{
		depth:      max(s.depth, o.depth),
		aliases:    min(s.aliases+o.aliases, saturated),
		selections: min(s.selections+o.selections, saturated),
		widest:     max(s.widest, o.widest),
	}
}

func (m *measure) fragment(name string) selectionSize {
	if s, ok := m.sizes[name]; ok {
		return s
	}
	m.sizes[name] = selectionSize{}
	fragment := m.doc.Fragments.ForName(name)
	if fragment == nil {
		return selectionSize{}
	}
	s := m.set(fragment.SelectionSet)
	m.sizes[name] = s
	return s
}
