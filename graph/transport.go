package graph

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/panics"
)

// transport speaks GraphQL over HTTP: POST with a JSON body, GET for queries. Whatever is not of that form is refused here.
type transport struct {
	resolver *Resolver
	exec     graphql.GraphExecutor
	writer   *answerWriter
	repeats  *repeats
}

// ServeHTTP answers one request.
func (t *transport) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	media, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		t.refuse(w, r, mediaJSON, &apierror.Error{
			Status: http.StatusNotAcceptable, Code: apierror.CodeBadRequest,
			Message: "the answer comes as " + mediaGraphQL + " or " + mediaJSON + ", in UTF-8: accept one of them",
		})
		return
	}
	defer t.answerPanic(w, r, media)
	text, refusal := readText(r)
	if refusal != nil {
		t.refuse(w, r, media, refusal)
		return
	}
	op := t.resolver.newOperation(r.Header)
	key, repeats := t.repeats.key(op, r.Header, r.Method, text)
	if repeats {
		if kept := t.repeats.find(key); kept != nil {
			t.resolver.Tracer.kept(r.Context(), kept.name)
			t.writer.write(w, r, media, http.StatusOK, kept.body, true)
			return
		}
	}
	params, refusal := readParams(r, text)
	if refusal != nil {
		t.refuse(w, r, media, refusal)
		return
	}
	op.documentID = params.documentID
	ctx := context.WithValue(graphql.StartOperationTrace(r.Context()), operationKey{}, op)
	opCtx, errs := t.exec.CreateOperationContext(ctx, &params.RawParams)
	if r.Method == http.MethodGet && isMutation(opCtx, params.Query) {
		w.Header().Set("Allow", http.MethodPost)
		t.refuse(w, r, media, &apierror.Error{
			Status: http.StatusMethodNotAllowed, Code: apierror.CodeBadRequest, Message: "GET is for queries: send this operation by POST",
		})
		return
	}
	if errs = unwrapList(errs); len(errs) > 0 {
		shown := t.writer.answer(w, r, media, t.exec.DispatchError(graphql.WithOperationContext(ctx, opCtx), errs), nil, nil)
		t.resolver.Tracer.answered(ctx, opCtx, shown)
		return
	}
	handle, ctx := t.exec.DispatchOperation(ctx, opCtx)
	response := handle(ctx)
	if response == nil { // gqlgen does not begin once the context has ended
		t.refuse(w, r, media, &apierror.Error{
			Status: http.StatusServiceUnavailable, Code: apierror.CodeUnavailable, Message: "the request's time was over before it began: try again",
			RetryAfter: time.Second,
		})
		return
	}
	response.Extensions = op.extensions(r.Header)
	var keep func([]byte)
	if repeats && response.Extensions == nil && !op.untrusted { // whose every request is counted
		keep = func(body []byte) { t.repeats.keep(key, op, opCtx.Operation.Name, body) }
	}
	t.resolver.Tracer.answered(ctx, opCtx, t.writer.answer(w, r, media, response, &op.splices, keep))
}

// unwrapList returns the errors of a request that is not executed. A gqlgen extension can return one
// error only: if it wraps a list, the list is what the client sees.
func unwrapList(errs gqlerror.List) gqlerror.List {
	if len(errs) != 1 {
		return errs
	}
	if list, ok := errors.AsType[gqlerror.List](errs[0].Err); ok {
		return list
	}
	return errs
}

// refuse answers a request that is not executed.
func (t *transport) refuse(w http.ResponseWriter, r *http.Request, media string, e *apierror.Error) {
	t.resolver.Tracer.refused(r.Context(), e.Code)
	t.writer.refuse(w, r, media, e)
}

// answerPanic answers for what panicked outside of a resolver; it must be deferred itself. Nothing is written before an answer
// is complete.
func (t *transport) answerPanic(w http.ResponseWriter, r *http.Request, media string) {
	value := recover()
	if value == nil {
		return
	}
	shown := t.resolver.presentError(r.Context(), panics.FromRecover(value))
	t.resolver.Tracer.refused(r.Context(), apierror.CodeInternal)
	body := encode(nil, &graphql.Response{Errors: gqlerror.List{shown}}, nil)
	t.writer.write(w, r, media, http.StatusInternalServerError, body, false)
}

// isMutation reports whether the chosen operation is not a query. If the document was refused, the
// operation is looked up in the document.
func isMutation(opCtx *graphql.OperationContext, query string) bool {
	doc := opCtx.Doc
	if doc == nil { // not trusted, not parsed or beyond the limits
		var err error
		if doc, err = parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, refusedTokens); err != nil {
			return false
		}
	}
	operation := doc.Operations.ForName(opCtx.OperationName)
	return operation != nil && operation.Operation != ast.Query
}

// refusedTokens is the maximum number of tokens of a refused document that is parsed for its operation.
const refusedTokens = 2000
