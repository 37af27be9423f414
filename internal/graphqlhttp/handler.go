// Package graphqlhttp serves GraphQL over HTTP: it reads requests, executes their operations with
// gqlgen and writes the responses, of which it can cache some. It knows no resolver.
package graphqlhttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/buffers"
	"cvmgraph/internal/panics"
	"cvmgraph/internal/syntax"
)

// Options configure [New]. All fields but ResponseCache are required.
type Options struct {
	// Executor executes operations.
	Executor graphql.GraphExecutor
	// NewOperation returns the state of the operation that arrives with the header.
	NewOperation func(http.Header) Operation
	// PresentError returns what the client sees of an error.
	PresentError func(context.Context, error) *gqlerror.Error
	// Observer receives events.
	Observer Observer
	// ResponseCache configures the response cache. The zero value disables it.
	ResponseCache ResponseCacheOptions
}

// Operation is the state of one operation, from its request to its response. It is used by one
// goroutine at a time.
type Operation interface {
	// CacheScope returns a key of the caller. Responses are cached separately for each. It returns
	// false if the response cache must not be used.
	CacheScope() (scope [32]byte, ok bool)
	// WithDocument records the document ID of the request, which may be empty. It
	// returns a copy of ctx that has the operation.
	WithDocument(ctx context.Context, documentID string) context.Context
	// AppendData appends the final JSON of the response's data to dst, given the data that gqlgen
	// wrote. The buffer has the memory of dst. AppendData returns an error if the response is too
	// large.
	AppendData(buffer *buffers.Buffer, dst, data []byte) ([]byte, *gqlerror.Error)
	// Extensions returns the extensions of the response, or nil if there are none.
	Extensions() map[string]any
	// MaxAge returns how long the caller's browser may reuse the response. It is not negative, and
	// more than the constant MaxAge counts as the latter. It returns false if the browser must not
	// store the response.
	MaxAge() (maxAge time.Duration, ok bool)
	// Sources returns what the response was made from, and false if the response must not be
	// cached.
	Sources() (Sources, bool)
}

// Observer receives events. All of its functions are required, and must be safe for concurrent use.
type Observer struct {
	// Executed is called after a response was written, with the errors that it has. The operation's
	// context has no operation if the request was rejected after it was parsed.
	Executed func(context.Context, *graphql.OperationContext, gqlerror.List)
	// CacheHit is called before a cached response is written, with the name of its operation.
	CacheHit func(ctx context.Context, operationName string)
	// Rejected is called before a request is rejected that is malformed or fails unexpectedly, with
	// the code of the error.
	Rejected func(ctx context.Context, code string)
}

// Handler is a GraphQL endpoint: POST with a JSON body, and GET for queries.
type Handler struct {
	options   Options
	responder *responder
	cache     *responseCache
}

// New returns a handler. It is safe for concurrent use.
func New(options Options) *Handler {
	return &Handler{options, newResponder(), newResponseCache(options.ResponseCache)}
}

// exchange is one request and its response.
type exchange struct {
	*Handler
	w     http.ResponseWriter
	r     *http.Request
	media string // of the response
}

// ServeHTTP handles one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	media, ok := negotiate(r.Header.Values("Accept"))
	x := &exchange{h, w, r, media}
	if !ok {
		x.media = mediaJSON
		x.reject(&apierror.Error{
			Status: http.StatusNotAcceptable, Code: apierror.CodeBadRequest,
			Message: "Accept must allow " + mediaGraphQL + " or " + mediaJSON + ", in UTF-8",
		})
		return
	}
	defer x.recoverPanic()
	raw, err := readRaw(r)
	if err != nil {
		x.reject(err)
		return
	}
	op := h.options.NewOperation(r.Header)
	key, cacheable := h.cache.key(op, r.Method, raw)
	if cacheable && x.respondFromCache(key) {
		return
	}
	params, err := readParams(r.Method, raw)
	if err != nil {
		x.reject(err)
		return
	}
	x.execute(op, params, key, cacheable)
}

// respondFromCache writes the cached response to an earlier request. It returns false if there is
// none.
func (x *exchange) respondFromCache(key cacheKey) bool {
	cached := x.cache.find(key)
	if cached == nil {
		return false
	}
	x.options.Observer.CacheHit(x.r.Context(), cached.operationName)
	x.responder.write(x.w, x.r, x.media, http.StatusOK, cached.body, cached.sources.FreshFor())
	return true
}

