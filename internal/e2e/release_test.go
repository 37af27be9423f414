package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRelease checks the files of `make dist`: the checksums, the content of the archives, the
// build settings of the programs, and that the bills of materials list all modules.
func TestRelease(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CVMGRAPH_TEST_RELEASE")
	if dir == "" {
		t.Skip("needs released files: make dist runs it, or set CVMGRAPH_TEST_RELEASE=dist")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	archives := 0
	for line := range strings.Lines(string(sums)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s: got SHA-256 %x, want %s", name, got, want)
		}
		if release, ok := strings.CutSuffix(name, ".tar.gz"); ok {
			archives++
			program := checkArchive(t, release, content)
			checkProgram(t, filepath.Join(dir, release+".cdx.json"), release, program)
		}
	}
	if archives == 0 {
		t.Error("got no archive in SHA256SUMS")
	}
}

// checkArchive checks the names, modes and owners of the files in an archive. It returns the
// program.
func checkArchive(t *testing.T, release string, archive []byte) (program []byte) {
	t.Helper()
	unpacked, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"": 0o755, "cvmgraph": 0o755, "LICENSE": 0o644, "README.md": 0o644, "CHANGELOG.md": 0o644}
	if strings.Contains(release, "-linux-") {
		want["cvmgraph.service"], want["cvmgraph.env"] = 0o644, 0o644
	}
	got, pages := map[string]int64{}, 0
	for files := tar.NewReader(unpacked); ; {
		file, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		folder, name, _ := strings.Cut(file.Name, "/")
		if folder != release || file.Uid != 0 || file.Gid != 0 {
			t.Errorf("got %s of user %d and group %d, want one in %s of user and group 0", file.Name, file.Uid, file.Gid, release)
		}
		if strings.HasPrefix(name, "docs/") {
			pages++
			continue
		}
		got[name] = file.Mode
		if name == "cvmgraph" {
			if program, err = io.ReadAll(files); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: got the files and modes %v, want %v", release, got, want)
	}
	if pages < 20 {
		t.Errorf("%s: got %d files in docs, want the pages", release, pages)
	}
	return program
}

// checkProgram compares the build information of a program with the name of its release and its
// bill of materials.
func checkProgram(t *testing.T, bill, release string, program []byte) {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(release, "-")
	platform := words[len(words)-2:]
	want := map[string]string{"CGO_ENABLED": "0", "-trimpath": "true", "vcs.modified": "false", "GOOS": platform[0], "GOARCH": platform[1]}
	for _, s := range info.Settings {
		if value, ok := want[s.Key]; ok && value == s.Value {
			delete(want, s.Key)
		}
	}
	if len(want) > 0 || info.Main.Version == "" || info.Main.Version == "(devel)" {
		t.Errorf("%s: got version %q and not %v in %v", release, info.Main.Version, want, info.Settings)
	}
	listed := listedComponents(t, bill)
	for _, module := range info.Deps {
		if got := listed[module.Path]; got != module.Version {
			t.Errorf("%s: got %s %q in its bill of materials, want %s", release, module.Path, got, module.Version)
		}
	}
	if got, want := listed["stdlib"], strings.TrimPrefix(info.GoVersion, "go"); strings.TrimPrefix(got, "go") != want {
		t.Errorf("%s: got Go %q in its bill of materials, want %s", release, got, want)
	}
	required := regexp.MustCompile(`(?m)^\s+github\.com/99designs/gqlgen (v\S+)`).FindStringSubmatch(readFile(t, "go.mod"))
	if required == nil || listed["github.com/99designs/gqlgen"] != required[1] {
		t.Errorf("%s: got gqlgen %q in its bill of materials, want the version in go.mod: %v", release, listed["github.com/99designs/gqlgen"], required)
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
