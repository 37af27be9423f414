package graph

// NewHandlerWith is [NewHandler] with more gqlgen extensions.
var NewHandlerWith = newHandler
