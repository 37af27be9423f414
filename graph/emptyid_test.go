package graph_test

import (
	"strings"
	"testing"

	"cvmgraph/graph"
)

// TestIDs_empty has CVMs whose ids are empty strings, with both executions of a selection.
func TestIDs_empty(t *testing.T) {
	t.Parallel()
	const (
		item = `{"hosted":{"id":"","instance_id":"","boot_error":""},"name":"n","managed_user":{"id":"","username":""},"kms_info":{"id":""}}`
		want = `{"vmId":null,"hosted":{"vmId":null,"instanceId":"","bootError":""},"managedUser":{"userId":null,"username":""},"kmsInfo":{"kmsId":null}}`
	)
	for name, projection := range map[string]bool{"with the projection": true, "without it": false} {
		g := newGateway(t, listOf(item, `{"name":"n"}`), func(r *graph.Resolver) { r.Projection = projection })
		a := g.post(t, `{ cvms(first: 1) { nodes { vmId hosted { vmId instanceId bootError } managedUser { userId username } kmsInfo { kmsId } } } }`, nil, nil)
		if len(a.Errors) > 0 || string(a.Data["cvms"]) != `{"nodes":[`+want+`]}` {
			t.Errorf("%s: got %s, want %s", name, a.raw, want)
		}
		nodes := g.post(t, cvmsQuery, vars{"first": 2}, nil).cvms(t).Nodes
		if !strings.HasPrefix(nodes[0].ID, "Q3ZtUHJvdmlzaW9uYWw6") || nodes[0].ID == nodes[1].ID {
			t.Errorf("%s: got the ids %s and %s, want two provisional ones", name, nodes[0].ID, nodes[1].ID)
		}
	}
}
