package restclient_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"cvmgraph/restclient"
)

// statusErrors are responses and their errors.
var statusErrors = map[string]struct {
	header map[string]string
	body   string
	want   restclient.StatusError
}{
	"a string as detail": {body: `{"detail":"Authentication required, s3cret"}`, want: restclient.StatusError{StatusCode: 401}},
	"a list of invalid parameters": {
		body: `{"detail":[{"loc":["query","page_size"],"msg":"s3cret","type":"less_than_equal","input":"101","ctx":{"le":100}},
			{"loc":["query","user_id"]},{"loc":["query","page_size"]},{"loc":["query","s3cret"]},{"loc":["query",0]},{"loc":"page"},7]}`,
		want: restclient.StatusError{StatusCode: 422, Params: []string{"page_size", "user_id"}},
	},
	"an object with a code": {
		body: `{"detail":{"message":"s3cret","code":"ERR-03-005"}}`,
		want: restclient.StatusError{StatusCode: 404, Code: "ERR-03-005"},
	},
	"an object with another code": {body: `{"detail":{"message":"s3cret","code":"s3cret"}}`, want: restclient.StatusError{StatusCode: 403}},
	"the structured error": {
		header: map[string]string{"X-Request-ID": "req_1-a"},
		body: `{"error_code":"ERR-03-001","message":"s3cret","details":[{"field":"teepod_id","value":"s3cret","message":"s3cret"},{"field":"name"}],
			"suggestions":[],"links":[{"url":"https://s3cret","label":"s3cret"}],"request_id":"req_2"}`,
		want: restclient.StatusError{StatusCode: 404, Code: "ERR-03-001", Params: []string{"teepod_id"}, RequestID: "req_1-a"},
	},
	"the structured error in detail": {
		body: `{"detail":{"error_code":"ERR-03-004","message":"s3cret","details":[{"field":"page"}],"request_id":"req_2"}}`,
		want: restclient.StatusError{StatusCode: 404, Code: "ERR-03-004", Params: []string{"page"}, RequestID: "req_2"},
	},
	"a structured error of the wrong types": {
		header: map[string]string{"X-Request-ID": "s3cret and more"},
		body:   `{"error_code":3,"code":"ERR-1-1 s3cret","details":{"field":"page"},"detail":{"details":["page"],"error_code":null},"request_id":["s3cret"],"retry_after":["5"]}`,
		want:   restclient.StatusError{StatusCode: 400},
	},
	"a version":                     {body: `{"detail":"Unsupported API version"}`, want: restclient.StatusError{StatusCode: 400, VersionRefused: true}},
	"a version that was withdrawn":  {body: `{"detail":{"message":"VERSION 2025-10-28 s3cret"}}`, want: restclient.StatusError{StatusCode: 410, VersionRefused: true}},
	"a version in a message":        {body: `{"message":"no such version."}`, want: restclient.StatusError{StatusCode: 404, VersionRefused: true}},
	"a version in a field":          {body: `{"detail":{"details":[{"field":"api_version"}]}}`, want: restclient.StatusError{StatusCode: 406, VersionRefused: true}},
	"a version as a header":         {body: `{"detail":[7,{"loc":["header","x-phala-version"]}]}`, want: restclient.StatusError{StatusCode: 422, VersionRefused: true}},
	"another word with version":     {body: `{"detail":"conversion, versions, versioned"}`, want: restclient.StatusError{StatusCode: 400}},
	"a version in an invalid input": {body: `{"detail":[{"loc":["query","x"],"input":"a version"}]}`, want: restclient.StatusError{StatusCode: 422}},
	"a version with 401":            {body: `{"detail":"version"}`, want: restclient.StatusError{StatusCode: 401}},
	"a version with 500":            {body: `{"detail":"version"}`, want: restclient.StatusError{StatusCode: 500}},
	"a version of a CDN":            {body: `{"detail":"version","cloudflare_error":true}`, want: restclient.StatusError{StatusCode: 400, Intermediary: true}},
	"a wait in the body": {
		body: `{"detail":"KMS service temporarily unavailable","retry_after":30}`,
		want: restclient.StatusError{StatusCode: 503, RetryAfter: 30 * time.Second},
	},
	"a wait as a string":               {body: `{"retry_after":"30"}`, want: restclient.StatusError{StatusCode: 503, RetryAfter: 30 * time.Second}},
	"a wait in detail":                 {body: `{"detail":{"retry_after":"7.5"}}`, want: restclient.StatusError{StatusCode: 429, RetryAfter: 7500 * time.Millisecond}},
	"a wait in words":                  {body: `{"retry_after":"30 s3cret"}`, want: restclient.StatusError{StatusCode: 503}},
	"a wait as a hexadecimal string":   {body: `{"retry_after":"0x10"}`, want: restclient.StatusError{StatusCode: 503}},
	"a negative wait as a string":      {body: `{"retry_after":"-30"}`, want: restclient.StatusError{StatusCode: 503}},
	"a number alone with 429":          {body: "90\n", want: restclient.StatusError{StatusCode: 429, RetryAfter: 90 * time.Second, Intermediary: true}},
	"a number in quotes with 503":      {body: `"90"`, want: restclient.StatusError{StatusCode: 503, RetryAfter: 90 * time.Second, Intermediary: true}},
	"a number alone and in the header": {header: map[string]string{"Retry-After": "7"}, body: "90", want: restclient.StatusError{StatusCode: 429, RetryAfter: 7 * time.Second, Intermediary: true}},
	"a number alone with 500":          {body: "90", want: restclient.StatusError{StatusCode: 500, Intermediary: true}},
	"the status alone":                 {body: "503", want: restclient.StatusError{StatusCode: 503, Intermediary: true}},
	"a request ID that is a UUID": {
		header: map[string]string{"X-Request-ID": "1a09d706-2686-4e0a-8b1d-323ff0e3504b"},
		want:   restclient.StatusError{StatusCode: 502, RequestID: "1a09d706-2686-4e0a-8b1d-323ff0e3504b", Intermediary: true},
	},
	"a request ID that is hexadecimal": {
		body: `{"request_id":"1a09d70626864e0a8b1d323ff0e3504b"}`,
		want: restclient.StatusError{StatusCode: 502, RequestID: "1a09d70626864e0a8b1d323ff0e3504b"},
	},
	"a request ID that is an address":   {header: map[string]string{"X-Request-ID": "10.0.0.1:8080"}, want: restclient.StatusError{StatusCode: 502, Intermediary: true}},
	"a request ID that is a host":       {header: map[string]string{"X-Request-ID": "s3cret.internal"}, want: restclient.StatusError{StatusCode: 502, Intermediary: true}},
	"a request ID that is too long":     {header: map[string]string{"X-Request-ID": strings.Repeat("a", 65)}, want: restclient.StatusError{StatusCode: 502, Intermediary: true}},
	"a request ID that is an API key":   {header: map[string]string{"X-Request-ID": "phak_s3cret"}, want: restclient.StatusError{StatusCode: 502, Intermediary: true}},
	"a request ID that is a credential": {header: map[string]string{"X-Request-ID": "req_s3cret"}, want: restclient.StatusError{StatusCode: 502, Intermediary: true}},
	"a long wait in the body":           {body: `{"retry_after":1e300}`, want: restclient.StatusError{StatusCode: 503, RetryAfter: time.Hour}},
	"a negative wait in the body":       {body: `{"retry_after":-1e300}`, want: restclient.StatusError{StatusCode: 503}},
	"a wait in the header and in the body": {
		header: map[string]string{"Retry-After": "7"},
		body:   `{"detail":"x","retry_after":30}`,
		want:   restclient.StatusError{StatusCode: 503, RetryAfter: 7 * time.Second},
	},
	"too many requests": {
		header: map[string]string{"Retry-After": "7200"},
		body:   `{"detail":"s3cret"}`,
		want:   restclient.StatusError{StatusCode: 429, RetryAfter: time.Hour},
	},
	"HTML with 403": {
		header: map[string]string{"Content-Type": "text/html"},
		body:   `<html>error code: 1010 s3cret</html>`,
		want:   restclient.StatusError{StatusCode: 403, Intermediary: true},
	},
	"plain text with 403": {
		header: map[string]string{"Content-Type": "text/plain; charset=UTF-8", "CF-Ray": "8f1c2d3e4f5a6b7c-FRA"},
		body:   `error code: 1010`,
		want:   restclient.StatusError{StatusCode: 403, RequestID: "8f1c2d3e4f5a6b7c-FRA", Intermediary: true},
	},
	"a CDN's JSON with 403": {
		header: map[string]string{"Content-Type": "application/json", "CF-Ray": "s3cret and more"},
		body:   `{"detail":"s3cret","error_code":1010,"cloudflare_error":true}`,
		want:   restclient.StatusError{StatusCode: 403, Intermediary: true},
	},
	"nothing with 403":       {want: restclient.StatusError{StatusCode: 403, Intermediary: true}},
	"a number with 403":      {body: `403`, want: restclient.StatusError{StatusCode: 403, Intermediary: true}},
	"null with 403":          {body: `null`, want: restclient.StatusError{StatusCode: 403, Intermediary: true}},
	"an object with 403":     {body: ` {"detail":"s3cret"} `, want: restclient.StatusError{StatusCode: 403}},
	"a long object with 403": {body: ` {"detail":"` + strings.Repeat("s3cret", 20_000) + `"}`, want: restclient.StatusError{StatusCode: 403}},
	"HTML with 502":          {body: `<html>s3cret</html>`, want: restclient.StatusError{StatusCode: 502, Intermediary: true}},
	"nothing":                {want: restclient.StatusError{StatusCode: 500, Intermediary: true}},
	"a list":                 {body: `["s3cret"]`, want: restclient.StatusError{StatusCode: 500, Intermediary: true}},
	"a truncated document":   {body: `{"error_code":"ERR-03-001","message":"s3cr`, want: restclient.StatusError{StatusCode: 500, Intermediary: true}},
	"another 2xx":            {body: string(pageOf(1, []byte(`{}`))), want: restclient.StatusError{StatusCode: 206}},
	"an unknown status":      {want: restclient.StatusError{StatusCode: 799, Intermediary: true}},
	"a code after 64 KB": {
		body: `{"message":"` + strings.Repeat("s3cret", 20_000) + `","error_code":"ERR-03-001"}`,
		want: restclient.StatusError{StatusCode: 404},
	},
}

