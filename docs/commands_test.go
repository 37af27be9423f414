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
	// programVariable is the path of the program that pages call cvmgraph. Without it no commands are run.
	programVariable = "CVMGRAPH_TEST_DOCS"

	// gateway is where pages expect one with demo data.
	gateway = "http://localhost:8080"

	pageTime  = 10 * time.Minute
	startTime = 30 * time.Second
	endTime   = 30 * time.Second

	// clientPages are those whose commands clients/test runs.
	clientPages = "docs/clients/"
)

// The notes that a block of commands may have.
var (
	notRun       = regexp.MustCompile(`^not run: \S.+$`)
	runBy        = regexp.MustCompile(`^run by: \.ci/run, stages? ("[^"]+"(?:(?:, | and )"[^"]+")*)$`)
	keepsRunning = regexp.MustCompile(`^keeps running: (https?://\S+)$`)
	quoted       = regexp.MustCompile(`"([^"]+)"`)
)

// TestEachCommandIsRun says of every block of commands how it is run: here, elsewhere, or not, for a reason.
func TestEachCommandIsRun(t *testing.T) {
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
						t.Errorf("%s: got <!-- %s -->, want it above commands", at, note)
					}
				}
			case len(b.notes) > 1:
				t.Errorf("%s: got %d notes, want one at most", at, len(b.notes))
			case strings.HasPrefix(name, clientPages) && b.isRunHere():
				checkClientPage(t, at, strings.TrimSuffix(path.Base(name), ".md"))
			case len(b.notes) == 1 && runBy.MatchString(b.notes[0]):
				for _, stage := range quoted.FindAllStringSubmatch(b.notes[0], -1) {
					if !stages[stage[1]] {
						t.Errorf("%s: got the stage %s, want one of .ci/run", at, stage[0])
					}
				}
			case len(b.notes) == 1 && notRun.MatchString(b.notes[0]):
				t.Logf("%s: %s", at, b.notes[0])
			case len(b.notes) == 1 && !keepsRunning.MatchString(b.notes[0]):
				t.Errorf("%s: got <!-- %s -->, want what docs/README.md knows", at, b.notes[0])
			}
			if b.prints != nil && (!b.isRunHere() || strings.HasPrefix(name, clientPages)) {
				t.Errorf("%s: got what it prints, which nobody compares", at)
			}
		}
	}
}

// isRunHere says whether the block's commands are run to their end, and what they print is compared.
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

// checkClientPage holds a page of a client to the test that runs its commands.
func checkClientPage(t *testing.T, at, client string) {
	t.Helper()
	test, err := os.ReadFile(filepath.Join(root, "clients/test/page-"+client+".test.js"))
	if err != nil || !strings.Contains(string(test), "runCommands('"+client+"')") {
		t.Errorf("%s: got no test of clients/ that runs it, %v", at, err)
	}
	if !stagesOfCI(t)["audits and clients"] {
		t.Errorf("%s: got no stage that runs the tests of clients/", at)
	}
}

// TestCommands runs the commands of each page, in its order and in one shell, in a clone of the repository, and compares what they print.
//
//nolint:paralleltest // pages have their gateway at the same address
func TestCommands(t *testing.T) {
	program := os.Getenv(programVariable)
	if program == "" {
		t.Skip("the commands of the pages are NOT RUN: " + programVariable + " names no program")
	}
	tools := installTools(t, program)
	clone := filepath.Join(t.TempDir(), "cvmgraph") // the same for all, so that Go builds a package once
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

// keepsRunning returns the URL that answers once the block's command, which does not end, has begun; "" for other blocks.
func (b *block) keepsRunning() string {
	if b.language == "sh" && len(b.notes) == 1 {
		if match := keepsRunning.FindStringSubmatch(b.notes[0]); match != nil {
			return match[1]
		}
	}
	return ""
}

// installTools returns a directory for the PATH, with the program, and with kustomize as the Makefile has it.
func installTools(t *testing.T, program string) string {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	kustomize := regexp.MustCompile(`(?m)^KUSTOMIZE := (.*)$`).FindSubmatch(makefile)
	if program, err = filepath.Abs(program); err != nil || kustomize == nil {
		t.Fatal(err, "or the Makefile has no kustomize")
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

// cloneRepository makes dir a clone of the repository, with what the working tree has that is not committed.
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

// startGateway runs the program over its demo data until the test has ended.
func startGateway(t *testing.T, program, dir string) {
	t.Helper()
	run := exec.Command(program, "--demo")
	run.Dir, run.Env = dir, environment("")
	start(t, run)
	for end := time.Now().Add(startTime); !answers(gateway + "/readyz"); pause() {
		if time.Now().After(end) {
			t.Fatalf("got no gateway at %s", gateway)
		}
	}
}

// start begins a command in a process group of its own, and ends all of the group behind the test. The channel gets how the command
// ended.
func start(t *testing.T, run *exec.Cmd) <-chan error {
	t.Helper()
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended, gone := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- run.Wait()
		close(gone)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-run.Process.Pid, syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(endTime):
			t.Error("got commands that do not end")
		}
		_ = syscall.Kill(-run.Process.Pid, syscall.SIGKILL) // what is left of the group, which may be nothing
		<-gone
	})
	return ended
}

// waitUntilFree waits until what a page before has left at the gateway's address has ended.
func waitUntilFree(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(endTime); answers(gateway); pause() {
		if time.Now().After(end) {
			t.Fatalf("got somebody else at %s", gateway)
		}
	}
}

// answers says whether anybody is at a URL.
func answers(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return true
}

// pause is between two looks at something that is about to happen in another process.
func pause() { <-time.After(50 * time.Millisecond) }

// environment is that of a page's commands: no setting of the program's, and the tools first.
func environment(tools string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CVMGRAPH_") })
	return append(env, "PATH="+tools+":"+os.Getenv("PATH"))
}

// runPage runs the page's commands from the clone's top, and compares what they print.
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
	case <-time.After(pageTime):
		err = fmt.Errorf("more than %s passed", pageTime)
	}

	for i, b := range p.blocks {
		if !b.isRunHere() && b.keepsRunning() == "" {
			continue
		}
		printed, readErr := os.ReadFile(filepath.Join(out, fmt.Sprint(i)))
		if readErr != nil {
			t.Fatalf("%s:%d: got %v before these commands", p.path, b.line, err)
		}
		complaints, _ := os.ReadFile(filepath.Join(out, fmt.Sprint(i, ".err")))
		if _, statErr := os.Stat(filepath.Join(out, fmt.Sprint(i, ".done"))); statErr != nil {
			t.Fatalf("%s:%d: got %v from\n%s\n%s\n%s", p.path, b.line, err, b.code, printed, complaints)
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

// script is a page's commands for one shell. Each block leaves what it printed in the folder, and a file that says that it is through.
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
