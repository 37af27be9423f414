package graphqlhttp

// These tests are in the package because they compare the parameters of a request, which no
// response shows.

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"cvmgraph/internal/apierror"
)

var bodies = []string{
	`{"query":"{ __typename }"}`,
	` { "query" : "{ cvms { totalCount } }" , "variables" : { "a" : [ 1.50 , "}" , { } ] } , "operationName" : null } `,
	`{"query":"\u007b __typename \ud83d\ude00}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
	`{"qu\u0065ry":"a","query":"b"}`, `{"Query":"a","variables":null,"variables":{}}`, `{"query":7}`, `{"variables":[]}`, `{"a":"\\\"","query":"\\"}`,
	`[]`, `null`, `{}`, `{"query":"a",}`, `{"query":"a"}{}`, "{\"query\":\"\xff\"}", `{"a":{"query":"no"},"b":[{"query":"no"}],"query":"yes"}`, `{"variables":{"a":1e999,"a":-0}}`,
	`{"documentId":"sha256:x","query":null}`, `{"documentId":"a","documentId":"b"}`, `{"documentId":7}`,
}

// FuzzBody compares the reader of a body with encoding/json.
func FuzzBody(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := readJSON(body)
		want, ok := oracleParams(body)
		if ok != (err == nil) || ok && !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v, want %+v, %v", got, err, want, ok)
		}
		if err != nil && (err.Status != http.StatusBadRequest || err.Code != apierror.CodeBadRequest) {
			t.Errorf("got %+v, want a bad request", err)
		}
	})
}

// oracleParams reads parameters with encoding/json. It returns false for a body that must be
// rejected.
func oracleParams(body []byte) (_ *parameters, ok bool) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if !utf8.Valid(body) || !json.Valid(body) || trimmed[0] != '{' {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	_, _ = decoder.Token() // the brace
	params := &parameters{}
	places := map[string]any{
		"query": &params.Query, "documentId": &params.documentID, "operationName": &params.OperationName,
		"variables": &params.Variables, "extensions": &params.Extensions,
	}
	for decoder.More() {
		name, _ := decoder.Token()
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, false
		}
		place, known := places[name.(string)]
		if !known {
			continue
		}
		if place == nil { // it occurred before
			return nil, false
		}
		places[name.(string)] = nil
		numbers := json.NewDecoder(bytes.NewReader(value))
		numbers.UseNumber()
		if numbers.Decode(place) != nil {
			return nil, false
		}
	}
	return params, true
}

// FuzzURL compares the reader of a query string with that of a body with the same parameters.
func FuzzURL(f *testing.F) {
	for _, query := range []string{
		"query=%7B__typename%7D", "query={a}&variables={\"a\":1}&operationName=B", "query=a&query=b", "variables=[]", "variables=+%7B%7D+", "extensions=null", "x=%zz", "query=%ff", "a;b", "variables={}{}", "query=%00&x", "documentId=a", "documentId=a&documentId=a",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := readURL([]byte(query))
		want, ok := oracleURL(query)
		if ok != (err == nil) || ok && !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v, want %+v, %v", got, err, want, ok)
		}
	})
}

// oracleURL reads parameters as a body. It ignores empty parameters.
func oracleURL(query string) (_ *parameters, ok bool) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, false
	}
	var members []string
	for _, name := range []string{"query", "documentId", "operationName", "variables", "extensions"} {
		for _, value := range values[name] {
			if !utf8.ValidString(value) {
				return nil, false
			}
			switch {
			case name == "query" || name == "documentId" || name == "operationName":
				quoted, _ := json.Marshal(value) // always has JSON
				value = string(quoted)
			case value == "" && len(values[name]) == 1:
				value = "null"
			case !json.Valid([]byte(value)):
				return nil, false
			}
			members = append(members, `"`+name+`":`+value)
		}
	}
	return oracleParams([]byte("{" + strings.Join(members, ",") + "}"))
}
