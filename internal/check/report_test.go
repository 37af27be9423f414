package check_test

import (
	"bytes"
	"errors"
	"testing"

	"cvmgraph/internal/check"
	"cvmgraph/restclient"
)

func report() check.Report {
	return check.Report{Checks: []check.Step{
		{Name: check.StepSettings, Status: check.OK, Message: "all settings are valid"},
		{Name: check.StepTLS, Status: check.Warning, Message: "there is <none>"},
		{Name: check.StepContract, Status: check.Failed, Message: "it is not what was promised", More: 7, Differences: []restclient.Difference{
			{Kind: restclient.DifferenceMissing, Path: "items[].name", Want: "a string", Candidates: []string{"title"}, Objects: 3, Of: 3},
			{Kind: restclient.DifferenceChanged, Path: "total", Want: "an integer of 64 bits", Got: []string{"string"}, Objects: 1, Of: 1},
		}},
		{Name: check.StepRedis, Status: check.Skipped, Message: "there is none"},
	}}
}

func TestReportAsText(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	want := `ok       settings           all settings are valid
warning  tls                there is <none>
FAILED   contract           it is not what was promised
                            missing items[].name (a string; renamed to title?; 3 of 3)
                            changed total (should be an integer of 64 bits, is string; 1 of 1)
                            and 7 more
skipped  redis              there is none

1 failed, 1 with a warning, 1 ok, 1 skipped
`
	if err := report().WriteText(&got); err != nil || got.String() != want {
		t.Errorf("got %v and\n%s\nwant\n%s", err, got.String(), want)
	}
}

func TestReportAsJSON(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	want := `{"ok":false,"checks":[` +
		`{"name":"settings","status":"ok","message":"all settings are valid"},` +
		`{"name":"tls","status":"warning","message":"there is <none>"},` +
		`{"name":"contract","status":"failed","message":"it is not what was promised","differences":[` +
		`{"kind":"missing","path":"items[].name","want":"a string","candidates":["title"],"objects":3,"of":3},` +
		`{"kind":"changed","path":"total","want":"an integer of 64 bits","got":["string"],"objects":1,"of":1}],"more":7},` +
		`{"name":"redis","status":"skipped","message":"there is none"}]}` + "\n"
	if err := report().WriteJSON(&got); err != nil || got.String() != want {
		t.Errorf("got %v and\n%s\nwant\n%s", err, got.String(), want)
	}
}

type broken struct{ error }

func (b broken) Write([]byte) (int, error) { return 0, b.error }

func TestReportThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	if err := report().WriteText(broken{full}); !errors.Is(err, full) {
		t.Errorf("text: got %v, want %v", err, full)
	}
	if err := report().WriteJSON(broken{full}); !errors.Is(err, full) {
		t.Errorf("JSON: got %v, want %v", err, full)
	}
}

func TestRunRefusesWrongOptions(t *testing.T) {
	t.Parallel()
	if _, err := check.Run(t.Context(), check.Options{Upstream: restclient.Options{BaseURL: "ftp://host"}}); err == nil {
		t.Error("got no error, want what is wrong with the address")
	}
}
