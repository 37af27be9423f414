package graph

import (
	"net/http"
	"strings"

	"cvmgraph/restclient"
)

// maxCredential is the length, in bytes, of the longest credential header that is forwarded.
const maxCredential = 8 << 10

// Headers that a caller's credential comes in, and that it is forwarded in.
const (
	headerAuthorization = "Authorization"
	headerAPIKey        = "X-API-Key"
	headerWorkspace     = "X-Phala-Workspace"
)

// credentialError says why a request's credential headers cannot be forwarded.
type credentialError struct{ reason string }

func (e *credentialError) Error() string {
	return e.reason + `: send "Authorization: Bearer <token>" or "X-API-Key: <key>"`
}

// credentialOf reads the caller's credential. The error is a *credentialError.
func credentialOf(header http.Header) (restclient.Credential, error) {
	var c restclient.Credential
	for _, h := range []struct {
		name  string
		key   string // name as net/http spells it
		value *string
	}{
		{headerAuthorization, headerAuthorization, &c.Authorization},
		{headerAPIKey, "X-Api-Key", &c.APIKey},
		{headerWorkspace, headerWorkspace, &c.Workspace},
	} {
		values := header[h.key]
		switch {
		case len(values) == 0:
			continue
		case len(values) > 1:
			return restclient.Credential{}, &credentialError{"the request has more than one " + h.name + " header"}
		case len(values[0]) > maxCredential:
			return restclient.Credential{}, &credentialError{"the " + h.name + " header is longer than 8 KiB"}
		case !printable(values[0]):
			return restclient.Credential{}, &credentialError{"the " + h.name + " header has characters other than printable ASCII"}
		}
		*h.value = values[0]
	}
	if c.Authorization != "" {
		scheme, token, _ := strings.Cut(c.Authorization, " ")
		if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
			return restclient.Credential{}, &credentialError{"the Authorization header is not a bearer token"}
		}
	}
	if c.IsZero() {
		return restclient.Credential{}, &credentialError{"the request has no credential"}
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
