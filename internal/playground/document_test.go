package playground_test

import (
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"

	"cvmgraph/docs"
	"cvmgraph/internal/playground"
)

// TestDocuments_links follows all links from the first page of the documentation.
func TestDocuments_links(t *testing.T) {
	t.Parallel()
	const first = "/assets/docs/README.md"
	pages, queue := map[string]string{}, []string{first}
	links := map[string]string{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if _, ok := pages[at]; ok {
			continue
		}
		got := serve(t, playground.Options{Documents: docs.Pages}, http.MethodGet, at, "")
		if kind := got.Header().Get("Content-Type"); got.Code != http.StatusOK || kind != "text/html; charset=utf-8" {
			t.Errorf("%s: got %d, %q", at, got.Code, kind)
		}
		pages[at] = got.Body.String()
		for _, match := range regexp.MustCompile(` href="([^"]*)"`).FindAllStringSubmatch(pages[at], -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			switch {
			case strings.HasPrefix(target, "https://"):
				continue
			case target == "":
				target = at
			default:
				target = path.Join(path.Dir(at), target)
			}
			queue = append(queue, target)
			links[target+"#"+anchor] = at
		}
	}
	if len(pages) < 20 {
		t.Errorf("got %d pages, want 20 at least", len(pages))
	}
	for link, from := range links {
		target, anchor, _ := strings.Cut(link, "#")
		if anchor != "" && !strings.Contains(pages[target], `<strong id="`+anchor+`">`) {
			t.Errorf("%s: got a link to %s, which does not exist", from, link)
		}
	}
}
