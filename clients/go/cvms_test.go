package cvms_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/Khan/genqlient/graphql"

	cvms "cvmgraph/clients/go"
)

// pageSize is small, so that the demo's changing list has many pages.
const pageSize = 4

func endpoint(t *testing.T) string {
	t.Helper()
	base := os.Getenv("GATEWAY_URL")
	if base == "" {
		t.Fatal("GATEWAY_URL is missing: it must name a gateway that runs with --demo, such as http://127.0.0.1:8080")
	}
	return strings.TrimRight(base, "/") + "/graphql"
}

// recorder counts responses, and the reports in their extensions.pagination.
type recorder struct {
	responses, realigned int
	inexact              int
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	var result struct {
		Extensions struct {
			Pagination []struct{ Exact bool }
		}
	}
	if err := json.Unmarshal(body, &result); err != nil {
		return nil, err
	}
	r.responses++
	if len(result.Extensions.Pagination) > 0 {
		r.realigned++
	}
	for _, p := range result.Extensions.Pagination {
		if !p.Exact {
			r.inexact++
		}
	}
	return response, nil
}

// whole returns the ids of the whole list, which fits on one page of the upstream.
func whole(t *testing.T, client graphql.Client) map[string]bool {
	t.Helper()
	response, err := cvms.Cvms(t.Context(), client, 100, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.Cvms.PageInfo.HasNextPage {
		t.Fatal("got a part of the list, want the whole list on one page")
	}
	ids := map[string]bool{}
	for _, cvm := range response.Cvms.Nodes {
		ids[cvm.Id] = true
	}
	return ids
}

func TestAll_changingList(t *testing.T) {
	t.Parallel()
	var record recorder
	token := "changing-" + rand.Text()
	client := cvms.NewClient(endpoint(t), cvms.Bearer(token), &record)
	before := whole(t, client)
	record = recorder{}
	seen := map[string]int{}
	for cvm, err := range cvms.All(t.Context(), client, pageSize) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[cvm.Id]++; seen[cvm.Id] > 1 {
			t.Errorf("got %s %d times, want it once", cvm.Id, seen[cvm.Id])
		}
	}
	walk := record
	after := whole(t, client)

	stayed, gone := 0, 0
	for id := range before {
		switch {
		case !after[id]:
			gone++
		case seen[id] == 0:
			t.Errorf("%s remained in the list and was not returned", id)
		default:
			stayed++
		}
	}
	t.Logf("%d CVMs before, %d of them remained; %d CVMs after; %d of %d pages were realigned",
		len(before), stayed, len(after), walk.realigned, walk.responses)
	if stayed < 30 || gone == 0 || len(after) == stayed {
		t.Errorf("got %d CVMs that remained, %d removed and %d added, want a list that changes", stayed, gone, len(after)-stayed)
	}
	if walk.responses < 15 || walk.realigned == 0 || walk.inexact > 0 {
		t.Errorf("got %d pages, %d realigned, %d inexact; want at least 15, at least 1, and 0", walk.responses, walk.realigned, walk.inexact)
	}
}

func TestAll_callerBreaks(t *testing.T) {
	t.Parallel()
	var record recorder
	for range cvms.All(t.Context(), cvms.NewClient(endpoint(t), cvms.APIKey(rand.Text()), &record), pageSize) {
		break
	}
	if record.responses != 1 {
		t.Errorf("got %d requests, want 1", record.responses)
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		token, path string
		size        int
		code        string
	}{
		"a rejected token":         {token: "invalid", size: 1, code: "UNAUTHENTICATED"},
		"a page that is too large": {token: "a", size: 100_000, code: "BAD_USER_INPUT"},
		"another path":             {token: "a", path: "/nothing", size: 1, code: "NOT_FOUND"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := cvms.NewClient(endpoint(t)+test.path, cvms.Bearer(test.token), http.DefaultTransport)
			items := 0
			var err error
			for _, err = range cvms.All(t.Context(), client, test.size) {
				items++
			}
			if err == nil || items != 1 {
				t.Fatalf("got %d items and error %v, want only an error", items, err)
			}
			if got := cvms.Code(err); got != test.code {
				t.Errorf("got code %q of %v, want %q", got, err, test.code)
			}
		})
	}

	t.Run("no gateway", func(t *testing.T) {
		t.Parallel()
		_, err := cvms.Cvms(t.Context(), cvms.NewClient("http://127.0.0.1:1/graphql", cvms.APIKey("a"), http.DefaultTransport), 1, nil, nil, nil)
		if got := cvms.Code(err); got != "" || err == nil {
			t.Errorf("got code %q of %v, want an error without a code", got, err)
		}
	})

	t.Run("an invalid operation", func(t *testing.T) {
		t.Parallel()
		client := cvms.NewClient(endpoint(t), cvms.APIKey("a"), http.DefaultTransport)
		err := client.MakeRequest(t.Context(), &graphql.Request{Query: "{ nothing }"}, &graphql.Response{})
		if got, want := cvms.Code(err), "GRAPHQL_VALIDATION_FAILED"; got != want {
			t.Errorf("got code %q of %v, want %q", got, err, want)
		}
	})
}
