// Package querylimit parses and validates GraphQL documents, and rejects documents that exceed
// limits.
package querylimit

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/syntax"
)

const (
	// cacheBytes limits the memory of the cached documents, in bytes.
	cacheBytes = 32 << 20
	// parsedFactor is the approximate number of bytes that a parsed document takes for each byte of
	// its source.
	parsedFactor = 80
	// entryBytes is the approximate size of an entry of a cache, without its content.
	entryBytes = 200
)

// DocumentBytes returns the approximate memory of a parsed document, given its source.
func DocumentBytes(query string) int { return parsedFactor*len(query) + entryBytes }

// documentLimits is a gqlgen extension that parses each document once, checks it against the
// limits, validates it and caches it. It also checks the variables of each request. It is safe for
// concurrent use.
type documentLimits struct {
	limits Limits
	schema *ast.Schema
	rules  []core.Rule
	cache  *otter.Cache[string, *ast.QueryDocument]
}

// Install makes an executor reject the documents that exceed the limits or that are not valid, and
// the variables that are not of their types or set a condition to null. If introspection is false,
// documents that select the schema are rejected too, and errors do not suggest names of the schema.
// Extensions that change the document must be installed before.
//
// An extension can return one error only. If a document or its variables have several, the error
// wraps a [gqlerror.List].
func Install(exec *executor.Executor, schema *ast.Schema, limits Limits, introspection bool) {
	exec.Use(&documentLimits{limits, schema, sortedRules(validationRules(introspection)), otter.Must(&otter.Options[string, *ast.QueryDocument]{
		MaximumWeight: cacheBytes,
		Weigher:       func(query string, _ *ast.QueryDocument) uint32 { return uint32(DocumentBytes(query)) },
	})})
	exec.SetQueryCache(operationDocument{})
	exec.Use(nullConditionCheck{})
}

// operationDocument is the query cache of gqlgen's executor. It has the document that
// [documentLimits] has put into the operation's context, so that gqlgen does not parse it again.
type operationDocument struct{}

// Get returns the document of the context's operation.
func (operationDocument) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	doc := graphql.GetOperationContext(ctx).Doc
	return doc, doc != nil
}

// Add does nothing: gqlgen calls it only for a document that it has parsed itself.
func (operationDocument) Add(context.Context, string, *ast.QueryDocument) {}

// ExtensionName names the extension for gqlgen.
func (*documentLimits) ExtensionName() string { return "DocumentLimits" }

// Validate accepts every schema.
func (*documentLimits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters puts the document and the name of the operation into the operation's
// context, unless the document cannot be parsed or exceeds the limits. It converts the variables to
// the types of the operation.
func (l *documentLimits) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	doc, cached := l.cache.GetIfPresent(params.Query)
	if !cached {
		var err *gqlerror.Error
		if doc, err = l.parse(params.Query); err != nil {
			return err
		}
	}
	opCtx := graphql.GetOperationContext(ctx)
	opCtx.Doc, opCtx.OperationName = doc, params.OperationName
	if !cached {
		if err := l.validate(doc); err != nil {
			return err
		}
		prepare(l.schema, doc)
		l.cache.Set(params.Query, doc)
	}
	operation := doc.Operations.ForName(params.OperationName)
	if operation == nil {
		return noOperation(params.OperationName)
	}
	return oneError(coerceVariables(l.schema, operation, params.Variables))
}

// parse parses a document and checks it against the limits.
func (l *documentLimits) parse(query string) (*ast.QueryDocument, *gqlerror.Error) {
	tokens := syntax.Scan(query, l.limits.Tokens)
	if e := l.checkTokens(tokens); e != nil {
		return nil, e.GraphQL()
	}
	doc, err := tokens.Parse()
	if err != nil {
		return nil, &gqlerror.Error{
			Err: err, Message: err.Error(), Locations: []gqlerror.Location{{Line: err.Line, Column: err.Column}},
			Extensions: map[string]any{"code": apierror.CodeParseFailed},
		}
	}
	if e := l.checkDocument(doc); e != nil {
		return nil, e.GraphQL()
	}
	return doc, nil
}

// validate checks a document against the schema.
func (l *documentLimits) validate(doc *ast.QueryDocument) *gqlerror.Error {
	errs := validate(l.schema, doc, l.rules)
	for _, e := range errs {
		errcode.Set(e, apierror.CodeValidationFailed)
	}
	return oneError(errs)
}

// oneError returns an error that wraps several, if there are several.
func oneError(errs gqlerror.List) *gqlerror.Error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	default:
		return &gqlerror.Error{Err: errs, Message: errs[0].Message}
	}
}

// noOperation returns the error of a document of which no operation has the name.
func noOperation(name string) *gqlerror.Error {
	message := "the document has no operation of this operationName"
	if name == "" {
		message = "the document has several operations: choose one with operationName"
	}
	return apierror.New(apierror.CodeValidationFailed, message).GraphQL()
}