// execute executes an operation and writes the response.
func (x *exchange) execute(op Operation, params *parameters, key cacheKey, cacheable bool) {
	ctx := op.WithDocument(graphql.StartOperationTrace(x.r.Context()), params.documentID)
	opCtx, errs := x.options.Executor.CreateOperationContext(ctx, &params.RawParams)
	if x.r.Method == http.MethodGet && isMutation(opCtx, params.Query) {
		x.w.Header().Set("Allow", http.MethodPost)
		x.reject(&apierror.Error{
			Status: http.StatusMethodNotAllowed, Code: apierror.CodeBadRequest,
			Message: "GET is for queries: send this operation by POST",
		})
		return
	}
	if errs = unwrapList(errs); len(errs) > 0 {
		response := x.options.Executor.DispatchError(graphql.WithOperationContext(ctx, opCtx), errs)
		x.options.Observer.Executed(ctx, opCtx, x.respond(response, op, nil))
		return
	}
	handle, ctx := x.options.Executor.DispatchOperation(ctx, opCtx)
	response := handle(ctx)
	if response == nil { // gqlgen does not start once the context has ended
		x.reject(&apierror.Error{
			Status: http.StatusServiceUnavailable, Code: apierror.CodeUnavailable,
			Message: "the request timed out before it was executed: try again", RetryAfter: time.Second,
		})
		return
	}
	response.Extensions = op.Extensions()
	var entry *cacheEntry
	if cacheable && response.Extensions == nil {
		entry = &cacheEntry{key, opCtx.Operation.Name}
	}
	x.options.Observer.Executed(ctx, opCtx, x.respond(response, op, entry))
}

// respond writes a response of gqlgen, and caches it if entry is not nil and it has no errors. It
// returns the errors of the response.
func (x *exchange) respond(response *graphql.Response, op Operation, entry *cacheEntry) gqlerror.List {
	status := http.StatusOK
	if response.Data == nil && x.media == mediaGraphQL {
		status = http.StatusBadRequest
	}
	response.Errors = limitErrors(response.Errors)
	buffer := x.responder.buffers.Get()
	body, tooLarge := encode(buffer, response, op)
	if tooLarge != nil {
		response = &graphql.Response{Errors: gqlerror.List{tooLarge}, Data: json.RawMessage("null"), Extensions: response.Extensions}
		buffer.Release(body)
		buffer = x.responder.buffers.Get() // the memory of the large response is not needed
		body, _ = encode(buffer, response, nil)
	}
	complete := response.Data != nil && len(response.Errors) == 0
	if complete && entry != nil {
		x.cache.store(*entry, op, body)
	}
	maxAge := notStored
	if complete {
		if age, ok := op.MaxAge(); ok {
			maxAge = age
		}
	}
	x.responder.write(x.w, x.r, x.media, status, body, maxAge)
	buffer.Release(body)
	return response.Errors
}

// reject writes the response to a request that is not executed.
func (x *exchange) reject(e *apierror.Error) {
	x.options.Observer.Rejected(x.r.Context(), e.Code)
	x.writeError(e.Status, &gqlerror.Error{Message: e.Message, Extensions: e.Extensions()})
}

// recoverPanic writes the response to a request that panics outside of a resolver. It must be
// deferred. Nothing is written before the body of a response is complete.
func (x *exchange) recoverPanic() {
	value := recover()
	if value == nil {
		return
	}
	shown := x.options.PresentError(x.r.Context(), panics.FromRecover(value))
	x.options.Observer.Rejected(x.r.Context(), apierror.CodeInternal)
	x.writeError(http.StatusInternalServerError, shown)
}

func (x *exchange) writeError(status int, e *gqlerror.Error) {
	buffer := x.responder.buffers.Get()
	body, _ := encode(buffer, &graphql.Response{Errors: gqlerror.List{e}}, nil)
	x.responder.write(x.w, x.r, x.media, status, body, notStored)
	buffer.Release(body)
}

// unwrapList returns the errors of a request that is not executed. A gqlgen extension can return
// one error only: if it wraps a list, the list is what the client sees.
func unwrapList(errs gqlerror.List) gqlerror.List {
	if len(errs) != 1 {
		return errs
	}
	if list, ok := errors.AsType[gqlerror.List](errs[0].Err); ok {
		return list
	}
	return errs
}

// isMutation reports whether the chosen operation is not a query. If the document was rejected, the
// operation is looked up in the document.
func isMutation(opCtx *graphql.OperationContext, query string) bool {
	doc := opCtx.Doc
	if doc == nil { // not trusted, not parsed or beyond the limits
		tokens := syntax.Scan(query, rejectedTokens)
		if tokens.Count > rejectedTokens {
			return false
		}
		var err *syntax.Error
		if doc, err = tokens.Parse(); err != nil {
			return false
		}
	}
	operation := doc.Operations.ForName(opCtx.OperationName)
	return operation != nil && operation.Operation != ast.Query
}

// rejectedTokens is the maximum number of tokens of a rejected document that is parsed for its
// operation.
const rejectedTokens = 2000
