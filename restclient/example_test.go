package restclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"cvmgraph/restclient"
)

// exampleUpstream is an upstream with three CVMs, on pages of two, for the key phak_example.
func exampleUpstream(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-API-Key") != "phak_example" {
		w.Header().Set("X-Request-Id", "req_1")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	items := `{"hosted": {"id": "1a09d706", "status": "running"}, "name": "my-app", "memory": "lots"},
		{"hosted": null, "name": "starting"}`
	page := r.URL.Query().Get("page")
	if page == "2" {
		items = `{"hosted": {"id": "7c4e1f20", "status": "exited"}, "name": "old-app", "memory": 2048}`
	}
	_, _ = fmt.Fprintf(w, `{"items": [%s], "total": 3, "page": %s, "page_size": 2, "pages": 2}`, items, page)
}

func Example() {
	upstream := httptest.NewServer(http.HandlerFunc(exampleUpstream))
	defer upstream.Close()

	client, err := restclient.New(restclient.Options{BaseURL: upstream.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	credential := restclient.NewCredential(restclient.Headers{APIKey: "phak_example"})
	page, err := client.ListCvms(context.Background(), credential, restclient.PageRequest{Page: 1, PageSize: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Total, "CVMs")
	for _, item := range page.Items {
		fmt.Println(*item.Cvm.Name, item.Cvm.VMID != nil)
	}
	// Output:
	// 3 CVMs
	// my-app true
	// starting false
}

// Walk all pages of the list.
func ExampleClient_ListCvms() {
	upstream := httptest.NewServer(http.HandlerFunc(exampleUpstream))
	defer upstream.Close()
	client, err := restclient.New(restclient.Options{BaseURL: upstream.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	credential := restclient.NewCredential(restclient.Headers{APIKey: "phak_example"})
	request := restclient.PageRequest{Page: 1, PageSize: 2}
	for seen := 0; ; request.Page++ {
		page, err := client.ListCvms(context.Background(), credential, request)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, item := range page.Items {
			fmt.Println(*item.Cvm.Name)
		}
		if seen += len(page.Items); len(page.Items) == 0 || seen >= page.Total {
			break
		}
	}
	// Output:
	// my-app
	// starting
	// old-app
}

// Handle the errors of a call.
func ExampleClient_ListCvms_errors() {
	upstream := httptest.NewServer(http.HandlerFunc(exampleUpstream))
	defer upstream.Close()
	client, err := restclient.New(restclient.Options{BaseURL: upstream.URL, Timeout: 5 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	request := restclient.PageRequest{Page: 1, PageSize: 2}
	_, err = client.ListCvms(context.Background(), restclient.Credential{}, request)
	var (
		status      *restclient.StatusError
		unavailable *restclient.UnavailableError
	)
	switch {
	case err == nil:
		fmt.Println("a page")
	case errors.As(err, &status):
		fmt.Println(err, status.RequestID)
	case errors.As(err, &unavailable):
		fmt.Println(err, "retry after", unavailable.RetryAfter)
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("too slow:", err)
	default: // a *NetworkError, an *InvalidResponseError, an *ArgumentError, or a canceled context
		fmt.Println(err)
	}
	// Output: upstream responded with status 401 req_1
}

// A value of the wrong type does not fail the page. It is nil, and has a field error.
func ExampleFieldError() {
	item, err := restclient.ShapeHosted.DecodeItem([]byte(`{"name": "my-app", "memory": "lots"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*item.Cvm.Name, item.Cvm.Memory == nil)
	for _, e := range item.FieldErrors {
		fmt.Println(e.Path, "should be", e.Want)
	}
	// Output:
	// my-app true
	// [memory] should be an integer of 32 bits
}

// A credential is never printed. Only Headers returns its content.
func ExampleCredential() {
	credential := restclient.NewCredential(restclient.Headers{Authorization: "Bearer token"})
	fmt.Println(credential, credential.IsZero())
	fmt.Println(credential.Headers().Authorization)
	// Output:
	// [redacted] false
	// Bearer token
}
