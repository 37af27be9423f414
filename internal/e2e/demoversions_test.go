package e2e_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

// exampleOf returns an operation of the page's examples. It has no placeholders.
func exampleOf(t *testing.T, file, name string) string {
	t.Helper()
	operation := strings.TrimPrefix(regexp.MustCompile("(?s)[`\n]query "+name+` \{\n.*?\n\}\n`).FindString(readFile(t, file)), "`")
	if operation == "" || strings.Contains(operation, "${") {
		t.Fatalf("got %q, want the operation %s without placeholders", operation, name)
	}
	return operation
}

// demoCvm has what the test of the demo's API versions compares.
type demoCvm struct {
	ID, VMID, Name, Status, CreatedAt, InstanceType *string
	Vcpu, Memory                                    *int
	Node                                            *struct{ NodeID *int }
	PublicURLs                                      []any
	Hosted                                          *struct {
		AppID, ImageVersion, Uptime *string
		Events                      []any
		Configuration               *struct {
			Image       *string
			Ports       []any
			ComposeFile *struct{ Runner, DockerComposeFile *string }
		}
	}
}

// ask executes an operation without a credential, and decodes data, which must have no errors.
func ask[T any](t *testing.T, p *process, operation string) (data T) {
	t.Helper()
	got, err := p.query(t.Context(), operation, "")
	if err != nil {
		t.Fatal(err)
	}
	response := struct {
		Data   *T
		Errors []any
	}{Data: &data}
	if err := json.Unmarshal([]byte(got), &response); err != nil || response.Errors != nil || response.Data == nil {
		t.Fatalf("%s: got %s, %v, want no errors", operation, got, err)
	}
	return data
}

// demoCvms is the data of operations with the field cvms.
type demoCvms struct {
	Cvms struct {
		TotalCount *int
		PageInfo   struct{ EndCursor string }
		Edges      []struct{ Node demoCvm }
		Nodes      []demoCvm
	}
}

// TestDemo_apiVersions runs the page's first examples, and follows their cursors and ids, with each
// API version.
func TestDemo_apiVersions(t *testing.T) {
	t.Parallel()
	first := exampleOf(t, "web/src/defaultQuery.ts", "FirstCvms")
	launched := exampleOf(t, "web/src/examples.ts", "Launched")
	for _, version := range restclient.KnownVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			p := start(t, "--demo", "--api-version", version)
			page := ask[demoCvms](t, p, first).Cvms
			if len(page.Edges) != 10 || page.TotalCount == nil {
				t.Fatalf("got %d CVMs of %v, want 10 of the total", len(page.Edges), page.TotalCount)
			}
			for _, edge := range page.Edges {
				if c := edge.Node; c.ID == nil || c.Name == nil || c.Status == nil || c.Vcpu == nil || c.Memory == nil || *c.Memory < 512 {
					t.Errorf("got %+v, want an id, a name, a status, vCPUs, and the memory in MB", c)
				}
			}
			at := slices.IndexFunc(page.Edges, func(e struct{ Node demoCvm }) bool { return e.Node.VMID != nil && e.Node.Node != nil })
			if at < 0 {
				t.Fatal("got no CVM with a VM on a node, want one")
			}
			p.followExamples(t, page.PageInfo.EndCursor, page.Edges[at].Node)

			// The first two CVMs may be new ones, without a VM. Some CVMs have no configuration.
			complete := 0
			for _, c := range ask[demoCvms](t, p, strings.Replace(launched, "first: 2", "first: 50", 1)).Cvms.Nodes {
				if checkLaunched(t, c, restclient.ShapeOf(version)) {
					complete++
				}
			}
			if complete < 10 {
				t.Errorf("got %d CVMs with the values of both shapes, want most", complete)
			}
		})
	}
}

// followExamples requests the next page, and a CVM by its id, its UUID and its node.
func (p *process) followExamples(t *testing.T, endCursor string, c demoCvm) {
	t.Helper()
	next := ask[demoCvms](t, p, fmt.Sprintf(`{ cvms(first: 10, after: %q) { nodes { id } } }`, endCursor)).Cvms.Nodes
	if len(next) != 10 || *next[0].ID == *c.ID {
		t.Errorf("got %d CVMs, want the next 10", len(next))
	}
	byID := ask[struct{ Node *demoCvm }](t, p, fmt.Sprintf(`{ node(id: %q) { ... on Cvm { name } } }`, *c.ID)).Node
	byUUID := ask[struct{ Cvm *demoCvm }](t, p, fmt.Sprintf(`{ cvm(vmId: %q) { name } }`, *c.VMID)).Cvm
	if byID == nil || byUUID == nil || *byID.Name != *c.Name || *byUUID.Name != *c.Name {
		t.Errorf("got %+v and %+v, want the CVM %s", byID, byUUID, *c.Name)
	}
	onNode := ask[demoCvms](t, p, fmt.Sprintf(`{ cvms(first: 10, nodeId: %d) { nodes { node { nodeId } } } }`, *c.Node.NodeID)).Cvms.Nodes
	for _, other := range onNode {
		if *other.Node.NodeID != *c.Node.NodeID {
			t.Errorf("got a CVM of node %d, want %d", *other.Node.NodeID, *c.Node.NodeID)
		}
	}
	if len(onNode) == 0 {
		t.Errorf("got no CVMs of node %d, want some", *c.Node.NodeID)
	}
}

// checkLaunched fails the test if a CVM has what its shape does not have, or lacks what the shape
// always has. It reports whether the CVM has all values that both shapes can have.
func checkLaunched(t *testing.T, c demoCvm, shape restclient.Shape) bool {
	t.Helper()
	if flat := shape == restclient.ShapeFlat; (c.CreatedAt != nil) != flat || (c.InstanceType != nil) != flat {
		t.Errorf("%s: got createdAt %v and instanceType %v", shape, c.CreatedAt, c.InstanceType)
	}
	h := c.Hosted
	if h == nil || h.AppID == nil || h.ImageVersion == nil || h.Configuration == nil || h.Configuration.ComposeFile == nil || len(c.PublicURLs) == 0 {
		return false
	}
	live := h.Uptime != nil || len(h.Events) > 0 || len(h.Configuration.Ports) > 0 || h.Configuration.ComposeFile.DockerComposeFile != nil
	if live == (shape == restclient.ShapeFlat) {
		t.Errorf("%s: got uptime %v, %d events, and configuration %+v", shape, h.Uptime, len(h.Events), h.Configuration)
	}
	return h.Configuration.Image != nil && h.Configuration.ComposeFile.Runner != nil
}
