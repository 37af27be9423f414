package graph

import (
	"net/http"
	"strings"

	"cvmgraph/internal/apierror"
	"cvmgraph/restclient"
)

// maxCredential is the maximum length of a credential header, in bytes.
const maxCredential = 8 << 10

// Headers of the caller's credential. They are forwarded to the upstream.
const (
	headerAuthorization = "Authorization"
	headerAPIKey        = "X-API-Key"
	headerWorkspace     = "X-Phala-Workspace"
)

// credentialError returns the error of a request whose credential headers cannot be forwarded.
func credentialError(reason string) error {
	return apierror.New(apierror.CodeUnauthenticated, reason+`: send "Authorization: Bearer …" or "X-API-Key: …"`)
}

// credentialOf returns the caller's credential. The error is an *[apierror.Error].
func credentialOf(header http.Header) (restclient.Credential, error) {
	var h restclient.Headers
	for _, f := range []struct {
		name  string
		key   string // the name in canonical form
		value *string
	}{
		{headerAuthorization, headerAuthorization, &h.Authorization},
		{headerAPIKey, "X-Api-Key", &h.APIKey},
		{headerWorkspace, headerWorkspace, &h.Workspace},
	} {
		values := header[f.key]
		switch {
		case len(values) == 0:
			continue
		case len(values) > 1:
			return restclient.Credential{}, credentialError("the request has more than one " + f.name + " header")
		case len(values[0]) > maxCredential:
			return restclient.Credential{}, credentialError("the " + f.name + " header is longer than 8 KiB")
		case !printable(values[0]):
			return restclient.Credential{}, credentialError("the " + f.name + " header has characters other than printable ASCII")
		}
		*f.value = values[0]
	}
	if h.Authorization != "" {
		scheme, token, _ := strings.Cut(h.Authorization, " ")
		if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
			return restclient.Credential{}, credentialError("the Authorization header is not a bearer token")
		}
	}
	c := restclient.NewCredential(h)
	if c.IsZero() {
		return restclient.Credential{}, credentialError("the request has no credential")
	}
	return c, nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func hasCredential(header http.Header) bool {
	return len(header.Values(headerAuthorization)) > 0 || len(header.Values(headerAPIKey)) > 0
}
