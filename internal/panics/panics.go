// Package panics turns panics into errors that can be logged.
package panics

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
)

// Error is a recovered panic. It does not contain the panic value, which may include a credential.
type Error struct {
	// Kind describes the panic value: the message of a [runtime.Error], or the type of another
	// value.
	Kind string
	// Stack is the stack of the panic, as formatted by [debug.Stack]. It shows arguments as numbers
	// only.
	Stack string
}

// FromRecover returns the error for a value returned by recover. The deferred function that calls
// recover must call it.
func FromRecover(value any) *Error {
	kind := fmt.Sprintf("a value of type %T", value)
	if e, ok := value.(runtime.Error); ok {
		kind = e.Error()
	}
	return &Error{Kind: kind, Stack: string(debug.Stack())}
}

// Error returns only the kind.
func (e *Error) Error() string { return "panic: " + e.Kind }

// LogValue returns the kind and the stack.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(slog.String("panic", e.Kind), slog.String("stack", e.Stack))
}
