package check_test

import (
	"bytes"
	"errors"
	"testing"

	"cvmgraph/internal/check"
	"cvmgraph/restclient"
)

func report() check.Report {
	return check.Report{Steps: []check.Step{
		{Name: check.StepSettings, Status: check.StatusOK, Message: "all settings are valid"},
		{Name: check.StepTLS, Status: check.StatusWarning, Message: "no <TLS>"},
		{Name: check.StepContract, Status: check.StatusFailed, Message: "it differs from the contract", More: 7, Differences: []restclient.Difference{
			{Kind: restclient.DifferenceMissing, Path: "items[].name", Want: "a string", Candidates: []string{"title"}, Objects: 3, Of: 3},
			{Kind: restclient.DifferenceChanged, Path: "total", Want: "an integer of 64 bits", Got: []string{"string"}, Objects: 1, Of: 1},
		}},
		{Name: check.StepRedis, Status: check.StatusSkipped, Message: "no Redis"},
	}}
}

func TestReport_writeText(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	want := `ok       settings           all settings are valid
warning  tls                no <TLS>
FAILED   contract           it differs from the contract
                            missing items[].name (a string; renamed to title?; 3 of 3)
                            changed total (should be an integer of 64 bits, is string; 1 of 1)
                            and 7 more
skipped  redis              no Redis

1 failed, 1 with a warning, 1 ok, 1 skipped
`
	if err := report().WriteText(&got); err != nil || got.String() != want {
		t.Errorf("got %v and\n%s\nwant\n%s", err, got.String(), want)
	}
}

func TestReport_writeJSON(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	want := `{"ok":false,"steps":[` +
		`{"name":"settings","status":"ok","message":"all settings are valid"},` +
		`{"name":"tls","status":"warning","message":"no <TLS>"},` +
		`{"name":"contract","status":"failed","message":"it differs from the contract","differences":[` +
		`{"kind":"missing","path":"items[].name","want":"a string","candidates":["title"],"objects":3,"of":3},` +
		`{"kind":"changed","path":"total","want":"an integer of 64 bits","got":["string"],"objects":1,"of":1}],"more":7},` +
		`{"name":"redis","status":"skipped","message":"no Redis"}]}` + "\n"
	if err := report().WriteJSON(&got); err != nil || got.String() != want {
		t.Errorf("got %v and\n%s\nwant\n%s", err, got.String(), want)
	}
}

type failingWriter struct{ error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.error }

func TestReport_writeError(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	if err := report().WriteText(failingWriter{full}); !errors.Is(err, full) {
		t.Errorf("text: got %v, want %v", err, full)
	}
	if err := report().WriteJSON(failingWriter{full}); !errors.Is(err, full) {
		t.Errorf("JSON: got %v, want %v", err, full)
	}
}

func TestRun_invalidOptions(t *testing.T) {
	t.Parallel()
	if _, err := check.Run(t.Context(), check.Options{Upstream: restclient.Options{BaseURL: "ftp://host"}}); err == nil {
		t.Error("got no error, want one about the address")
	}
}
