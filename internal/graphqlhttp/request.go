package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"cvmgraph/internal/apierror"
)

// No error of this file repeats a part of the request.

// readRaw reads the part of a request that has the GraphQL parameters: the query string of a GET or
// the body of a POST.
func readRaw(r *http.Request) ([]byte, *apierror.Error) {
	switch r.Method {
	case http.MethodGet:
		return []byte(r.URL.RawQuery), nil
	case http.MethodPost:
		if err := checkContent(r.Header); err != nil {
			return nil, err
		}
		return readBody(r)
	default:
		return nil, &apierror.Error{
			Status: http.StatusMethodNotAllowed, Code: apierror.CodeBadRequest,
			Message: "the method of a GraphQL request is POST or GET",
		}
	}
}

// checkContent checks the headers of a POST's body.
func checkContent(header http.Header) *apierror.Error {
	if given := header["Content-Type"]; len(given) == 1 && given[0] == mediaJSON && header["Content-Encoding"] == nil {
		return nil
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != mediaJSON || len(header.Values("Content-Type")) > 1 {
		return unsupportedMedia("the body of a POST needs Content-Type: " + mediaJSON)
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupportedMedia("the body of a POST must be in UTF-8")
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupportedMedia("the body of a POST must not have a Content-Encoding")
	}
	return nil
}

func unsupportedMedia(message string) *apierror.Error {
	return &apierror.Error{Status: http.StatusUnsupportedMediaType, Code: apierror.CodeBadRequest, Message: message}
}

// overloadedError is the error of a body that the server cannot hold at the moment.
type overloadedError interface {
	error
	RetryAfter() time.Duration
}

// readBody reads the body of a POST.
func readBody(r *http.Request) ([]byte, *apierror.Error) {
	body, err := readAll(r)
	if err == nil {
		return body, nil
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &apierror.Error{
			Status: http.StatusRequestEntityTooLarge, Code: apierror.CodeTooComplex,
			Message: "the request body is too large", Limit: tooLarge.Limit,
		}
	}
	if overloaded, ok := errors.AsType[overloadedError](err); ok {
		return nil, &apierror.Error{
			Status: http.StatusServiceUnavailable, Code: apierror.CodeUnavailable,
			Message: overloaded.Error(), RetryAfter: overloaded.RetryAfter(),
		}
	}
	return nil, apierror.BadRequest("request body was truncated")
}

// readAll reads the body. It allocates no more than the size of a small body in advance.
func readAll(r *http.Request) ([]byte, error) {
	const small = 64 << 10
	if r.ContentLength < 0 || r.ContentLength > small {
		return io.ReadAll(r.Body)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// parameters are the parameters of a GraphQL request.
type parameters struct {
	graphql.RawParams
	// documentID is the ID of the document, if the request does not send it.
	documentID string
}

// readParams reads the parameters of a GraphQL request from its query string or body.
func readParams(method string, raw []byte) (*parameters, *apierror.Error) {
	read := readJSON
	if method == http.MethodGet {
		read = readURL
	}
	params, err := read(raw)
	if err != nil {
		return nil, err
	}
	if params.Query == "" && params.documentID == "" && params.Extensions["persistedQuery"] == nil {
		return nil, apierror.BadRequest("the parameter query is missing")
	}
	if params.OperationName != "" && !isName(params.OperationName) {
		return nil, apierror.BadRequest("the parameter operationName is not a name") // gqlgen would repeat it
	}
	return params, nil
}

// maxOperationName is the maximum length of an operation's name, in bytes.
const maxOperationName = 200

// isName reports whether s can be the name of an operation.
func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxOperationName
}

// readURL reads the parameters of a GET.
func readURL(rawQuery []byte) (*parameters, *apierror.Error) {
	values, parseErr := url.ParseQuery(string(rawQuery))
	if parseErr != nil {
		return nil, apierror.BadRequest("the query string of the URL is malformed")
	}
	for _, name := range []string{"query", "documentId", "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return nil, repeated(name)
		}
		if !utf8.ValidString(values.Get(name)) {
			return nil, apierror.BadRequest("the parameter " + name + " is not UTF-8")
		}
	}
	params := &parameters{documentID: values.Get("documentId")}
	params.Query, params.OperationName = values.Get("query"), values.Get("operationName")
	var err *apierror.Error
	if params.Variables, err = objectInURL(values, "variables"); err != nil {
		return nil, err
	}
	if params.Extensions, err = objectInURL(values, "extensions"); err != nil {
		return nil, err
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
	return objectParam(name, []byte(strings.TrimSpace(text)))
}

func repeated(name string) *apierror.Error {
	return apierror.BadRequest("the parameter " + name + " occurs more than once")
}

// readJSON reads the parameters of a POST: exactly one JSON object.
func readJSON(body []byte) (*parameters, *apierror.Error) {
	if !utf8.Valid(body) {
		return nil, apierror.BadRequest("the request body is not UTF-8")
	}
	if !json.Valid(body) {
		return nil, apierror.BadRequest("the request body is not one JSON document")
	}
	if first := bytes.TrimLeft(body, space)[0]; first == '[' {
		return nil, apierror.BadRequest("the request body is a batch: send one operation per request")
	} else if first != '{' {
		return nil, apierror.BadRequest("the request body is not a JSON object")
	}
	return bodyParams(body)
}
