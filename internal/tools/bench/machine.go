package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// machine is what the figures depend on besides the servers.
type machine struct {
	cores                  int
	processor, kernel      string
	goVersion, nodeVersion string
	packages               map[string]string // from npm, with their versions
}

func thisMachine(ctx context.Context, peers string) (machine, error) {
	m := machine{cores: runtime.NumCPU(), goVersion: strings.TrimPrefix(runtime.Version(), "go")}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.processor = processor(string(text))
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return m, err
	}
	m.kernel, _, _ = strings.Cut(strings.TrimSpace(string(release)), "-")
	node, err := output(ctx, "node", "--version")
	if err != nil {
		return m, err
	}
	m.nodeVersion = strings.TrimPrefix(strings.TrimSpace(node), "v")
	text, err := os.ReadFile(filepath.Join(peers, "package.json"))
	if err != nil {
		return m, err
	}
	m.packages, err = packages(text)
	return m, err
}

// processor returns the name in /proc/cpuinfo, "" where there is none.
func processor(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// packages returns the versions in a package.json.
func packages(text []byte) (map[string]string, error) {
	var manifest struct{ Dependencies, OptionalDependencies map[string]string }
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, some := range []map[string]string{manifest.Dependencies, manifest.OptionalDependencies} {
		for name, version := range some {
			all[name] = version
		}
	}
	return all, nil
}
