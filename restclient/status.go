package restclient

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
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
	codePattern      = regexp.MustCompile(`^ERR-[0-9]{2}-[0-9]{3}$`)
	requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
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
	}
	incomplete := err != nil || len(body) == maxErrorBody
	e.Intermediary = !isFromAPI(body, document, incomplete)
	e.setRequestID(resp.Header.Get("Cf-Ray"))
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
	if seconds, _ := object["retry_after"].(float64); e.RetryAfter == 0 {
		e.RetryAfter = waitOf(seconds)
	}
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
