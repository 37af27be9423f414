package restclient_test

import (
	"net/http"
	"testing"
	"time"

	"cvmgraph/restclient"
)

// retryAfterForms are values of the header, and the waits they mean at the time now.
func retryAfterForms(now time.Time) map[string]time.Duration {
	return map[string]time.Duration{
		"":                                  0,
		"0":                                 0,
		"30":                                30 * time.Second,
		"0030":                              30 * time.Second,
		"3600":                              time.Hour,
		"3601":                              time.Hour,
		"99999999999999999999":              time.Hour,
		"-1":                                0,
		"+1":                                0,
		"1.5":                               0,
		"1e3":                               0,
		" 5":                                0,
		"soon":                              0,
		"٣":                                 0,
		now.Format(http.TimeFormat):         0,
		"Tue, 30 Jun 2026 12:00:00 GMT":     0,
		"Wed, 01 Jul 2026 12:01:30 GMT":     90 * time.Second,
		"Wednesday, 01-Jul-26 12:01:30 GMT": 90 * time.Second,
		"Wed Jul  1 12:01:30 2026":          90 * time.Second,
		"Thu, 02 Jul 2026 12:00:00 GMT":     time.Hour,
		"Fri, 31 Dec 9999 23:59:59 GMT":     time.Hour,
		"Wed, 01 Jul 2026 12:01:30 +0000":   0,
	}
}

func TestRetryAfter_forms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range retryAfterForms(now) {
		if got := restclient.RetryAfter(value, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

func TestRetryAfter_date(t *testing.T) {
	t.Parallel()
	respond := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", time.Now().UTC().Add(90*time.Second).Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	inMemory(t, respond, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
		if got := statusOf(t, err, http.StatusServiceUnavailable).RetryAfter; got != 90*time.Second {
			t.Errorf("got %v, want 1m30s", got)
		}
	})
}
