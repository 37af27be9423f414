package restclient_test

import (
	"crypto/tls"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"cvmgraph/restclient"
)

func TestClient_request(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cred    restclient.Credential
		req     restclient.PageRequest
		query   string
		headers map[string]string // in addition to those of every request
	}{
		"a bearer": {
			cred:    restclient.NewCredential(restclient.Headers{Authorization: "Bearer t0ken"}),
			req:     restclient.PageRequest{Page: 1, PageSize: 1},
			query:   "page=1&page_size=1",
			headers: map[string]string{"Authorization": "Bearer t0ken"},
		},
		"a key, a workspace and a filter": {
			cred:    restclient.NewCredential(restclient.Headers{APIKey: "phak_x", Workspace: "team"}),
			req:     restclient.PageRequest{Page: 7, PageSize: 100, Filter: restclient.Filter{NodeID: 18, UserID: "usr_a&b=c d"}},
			query:   "page=7&page_size=100&teepod_id=18&user_id=usr_a%26b%3Dc+d",
			headers: map[string]string{"X-Api-Key": "phak_x", "X-Phala-Workspace": "team"},
		},
		"no credential, unassigned CVMs": {
			cred:  restclient.Credential{},
			req:   restclient.PageRequest{Page: 2, PageSize: 30, Filter: restclient.Filter{NodeID: -1, UserID: "0"}},
			query: "page=2&page_size=30&teepod_id=-1&user_id=0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *http.Request
			client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				got = r
				_, _ = w.Write(envelope("", 0, tt.req.Page, tt.req.PageSize))
			})
			if _, err := client.ListCvms(t.Context(), tt.cred, tt.req); err != nil {
				t.Fatal(err)
			}
			if got.Method != http.MethodGet || got.URL.Path != "/cvms/paginated" || got.URL.RawQuery != tt.query {
				t.Errorf("got %s %v, want GET /cvms/paginated?%s", got.Method, got.URL, tt.query)
			}
			want := map[string]string{
				"Accept": "application/json", "Accept-Encoding": "gzip",
				"User-Agent": "cvmgraph", "X-Phala-Version": "2025-10-28",
			}
			maps.Copy(want, tt.headers)
			sent := map[string]string{}
			for key, values := range got.Header {
				sent[key] = strings.Join(values, " AND ")
			}
			if !maps.Equal(sent, want) {
				t.Errorf("got headers %v, want %v", sent, want)
			}
		})
	}
}

func TestNew_options(t *testing.T) {
	t.Parallel()
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = w.Write(pageOf(1, []byte(`{"name":"a"}`)))
	}))
	t.Cleanup(server.Close)
	client := newClient(t, restclient.Options{BaseURL: server.URL + "/api/v1/", APIVersion: "2026-01-21", UserAgent: "probe/1"})
	page, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
	if err != nil {
		t.Fatal(err)
	}
	if page.Total != 1 || *page.Items[0].Cvm.Name != "a" {
		t.Errorf("got %+v, want the page", page)
	}
	if got.URL.Path != "/api/v1/cvms/paginated" {
		t.Errorf("got path %s, want /api/v1/cvms/paginated", got.URL.Path)
	}
	if v, agent := got.Header.Get("X-Phala-Version"), got.UserAgent(); v != "2026-01-21" || agent != "probe/1" {
		t.Errorf("got version %s and agent %s, want those of the options", v, agent)
	}
}

func TestNew_invalidOptions(t *testing.T) {
	t.Parallel()
	good := "https://cloud-api.phala.com/api/v1"
	for name, tt := range map[string]struct {
		options restclient.Options
		want    []string // of the error's lines
	}{
		"no URL":             {options: restclient.Options{}, want: []string{"BaseURL must start with http:// or https://"}},
		"a relative URL":     {options: restclient.Options{BaseURL: "/api/v1"}, want: []string{"BaseURL must start with http:// or https://"}},
		"another scheme":     {options: restclient.Options{BaseURL: "ftp://host/"}, want: []string{"BaseURL must start with http:// or https://"}},
		"no host":            {options: restclient.Options{BaseURL: "https://:443/"}, want: []string{"BaseURL has no host"}},
		"a password":         {options: restclient.Options{BaseURL: "https://me:s3cret@host/"}, want: []string{"BaseURL must not have a user"}},
		"an unreadable port": {options: restclient.Options{BaseURL: "https://me:s3cret@host:x/"}, want: []string{"BaseURL is not a URL"}},
		"a query":            {options: restclient.Options{BaseURL: good + "?key=s3cret"}, want: []string{"BaseURL must not have a query or a fragment"}},
		"a fragment":         {options: restclient.Options{BaseURL: good + "#s3cret"}, want: []string{"BaseURL must not have a query or a fragment"}},
		"a negative timeout": {options: restclient.Options{BaseURL: good, Timeout: -1}, want: []string{"Timeout must not be negative"}},
		"several problems": {
			options: restclient.Options{BaseURL: "x", APIVersion: "a\r\nb", UserAgent: "\x00", Timeout: -time.Second},
			want:    []string{"BaseURL must start with http:// or https://", "Timeout must not be negative", "APIVersion is not a valid header value", "UserAgent is not a valid header value"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := restclient.New(tt.options)
			if err == nil || client != nil {
				t.Fatalf("got client %v and error %v, want an error", client, err)
			}
			if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, tt.want) {
				t.Errorf("got problems %q, want %q", got, tt.want)
			}
		})
	}
}

