package e2e_test

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRelease checks the files of `make release`: the checksums, the build settings of the
// programs, and that the bills of materials list all modules.
func TestRelease(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CVMGRAPH_TEST_RELEASE")
	if dir == "" {
		t.Skip("needs released files: make release runs it, or set CVMGRAPH_TEST_RELEASE=dist")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for line := range strings.Lines(string(sums)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s: got SHA-256 %x, want %s", name, got, want)
		}
		if !strings.HasSuffix(name, ".cdx.json") {
			programs++
			checkProgram(t, dir, name)
		}
	}
	if programs == 0 {
		t.Error("got no program in SHA256SUMS")
	}
}

// checkProgram compares the build information of a program with its name and its bill of materials.
func checkProgram(t *testing.T, dir, name string) {
	t.Helper()
	info, err := buildinfo.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	platform := strings.Split(name, "-")
	want := map[string]string{"CGO_ENABLED": "0", "-trimpath": "true", "vcs.modified": "false", "GOOS": platform[1], "GOARCH": platform[2]}
	for _, s := range info.Settings {
		if value, ok := want[s.Key]; ok && value == s.Value {
			delete(want, s.Key)
		}
	}
	if len(want) > 0 || info.Main.Version == "" || info.Main.Version == "(devel)" {
		t.Errorf("%s: got version %q and not %v in %v", name, info.Main.Version, want, info.Settings)
	}
	listed := listedComponents(t, filepath.Join(dir, name+".cdx.json"))
	for _, module := range info.Deps {
		if got := listed[module.Path]; got != module.Version {
			t.Errorf("%s: got %s %q in its bill of materials, want %s", name, module.Path, got, module.Version)
		}
	}
	if got, want := listed["stdlib"], strings.TrimPrefix(info.GoVersion, "go"); strings.TrimPrefix(got, "go") != want {
		t.Errorf("%s: got Go %q in its bill of materials, want %s", name, got, want)
	}
	required := regexp.MustCompile(`(?m)^\s+github\.com/99designs/gqlgen (v\S+)`).FindStringSubmatch(readFile(t, "go.mod"))
	if required == nil || listed["github.com/99designs/gqlgen"] != required[1] {
		t.Errorf("%s: got gqlgen %q in its bill of materials, want the version in go.mod: %v", name, listed["github.com/99designs/gqlgen"], required)
	}
}

// listedComponents returns the versions of the components in a CycloneDX document by name.
func listedComponents(t *testing.T, file string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BOMFormat  string
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(content, &bill); err != nil || bill.BOMFormat != "CycloneDX" {
		t.Fatalf("%s: got format %q, %v, want CycloneDX", file, bill.BOMFormat, err)
	}
	listed := map[string]string{}
	for _, c := range bill.Components {
		listed[c.Name] = c.Version
	}
	return listed
}
