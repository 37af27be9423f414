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
	"cvmgraph/internal/relay"
)

// Tracer receives the events that make up a trace. All of its functions are required, and must be
// safe for concurrent use.
type Tracer struct {
	// Operation records a request when its response is written: the type and the name of its
	// operation, which are empty if they are not known, whether the response came from the response
	// cache, the codes of its errors, each once, and whether the first of them is a failure of the
	// gateway or the upstream.
	Operation func(ctx context.Context, kind, name string, cached bool, codes []string, failed bool)
	// Field records a field of Query when its resolver is called, by its name in the schema. It
	// returns the context of the resolver, and a function that records the end of the field: the
	// code of its error, which is empty if it succeeds, and whether it is a failure of the
	// gateway or the upstream.
	Field func(ctx context.Context, name string) (context.Context, func(code string, failed bool))
	// Page records a page that a field uses, and why it was fetched.
	Page func(ctx context.Context, page pages.FetchResult, reason relay.Reason)
}

// executed records an operation. It may have been rejected, so that opCtx has no operation.
func (t *Tracer) executed(ctx context.Context, opCtx *graphql.OperationContext, errs gqlerror.List) {
	if t == nil {
		return
	}
	var kind, name string
	if opCtx != nil && opCtx.Operation != nil {
		kind, name = string(opCtx.Operation.Operation), opCtx.Operation.Name
	}
	codes, failed := codesOf(errs)
	t.Operation(ctx, kind, name, false, codes, failed && !isCanceled(ctx))
}

// cacheHit records an operation whose response came from the response cache.
func (t *Tracer) cacheHit(ctx context.Context, name string) {
	if t != nil {
		t.Operation(ctx, "query", name, true, nil, false)
	}
}

// rejected records a request that was not executed.
func (t *Tracer) rejected(ctx context.Context, code string) {
	if t != nil {
		t.Operation(ctx, "", "", false, []string{code}, isFailure(code))
	}
}

// used records pages.
func (t *Tracer) used(ctx context.Context, fetched []pages.FetchResult, reason relay.Reason) {
	if t == nil {
		return
	}
	for _, page := range fetched {
		t.Page(ctx, page, reason)
	}
}

// field resolves a field of Query and records it.
func (t *Tracer) field(ctx context.Context, resolve func(context.Context) (any, error)) (any, error) {
	field := graphql.GetFieldContext(ctx)
	// The name is the schema's. The document's would keep the whole document in memory.
	ctx, end := t.Field(ctx, field.Field.Definition.Name)
	code := apierror.CodeInternal // unless resolve returns
	defer func() { end(code, isFailure(code) && !isCanceled(ctx)) }()
	value, err := resolve(ctx)
	if code = codeOf(err); code == "" {
		code = addedCode(graphql.GetErrors(ctx), field.Field.Alias)
	}
	return value, err
}

// addedCode returns the code of the first error that a field of Query has added. It returns an
// empty string if there is none.
func addedCode(errs gqlerror.List, alias string) string {
	for _, e := range errs {
		if len(e.Path) > 0 && e.Path[0] == ast.PathName(alias) {
			code, _ := e.Extensions["code"].(string)
			return code
		}
	}
	return ""
}

// isCanceled reports whether the client has closed the connection, so that an error is not a
// failure.
func isCanceled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// codesOf returns the codes of errors, each once, and whether the first of them is a failure. If
// there is a failure, it comes first.
func codesOf(errs gqlerror.List) (codes []string, failed bool) {
	for _, e := range errs {
		code, _ := e.Extensions["code"].(string)
		switch {
		case code == "" || slices.Contains(codes, code):
		case isFailure(code) && !failed:
			codes, failed = slices.Insert(codes, 0, code), true
		default:
			codes = append(codes, code)
		}
	}
	return codes, failed
}

// isFailure reports whether an error with the code is a failure of the gateway or the upstream, not
// a mistake of the caller.
func isFailure(code string) bool {
	switch code {
	case apierror.CodeRateLimited, apierror.CodeUpstream, apierror.CodeUpstreamTimeout, apierror.CodeInvalidResponse,
		apierror.CodeUnavailable, apierror.CodeInternal:
		return true
	}
	return false
}
