// Package docs has the pages of the documentation.
package docs

import "embed"

// Pages are the pages, in Markdown, such as README.md and clients/relay.md.
//
//go:embed *.md adr/*.md clients/*.md
var Pages embed.FS
