package restclient

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"time"
)

const (
	// maxErrorBody is how much of an error's body is looked at.
	maxErrorBody = 64 << 10
	// maxDrain is how much more of it is read to keep the connection; beyond, a new one is cheaper.
	maxDrain = 64 << 10
)

var (
	codePattern      = regexp.MustCompile(`^ERR-[0-9]{2}-[0-9]{3}$`)
	requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
)

// statusError describes an answer that is no 200. It reads a bounded part of the body; what it
// cannot read or understand there leaves the details empty, for the status stands anyway.
func statusError(resp *http.Response) *StatusError {
	if resp.StatusCode == http.StatusSwitchingProtocols { // its body is the connection itself, which no deadline ends
		return &StatusError{StatusCode: resp.StatusCode}
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
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
	return e
}

// describe takes what it knows from the five shapes the upstream's errors come in: detail is a text
// (nothing to take), a list of blamed parameters, or an object that may be the structured error,
// which else stands at the top level; and retry_after beside any of them.
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

// describeStructured takes what the structured error has. Earlier findings stand.
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

// blame adds the name of a parameter, if it is one.
func (e *StatusError) blame(name any) {
	switch name {
	case "page", "page_size", "teepod_id", "user_id":
		if !slices.Contains(e.Params, name.(string)) {
			e.Params = append(e.Params, name.(string))
		}
	}
}

// setRequestID takes the id, if it is harmless and there is none yet.
func (e *StatusError) setRequestID(id string) {
	if e.RequestID == "" && requestIDPattern.MatchString(id) {
		e.RequestID = id
	}
}
