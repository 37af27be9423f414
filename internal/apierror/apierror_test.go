package apierror_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"cvmgraph/internal/apierror"
)

func TestError_extensions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  apierror.Error
		want map[string]any
	}{
		"a code alone": {
			err:  apierror.Error{Code: apierror.CodeNotFound, Message: "m", Status: 404},
			want: map[string]any{"code": "NOT_FOUND"},
		},
		"an argument": {
			err:  apierror.Error{Code: apierror.CodeBadUserInput, Argument: "first"},
			want: map[string]any{"code": "BAD_USER_INPUT", "argument": "first"},
		},
		"a limit without the actual value": {
			err:  apierror.Error{Code: apierror.CodeTooComplex, Limit: 500},
			want: map[string]any{"code": "QUERY_TOO_COMPLEX", "limit": int64(500)},
		},
		"a limit and the actual value": {
			err:  apierror.Error{Code: apierror.CodeTooComplex, Limit: 500, Actual: 501},
			want: map[string]any{"code": "QUERY_TOO_COMPLEX", "limit": int64(500), "actual": int64(501)},
		},
		"the upstream's code and request ID": {
			err:  apierror.Error{Code: apierror.CodeNotFound, UpstreamCode: "ERR-03-001", UpstreamRequestID: "req_1"},
			want: map[string]any{"code": "NOT_FOUND", "upstreamCode": "ERR-03-001", "upstreamRequestId": "req_1"},
		},
		"a wait that is not a whole number of seconds": {
			err:  apierror.Error{Code: apierror.CodeUnavailable, RetryAfter: 1100 * time.Millisecond},
			want: map[string]any{"code": "UNAVAILABLE", "retryAfter": 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.err.Extensions(); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestError_isFoundThroughGraphQL(t *testing.T) {
	t.Parallel()
	want := apierror.BadRequest("the body is not JSON")
	got, ok := errors.AsType[*apierror.Error](fmt.Errorf("request: %w", want.GraphQL()))
	if !ok || got != want || got.Error() != "the body is not JSON" || got.Status != 400 {
		t.Errorf("got %+v, %v, want %+v", got, ok, want)
	}
}
