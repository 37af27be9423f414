package docs_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// root is the path of the repository's root.
const root = ".."

// page is a Markdown file of the repository.
type page struct {
	path   string // from the root, slash-separated
	blocks []block
	// prose is the page without blocks and comments.
	prose string
}

// block is a fenced block of code.
type block struct {
	line     int    // line number of the fence, from 1
	language string // "" if the fence has no language
	code     string
	// notes are the comments directly above the block, without <!-- and -->.
	notes []string
	// prints is the expected output of the block's commands: the block of json or text directly
	// after it. It is nil if no such block follows.
	prints *block
}

// readPages returns the repository's Markdown files by path, including untracked files that are not
// ignored.
func readPages(t *testing.T) map[string]*page {
	t.Helper()
	pages := map[string]*page{}
	for _, name := range gitFiles(t, "--cached", "--others", "*.md") {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = parsePage(t, name, string(text))
	}
	if len(pages) < 20 {
		t.Fatalf("got %d pages, want at least 20", len(pages))
	}
	return pages
}

// gitFiles returns the existing files of the working tree that git ls-files lists.
func gitFiles(t *testing.T, args ...string) []string {
	t.Helper()
	list := exec.Command("git", append([]string{"ls-files", "-z", "--exclude-standard"}, args...)...)
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal("git ls-files:", err)
	}
	names := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
		return err != nil
	})
}

var comment = regexp.MustCompile(`^<!-- (.*) -->$`)

// parsePage splits a Markdown file into prose and blocks.
func parsePage(t *testing.T, name, text string) *page {
	t.Helper()
	p := &page{path: name}
	var prose []string
	var notes []string
	var open *block
	last := -1 // the index of the previous block if only blank lines follow it, otherwise -1
	for i, line := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(line, "```")
		note := comment.FindStringSubmatch(line)
		switch {
		case open != nil && fence:
			p.blocks = append(p.blocks, *open)
			if last >= 0 && p.blocks[last].language == "sh" && (open.language == "json" || open.language == "text") {
				p.blocks[last].prints = open
			}
			open, last = nil, len(p.blocks)-1
		case open != nil:
			open.code += line + "\n"
		case fence:
			language, _, _ := strings.Cut(strings.TrimPrefix(line, "```"), " ")
			open = &block{line: i + 1, language: language, notes: notes}
			notes = nil
		case note != nil:
			notes = append(notes, note[1])
			last = -1
		case strings.TrimSpace(line) == "":
			notes = nil
			prose = append(prose, "")
		default:
			notes, last = nil, -1
			prose = append(prose, line)
		}
	}
	if open != nil {
		t.Errorf("%s:%d: got a block without a closing fence", name, open.line)
	}
	p.prose = strings.Join(prose, "\n")
	return p
}

var (
	codeSpan = regexp.MustCompile("`[^`]+`")
	link     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
)

// links returns the targets of the page's links and images.
func (p *page) links() []string {
	var targets []string
	for _, match := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(p.prose, ""), -1) {
		targets = append(targets, match[1])
	}
	return targets
}

// anchors returns the anchors that GitHub generates for the page's headings.
func (p *page) anchors() map[string]bool {
	names := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(p.prose, -1) {
		name := slug(match[1])
		for n := 1; names[name]; n++ {
			name = slug(match[1]) + "-" + strconv.Itoa(n)
		}
		names[name] = true
	}
	return names
}

// slug returns the anchor that GitHub generates for a heading.
func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

// resolve returns the path, from the root, of a link's target.
func (p *page) resolve(target string) string {
	if target == "" { // the target is an anchor on the same page
		return p.path
	}
	return path.Join(path.Dir(p.path), target)
}

// spans returns the page's code spans, without backquotes.
func (p *page) spans() []string {
	spans := codeSpan.FindAllString(p.prose, -1)
	for i, span := range spans {
		spans[i] = strings.Trim(span, "`")
	}
	return spans
}
