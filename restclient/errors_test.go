package restclient_test

import (
	"testing"
	"time"

	"cvmgraph/restclient"
)

func TestErrors_messages(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		&restclient.ArgumentError{Argument: "page", Problem: "is odd"}:         "page is odd",
		&restclient.StatusError{StatusCode: 502, RequestID: "req_1"}:           "upstream responded with status 502",
		&restclient.StatusError{StatusCode: 404, Code: "ERR-03-001"}:           "upstream responded with status 404 (ERR-03-001)",
		&restclient.TimeoutError{Limit: 10 * time.Second}:                      "upstream did not respond within 10s",
		&restclient.TimeoutError{}:                                             "upstream did not respond in time",
		&restclient.NetworkError{Kind: restclient.KindRefused}:                 "upstream connection failed: refused",
		&restclient.NetworkError{Kind: restclient.KindProxy, ProxyStatus: 407}: "upstream connection failed: proxy (status 407)",
		&restclient.InvalidResponseError{Reason: restclient.ReasonTruncated}:   "the upstream's response is not a valid page: it is truncated",
	} {
		if got := err.Error(); got != want {
			t.Errorf("%T: got %q, want %q", err, got, want)
		}
	}
}
