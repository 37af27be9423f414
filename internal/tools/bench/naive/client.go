package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"cvmgraph/internal/tools/bench/naive/model"
)

// client fetches pages of the REST API.
type client struct {
	http *http.Client
	base string
}

// newClient returns a client with up to 64 idle connections. With the default of 2, almost every
// call would open a connection.
func newClient(base string) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &client{http: &http.Client{Transport: transport}, base: base}
}

func (c *client) page(ctx context.Context, authorization string, key pageKey) (*model.Page, error) {
	url := fmt.Sprintf("%s/cvms/paginated?page=%d&page_size=%d", c.base, key.page, key.size)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("X-Phala-Version", "2025-10-28")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the upstream returned status %d", response.StatusCode)
	}
	page := new(model.Page)
	if err := json.NewDecoder(response.Body).Decode(page); err != nil {
		return nil, err
	}
	return page, nil
}
