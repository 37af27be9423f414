package querylimit

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// prepare changes a valid document so that gqlgen executes it as the specification requires.
func prepare(schema *ast.Schema, doc *ast.QueryDocument) {
	observers := &core.Events{}
	observers.OnValue(func(_ *core.Walker, value *ast.Value) { prepareValue(value) })
	validator.Walk(schema, doc, observers)
	for _, operation := range doc.Operations {
		separateConditions(operation.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		separateConditions(fragment.SelectionSet)
	}
}

// prepareValue gives an integer the kind of the scalar that it is a value of. An id and a Float may
// have more digits than gqlgen's integers.
func prepareValue(value *ast.Value) {
	switch {
	case value.Kind == ast.Variable:
		// The definition is that of the last operation that reaches the value. gqlgen would take
		// the default from it for each operation of the document. Defaults are added before.
		value.VariableDefinition = nil
	case value.Kind != ast.IntValue || value.Definition == nil:
	case value.Definition.Name == "ID":
		value.Kind = ast.StringValue
	case value.Definition.Name == "Float":
		value.Kind = ast.FloatValue
	}
}

// separateConditions moves each selection with both @skip and @include into an inline fragment with
// its @skip. gqlgen evaluates both conditions of a selection, and panics if one of them is null.
// But @include must not be evaluated if @skip excludes the selection.
func separateConditions(set ast.SelectionSet) {
	for i, selection := range set {
		var directives *ast.DirectiveList
		outer := &ast.InlineFragment{SelectionSet: ast.SelectionSet{selection}, Position: selection.GetPosition()}
		switch s := selection.(type) {
		case *ast.Field:
			directives, outer.ObjectDefinition = &s.Directives, s.ObjectDefinition
			separateConditions(s.SelectionSet)
		case *ast.InlineFragment:
			directives, outer.ObjectDefinition = &s.Directives, s.ObjectDefinition
			separateConditions(s.SelectionSet)
		case *ast.FragmentSpread:
			directives, outer.ObjectDefinition = &s.Directives, s.ObjectDefinition
		}
		if directives.ForName("skip") == nil || directives.ForName("include") == nil {
			continue
		}
		var others ast.DirectiveList
		for _, d := range *directives {
			if d.Name == "skip" {
				outer.Directives = append(outer.Directives, d)
			} else {
				others = append(others, d)
			}
		}
		*directives, set[i] = others, outer
	}
}