func TestListCvms_invalidArguments(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("got a request %v, want none", r.URL) })
	for name, tt := range map[string]struct {
		cred restclient.Credential
		req  restclient.PageRequest
		want string
	}{
		"page 0":             {req: restclient.PageRequest{Page: 0, PageSize: 1}, want: "page"},
		"a negative page":    {req: restclient.PageRequest{Page: -1, PageSize: 1}, want: "page"},
		"a page of 32 bits":  {req: restclient.PageRequest{Page: 1 << 31, PageSize: 1}, want: "page"},
		"page size 0":        {req: restclient.PageRequest{Page: 1, PageSize: 0}, want: "page_size"},
		"page size 101":      {req: restclient.PageRequest{Page: 1, PageSize: 101}, want: "page_size"},
		"a broken bearer":    {cred: restclient.NewCredential(restclient.Headers{Authorization: "Bearer s3cret\r\nX: y"}), req: onePage, want: "Authorization"},
		"a broken key":       {cred: restclient.NewCredential(restclient.Headers{APIKey: "s3cret\x00"}), req: onePage, want: "X-API-Key"},
		"a broken workspace": {cred: restclient.NewCredential(restclient.Headers{Workspace: "s3cret\x7f"}), req: onePage, want: "X-Phala-Workspace"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.ListCvms(t.Context(), tt.cred, tt.req)
			var argument *restclient.ArgumentError
			if !errors.As(err, &argument) || argument.Argument != tt.want {
				t.Fatalf("got error %v, want an *ArgumentError for %s", err, tt.want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v, want no value in the message", err)
			}
		})
	}
}

func TestListCvms_redirects(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			other := quiet(t, func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("got a request with %v, want none", r.Header)
			})
			other.Start()
			client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/cvms/paginated" {
					t.Errorf("got a request for %s, want none", r.URL)
				}
				target := other.URL
				if status == 308 {
					target = "/here"
				}
				http.Redirect(w, r, target, status)
			})
			_, err := client.ListCvms(t.Context(), restclient.NewCredential(restclient.Headers{APIKey: "phak_x"}), onePage)
			wantStatus(t, err, status)
		})
	}
}

// wantStatus checks that err is a *StatusError with the status.
func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	_ = statusOf(t, err, status)
}

// statusOf returns err, which must be a *StatusError with the status.
func statusOf(t *testing.T, err error, status int) *restclient.StatusError {
	t.Helper()
	var got *restclient.StatusError
	if !errors.As(err, &got) || got.StatusCode != status {
		t.Fatalf("got error %#v, want a *StatusError of %d", err, status)
	}
	return got
}

func TestClient_http2(t *testing.T) {
	t.Parallel()
	server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.TLS.Version < tls.VersionTLS12 {
			t.Errorf("got %s, want HTTP/2", r.Proto)
		}
		_, _ = w.Write(pageOf(1, exampleItem(t)))
	})
	server.EnableHTTP2 = true
	server.StartTLS()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	// The minimum version is raised in a copy, not in the caller's configuration.
	trust := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10}
	client := newClient(t, restclient.Options{BaseURL: server.URL, TLS: trust})
	for range 2 {
		if _, err := client.ListCvms(t.Context(), restclient.NewCredential(restclient.Headers{APIKey: "k"}), onePage); err != nil {
			t.Fatal(err)
		}
	}
	if trust.MinVersion != tls.VersionTLS10 || trust.NextProtos != nil {
		t.Errorf("got the caller's configuration changed: %v %v", trust.MinVersion, trust.NextProtos)
	}
}

func TestClient_reusesConnections(t *testing.T) {
	t.Parallel()
	responses := map[string]func(http.ResponseWriter){
		"after a page":        func(w http.ResponseWriter) { _, _ = w.Write(pageOf(1, exampleItem(t))) },
		"after a short error": func(w http.ResponseWriter) { http.Error(w, "no", http.StatusBadGateway) },
		"after an error of 100 KB": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write(make([]byte, 100_000))
		},
	}
	for name, respond := range responses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addresses := map[string]bool{}
			client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				addresses[r.RemoteAddr] = true
				respond(w)
			})
			for range 5 {
				_, _ = client.ListCvms(t.Context(), restclient.Credential{}, onePage)
			}
			if len(addresses) != 1 {
				t.Errorf("got %d connections, want 1", len(addresses))
			}
		})
	}
}

func TestListCvms_concurrentCallers(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("X-Api-Key")
		_, _ = w.Write(pageOf(1, []byte(`{"name":"`+key+`","status":"`+strings.Repeat(key, 1000)+`"}`)))
	})
	errs := make(chan error)
	const callers = 16
	for caller := range callers {
		go func() {
			key := strings.Repeat(string(rune('a'+caller)), 3)
			errs <- func() error {
				for range 20 {
					page, err := client.ListCvms(t.Context(), restclient.NewCredential(restclient.Headers{APIKey: key}), onePage)
					if err != nil {
						return err
					}
					if cvm := page.Items[0].Cvm; *cvm.Name != key || *cvm.Status != strings.Repeat(key, 1000) {
						return errors.New("got another caller's page")
					}
				}
				return nil
			}()
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
