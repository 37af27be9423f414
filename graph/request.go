package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"cvmgraph/internal/apierror"
)

// readText reads what has the parameters of a GraphQL request: the URL's query of a GET, the body of a POST. Nothing of what it refuses
// is in its error.
func readText(r *http.Request) ([]byte, *apierror.Error) {
	switch r.Method {
	case http.MethodGet:
		return []byte(r.URL.RawQuery), nil
	case http.MethodPost:
		if refusal := checkContent(r.Header); refusal != nil {
			return nil, refusal
		}
		return readBody(r)
	default:
		return nil, &apierror.Error{Status: http.StatusMethodNotAllowed, Code: apierror.CodeBadRequest, Message: "GraphQL requests come by POST or GET"}
	}
}

// parameters are those of a GraphQL request.
type parameters struct {
	graphql.RawParams
	// documentID names the document of a request without a query; "" names none.
	documentID string
}

// readParams reads the parameters of a GraphQL request from its text. Nothing of a text that it refuses is in its error.
func readParams(r *http.Request, text []byte) (*parameters, *apierror.Error) {
	read := readJSON
	if r.Method == http.MethodGet {
		read = readURL
	}
	params, refusal := read(text)
	if refusal != nil {
		return nil, refusal
	}
	if params.Query == "" && params.documentID == "" && params.Extensions["persistedQuery"] == nil {
		return nil, apierror.BadRequest("the parameter query is missing")
	}
	if params.OperationName != "" && !isName(params.OperationName) {
		return nil, apierror.BadRequest("the parameter operationName is not a name") // which gqlgen would repeat
	}
	return params, nil
}

// maxOperationName is the maximum length of an operation's name, in bytes.
const maxOperationName = 200

// isName says whether a text can be a name in a document, of a length that is allowed.
func isName(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return text != "" && len(text) <= maxOperationName
}

func checkContent(header http.Header) *apierror.Error {
	unsupported := func(message string) *apierror.Error {
		return &apierror.Error{Status: http.StatusUnsupportedMediaType, Code: apierror.CodeBadRequest, Message: message}
	}
	if given := header["Content-Type"]; len(given) == 1 && given[0] == mediaJSON && header["Content-Encoding"] == nil {
		return nil
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
func readURL(rawQuery []byte) (*parameters, *apierror.Error) {
	values, err := url.ParseQuery(string(rawQuery))
	if err != nil {
		return nil, apierror.BadRequest("the query string of the URL is malformed")
	}
	for _, name := range []string{"query", "documentId", "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return nil, apierror.BadRequest("the parameter " + name + " occurs more than once")
		}
		if !utf8.ValidString(values.Get(name)) {
			return nil, apierror.BadRequest("the parameter " + name + " is not UTF-8")
		}
	}
	params := &parameters{documentID: values.Get("documentId")}
	params.Query, params.OperationName = values.Get("query"), values.Get("operationName")
	var refusal *apierror.Error
	if params.Variables, refusal = objectInURL(values, "variables"); refusal != nil {
		return nil, refusal
	}
	if params.Extensions, refusal = objectInURL(values, "extensions"); refusal != nil {
		return nil, refusal
	}
	return params, nil
}

func objectInURL(values url.Values, name string) (map[string]any, *apierror.Error) {
	text := values.Get(name)
	if text == "" {
		return nil, nil
	}
	if !json.Valid([]byte(text)) {
		return nil, apierror.BadRequest("the parameter " + name + " is not JSON")
	}
	return object(name, []byte(strings.TrimSpace(text)))
}

// readBody reads the body of a POST.
func readBody(r *http.Request) ([]byte, *apierror.Error) {
	body, err := readAll(r)
	if err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &apierror.Error{
				Status: http.StatusRequestEntityTooLarge, Code: apierror.CodeTooComplex,
				Message: "the request body is too large", Limit: tooLarge.Limit,
			}
		}
		if noRoom, ok := errors.AsType[noRoomError](err); ok {
			return nil, &apierror.Error{Status: http.StatusServiceUnavailable, Code: apierror.CodeUnavailable, Message: noRoom.Error(), RetryAfter: noRoom.RetryAfter()}
		}
		return nil, apierror.BadRequest("the request body ended before its end")
	}
	return body, nil
}

