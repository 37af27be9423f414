package restclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"cvmgraph/restclient"
)

func ExampleClient_ListCvms() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != "phak_example" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, `{"items": [
			{"hosted": {"id": "1a09d706", "status": "running"}, "name": "my-app", "memory": "lots"},
			{"hosted": null, "name": "being-made"}
		], "total": 2, "page": 1, "page_size": 30, "pages": 1}`)
	}))
	defer upstream.Close()

	client, err := restclient.New(restclient.Options{BaseURL: upstream.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	req := restclient.PageRequest{Page: 1, PageSize: 30}
	page, err := client.ListCvms(context.Background(), restclient.NewCredential(restclient.Headers{APIKey: "phak_example"}), req)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range page.Items {
		fmt.Println(*item.Cvm.Name, item.Cvm.VMID() != nil)
		for _, fault := range item.FieldErrors {
			fmt.Println("  not", fault.Want, "at", fault.Path)
		}
	}

	_, err = client.ListCvms(context.Background(), restclient.Credential{}, req)
	var status *restclient.StatusError
	if errors.As(err, &status) {
		fmt.Println(status)
	}
	// Output:
	// my-app true
	//   not an integer of 32 bits at [memory]
	// being-made false
	// upstream responded with status 401
}
