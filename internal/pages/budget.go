package pages

import (
	"fmt"

	"cvmgraph/internal/relay"
)

// CallBudget is the number of upstream calls that an operation may make. Cached pages and calls
// that other operations make are free.
type CallBudget struct {
	// Calls is the maximum number of calls.
	Calls int
	// WindowCalls is the number of calls, at most Calls, that are reserved for the pages of windows
	// and for totals. If these need more calls, because the list changes, they use unreserved ones.
	WindowCalls int
}

// CallBudgetError means that an operation would make more upstream calls than its budget allows.
type CallBudgetError struct {
	// Limit is the allowed number of calls. Actual is the minimum number that is needed.
	Limit, Actual int
}

func (e *CallBudgetError) Error() string {
	return fmt.Sprintf("the operation needs at least %d upstream calls, but only %d are allowed", e.Actual, e.Limit)
}

// CheckBudget returns a *[CallBudgetError] if the budget does not allow the number of additional
// calls, apart from reserved ones.
func (l *Loader) CheckBudget(calls int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lacking := calls - l.remaining(); lacking > 0 {
		return &CallBudgetError{Limit: l.budget.Calls, Actual: l.budget.Calls + lacking}
	}
	return nil
}

// callCount counts the calls of an operation.
type callCount struct {
	total    int
	reserved int // of total
}

// remaining returns the number of unreserved calls that are left. The caller holds the lock.
func (l *Loader) remaining() int {
	return l.budget.Calls - l.budget.WindowCalls - (l.used.total - l.used.reserved)
}

// spend takes a call from the budget, and reports whether the call was a reserved one. The caller
// holds the lock.
func (l *Loader) spend(reason relay.Reason) (reserved bool, err error) {
	window := reason == relay.ReasonWindow || reason == relay.ReasonTotal
	switch {
	case window && l.used.reserved < l.budget.WindowCalls:
		l.used.reserved++
		l.used.total++
		return true, nil
	case l.remaining() == 0:
		return false, &CallBudgetError{Limit: l.budget.Calls, Actual: l.budget.Calls + 1}
	}
	l.used.total++
	return false, nil
}

// refund undoes spend. The caller holds the lock.
func (l *Loader) refund(reserved bool) {
	l.used.total--
	if reserved {
		l.used.reserved--
	}
}
