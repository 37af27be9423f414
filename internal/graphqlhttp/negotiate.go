package graphqlhttp

import (
	"mime"
	"slices"
	"strconv"
	"strings"
)

// The media types of responses.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// negotiate returns the media type that the Accept headers prefer, and false if they accept
// neither. If there is no header, or if both are equally preferred by a wildcard, the type is
// application/json, which old clients expect.
func negotiate(accept []string) (media string, ok bool) {
	if len(accept) == 0 || strings.TrimSpace(strings.Join(accept, "")) == "" {
		return mediaJSON, true
	}
	graphQL := quality{}
	plain := quality{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, q, valid := mediaRange(part)
		if !valid {
			continue
		}
		graphQL.offer(kind, mediaGraphQL, q)
		plain.offer(kind, mediaJSON, q)
	}
	switch {
	case graphQL.q == 0 && plain.q == 0:
		return "", false
	case graphQL.q > plain.q, graphQL.q == plain.q && graphQL.specific == exact:
		return mediaGraphQL, true
	default:
		return mediaJSON, true
	}
}

// quality is the weight of a media type: that of the most specific range.
type quality struct {
	q        float64
	specific int // 0 for no range, and then the index in ranges, counted from 1
}

// exact is the specificity of a range that is the media type itself.
const exact = 3

func (best *quality) offer(kind, media string, q float64) {
	ranges := [exact]string{"*/*", "application/*", media}
	if specific := 1 + slices.Index(ranges[:], kind); specific > best.specific {
		*best = quality{q, specific}
	}
}

// mediaRange parses one element of an Accept header. It returns false if the element is malformed
// or has a charset other than UTF-8.
func mediaRange(text string) (kind string, q float64, valid bool) {
	kind, params, err := mime.ParseMediaType(text)
	if err != nil {
		return "", 0, false
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return "", 0, false
	}
	q = 1
	if text, ok := params["q"]; ok {
		if q, err = strconv.ParseFloat(text, 64); err != nil || !(q >= 0 && q <= 1) {
			return "", 0, false
		}
	}
	return kind, q, true
}

// acceptsGzip reports whether an Accept-Encoding header has gzip.
func acceptsGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && !strings.EqualFold(name, "x-gzip") {
			continue
		}
		weight, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
		if !found {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}