// readJSON reads the parameters of a POST: exactly one JSON object.
func readJSON(body []byte) (*parameters, *apierror.Error) {
	if !utf8.Valid(body) {
		return nil, apierror.BadRequest("the request body is not UTF-8")
	}
	if !json.Valid(body) {
		return nil, apierror.BadRequest("the request body is not one JSON document")
	}
	if first := bytes.TrimLeft(body, " \t\r\n")[0]; first == '[' {
		return nil, apierror.BadRequest("the request body is a batch: send one operation a request")
	} else if first != '{' {
		return nil, apierror.BadRequest("the request body is not a JSON object")
	}
	return bodyParams(body)
}

// noRoomError is the error of a body that the gateway has no room for, which may be another time.
type noRoomError interface {
	error
	RetryAfter() time.Duration
}

// readAll reads the body, into no more memory than a small one takes.
func readAll(r *http.Request) ([]byte, error) {
	const trusted = 64 << 10
	if r.ContentLength < 0 || r.ContentLength > trusted {
		return io.ReadAll(r.Body)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// bodyParams reads the parameters from a valid JSON object. Names count in their exact spelling, and once.
func bodyParams(body []byte) (*parameters, *apierror.Error) {
	params := &parameters{}
	seen := make([]string, 0, 4)
	for name, value := range members(body) {
		var refusal *apierror.Error
		switch name {
		case "query":
			params.Query, refusal = text(name, value)
		case "documentId":
			params.documentID, refusal = text(name, value)
		case "operationName":
			params.OperationName, refusal = text(name, value)
		case "variables":
			params.Variables, refusal = object(name, value)
		case "extensions":
			params.Extensions, refusal = object(name, value)
		default:
			continue
		}
		if refusal == nil && slices.Contains(seen, name) {
			refusal = apierror.BadRequest("the parameter " + name + " occurs more than once")
		}
		if refusal != nil {
			return nil, refusal
		}
		seen = append(seen, name)
	}
	return params, nil
}

// members returns the members of a valid JSON object.
func members(object []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		rest := bytes.TrimLeft(object, space)[1:] // the brace
		for {
			rest = bytes.TrimLeft(rest, space+",")
			if rest[0] == '}' {
				return
			}
			end := valueEnd(rest)
			name, _ := text("", rest[:end])
			rest = bytes.TrimLeft(rest[end:], space+":")
			end = valueEnd(rest)
			if !yield(name, rest[:end]) {
				return
			}
			rest = rest[end:]
		}
	}
}

// space is JSON's white space.
const space = " \t\r\n"

// valueEnd returns the length of the value that valid JSON begins with.
func valueEnd(b []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
			continue
		case c == '"':
			quoted = !quoted
		case quoted:
			continue
		case c == '{' || c == '[':
			depth++
			continue
		case c == '}' || c == ']':
			if depth--; depth < 0 {
				return i
			}
		case depth == 0 && strings.IndexByte(space+",:", c) >= 0:
			return i
		default:
			continue
		}
		if depth == 0 && !quoted {
			return i + 1
		}
	}
	return len(b)
}

// text reads a parameter that is a string or null.
func text(name string, value []byte) (string, *apierror.Error) {
	if value[0] == '"' && bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), nil
	}
	var s *string
	if err := json.Unmarshal(value, &s); err != nil {
		return "", apierror.BadRequest("the parameter " + name + " is not a string")
	}
	if s == nil {
		return "", nil
	}
	return *s, nil
}

// object reads a parameter that is an object or null. Numbers keep their digits.
func object(name string, value []byte) (map[string]any, *apierror.Error) {
	var o map[string]any
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	if err := decoder.Decode(&o); err != nil {
		return nil, apierror.BadRequest("the parameter " + name + " is not an object")
	}
	return o, nil
}
