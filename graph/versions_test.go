package graph_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

// comparison counts a field's values in both shapes.
type comparison struct{ equal, different, onlyHosted, onlyFlat int }

// compareShapes compares a value of the hosted shape with that of the flat shape, field by field.
// Lists are compared as a whole. Empty ones count as null.
func compareShapes(path string, hosted, flat any, found map[string]*comparison) {
	one, isObject := hosted.(map[string]any)
	other, isOther := flat.(map[string]any)
	if isObject || isOther {
		for key := range maps.Keys(one) {
			compareShapes(strings.TrimPrefix(path+"."+key, "."), one[key], other[key], found)
		}
		for key := range other {
			if _, ok := one[key]; !ok {
				compareShapes(strings.TrimPrefix(path+"."+key, "."), nil, other[key], found)
			}
		}
		return
	}
	c := found[path]
	if c == nil {
		c = &comparison{}
		found[path] = c
	}
	switch inHosted, inFlat := isPresent(hosted), isPresent(flat); {
	case inHosted && inFlat && reflect.DeepEqual(hosted, flat):
		c.equal++
	case inHosted && inFlat:
		c.different++
	case inHosted:
		c.onlyHosted++
	case inFlat:
		c.onlyFlat++
	}
}

func isPresent(v any) bool {
	list, isList := v.([]any)
	return v != nil && (!isList || len(list) > 0)
}

// TestVersions_sameCVMs requests all fields of the same CVMs in both shapes.
func TestVersions_sameCVMs(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{Items: 300})
	var nodes [2][]map[string]any
	for i, version := range apiVersions() {
		g := newGatewayOf(t, version, upstream)
		a := g.post(t, `{ cvms(first: 300) { nodes { `+allFields(t)+` } } }`, nil, nil)
		var list struct{ Nodes []map[string]any }
		if err := json.Unmarshal(a.Data["cvms"], &list); err != nil || len(a.Errors) > 0 || len(list.Nodes) != 300 {
			t.Fatalf("version %s: got %d CVMs, errors %+v, %v", version, len(list.Nodes), a.Errors, err)
		}
		nodes[i] = list.Nodes
	}
	found := map[string]*comparison{}
	for i, hosted := range nodes[0] {
		compareShapes("", hosted, nodes[1][i], found)
	}
	for path, got := range found {
		if *got == (comparison{}) || path == "id" && got.equal > 250 {
			continue // null in both, and an object; the ids of CVMs without a VM differ
		}
		want := comparison{equal: got.equal}
		switch {
		case slices.Contains(onlyHosted, path):
			want = comparison{onlyHosted: got.onlyHosted}
		case slices.Contains(onlyFlat, path):
			want = comparison{onlyFlat: got.onlyFlat}
		case path == "managedUser.userId": // some are numbers in the hosted shape
			want.different = got.different
		case strings.HasPrefix(path, "hosted.configuration."): // null for some VMs in the hosted shape
			want.onlyFlat = got.onlyFlat
		}
		if *got != want || want == (comparison{}) {
			t.Errorf("%s: got %+v, want %+v", path, *got, want)
		}
	}
	for _, path := range slices.Concat(onlyHosted, onlyFlat) {
		if found[path] == nil {
			t.Errorf("%s: got no value", path)
		}
	}
}

// TestVersions_cursors sends a cursor of one API version to a gateway with another one.
func TestVersions_cursors(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{Items: 30})
	versions := apiVersions()
	for i, version := range versions {
		cursor := newGatewayOf(t, version, upstream).post(t, `{ cvms(first: 2) { pageInfo { endCursor } } }`, nil, nil).cvms(t).PageInfo.EndCursor
		for _, argument := range []string{"after", "before"} {
			a := newGatewayOf(t, versions[1-i], upstream).post(t, `{ cvms(`+argument+`: "`+*cursor+`") { nodes { id } } }`, nil, nil)
			got := a.onlyError(t)
			if got.code() != "BAD_USER_INPUT" || got.Extensions["argument"] != argument || !strings.Contains(got.Message, "if the gateway's API version has changed") {
				t.Errorf("%s of version %s: got %s, want an error that names the version", argument, version, a.raw)
			}
		}
	}
}

// onlyHosted are the fields that are null or empty in the flat shape, and onlyFlat those in the
// hosted shape.
var (
	onlyHosted = []string{
		"allowUpgrade", "projectId", "kmsInfo.gatewayAppId", "kmsInfo.kmsId", "kmsInfo.slug", "kmsInfo.version",
		"hosted.bootError", "hosted.bootProgress", "hosted.events", "hosted.exitedAt", "hosted.shutdownProgress", "hosted.status", "hosted.uptime",
		"hosted.secondsSinceExit", "hosted.uptimeSeconds",
		"hosted.configuration.encryptedEnv", "hosted.configuration.gatewayUrls", "hosted.configuration.gpus.attachMode",
		"hosted.configuration.gpus.gpus", "hosted.configuration.hugepages", "hosted.configuration.kmsUrls", "hosted.configuration.pinNuma",
		"hosted.configuration.ports", "hosted.configuration.userConfig",
		"hosted.configuration.composeFile.allowedEnvs", "hosted.configuration.composeFile.bashScript",
		"hosted.configuration.composeFile.defaultGatewayDomain", "hosted.configuration.composeFile.dockerComposeFile",
		"hosted.configuration.composeFile.initScript", "hosted.configuration.composeFile.kmsEnabled",
		"hosted.configuration.composeFile.localKeyProviderEnabled", "hosted.configuration.composeFile.name",
		"hosted.configuration.composeFile.noInstanceId", "hosted.configuration.composeFile.preLaunchScript", "hosted.configuration.composeFile.salt",
	}
	onlyFlat = []string{
		"billingInterval", "composeHash", "computeBillingPrice", "createdAt", "cvmId", "dockerComposeHash", "gatewayCname",
		"hourlyRate.compute", "hourlyRate.disk", "hourlyRate.total", "instanceType", "kmsInfo.encryptedEnvPubkey", "kmsType",
		"logs.containerLogBase", "logs.serial", "logs.stderr", "logs.stdout", "node.deviceId", "node.ppid", "node.status", "node.version",
		"os.isDev", "os.name", "os.osImageHash", "os.version", "preLaunchScriptHash", "progress.correlationId", "progress.startedAt",
		"progress.target", "updatedAt", "workspace.avatarUrl", "workspace.name", "workspace.slug", "workspace.workspaceId",
	}
)
