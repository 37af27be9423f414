package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// requestError refuses a request before anything is resolved.
type requestError struct {
	// status is the HTTP status, 0 for what GraphQL over HTTP prescribes for the media type.
	status  int
	code    string
	message string
	// limit and actual are the bound that the request goes beyond, 0 where it is not about one.
	limit, actual int64
}

func (e *requestError) Error() string { return e.message }

func badRequest(message string) *requestError {
	return &requestError{status: http.StatusBadRequest, code: codeBadRequest, message: message}
}

// readRequest reads the parameters of a GraphQL request. Nothing of a body that it refuses is in its error.
func readRequest(r *http.Request) (*graphql.RawParams, *requestError) {
	var params *graphql.RawParams
	var refusal *requestError
	switch r.Method {
	case http.MethodGet:
		params, refusal = readURL(r.URL.RawQuery)
	case http.MethodPost:
		if refusal = checkContent(r.Header); refusal == nil {
			params, refusal = readBody(r)
		}
	default:
		refusal = &requestError{status: http.StatusMethodNotAllowed, code: codeBadRequest, message: "GraphQL requests come by POST or GET"}
	}
	if refusal != nil {
		return nil, refusal
	}
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return nil, badRequest("the parameter query is missing")
	}
	params.Headers = r.Header
	return params, nil
}

func checkContent(header http.Header) *requestError {
	unsupported := func(message string) *requestError {
		return &requestError{status: http.StatusUnsupportedMediaType, code: codeBadRequest, message: message}
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != mediaJSON || len(header.Values("Content-Type")) > 1 {
		return unsupported("the body of a POST comes with Content-Type: " + mediaJSON)
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupported("the body of a POST is in UTF-8")
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupported("the body of a POST comes without Content-Encoding")
	}
	return nil
}

// readURL reads the parameters of a GET.
func readURL(rawQuery string) (*graphql.RawParams, *requestError) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, badRequest("the query string of the URL is malformed")
	}
	for _, name := range []string{"query", "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return nil, badRequest("the parameter " + name + " occurs more than once")
		}
		if !utf8.ValidString(values.Get(name)) {
			return nil, badRequest("the parameter " + name + " is not UTF-8")
		}
	}
	params := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	var refusal *requestError
	if params.Variables, refusal = objectInURL(values, "variables"); refusal != nil {
		return nil, refusal
	}
	if params.Extensions, refusal = objectInURL(values, "extensions"); refusal != nil {
		return nil, refusal
	}
	return params, nil
}

func objectInURL(values url.Values, name string) (map[string]any, *requestError) {
	text := values.Get(name)
	if text == "" {
		return nil, nil
	}
	if !json.Valid([]byte(text)) {
		return nil, badRequest("the parameter " + name + " is not JSON")
	}
	return object(name, json.RawMessage(strings.TrimSpace(text)))
}

// readBody reads the parameters of a POST: exactly one JSON object.
func readBody(r *http.Request) (*graphql.RawParams, *requestError) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &requestError{
				status: http.StatusRequestEntityTooLarge, code: codeTooComplex,
				message: "the request body is too large", limit: tooLarge.Limit,
			}
		}
		return nil, badRequest("the request body ended before its end")
	}
	if !utf8.Valid(body) {
		return nil, badRequest("the request body is not UTF-8")
	}
	if !json.Valid(body) {
		return nil, badRequest("the request body is not one JSON document")
	}
	if first := bytes.TrimLeft(body, " \t\r\n")[0]; first == '[' {
		return nil, badRequest("the request body is a batch: send one operation a request")
	} else if first != '{' {
		return nil, badRequest("the request body is not a JSON object")
	}
	return bodyParams(body)
}

// bodyParams reads the parameters from a valid JSON object. Names count in their exact spelling, and once.
func bodyParams(body []byte) (*graphql.RawParams, *requestError) {
	params := &graphql.RawParams{}
	seen := make(map[string]bool, 4)
	decoder := json.NewDecoder(bytes.NewReader(body))
	_, err := decoder.Token() // the object's brace
	for err == nil && decoder.More() {
		var name json.Token
		if name, err = decoder.Token(); err != nil {
			break
		}
		var value json.RawMessage
		if err = decoder.Decode(&value); err != nil {
			break
		}
		key, _ := name.(string)
		var refusal *requestError
		switch key {
		case "query":
			params.Query, refusal = text(key, value)
		case "operationName":
			params.OperationName, refusal = text(key, value)
		case "variables":
			params.Variables, refusal = object(key, value)
		case "extensions":
			params.Extensions, refusal = object(key, value)
		default:
			continue
		}
		if refusal == nil && seen[key] {
			refusal = badRequest("the parameter " + key + " occurs more than once")
		}
		if refusal != nil {
			return nil, refusal
		}
		seen[key] = true
	}
	if err != nil {
		return nil, badRequest("the request body is not one JSON document")
	}
	return params, nil
}

// text reads a parameter that is a string or null.
func text(name string, value json.RawMessage) (string, *requestError) {
	var s *string
	if err := json.Unmarshal(value, &s); err != nil {
		return "", badRequest("the parameter " + name + " is not a string")
	}
	if s == nil {
		return "", nil
	}
	return *s, nil
}

// object reads a parameter that is an object or null. Numbers keep their digits.
func object(name string, value json.RawMessage) (map[string]any, *requestError) {
	var o map[string]any
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	if err := decoder.Decode(&o); err != nil {
		return nil, badRequest("the parameter " + name + " is not an object")
	}
	return o, nil
}
