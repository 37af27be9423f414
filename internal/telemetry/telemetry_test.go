package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"cvmgraph/internal/telemetry"
)

func TestNewLogger_format(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		format     telemetry.Format
		isTerminal bool
		wantJSON   bool
	}{
		"auto on a terminal":  {format: telemetry.FormatAuto, isTerminal: true},
		"auto elsewhere":      {format: telemetry.FormatAuto, wantJSON: true},
		"text elsewhere":      {format: telemetry.FormatText},
		"JSON on a terminal":  {format: telemetry.FormatJSON, isTerminal: true, wantJSON: true},
		"empty on a terminal": {isTerminal: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			telemetry.NewLogger(&out, slog.LevelInfo, test.format, test.isTerminal).Info("hello", "max_first", 5)
			if got := json.Valid(out.Bytes()); got != test.wantJSON || !strings.Contains(out.String(), "hello") {
				t.Errorf("got %q, want JSON to be %v", out.String(), test.wantJSON)
			}
		})
	}
}

func TestNewLogger_level(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, slog.LevelWarn, telemetry.FormatText, false)
	log.Info("quiet")
	log.Warn("loud")
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "loud") {
		t.Errorf("got %q, want the warning alone", got)
	}
}

func TestRequestID_offered(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		offered string
		want    bool // whether the id is accepted
	}{
		"one letter":           {offered: "a", want: true},
		"UUID":                 {offered: "7b0e7a6e-6a0f-4c0b-9a53-0c0d8a2f9f10", want: true},
		"all allowed kinds":    {offered: "AZaz09._-", want: true},
		"64 characters":        {offered: strings.Repeat("x", 64), want: true},
		"65 characters":        {offered: strings.Repeat("x", 65)},
		"empty":                {},
		"line break":           {offered: "a\nb"},
		"space":                {offered: "a b"},
		"letter outside ASCII": {offered: "é"},
		"invalid UTF-8":        {offered: "\xff"},
		"markup":               {offered: "<script>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := telemetry.RequestID(test.offered)
			if (got == test.offered) != test.want {
				t.Errorf("RequestID(%q): got %q, want it taken: %v", test.offered, got, test.want)
			}
			if !test.want && len(got) != 32 {
				t.Errorf("RequestID(%q): got %q, want 32 digits", test.offered, got)
			}
		})
	}
}

func TestNewRequestID_differs(t *testing.T) {
	t.Parallel()
	if a, b := telemetry.NewRequestID(), telemetry.NewRequestID(); a == b {
		t.Errorf("got %q twice, want two ids", a)
	}
}

func TestRequestIDFrom_context(t *testing.T) {
	t.Parallel()
	if got := telemetry.RequestIDFrom(t.Context()); got != "" {
		t.Errorf("without an id: got %q, want none", got)
	}
	if got := telemetry.RequestIDFrom(telemetry.WithRequestID(t.Context(), "x")); got != "x" {
		t.Errorf("got %q, want x", got)
	}
}

func TestVersion_withoutRevision(t *testing.T) {
	t.Parallel()
	if got := telemetry.Version(); !regexp.MustCompile(`^\d+\.\d+\.\d+(-dev)?$`).MatchString(got) {
		t.Errorf("got %q, want the version of the source", got)
	}
}

func TestRevisionSuffix_buildSettings(t *testing.T) {
	t.Parallel()
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for name, test := range map[string]struct {
		settings []debug.BuildSetting
		want     string
	}{
		"revision of a clean tree":         {settings: []debug.BuildSetting{revision}, want: "+0123456789ab"},
		"revision with uncommitted change": {settings: []debug.BuildSetting{modified, revision}, want: "+0123456789ab.dirty"},
		"no revision":                      {settings: []debug.BuildSetting{modified}, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := telemetry.RevisionSuffix(test.settings); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
