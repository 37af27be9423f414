package restclient_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"

	"cvmgraph/restclient"
)

// TestExhausted_isNotAFailure lets this process have no resource for a connection. That is no
// failure of the upstream or of the credential.
func TestExhausted_isNotAFailure(t *testing.T) {
	t.Parallel()
	socket := func(number syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", number)}
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"descriptors of the process":     {err: socket(syscall.EMFILE), want: "file descriptors"},
		"descriptors of the machine":     {err: socket(syscall.ENFILE), want: "file descriptors"},
		"ports":                          {err: socket(syscall.EADDRNOTAVAIL), want: "ports"},
		"buffers":                        {err: socket(syscall.ENOBUFS), want: "memory"},
		"descriptors of a name's lookup": {err: &net.DNSError{Err: "dial udp 192.0.2.1:53: socket: too many open files", Name: "s3cret"}, want: "file descriptors"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counts := map[string]int{}
			observer := restclient.Observer{
				Exhausted:  func(resource string) { counts[resource]++ },
				Suppressed: func(cause string) { counts[cause]++ },
			}
			observed(t, http.NotFound, observer, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				client.SetDial(func(context.Context, string, string) (net.Conn, error) { return nil, tt.err })
				for range 100 {
					_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
					wantUnavailable(t, err, restclient.CauseExhausted)
				}
				if got := client.State(); got.Paused != 0 || got.Breaker != restclient.BreakerClosed {
					t.Errorf("got %+v, want no pause", got)
				}
				if counts[tt.want] != 100 || counts[restclient.CauseExhausted] != 100 {
					t.Errorf("got events %v, want 100 each", counts)
				}
			})
		})
	}
}