func TestStatusError_details(t *testing.T) {
	t.Parallel()
	for name, tt := range statusErrors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
				for key, value := range tt.header {
					w.Header().Set(key, value)
				}
				w.WriteHeader(tt.want.StatusCode)
				_, _ = w.Write([]byte(tt.body))
			})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // shorter than every wait here
			defer cancel()
			_, err := client.ListCvms(ctx, restclient.NewCredential(restclient.Headers{Authorization: "Bearer s3cret", APIKey: "req_s3cret"}), onePage)
			got := statusOf(t, err, tt.want.StatusCode)
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got %+v, want %+v", *got, tt.want)
			}
			if shown := fmt.Sprintf("%v %+v %#v", err, *got, got); strings.Contains(shown, "s3cret") || strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("got %s, want nothing of the body, the address or the credential", shown)
			}
		})
	}
}

// TestStatusError_keyAsToken sends API keys and tokens in both headers.
func TestStatusError_keyAsToken(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"detail":"Invalid or expired token"}`)
	})
	for headers, want := range map[restclient.Headers]bool{
		{Authorization: "Bearer phak_s3cret"}:                        true,
		{Authorization: "bearer  phak_s3cret "}:                      true,
		{Authorization: "Bearer phak_s3cret", APIKey: "phak_s3cret"}: true,
		{Authorization: "Bearer eyJ.s3cret"}:                         false,
		{Authorization: "Bearer x-phak_s3cret"}:                      false,
		{APIKey: "phak_s3cret"}:                                      false,
		{Authorization: "phak_s3cret"}:                               false,
		{}:                                                           false,
	} {
		_, err := client.ListCvms(t.Context(), restclient.NewCredential(headers), onePage)
		got := statusOf(t, err, http.StatusUnauthorized)
		if got.KeyAsToken != want || got.Intermediary || !got.RejectsCredential() {
			t.Errorf("%+v: got %+v, want a rejected credential, and KeyAsToken %t", headers, got, want)
		}
		if shown := fmt.Sprintf("%v %+v %#v", err, *got, got); strings.Contains(shown, "s3cret") {
			t.Errorf("got %s, want nothing of the credential", shown)
		}
	}
}

// TestStatusError_versionOfCaller repeats the caller's words in errors that are about no version.
func TestStatusError_versionOfCaller(t *testing.T) {
	t.Parallel()
	for detail, want := range map[string]bool{
		"User usr_version not found":                     false,
		"Workspace my-version not found":                 false,
		"No version for usr_version and my-version":      true,
		"User usr_version not found, version 2025-10-28": true,
	} {
		client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprintf(w, `{"detail":%q}`, detail)
		})
		request := onePage
		request.Filter.UserID = "usr_version"
		_, err := client.ListCvms(t.Context(), restclient.NewCredential(restclient.Headers{APIKey: "k", Workspace: "my-version"}), request)
		if got := statusOf(t, err, http.StatusNotFound); got.VersionRefused != want {
			t.Errorf("%s: got %t, want %t", detail, got.VersionRefused, want)
		}
	}
}

func TestStatusError_mayRefuseVersion(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  restclient.StatusError
		want bool
	}{
		"a version is mentioned":       {err: restclient.StatusError{StatusCode: 404, Code: "ERR-03-001", VersionRefused: true}, want: true},
		"no reason":                    {err: restclient.StatusError{StatusCode: 400}, want: true},
		"no such route":                {err: restclient.StatusError{StatusCode: 404}, want: true},
		"not acceptable":               {err: restclient.StatusError{StatusCode: 406}, want: true},
		"gone":                         {err: restclient.StatusError{StatusCode: 410}, want: true},
		"a code":                       {err: restclient.StatusError{StatusCode: 422, Code: "ERR-01-001"}, want: true},
		"a parameter":                  {err: restclient.StatusError{StatusCode: 422, Params: []string{"user_id"}}},
		"no such workspace":            {err: restclient.StatusError{StatusCode: 404, Code: "ERR-03-003"}},
		"something in front":           {err: restclient.StatusError{StatusCode: 404, Intermediary: true}},
		"the credential":               {err: restclient.StatusError{StatusCode: 401}},
		"the credential's permissions": {err: restclient.StatusError{StatusCode: 403}},
		"too many requests":            {err: restclient.StatusError{StatusCode: 429}},
		"an outage":                    {err: restclient.StatusError{StatusCode: 503}},
	} {
		if got := test.err.MayRefuseVersion(); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}

func TestStatusError_noContent(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
	wantStatus(t, err, http.StatusNoContent)
}

func TestStatusError_compressionBomb(t *testing.T) {
	t.Parallel()
	bomb := bombOf(t, 100)
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(bomb))
	})
	_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
	wantStatus(t, err, http.StatusInternalServerError)
}

func TestStatusError_truncatedBody(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte(`{"detail"`))
	})
	_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
	wantStatus(t, err, http.StatusBadGateway)
}

// TestStatusError_switchingProtocols checks that the client does not read the connection, which is
// the body and stays open.
func TestStatusError_switchingProtocols(t *testing.T) {
	t.Parallel()
	client := clientOf(t, hangUp(func(c *net.TCPConn) {
		_, _ = c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"))
		_, _ = io.Copy(io.Discard, c)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
	wantStatus(t, err, http.StatusSwitchingProtocols)
}
