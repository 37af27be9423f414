package graph

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/pages"
)

// Tracer is told what operations do, so that they can be followed. All of its functions are set, and are safe for concurrent use.
type Tracer struct {
	// Operation is told of each request once it is answered: the type and the name of its operation, "" where they are not known,
	// whether it was answered as an equal one was before, the codes of its errors, each once, and whether the first of these is the
	// gateway's or the upstream's to mend.
	Operation func(ctx context.Context, kind, name string, kept bool, problems []string, failed bool)
	// Field is told of each field of Query that a resolver is called for, by its name in the schema. It returns the context to go on with,
	// and what is told of the field's end: the code of its error, "" for none, and whether that is the gateway's or the upstream's to
	// mend.
	Field func(ctx context.Context, name string) (context.Context, func(code string, failed bool))
	// Page is told of each page that a field is made of, and what it was for.
	Page func(ctx context.Context, page pages.FetchResult, reason string)
}

// answered tells of an operation: opCtx may be nil, or without an operation.
func (t *Tracer) answered(ctx context.Context, opCtx *graphql.OperationContext, shown gqlerror.List) {
	if t == nil {
		return
	}
	var kind, name string
	if opCtx != nil && opCtx.Operation != nil {
		kind, name = string(opCtx.Operation.Operation), opCtx.Operation.Name
	}
	problems, failed := problemsOf(shown)
	t.Operation(ctx, kind, name, false, problems, failed && !left(ctx))
}

// kept tells of an operation that was answered as an equal one was before.
func (t *Tracer) kept(ctx context.Context, name string) {
	if t != nil {
		t.Operation(ctx, "query", name, true, nil, false)
	}
}

// refused tells of a request that was not executed.
func (t *Tracer) refused(ctx context.Context, code string) {
	if t != nil {
		t.Operation(ctx, "", "", false, []string{code}, isFailure(code))
	}
}

// used tells of pages.
func (t *Tracer) used(ctx context.Context, got []pages.FetchResult, reason string) {
	if t == nil {
		return
	}
	for _, page := range got {
		t.Page(ctx, page, reason)
	}
}

// field resolves a field of Query, and tells of it.
func (t *Tracer) field(ctx context.Context, resolve func(context.Context) (any, error)) (any, error) {
	field := graphql.GetFieldContext(ctx)
	ctx, ended := t.Field(ctx, field.Field.Definition.Name) // not what the document says: all of that would be kept with it
	code := apierror.CodeInternal                           // unless resolve returns
	defer func() { ended(code, isFailure(code) && !left(ctx)) }()
	value, err := resolve(ctx)
	if code = codeOf(err); code == "" {
		code = addedCode(graphql.GetErrors(ctx), field.Field.Alias)
	}
	return value, err
}

// addedCode returns the code of the first error that a field of Query has added, "" for none.
func addedCode(errs gqlerror.List, alias string) string {
	for _, e := range errs {
		if len(e.Path) > 0 && e.Path[0] == ast.PathName(alias) {
			code, _ := e.Extensions["code"].(string)
			return code
		}
	}
	return ""
}

// left says whether the caller has gone, so that nobody has anything to mend.
func left(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// problemsOf returns the codes of errors, each once, and whether the first of them is a failure: those come first.
func problemsOf(shown gqlerror.List) (problems []string, failed bool) {
	for _, e := range shown {
		code, _ := e.Extensions["code"].(string)
		switch {
		case code == "" || slices.Contains(problems, code):
		case isFailure(code) && !failed:
			problems, failed = slices.Insert(problems, 0, code), true
		default:
			problems = append(problems, code)
		}
	}
	return problems, failed
}

// isFailure says whether a code is of what the gateway or the upstream has to mend, and not the caller.
func isFailure(code string) bool {
	switch code {
	case apierror.CodeRateLimited, apierror.CodeUpstream, apierror.CodeUpstreamTimeout, apierror.CodeInvalidResponse, apierror.CodeUnavailable, apierror.CodeInternal:
		return true
	}
	return false
}
