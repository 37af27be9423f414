package graph

import (
	"slices"
	"time"

	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
)

// pageSources are the pages that a response was made from.
type pageSources struct {
	pages    pages.Source
	key      pages.CredentialKey
	versions []pages.PageVersion
}

var _ graphqlhttp.Sources = (*pageSources)(nil)

// Current reports whether all pages are still cached, in the same version.
func (s *pageSources) Current() bool {
	for _, version := range s.versions {
		page, ok := s.pages.Cached(s.key, version.Request)
		if !ok || !page.Received.Equal(version.Received) {
			return false
		}
	}
	return true
}

// FreshFor returns the time until the first page expires. It is not negative.
func (s *pageSources) FreshFor() time.Duration {
	first := slices.MinFunc(s.versions, func(a, b pages.PageVersion) int { return a.Expires.Compare(b.Expires) })
	return max(time.Until(first.Expires), 0)
}

// versionBytes is the approximate size of a page version, in bytes.
const versionBytes = 88

// MemorySize returns the approximate size of the list of pages, in bytes.
func (s *pageSources) MemorySize() int { return versionBytes * cap(s.versions) }
