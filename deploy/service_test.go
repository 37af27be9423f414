package deploy_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/config"
)

// maxExposure is the highest permitted result of `systemd-analyze security`, in tenths: from 0, no
// access, to 100, unlimited access.
const maxExposure = "12"

func TestService_isValidAndConfined(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed: .ci/run installs systemd")
	}
	unit := content(t, "systemd/cvmgraph.service")
	if output := analyze(t, unit, "verify"); output != "" {
		t.Errorf("systemd-analyze verify: %s", output)
	}
	if output := analyze(t, unit, "security", "--offline=yes", "--no-pager", "--threshold="+maxExposure); output != "" {
		t.Errorf("systemd-analyze security: %s", output)
	}
	for name, replaced := range map[string][2]string{
		"unknown setting":  {"ProtectHome=yes", "ProtectHomes=yes"},
		"missing program":  {"cvmgraph serve", "other serve"},
		"all capabilities": {"CapabilityBoundingSet=\n", ""},
		"all system calls": {"SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n", ""},
		"root":             {"DynamicUser=yes\n", ""},
	} {
		broken := strings.Replace(unit, replaced[0], replaced[1], 1)
		if broken == unit {
			t.Fatalf("the unit has no %q", replaced[0])
		}
		if analyze(t, broken, "verify")+analyze(t, broken, "security", "--offline=yes", "--no-pager", "--threshold="+maxExposure) == "" {
			t.Errorf("%s: not found", name)
		}
	}
}

// analyze runs systemd-analyze on a unit. It returns the output if that shows a problem, or else
// "".
func analyze(t *testing.T, unit string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "cvmgraph") // verify requires that the program exists
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "cvmgraph.service")
	if err := os.WriteFile(file, []byte(strings.Replace(unit, "/usr/local/bin/", dir+"/", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), "systemd-analyze", append(args, file)...).CombinedOutput()
	// verify succeeds if it ignores a setting.
	if err == nil && args[0] == "security" {
		return ""
	}
	return string(output)
}

// The memory and the time to stop fit the settings.
func TestService_fitsTheSettings(t *testing.T) {
	t.Parallel()
	unit := content(t, "systemd/cvmgraph.service")
	value := func(name string) string {
		match := regexp.MustCompile(`(?m)^` + name + `=(\d+)M?$`).FindStringSubmatch(unit)
		if match == nil {
			t.Fatalf("the unit has no number %s", name)
		}
		return match[1]
	}
	// Without their #, the lines are the defaults.
	var environ []string
	for line := range strings.Lines(content(t, "systemd/cvmgraph.env")) {
		if setting, ok := strings.CutPrefix(strings.TrimSpace(line), "#CVMGRAPH_"); ok {
			environ = append(environ, "CVMGRAPH_"+setting)
		}
	}
	if len(environ) < 5 {
		t.Fatalf("got the settings %q, want at least 5", environ)
	}
	given, defaults := parsed(t, []string{"serve"}, environ), parsed(t, []string{"serve"}, nil)
	if given.Listen != defaults.Listen || given.AdminListen != defaults.AdminListen || given.CacheTTL != defaults.CacheTTL ||
		given.CacheBytes != defaults.CacheBytes || given.RequestTimeout != defaults.RequestTimeout || given.DrainDelay != defaults.DrainDelay {
		t.Errorf("got %+v in cvmgraph.env, want the defaults %+v", given, defaults)
	}
	stop, _ := strconv.Atoi(value("TimeoutStopSec"))
	if need := defaults.DrainDelay + defaults.RequestTimeout + writeTime; time.Duration(stop)*time.Second < need {
		t.Errorf("TimeoutStopSec is %d, but a drain can take %s", stop, need)
	}
	limit, _ := strconv.Atoi(value("MemoryMax"))
	if need := memoryFor(defaults.CacheBytes); limit < need {
		t.Errorf("MemoryMax is %dM, want at least %dM", limit, need)
	}
}

// parsed returns the settings of a command line, which must have no problems.
func parsed(t *testing.T, args, environ []string) *config.Config {
	t.Helper()
	cfg, err := config.Parse(args, environ, io.Discard)
	if err != nil {
		t.Fatalf("%q %q: %v", args, environ, err)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("%q %q: got the warnings %q", args, environ, cfg.Warnings)
	}
	return cfg
}
