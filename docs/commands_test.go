package docs_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// programVariable names the variable with the path of the program, which pages call cvmgraph.
	// If it is not set, no commands are run.
	programVariable = "CVMGRAPH_TEST_DOCS"

	// gateway is the address at which pages expect a gateway with demo data.
	gateway = "http://localhost:8080"

	pageTimeout  = 10 * time.Minute
	startTimeout = 30 * time.Second
	endTimeout   = 30 * time.Second

	// clientPages is the folder of the pages whose commands clients/test runs.
	clientPages = "docs/clients/"
)

// The comments above a block of commands.
var (
	notRun       = regexp.MustCompile(`^not run: \S.+$`)
	runBy        = regexp.MustCompile(`^run by: \.ci/run, stages? ("[^"]+"(?:(?:, | and )"[^"]+")*)$`)
	keepsRunning = regexp.MustCompile(`^keeps running: (https?://\S+)$`)
	quoted       = regexp.MustCompile(`"([^"]+)"`)
)

// TestCommandBlocks_run checks that each block of commands is run by TestCommands, is run
// elsewhere, or has a reason for not being run.
func TestCommandBlocks_run(t *testing.T) {
	t.Parallel()
	stages := stagesOfCI(t)
	pages := readPages(t)
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		for _, b := range pages[name].blocks {
			at := fmt.Sprintf("%s:%d", name, b.line)
			switch {
			case b.language != "sh":
				for _, note := range b.notes {
					if notRun.MatchString(note) || runBy.MatchString(note) || keepsRunning.MatchString(note) {
						t.Errorf("%s: got <!-- %s -->, want this comment only above commands", at, note)
					}
				}
			case len(b.notes) > 1:
				t.Errorf("%s: got %d comments, want at most one", at, len(b.notes))
			case strings.HasPrefix(name, clientPages) && b.isRunHere():
				checkClientPage(t, at, strings.TrimSuffix(path.Base(name), ".md"))
			case len(b.notes) == 1 && runBy.MatchString(b.notes[0]):
				for _, stage := range quoted.FindAllStringSubmatch(b.notes[0], -1) {
					if !stages[stage[1]] {
						t.Errorf("%s: got the stage %s, want a stage of .ci/run", at, stage[0])
					}
				}
			case len(b.notes) == 1 && notRun.MatchString(b.notes[0]):
				t.Logf("%s: %s", at, b.notes[0])
			case len(b.notes) == 1 && !keepsRunning.MatchString(b.notes[0]):
				t.Errorf("%s: got <!-- %s -->, want a comment from docs/README.md", at, b.notes[0])
			}
			if b.prints != nil && (!b.isRunHere() || strings.HasPrefix(name, clientPages)) {
				t.Errorf("%s: got the output of commands that no test compares", at)
			}
		}
	}
}

// isRunHere reports whether TestCommands runs the block to its end and compares its output.
func (b *block) isRunHere() bool { return b.language == "sh" && len(b.notes) == 0 }

// stagesOfCI returns the names of the stages of .ci/run.
func stagesOfCI(t *testing.T) map[string]bool {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(root, ".ci/run"))
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^stage "([^"]+)"`).FindAllStringSubmatch(string(script), -1) {
		stages[match[1]] = true
	}
	return stages
}

// checkClientPage checks that a test and a stage run the commands of a client's page.
func checkClientPage(t *testing.T, at, client string) {
	t.Helper()
	test, err := os.ReadFile(filepath.Join(root, "clients/test/page-"+client+".test.js"))
	if err != nil || !strings.Contains(string(test), "runCommands('"+client+"')") {
		t.Errorf("%s: got no test in clients/ that runs it (%v)", at, err)
	}
	if !stagesOfCI(t)["audits and clients"] {
		t.Errorf("%s: got no stage that runs the tests of clients/", at)
	}
}

// TestCommands runs the commands of each page in order, in one shell and in a clone of the
// repository, and compares their output.
//
//nolint:paralleltest // all pages use the same address for the gateway
func TestCommands(t *testing.T) {
	program := os.Getenv(programVariable)
	if program == "" {
		t.Skip("the commands of the pages are NOT RUN: set " + programVariable + " to the path of the program")
	}
	tools := installTools(t, program)
	clone := filepath.Join(t.TempDir(), "cvmgraph") // the same path for all pages, so that Go builds each package once
	pages := readPages(t)
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		p := pages[name]
		run := slices.ContainsFunc(p.blocks, func(b block) bool { return b.isRunHere() || b.keepsRunning() != "" })
		if !run || strings.HasPrefix(name, clientPages) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			cloneRepository(t, clone)
			waitUntilFree(t)
			if !slices.ContainsFunc(p.blocks, func(b block) bool { return strings.HasPrefix(b.keepsRunning(), gateway) }) {
				startGateway(t, filepath.Join(tools, "cvmgraph"), clone)
			}
			runPage(t, p, tools, clone)
		})
	}
}

// keepsRunning returns the URL that responds once the block's command has started, if the command
// does not end. It returns "" for other blocks.
func (b *block) keepsRunning() string {
	if b.language == "sh" && len(b.notes) == 1 {
		if match := keepsRunning.FindStringSubmatch(b.notes[0]); match != nil {
			return match[1]
		}
	}
	return ""
}

