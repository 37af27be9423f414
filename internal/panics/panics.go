// Package panics turns panics into errors that can be logged.
package panics

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
)

// Error is a panic that was caught. It does not hold the value, which may be a credential or hold one.
type Error struct {
	// Kind says what the value was: the text of what Go's runtime panics with, the type of anything else.
	Kind string
	// Stack is where it was raised, as [debug.Stack] writes it: arguments are addresses and lengths.
	Stack string
}

// Caught returns the error of a value that recover has returned. It is called by the deferred function that called recover.
func FromRecover(value any) *Error {
	kind := fmt.Sprintf("a value of type %T", value)
	if e, ok := value.(runtime.Error); ok {
		kind = e.Error()
	}
	return &Error{Kind: kind, Stack: string(debug.Stack())}
}

// Error returns the kind alone.
func (e *Error) Error() string { return "panic: " + e.Kind }

// LogValue returns all of it.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(slog.String("panic", e.Kind), slog.String("stack", e.Stack))
}
