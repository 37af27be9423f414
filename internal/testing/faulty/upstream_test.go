package faulty_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
)

func newServer(t *testing.T) (*faulty.Upstream, func(token, page string) int) {
	t.Helper()
	upstream := faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	return upstream, func(token, page string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+demo.ListPath+"?page="+page, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
}

func TestToken_failsTheSelectedCalls(t *testing.T) {
	t.Parallel()
	upstream, status := newServer(t)
	for when, want := range map[faulty.When][]int{
		faulty.Once:   {503, 200, 200},
		faulty.Twice:  {503, 503, 200},
		faulty.Always: {503, 503, 503},
		faulty.Later:  {200, 503, 200},
	} {
		token := upstream.Token("503-after-7", when, "x")
		var got []int
		for _, page := range []string{"1", "2", "1"} {
			got = append(got, status(token, page))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %d, want %d", when, got, want)
		}
		upstream.Repair(token)
		if got := status(token, "2"); got != 200 {
			t.Errorf("%s: got status %d after the repair, want 200", when, got)
		}
		if got := upstream.Calls(token); got != 4 {
			t.Errorf("%s: got %d calls, want 4", when, got)
		}
	}
	if got := status("healthy", "1"); got != 200 {
		t.Errorf("got status %d for a token without a fault, want 200", got)
	}
}

func TestToken_panicsForAnUnknownFault(t *testing.T) {
	t.Parallel()
	upstream, _ := newServer(t)
	for name, when := range map[string]faulty.When{"503": "never", "99": faulty.Once, "503-after-soon": faulty.Once, "": faulty.Always} {
		func() {
			defer func() { _ = recover() }()
			token := upstream.Token(name, when, "")
			t.Errorf("got token %s, want a panic", token)
		}()
	}
}

func TestFail_returnsThePageOfTheCaller(t *testing.T) {
	t.Parallel()
	list := demo.New(demo.Options{})
	upstream := faulty.New(list, "http://elsewhere.example")
	items := func(handler http.HandlerFunc) []any {
		request := httptest.NewRequest(http.MethodGet, demo.ListPath+"?page=2&page_size=10", nil)
		request.Header.Set("Authorization", "Bearer caller")
		recorder := httptest.NewRecorder()
		handler(recorder, request)
		var page struct{ Items []any }
		if err := json.Unmarshal(recorder.Body.Bytes(), &page); err != nil || len(page.Items) != 10 {
			t.Fatalf("got %.200s, %v, want a page of 10 items", recorder.Body, err)
		}
		return page.Items
	}
	own := items(list.ServeHTTP)
	failing := items(func(w http.ResponseWriter, r *http.Request) { upstream.Fail(w, r, "wrong-types") })
	if reflect.DeepEqual(failing[1], own[1]) {
		t.Errorf("got item %v, want one with wrong types", failing[1])
	}
	if failing[1] = own[1]; !reflect.DeepEqual(failing, own) {
		t.Errorf("got %v, want %v", failing, own)
	}
}
