package playground

import (
	"fmt"
	"html"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// documentsPath is the path of the documentation. It is below the path of the page's files.
const documentsPath = "/assets/docs/"

// addDocuments adds the pages of the documentation.
func addDocuments(files map[string]*file, documents fs.FS) error {
	return fs.WalkDir(documents, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[documentsPath+name] = newFile("document.html", func() []byte { return document(documents, name) })
		return nil
	})
}

var (
	markdownHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	markdownLink    = regexp.MustCompile(`!?\[([^\]]*)\]\(([^)\s]+)\)`)
	notInAnchor     = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// document returns a page of the documentation: its Markdown as text, with links between the pages.
func document(documents fs.FS, name string) []byte {
	text, err := fs.ReadFile(documents, name)
	if err != nil {
		panic(err) // the files are embedded
	}
	body := html.EscapeString(string(text))
	body = markdownLink.ReplaceAllStringFunc(body, func(link string) string {
		match := markdownLink.FindStringSubmatch(link)
		if !isServed(documents, name, match[2]) {
			return match[1]
		}
		return fmt.Sprintf(`<a href="%s" rel="noreferrer noopener">%s</a>`, match[2], match[1])
	})
	body = markdownHeading.ReplaceAllStringFunc(body, func(heading string) string {
		title := strings.ToLower(strings.TrimLeft(heading, "# "))
		anchor := strings.ReplaceAll(notInAnchor.ReplaceAllString(html.UnescapeString(title), ""), " ", "-")
		return fmt.Sprintf(`<strong id="%s">%s</strong>`, anchor, heading)
	})
	return []byte(`<!doctype html><html lang="en"><meta charset="utf-8" />` +
		`<meta name="viewport" content="width=device-width, initial-scale=1" />` +
		`<meta name="color-scheme" content="light dark" /><title>cvmgraph: ` + name + `</title>` +
		`<pre style="max-width: 122ch; margin: 2em auto; padding: 0 1em; white-space: pre-wrap; overflow-wrap: anywhere; ` +
		`font: 14px/1.5 monospace">` + body + "</pre></html>\n")
}

// isServed reports whether the target of a link in a page is a page too, or an address.
func isServed(documents fs.FS, from, target string) bool {
	if strings.HasPrefix(target, "#") || strings.HasPrefix(target, "https://") {
		return true
	}
	name, _, _ := strings.Cut(target, "#")
	_, err := fs.Stat(documents, path.Join(path.Dir(from), name))
	return err == nil && path.Ext(name) == ".md"
}
