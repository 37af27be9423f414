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

// NewClient returns a client of the gateway at url, which sends the token over the transport.
func NewClient(url, token string, transport http.RoundTripper) graphql.Client {
	return graphql.NewClient(url, &http.Client{Transport: bearer{token, transport}})
}

type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context()) // a RoundTripper leaves the request as it is
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

// All returns every CVM, fetched size at a time. An error ends it.
func All(ctx context.Context, client graphql.Client, size int) iter.Seq2[Cvm, error] {
	return func(yield func(Cvm, error) bool) {
		var after *string
		for {
			answer, err := Cvms(ctx, client, size, after, nil, nil)
			if answer == nil || answer.Cvms == nil {
				yield(Cvm{}, err)
				return
			}
			// Where there is a page, an error is that of one value, which is nil.
			for _, cvm := range answer.Cvms.Nodes {
				if !yield(cvm, nil) {
					return
				}
			}
			if !answer.Cvms.PageInfo.HasNextPage {
				return
			}
			after = answer.Cvms.PageInfo.EndCursor
		}
	}
}

// Code returns what went wrong, such as UNAUTHENTICATED: the code of the first error that the gateway answered, "" for others.
func Code(err error) string {
	var list gqlerror.List
	if refused, ok := errors.AsType[*graphql.HTTPError](err); ok {
		list = refused.Response.Errors
	} else if !errors.As(err, &list) {
		return ""
	}
	if len(list) == 0 {
		return ""
	}
	code, _ := list[0].Extensions["code"].(string)
	return code
}
