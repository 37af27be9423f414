package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// machine describes the machine and the versions of the software.
type machine struct {
	cores                  int
	processor, kernel      string
	goVersion, nodeVersion string
	packages               map[string]string // npm packages to versions
}

func thisMachine(ctx context.Context, peers string) (machine, error) {
	m := machine{cores: runtime.NumCPU(), goVersion: strings.TrimPrefix(runtime.Version(), "go")}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.processor = processor(string(info))
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
	manifest, err := os.ReadFile(filepath.Join(peers, "package.json"))
	if err != nil {
		return m, err
	}
	m.packages, err = packages(manifest)
	return m, err
}

// processor returns the model name in /proc/cpuinfo, or "" if there is no name.
func processor(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// packages returns the versions of the dependencies in a package.json.
func packages(manifest []byte) (map[string]string, error) {
	var decoded struct{ Dependencies, OptionalDependencies map[string]string }
	if err := json.Unmarshal(manifest, &decoded); err != nil {
		return nil, err
	}
	versions := map[string]string{}
	maps.Copy(versions, decoded.Dependencies)
	maps.Copy(versions, decoded.OptionalDependencies)
	return versions, nil
}
