// Package cvms lists confidential VMs through the gateway.
package cvms

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/Khan/genqlient/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

//go:generate go tool genqlient

// Credential is the header of a credential, by its name and value.
type Credential struct{ name, value string }

// APIKey returns the credential of an API key, such as phak_….
func APIKey(key string) Credential { return Credential{"X-API-Key", key} }

// Bearer returns the credential of an access token.
func Bearer(token string) Credential { return Credential{"Authorization", "Bearer " + token} }

// NewClient returns a client for the gateway at url. It sends the credential with each request,
// over transport, such as http.DefaultTransport.
func NewClient(url string, credential Credential, transport http.RoundTripper) graphql.Client {
	return graphql.NewClient(url, &http.Client{Transport: authorized{credential, transport}})
}

type authorized struct {
	credential Credential
	next       http.RoundTripper
}

func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context()) // a RoundTripper must not modify the request
	r.Header.Set(a.credential.name, a.credential.value)
	return a.next.RoundTrip(r)
}

// All returns every CVM and fetches size CVMs per request. It ends after the first error.
func All(ctx context.Context, client graphql.Client, size int) iter.Seq2[Cvm, error] {
	return func(yield func(Cvm, error) bool) {
		var after *string
		for {
			response, err := Cvms(ctx, client, size, after, nil, nil)
			if response == nil || response.Cvms == nil {
				yield(Cvm{}, err)
				return
			}
			// If there is a page, an error concerns single values, which are nil.
			for _, cvm := range response.Cvms.Nodes {
				if !yield(cvm, nil) {
					return
				}
			}
			if !response.Cvms.PageInfo.HasNextPage {
				return
			}
			after = response.Cvms.PageInfo.EndCursor
		}
	}
}

// Code returns the code of the first error in the gateway's response, such as UNAUTHENTICATED. It
// returns "" for other errors.
func Code(err error) string {
	var list gqlerror.List
	if httpErr, ok := errors.AsType[*graphql.HTTPError](err); ok {
		list = httpErr.Response.Errors
	} else if !errors.As(err, &list) {
		return ""
	}
	if len(list) == 0 {
		return ""
	}
	code, _ := list[0].Extensions["code"].(string)
	return code
}
