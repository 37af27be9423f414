package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"cvmgraph/internal/demo"
)

// TestContractMonitor_livePages serves pages of an upstream that differs from its contract. The
// gateway must compare one page, log the differences once and count them.
func TestContractMonitor_livePages(t *testing.T) {
	t.Parallel()
	address, _ := countingServer(t, editedDemo(func(_ int, item map[string]any) {
		renameKey(item, "name", "title")
		item["vcpu"] = "two"
	}))
	p := start(t, "--upstream-url", address+demo.BasePath, "--admin-listen=127.0.0.1:0", "--cache-ttl=0")
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			got, err := p.query(t.Context(), fmt.Sprintf(`{ cvms(first: %d) { nodes { id name status } } }`, i+1), checkSecret)
			if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"nodes":[{`) {
				t.Errorf("got %.200s, %v, want data", got, err)
			}
		})
	}
	group.Wait()
	metrics := p.waitForMetrics(t,
		`cvmgraph_upstream_contract_checks_total 1`,
		`cvmgraph_upstream_contract_differences{kind="missing"} 1`,
		`cvmgraph_upstream_contract_differences{kind="changed"} 1`,
		`cvmgraph_upstream_contract_differences{kind="unknown"} 1`)
	if strings.Contains(metrics, "title") {
		t.Error("got a key of the upstream in the metrics")
	}
	log := p.logged()
	if strings.Count(log, "differ from the API contract") != 1 ||
		!strings.Contains(log, "missing items[].name (a string; renamed to title?; ") ||
		!strings.Contains(log, "changed items[].vcpu (should be an integer of 32 bits, is string; ") {
		t.Errorf("got %s, want one line with the differences", log)
	}
	if status, got := fetch(t, http.MethodGet, p.url+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: got %d and %s, want 200", status, got)
	}
}
