package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/testmode"
)

// owners knows whose each VM is, by what the upstream has answered.
type owners struct {
	list *demo.Upstream

	mu sync.Mutex
	of map[string]string // credentials by VM
}

// ServeHTTP answers as the list does, and notes whom it has shown which VM.
func (o *owners) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := httptest.NewRecorder()
	o.list.ServeHTTP(recorder, r)
	credential := credentialOf(r.Header)
	o.mu.Lock()
	for rest := recorder.Body.Bytes(); ; {
		_, after, found := bytes.Cut(rest, []byte(`"hosted":{"id":"`))
		if !found {
			break
		}
		vm, _, _ := bytes.Cut(after, []byte(`"`))
		o.of[string(vm)] = credential
		rest = after
	}
	o.mu.Unlock()
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes())
}

// credentialOf returns all that a credential is made of.
func credentialOf(header http.Header) string {
	return strings.Join([]string{header.Get("Authorization"), header.Get("X-Api-Key"), header.Get("X-Phala-Workspace")}, "|")
}

// vmOf returns a VM of a credential, or where other is set, of another one; "" where there is none yet.
func (o *owners) vmOf(credential string, other bool) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for vm, owner := range o.of {
		if (owner != credential) == other {
			return vm
		}
	}
	return ""
}

// crowd are tenants who ask one program at once.
type crowd struct {
	upstream *owners
	p        *process
	client   *http.Client

	items, lookups, shed atomic.Int64
}

// TestTenantsOfListsThatChange lets tenants whose credentials look alike page through lists that change, all at once, and look for VMs
// of their own and of each other. Nobody is shown what is not in the own list, and next to nobody is sent away.
func TestTenantsOfListsThatChange(t *testing.T) {
	t.Parallel()
	tenants, requests := testmode.Count(30, 200), testmode.Count(20, 500)
	if testmode.Race { // .ci/run runs the large count without it
		tenants, requests = 30, 20
	}
	c := &crowd{
		upstream: &owners{list: demo.New(demo.Options{Items: 40, ChangeEvery: 100 * time.Millisecond}), of: map[string]string{}},
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: tenants}},
	}
	server := httptest.NewServer(c.upstream)
	t.Cleanup(server.Close)
	t.Cleanup(c.client.CloseIdleConnections)
	c.p = start(t, "--upstream-url", server.URL+demo.BasePath, "--cache-ttl=500ms")
	begun := time.Now()
	var group sync.WaitGroup
	for i := range tenants {
		group.Go(func() {
			r, cursor := mutator{rand.New(rand.NewPCG(fixedMutations, uint64(i)))}, "null"
			for range requests {
				var problem string
				if cursor, problem = c.ask(r, lookAlike(i), cursor); problem != "" {
					t.Errorf("tenant %d: %s", i, problem)
					return
				}
			}
		})
	}
	group.Wait()
	all := int64(tenants * requests)
	t.Logf("%d requests of %d tenants in %v: %d items and %d lookups, %d requests shed", all, tenants, time.Since(begun), c.items.Load(), c.lookups.Load(), c.shed.Load())
	if shed := c.shed.Load(); shed*100 > all {
		t.Errorf("got %d of %d requests shed, want at most 1 %%", shed, all)
	}
	if !t.Failed() && (c.items.Load() < all || c.lookups.Load() < all/50) {
		t.Errorf("got %d items and %d lookups from %d requests, want more", c.items.Load(), c.lookups.Load(), all)
	}
}

// ask asks for a part of a tenant's list behind a cursor, and at times for VMs. It returns the next cursor, and what is wrong with the
// answer, "" for nothing.
func (c *crowd) ask(r mutator, header http.Header, after string) (cursor, problem string) {
	credential := credentialOf(header)
	query := fmt.Sprintf(`{ cvms(first: %d, after: %s) { pageInfo { endCursor } nodes { vmId } }`, 1+r.IntN(20), after)
	if own, foreign := c.upstream.vmOf(credential, false), c.upstream.vmOf(credential, true); own != "" && foreign != "" && r.IntN(10) == 0 {
		c.lookups.Add(1)
		query += fmt.Sprintf(` own: cvm(vmId: %q) { vmId } foreign: cvm(vmId: %q) { vmId }`, own, foreign)
	}
	text, err := c.p.by(c.client, query+" }", header)
	var got struct {
		Data struct {
			Cvms *struct {
				PageInfo struct{ EndCursor *string }
				Nodes    []vm
			}
			Own, Foreign *vm
		}
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err != nil || json.Unmarshal(text, &got) != nil {
		return "", fmt.Sprintf("got %.500s, %v", text, err)
	}
	if len(got.Errors) > 0 && got.Errors[0].Extensions.Code == "UNAVAILABLE" {
		c.shed.Add(1)
		return "null", ""
	}
	if len(got.Errors) > 0 || got.Data.Cvms == nil || got.Data.Foreign != nil {
		return "", fmt.Sprintf("got %.500s for %s", text, query)
	}
	vms := got.Data.Cvms.Nodes
	if got.Data.Own != nil { // it may be gone
		vms = append(vms, *got.Data.Own)
	}
	c.items.Add(int64(len(vms)))
	if foreign := c.upstream.foreign(credential, vms); foreign != "" {
		return "", "got a VM of " + foreign
	}
	if end := got.Data.Cvms.PageInfo.EndCursor; end != nil && r.IntN(5) > 0 {
		return quoted(*end), ""
	}
	return "null", ""
}

// by is ask with a client of the caller's own, and other headers.
func (p *process) by(client *http.Client, query string, header http.Header) ([]byte, error) {
	request, err := http.NewRequest(http.MethodPost, p.url+"/graphql", strings.NewReader(`{"query":`+quoted(query)+`}`))
	if err != nil {
		return nil, err
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// vm is what tells VMs apart; it is null while there is none.
type vm struct{ VMID *string }

// foreign returns whose one of the VMs is, where that is not who has the credential.
func (o *owners) foreign(credential string, vms []vm) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, shown := range vms {
		if shown.VMID == nil {
			continue
		}
		if owner := o.of[*shown.VMID]; owner != credential {
			return cmp.Or(owner, "nobody")
		}
	}
	return ""
}

// lookAlike returns the credential of a tenant. Three have the same text, in another place each.
func lookAlike(tenant int) http.Header {
	text := fmt.Sprint("tenant-", tenant/3)
	switch tenant % 3 {
	case 0:
		return http.Header{"Authorization": {"Bearer " + text}}
	case 1:
		return http.Header{"X-Api-Key": {text}}
	default:
		return http.Header{"Authorization": {"Bearer " + text}, "X-Phala-Workspace": {"workspace-1"}}
	}
}
