package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
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

// vmRecorder is an upstream that records which credential each VM has been sent to.
type vmRecorder struct {
	list *demo.Upstream

	mu sync.Mutex
	of map[string]string // credentials by VM
}

func (u *vmRecorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := httptest.NewRecorder()
	u.list.ServeHTTP(recorder, r)
	credential := credentialOf(r.Header)
	u.mu.Lock()
	for rest := recorder.Body.Bytes(); ; {
		_, after, found := bytes.Cut(rest, []byte(`"hosted":{"id":"`))
		if !found {
			break
		}
		vm, _, _ := bytes.Cut(after, []byte(`"`))
		u.of[string(vm)] = credential
		rest = after
	}
	u.mu.Unlock()
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes())
}

// credentialOf returns the three parts of a credential as one string.
func credentialOf(header http.Header) string {
	return strings.Join([]string{
		header.Get("Authorization"), header.Get("X-Api-Key"), header.Get("X-Phala-Workspace"),
	}, "|")
}

// vmOf returns a VM of a credential, or if other is set, a VM of another credential. It returns an
// empty string if there is no such VM yet.
func (u *vmRecorder) vmOf(credential string, other bool) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	for vm, sentTo := range u.of {
		if (sentTo != credential) == other {
			return vm
		}
	}
	return ""
}

// vm has the id of a CVM's VM. VMID is nil if the VM does not exist.
type vm struct{ VMID *string }

// foreign returns the credential of one of the VMs that do not belong to the given one, or an empty
// string if all of them do.
func (u *vmRecorder) foreign(credential string, vms []vm) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, vm := range vms {
		if vm.VMID == nil {
			continue
		}
		if sentTo := u.of[*vm.VMID]; sentTo != credential {
			return cmp.Or(sentTo, "no credential")
		}
	}
	return ""
}

// tenantsTest is a program that many tenants send requests to.
type tenantsTest struct {
	upstream *vmRecorder
	p        *process
	client   *http.Client

	items, lookups, shed atomic.Int64
}

// TestTenants_changingLists lets tenants with similar credentials page through changing lists
// concurrently, and look up VMs of their own and of each other. A tenant must receive only items of
// its own list, and at most one percent of the requests may be shed.
func TestTenants_changingLists(t *testing.T) {
	t.Parallel()
	tenants, requests := testmode.Count(30, 200), testmode.Count(20, 500)
	list := demo.New(demo.Options{Items: 40, ChangeEvery: 100 * time.Millisecond})
	tt := &tenantsTest{
		upstream: &vmRecorder{list: list, of: map[string]string{}},
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: tenants}},
	}
	server := httptest.NewServer(tt.upstream)
	t.Cleanup(server.Close)
	t.Cleanup(tt.client.CloseIdleConnections)
	tt.p = start(t, "--upstream-url", server.URL+demo.BasePath, "--cache-ttl=500ms")
	begun := time.Now()
	var group sync.WaitGroup
	for i := range tenants {
		group.Go(func() {
			random, cursor := rand.New(rand.NewPCG(fixedSeed, uint64(i))), "null"
			for range requests {
				var problem string
				if cursor, problem = tt.request(t, random, similarCredential(i), cursor); problem != "" {
					t.Errorf("tenant %d: %s", i, problem)
					return
				}
			}
		})
	}
	group.Wait()
	all := int64(tenants * requests)
	items, lookups, shed := tt.items.Load(), tt.lookups.Load(), tt.shed.Load()
	t.Logf("%d requests of %d tenants in %v: %d items and %d lookups, %d requests shed",
		all, tenants, time.Since(begun), items, lookups, shed)
	if shed*100 > all {
		t.Errorf("got %d of %d requests shed, want at most 1 %%", shed, all)
	}
	if !t.Failed() && (items < all || lookups < all/50) {
		t.Errorf("got %d items and %d lookups from %d requests, want more", items, lookups, all)
	}
}

// request requests a page of a tenant's list after a cursor, and sometimes looks up VMs. It returns
// the next cursor, and what is wrong with the response, or an empty string if nothing is.
func (tt *tenantsTest) request(t *testing.T, random *rand.Rand, header http.Header, after string) (cursor, problem string) {
	t.Helper()
	credential := credentialOf(header)
	query := fmt.Sprintf(`{ cvms(first: %d, after: %s) { pageInfo { endCursor } nodes { vmId } }`, 1+random.IntN(20), after)
	own, foreign := tt.upstream.vmOf(credential, false), tt.upstream.vmOf(credential, true)
	if own != "" && foreign != "" && random.IntN(10) == 0 {
		tt.lookups.Add(1)
		query += fmt.Sprintf(` own: cvm(vmId: %q) { vmId } foreign: cvm(vmId: %q) { vmId }`, own, foreign)
	}
	r, err := tt.p.post(t.Context(), tt.client, query+" }", header)
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
	if err != nil || json.Unmarshal([]byte(r.body), &got) != nil {
		return "", fmt.Sprintf("got %.500s, %v", r.body, err)
	}
	if len(got.Errors) > 0 && got.Errors[0].Extensions.Code == "UNAVAILABLE" {
		tt.shed.Add(1)
		return "null", ""
	}
	if len(got.Errors) > 0 || got.Data.Cvms == nil || got.Data.Foreign != nil {
		return "", fmt.Sprintf("got %.500s for %s", r.body, query)
	}
	vms := got.Data.Cvms.Nodes
	if got.Data.Own != nil { // null if it has left the list
		vms = append(vms, *got.Data.Own)
	}
	tt.items.Add(int64(len(vms)))
	if other := tt.upstream.foreign(credential, vms); other != "" {
		return "", "got a VM of " + other
	}
	if end := got.Data.Cvms.PageInfo.EndCursor; end != nil && random.IntN(5) > 0 {
		return quoted(*end), ""
	}
	return "null", ""
}

// similarCredential returns the credential of a tenant. Three tenants at a time use the same string
// in different headers.
func similarCredential(tenant int) http.Header {
	secret := fmt.Sprint("tenant-", tenant/3)
	switch tenant % 3 {
	case 0:
		return http.Header{"Authorization": {"Bearer " + secret}}
	case 1:
		return http.Header{"X-Api-Key": {secret}}
	default:
		return http.Header{"Authorization": {"Bearer " + secret}, "X-Phala-Workspace": {"workspace-1"}}
	}
}