// installTools returns a directory for the PATH with the program and the Makefile's kustomize.
func installTools(t *testing.T, program string) string {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	kustomize := regexp.MustCompile(`(?m)^KUSTOMIZE := (.*)$`).FindSubmatch(makefile)
	if program, err = filepath.Abs(program); err != nil || kustomize == nil {
		t.Fatalf("got %v and kustomize %q, want a program and the Makefile's kustomize", err, kustomize)
	}
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "cvmgraph")); err != nil {
		t.Fatal(err)
	}
	wrapper := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", kustomize[1])
	if err := os.WriteFile(filepath.Join(dir, "kustomize"), []byte(wrapper), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// cloneRepository clones the repository to dir, with the uncommitted changes of the working tree.
func cloneRepository(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("git", "clone", "-q", root, dir).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	for _, name := range gitFiles(t, "--modified", "--others") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

// startGateway runs the program with demo data until the test ends.
func startGateway(t *testing.T, program, dir string) {
	t.Helper()
	run := exec.Command(program, "--demo")
	run.Dir, run.Env = dir, environment("")
	start(t, run)
	for end := time.Now().Add(startTimeout); !responds(gateway + "/readyz"); pause() {
		if time.Now().After(end) {
			t.Fatalf("got no gateway at %s", gateway)
		}
	}
}

// start starts a command in its own process group, and ends the whole group after the test. The
// channel receives the result of the command.
func start(t *testing.T, run *exec.Cmd) <-chan error {
	t.Helper()
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	result, gone := make(chan error, 1), make(chan struct{})
	go func() {
		result <- run.Wait()
		close(gone)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-run.Process.Pid, syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(endTimeout):
			t.Errorf("got commands that did not end within %s", endTimeout)
		}
		_ = syscall.Kill(-run.Process.Pid, syscall.SIGKILL) // the rest of the group, if any
		<-gone
	})
	return result
}

// waitUntilFree waits until the gateway of the previous page has released its address.
func waitUntilFree(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(endTimeout); responds(gateway); pause() {
		if time.Now().After(end) {
			t.Fatalf("got another server at %s, want a free address", gateway)
		}
	}
}

// responds reports whether a server responds at a URL.
func responds(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return true
}

// pause waits between two checks for an event in another process.
func pause() { <-time.After(50 * time.Millisecond) }

// environment returns the environment of a page's commands: no settings of the program, and tools
// first in the PATH.
func environment(tools string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CVMGRAPH_") })
	return append(env, "PATH="+tools+":"+os.Getenv("PATH"))
}

// runPage runs the page's commands at the top of the clone, and compares their output.
func runPage(t *testing.T, p *page, tools, clone string) {
	t.Helper()
	out := t.TempDir()
	run := exec.Command("bash", "-c", script(p, out))
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	run.Dir, run.Env = clone, append(environment(tools), "REPOSITORY="+repository)
	select {
	case err = <-start(t, run):
	case <-time.After(pageTimeout):
		err = fmt.Errorf("the page took more than %s", pageTimeout)
	}

	for i, b := range p.blocks {
		if !b.isRunHere() && b.keepsRunning() == "" {
			continue
		}
		printed, readErr := os.ReadFile(filepath.Join(out, fmt.Sprint(i)))
		if readErr != nil {
			t.Fatalf("%s:%d: got %v before these commands", p.path, b.line, err)
		}
		stderr, _ := os.ReadFile(filepath.Join(out, fmt.Sprint(i, ".err")))
		if _, statErr := os.Stat(filepath.Join(out, fmt.Sprint(i, ".done"))); statErr != nil {
			t.Fatalf("%s:%d: got %v from\n%s\n%s\n%s", p.path, b.line, err, b.code, printed, stderr)
		}
		if b.prints == nil {
			continue
		}
		if err := matches(b.prints, string(printed)); err != nil {
			t.Errorf("%s:%d: %v\ngot\n%s\nwant\n%s", p.path, b.prints.line, err, printed, b.prints.code)
		}
	}
	if err != nil {
		t.Errorf("%s: got %v", p.path, err)
	}
}

// script returns a page's commands for one shell. Each block writes its output to a file in out,
// and then an empty file that marks its end.
func script(p *page, out string) string {
	var s strings.Builder
	s.WriteString("set -euo pipefail\n")
	for i, b := range p.blocks {
		files := fmt.Sprintf(">'%s/%d' 2>'%s/%d.err'", out, i, out, i)
		switch url := b.keepsRunning(); {
		case url != "":
			fmt.Fprintf(&s, "{\n%s} %s &\n", b.code, files)
			fmt.Fprintf(&s, "until curl -ks -o /dev/null '%s'; do kill -0 $!; sleep 0.1; done\n", url)
		case b.isRunHere():
			fmt.Fprintf(&s, "{\n%s} %s\n", b.code, files)
		default:
			continue
		}
		fmt.Fprintf(&s, ": >'%s/%d.done'\n", out, i)
	}
	return s.String()
}
