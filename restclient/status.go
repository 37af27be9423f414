package restclient

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxErrorBody is the number of bytes of an error body that are parsed.
	maxErrorBody = 64 << 10
	// maxDrain is the number of further bytes that are read to reuse the connection. To read more
	// would cost more than a new connection.
	maxDrain = 64 << 10
)

var (
	codePattern = regexp.MustCompile(`^ERR-[0-9]{2}-[0-9]{3}$`)
	// requestIDPattern matches ids only: no host names, addresses or credentials.
	requestIDPattern = regexp.MustCompile(`^(?:req[_-][A-Za-z0-9_-]{1,60}` +
		`|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,64}|[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{16}-[A-Z]{3})$`)
	// versionPattern matches the word version, also in names such as X-Phala-Version.
	versionPattern = regexp.MustCompile(`(?i)(?:^|[^a-z])version(?:[^a-z]|$)`)
	secondsPattern = regexp.MustCompile(`^[0-9]{1,9}(?:\.[0-9]{1,9})?$`)
)

// statusError returns the error of a response whose status is not 200. Details that it cannot read
// or understand in the body stay empty.
func statusError(resp *http.Response) *StatusError {
	if resp.StatusCode == http.StatusSwitchingProtocols { // the body is the connection, and has no deadline
		return &StatusError{StatusCode: resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)

	e := &StatusError{
		StatusCode: resp.StatusCode,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
	}
	e.setRequestID(resp.Header.Get("X-Request-Id"))
	var document map[string]any
	if json.Unmarshal(body, &document) == nil {
		e.describe(document)
	} else {
		e.setBareRetryAfter(string(body))
	}
	incomplete := err != nil || len(body) == maxErrorBody
	e.Intermediary = !isFromAPI(body, document, incomplete)
	e.VersionRefused = !e.Intermediary && e.canRefuseVersion() && mentionsVersion(document, resp.Request)
	e.setRequestID(resp.Header.Get("Cf-Ray"))
	if isCredential(e.RequestID, resp.Request.Header) {
		e.RequestID = ""
	}
	return e
}

// isFromAPI reports whether the body of an error can be the API's: a JSON object that is not a
// CDN's. Of an incomplete body, only the beginning is known.
func isFromAPI(body []byte, document map[string]any, incomplete bool) bool {
	if incomplete {
		return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
	}
	cdn, _ := document["cloudflare_error"].(bool)
	return document != nil && !cdn
}

// canRefuseVersion reports whether the upstream can mean by the status that it does not have the
// request's API version. Which status it uses is not published.
func (e *StatusError) canRefuseVersion() bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusGone, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// mentionsVersion reports whether an error of the API is about a version: by its message, or by the
// name of an invalid header. Words that are the caller's do not count.
func mentionsVersion(document map[string]any, request *http.Request) bool {
	own := make([]string, 0, 4)
	for _, word := range []string{request.URL.Query().Get("user_id"), request.Header.Get("X-Phala-Workspace")} {
		if word != "" {
			own = append(own, word, "")
		}
	}
	withoutOwn := strings.NewReplacer(own...)
	mentions := func(value any) bool {
		text, _ := value.(string)
		return versionPattern.MatchString(withoutOwn.Replace(text))
	}
	structured := func(object map[string]any) bool {
		details, _ := object["details"].([]any)
		return mentions(object["message"]) || slices.ContainsFunc(details, func(entry any) bool {
			problem, _ := entry.(map[string]any)
			return mentions(problem["field"])
		})
	}
	if structured(document) {
		return true
	}
	switch detail := document["detail"].(type) {
	case string:
		return mentions(detail)
	case map[string]any:
		return structured(detail)
	case []any:
		return slices.ContainsFunc(detail, func(entry any) bool {
			problem, _ := entry.(map[string]any)
			location, _ := problem["loc"].([]any)
			return slices.ContainsFunc(location, mentions)
		})
	}
	return false
}

// setBareRetryAfter reads a body that is nothing but a number of seconds, in quotes or without. A
// body that repeats the status is ignored.
func (e *StatusError) setBareRetryAfter(body string) {
	waits := e.StatusCode == http.StatusTooManyRequests || e.StatusCode == http.StatusServiceUnavailable
	if body = strings.Trim(body, " \t\r\n\""); waits && body != strconv.Itoa(e.StatusCode) {
		e.setRetryAfter(body)
	}
}

// setRetryAfter sets the wait that a body requests: a number of seconds, or a string that contains
// one. The header's has precedence.
func (e *StatusError) setRetryAfter(value any) {
	seconds, _ := value.(float64)
	if text, _ := value.(string); secondsPattern.MatchString(text) {
		seconds, _ = strconv.ParseFloat(text, 64)
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = waitOf(seconds)
	}
}

// isCredential reports whether an id is part of the request's credential, which the upstream has
// repeated.
func isCredential(id string, request http.Header) bool {
	return id != "" && (strings.Contains(request.Get("Authorization"), id) || strings.Contains(request.Get("X-Api-Key"), id))
}

// describe reads the five forms of the upstream's error bodies. The key detail is a string (which
// is ignored), a list of invalid parameters, or an object that can be the structured error.
// Otherwise, the structured error is the document itself. The key retry_after can be in any of
// them.
func (e *StatusError) describe(document map[string]any) {
	e.describeStructured(document)
	switch detail := document["detail"].(type) {
	case map[string]any:
		e.describeStructured(detail)
	case []any:
		for _, entry := range detail {
			problem, _ := entry.(map[string]any)
			location, _ := problem["loc"].([]any)
			for _, step := range location {
				e.blame(step)
			}
		}
	}
}

// describeStructured reads a structured error. It does not replace details that are already set.
func (e *StatusError) describeStructured(object map[string]any) {
	for _, key := range []string{"error_code", "code"} {
		if code, _ := object[key].(string); e.Code == "" && codePattern.MatchString(code) {
			e.Code = code
		}
	}
	details, _ := object["details"].([]any)
	for _, entry := range details {
		problem, _ := entry.(map[string]any)
		e.blame(problem["field"])
	}
	e.setRetryAfter(object["retry_after"])
	id, _ := object["request_id"].(string)
	e.setRequestID(id)
}

// blame adds the name of a query parameter to Params. It ignores other names.
func (e *StatusError) blame(name any) {
	switch name {
	case "page", "page_size", "teepod_id", "user_id":
		if !slices.Contains(e.Params, name.(string)) {
			e.Params = append(e.Params, name.(string))
		}
	}
}

// setRequestID sets the request ID, if it has a safe form and none is set yet.
func (e *StatusError) setRequestID(id string) {
	if e.RequestID == "" && requestIDPattern.MatchString(id) {
		e.RequestID = id
	}
}
