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

// pageSize makes many pages of the demo's changing list.
const pageSize = 4

func endpoint(t *testing.T) string {
	t.Helper()
	base := os.Getenv("GATEWAY_URL")
	if base == "" {
		t.Fatal("GATEWAY_URL is missing: it must name a gateway that runs with --demo, such as http://127.0.0.1:8080")
	}
	return strings.TrimRight(base, "/") + "/graphql"
}

// recorder keeps what extensions.pagination said of each answer.
type recorder struct {
	answers, realigned int
	inexact            int
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
	var answer struct {
		Extensions struct {
			Pagination []struct{ Exact bool }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	r.answers++
	if len(answer.Extensions.Pagination) > 0 {
		r.realigned++
	}
	for _, p := range answer.Extensions.Pagination {
		if !p.Exact {
			r.inexact++
		}
	}
	return response, nil
}

// whole returns the ids of the whole list, which one page of the upstream holds.
func whole(t *testing.T, client graphql.Client) map[string]bool {
	t.Helper()
	answer, err := cvms.Cvms(t.Context(), client, 100, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Cvms.PageInfo.HasNextPage {
		t.Fatal("got a part of the list, want all of it on one page")
	}
	ids := map[string]bool{}
	for _, cvm := range answer.Cvms.Nodes {
		ids[cvm.Id] = true
	}
	return ids
}

func TestAllReturnsWhatStayedExactlyOnce(t *testing.T) {
	t.Parallel()
	var record recorder
	token := "changing-" + rand.Text()
	client := cvms.NewClient(endpoint(t), token, &record)
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
			t.Errorf("%s stayed, and was not seen", id)
		default:
			stayed++
		}
	}
	t.Logf("of %d CVMs %d stayed; %d are there in the end; %d of %d pages were re-aligned",
		len(before), stayed, len(after), walk.realigned, walk.answers)
	if stayed < 30 || gone == 0 || len(after) == stayed {
		t.Errorf("got %d that stayed, %d that went and %d that came, want a list that changes", stayed, gone, len(after)-stayed)
	}
	if walk.answers < 15 || walk.realigned == 0 || walk.inexact > 0 {
		t.Errorf("got %d pages, %d re-aligned, %d inexact; want many, some, none", walk.answers, walk.realigned, walk.inexact)
	}
}

func TestAllStopsWhereItsCallerDoes(t *testing.T) {
	t.Parallel()
	var record recorder
	for range cvms.All(t.Context(), cvms.NewClient(endpoint(t), rand.Text(), &record), pageSize) {
		break
	}
	if record.answers != 1 {
		t.Errorf("got %d requests, want 1", record.answers)
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		token, path string
		size        int
		code        string
	}{
		"a refused token":  {"invalid", "", 1, "UNAUTHENTICATED"},
		"too large a page": {"a", "", 100_000, "BAD_USER_INPUT"},
		"another path":     {"a", "/nothing", 1, "NOT_FOUND"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := cvms.NewClient(endpoint(t)+test.path, test.token, http.DefaultTransport)
			items := 0
			var err error
			for _, err = range cvms.All(t.Context(), client, test.size) {
				items++
			}
			if err == nil || items != 1 {
				t.Fatalf("got %d items and error %v, want an error alone", items, err)
			}
			if got := cvms.Code(err); got != test.code {
				t.Errorf("got code %q of %v, want %q", got, err, test.code)
			}
		})
	}

	t.Run("no gateway", func(t *testing.T) {
		t.Parallel()
		_, err := cvms.Cvms(t.Context(), cvms.NewClient("http://127.0.0.1:1/graphql", "a", http.DefaultTransport), 1, nil, nil, nil)
		if got := cvms.Code(err); got != "" || err == nil {
			t.Errorf("got code %q of %v, want an error without code", got, err)
		}
	})

	t.Run("an invalid operation", func(t *testing.T) {
		t.Parallel()
		client := cvms.NewClient(endpoint(t), "a", http.DefaultTransport)
		err := client.MakeRequest(t.Context(), &graphql.Request{Query: "{ nothing }"}, &graphql.Response{})
		if got, want := cvms.Code(err), "GRAPHQL_VALIDATION_FAILED"; got != want {
			t.Errorf("got code %q of %v, want %q", got, err, want)
		}
	})
}
