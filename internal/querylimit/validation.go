package querylimit

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// maxReports is the maximum number of errors that the rules report about one document. An error
// can cost a search for similar names.
const maxReports = 200

// sortedRules returns rules in the order of their names, which is the order of their errors about
// one node of a document.
func sortedRules(all *rules.Rules) []core.Rule {
	inner := all.GetInner()
	sorted := make([]core.Rule, 0, len(inner))
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		sorted = append(sorted, core.Rule{Name: name, RuleFunc: inner[name]})
	}
	return sorted
}

// validate returns the errors of a document, each of them once: the rules report an error of a
// fragment for each operation that spreads it. Validation ends after maxReports reports.
func validate(schema *ast.Schema, doc *ast.QueryDocument, sorted []core.Rule) (errs gqlerror.List) {
	observers := &core.Events{}
	reports, known := 0, make(map[string]bool)
	for _, rule := range sorted {
		rule.RuleFunc(observers, func(options ...core.ErrorOption) {
			if reports++; reports > maxReports {
				*observers = core.Events{}
				return
			}
			e := &gqlerror.Error{Rule: rule.Name}
			for _, option := range options {
				option(e)
			}
			if key := fmt.Sprint(e.Locations, e.Message); !known[key] {
				known[key] = true
				errs = append(errs, e)
			}
		})
	}
	validator.Walk(schema, doc, observers)
	return errs
}
