package graph_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/restclient"
)

// flatSources is the flat shape's key of each field that has one.
var flatSources = map[string]string{
	"vmId": "vm_uuid", "cvmId": "id", "name": "name", "status": "status", "inProgress": "in_progress", "listed": "listed", "projectType": "project_type",
	"hosted.vmId": "vm_uuid", "hosted.name": "name", "hosted.appId": "app_id", "hosted.instanceId": "instance_id", "hosted.appUrl": "app_url",
	"hosted.imageVersion": "os.version", "hosted.configuration.name": "name", "hosted.configuration.appId": "app_id",
	"hosted.configuration.vcpu": "resource.vcpu", "hosted.configuration.diskSize": "resource.disk_in_gb", "hosted.configuration.image": "os.name",
	"hosted.configuration.composeFile.publicLogs": "public_logs", "hosted.configuration.composeFile.publicSysinfo": "public_sysinfo",
	"hosted.configuration.composeFile.publicTcbinfo": "public_tcbinfo", "hosted.configuration.composeFile.gatewayEnabled": "gateway_enabled",
	"hosted.configuration.composeFile.tproxyEnabled": "gateway_enabled", "hosted.configuration.composeFile.secureTime": "secure_time",
	"hosted.configuration.composeFile.storageFs": "storage_fs", "hosted.configuration.composeFile.features": "features",
	"hosted.configuration.composeFile.runner": "runner",
	"vcpu": "resource.vcpu", "diskSize": "resource.disk_in_gb", "billingPeriod": "resource.billing_period", "gpuCount": "resource.gpus",
	"instanceType": "resource.instance_type", "computeBillingPrice": "resource.compute_billing_price",
	"node.nodeId": "node_info.id", "node.name": "node_info.name", "node.regionIdentifier": "node_info.region", "node.status": "node_info.status",
	"node.version": "node_info.version", "node.deviceId": "node_info.device_id", "node.ppid": "node_info.ppid",
	"os.name": "os.name", "os.version": "os.version", "os.isDev": "os.is_dev", "os.osImageHash": "os.os_image_hash",
	"kmsType": "kms_type", "kmsInfo.chainId": "kms_info.chain_id", "kmsInfo.kmsContractAddress": "kms_info.dstack_kms_address",
	"kmsInfo.url": "kms_info.rpc_endpoint", "kmsInfo.encryptedEnvPubkey": "kms_info.encrypted_env_pubkey",
	"contractAddress": "kms_info.dstack_app_address", "deployerAddress": "kms_info.deployer_address",
	"progress.target": "progress.target", "progress.startedAt": "progress.started_at", "progress.correlationId": "progress.correlation_id",
	"composeHash": "compose_hash", "dockerComposeHash": "docker_compose_hash", "preLaunchScriptHash": "pre_launch_script_hash",
	"gatewayDomain": "gateway.base_domain", "gatewayCname": "gateway.cname", "publicUrls": "endpoints",
	"logs.serial": "logs.serial", "logs.stdout": "logs.stdout", "logs.stderr": "logs.stderr", "logs.containerLogBase": "logs.container_log_base",
	"workspace.workspaceId": "workspace.id", "workspace.name": "workspace.name", "workspace.slug": "workspace.slug", "workspace.avatarUrl": "workspace.avatar_url",
	"managedUser.userId": "creator.id", "managedUser.username": "creator.username",
	"createdAt": "created_at", "updatedAt": "updated_at", "deletedAt": "deleted_at", "dappDashboardUrl": "app_url",
	"hourlyRate.total": "hourly_rate.total", "hourlyRate.compute": "hourly_rate.compute", "hourlyRate.disk": "hourly_rate.disk", "billingInterval": "billing_interval",
}

// flatConverted are the values of the fields that are not equal to a value of the example.
var flatConverted = map[string]any{
	"id": "Q3ZtOjFhMDlkNzA2LTI2ODYtNGUwYS04YjFkLTMyM2ZmMGUzNTA0Yg", "memory": 4096.0, "hosted.configuration.memory": 4096.0,
	"hosted.configuration.composeFile.manifestVersion": 2.0,
	"syslogEndpoint": "https://36a6d736e7ebe09b090a345239ed527b372f1a87-8090.dstack-base-prod9.phala.network/logs?token=REDACTED_EXAMPLE",
}

// emptyLists are the lists that the flat shape does not have.
var emptyLists = []string{
	"hosted.events", "hosted.configuration.ports", "hosted.configuration.kmsUrls", "hosted.configuration.gatewayUrls",
	"hosted.configuration.composeFile.allowedEnvs",
}

func exampleIn(t *testing.T, shape restclient.Shape) []byte {
	t.Helper()
	file := map[restclient.Shape]string{restclient.ShapeHosted: "item.json", restclient.ShapeFlat: "item-flat.json"}[shape]
	item, err := os.ReadFile("../restclient/testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// leavesOf returns the values in an object by their paths. Lists are values.
func leavesOf(object map[string]any, prefix string, into map[string]any) map[string]any {
	for key, value := range object {
		if below, isObject := value.(map[string]any); isObject {
			leavesOf(below, prefix+key+".", into)
		} else {
			into[prefix+key] = value
		}
	}
	return into
}

// leavesIn returns the values of all fields of the example in a shape, as a client receives them.
func leavesIn(t *testing.T, shape restclient.Shape, projected bool) map[string]any {
	t.Helper()
	s := newFakeSourceOf(shape)
	s.putItems("Bearer a", false, string(exampleIn(t, shape)))
	g := &gateway{}
	g.serve(t, "http://upstream.invalid/api/v1", func(r *graph.Resolver) {
		r.Pages, r.Projection, r.APIVersion = s, projected, versionOf(shape)
	})
	var response struct {
		Data struct {
			Cvms struct{ Nodes []map[string]any }
		}
	}
	raw := say(g.handler, "Bearer a", "{ cvms { nodes { "+allFields(t)+" } } }", "", nil)
	if err := json.Unmarshal([]byte(raw), &response); err != nil || len(response.Data.Cvms.Nodes) != 1 || strings.Contains(raw, `"errors"`) {
		t.Fatalf("got %.500s, %v, want one CVM without errors", raw, err)
	}
	return leavesOf(response.Data.Cvms.Nodes[0], "", map[string]any{})
}

func TestShapes_flatExample(t *testing.T) {
	t.Parallel()
	var item map[string]any
	if err := json.Unmarshal(exampleIn(t, restclient.ShapeFlat), &item); err != nil {
		t.Fatal(err)
	}
	keys := leavesOf(item, "", map[string]any{})
	for _, projected := range []bool{true, false} {
		got := leavesIn(t, restclient.ShapeFlat, projected)
		for field, value := range got {
			want, isConverted := flatConverted[field]
			if key, ok := flatSources[field]; ok {
				want = keys[key]
			} else if slices.Contains(emptyLists, field) {
				want = []any{}
			} else if !isConverted {
				want = nil
			}
			if !reflect.DeepEqual(value, want) {
				t.Errorf("projected %v, %s: got %v, want %v", projected, field, value, want)
			}
		}
		for _, field := range slices.Concat(slices.Collect(maps.Keys(flatSources)), slices.Collect(maps.Keys(flatConverted)), emptyLists) {
			if _, ok := got[field]; !ok {
				t.Errorf("projected %v, %s: got no such field", projected, field)
			}
		}
	}
}

// TestShapes_sameCVM compares the fields that both shapes have.
func TestShapes_sameCVM(t *testing.T) {
	t.Parallel()
	hosted, flat := leavesIn(t, restclient.ShapeHosted, true), leavesIn(t, restclient.ShapeFlat, true)
	for field, value := range flat {
		other, ok := hosted[field]
		if !ok || value == nil || other == nil || slices.Contains(emptyLists, field) || field == "managedUser.userId" {
			continue
		}
		if !reflect.DeepEqual(value, other) {
			t.Errorf("%s: got %v and %v, want the same in both shapes", field, other, value)
		}
	}
	for _, field := range []string{"createdAt", "hourlyRate", "workspace", "logs", "node.status", "kmsInfo.encryptedEnvPubkey", "cvmId"} {
		if value, ok := hosted[field]; !ok || value != nil {
			t.Errorf("%s: got %v in the shape hosted, want null", field, value)
		}
	}
}

func TestShapes_gpuCount(t *testing.T) {
	t.Parallel()
	for item, want := range map[string]string{
		`{"gpus":{"gpus":[{"slot":"a"},{}]}}`:   `2`,
		`{"gpus":{"gpus":[]}}`:                  `0`,
		`{"gpus":{}}`:                           `0`,
		`{"gpus":null}`:                         `null`,
		`{}`:                                    `null`,
		`{"gpus":{"gpus":[{"slot":"a"},7,{}]}}`: `2`,
	} {
		g := newGateway(t, listOf(`{"hosted":{"id":"v","configuration":`+item+`}}`))
		if a := g.post(t, `{ cvms { nodes { gpuCount } } }`, nil, nil); string(a.Data["cvms"]) != `{"nodes":[{"gpuCount":`+want+`}]}` {
			t.Errorf("%s: got %s, want %s", item, a.raw, want)
		} else if wrong := strings.Contains(item, "7"); (len(a.Errors) > 0) != wrong || wrong && fmt.Sprint(a.Errors[0].Path) != "[cvms nodes 0 gpuCount]" {
			t.Errorf("%s: got errors %v, want one: %v", item, a.Errors, wrong)
		}
	}
}

// TestShapes_seconds compares both executions of the durations in seconds.
func TestShapes_seconds(t *testing.T) {
	t.Parallel()
	const query = `{ cvms { nodes { hosted { uptimeSeconds secondsSinceExit } } } }`
	for item, want := range map[string]string{
		`{"uptime":"3days 4h 12m 9s","exited_at":"5m 3s"}`:               `{"uptimeSeconds":274329,"secondsSinceExit":303}`,
		`{"uptime":"1month 3days","exited_at":"never"}`:                  `{"uptimeSeconds":2889216,"secondsSinceExit":null}`,
		`{"uptime":"1\u0020m\u006Fnth \ud83d","exited_at":"1\u0020day"}`: `{"uptimeSeconds":null,"secondsSinceExit":86400}`,
		`{"uptime":"0s","exited_at":""}`:                                 `{"uptimeSeconds":0,"secondsSinceExit":null}`,
		`{"uptime":"9223372036854775808s","exited_at":null}`:             `{"uptimeSeconds":null,"secondsSinceExit":null}`,
		`{"uptime":7}`: `{"uptimeSeconds":null,"secondsSinceExit":null}`,
	} {
		s := newFakeSource()
		s.putItems("Bearer a", false, `{"hosted":`+item+`}`)
		projected, plain := say(stockGateway(t, s, true), "Bearer a", query, "", nil), say(stockGateway(t, s, false), "Bearer a", query, "", nil)
		if data := `"data":{"cvms":{"nodes":[{"hosted":` + want + `}]}}`; projected != plain || !strings.Contains(plain, data) {
			t.Errorf("%s: got %s and by gqlgen %s, want %s", item, projected, plain, data)
		}
		if wrong := strings.Contains(item, "7}"); strings.Contains(plain, `"hosted","uptimeSeconds"]`) != wrong {
			t.Errorf("%s: got %s, want an error at uptimeSeconds: %v", item, plain, wrong)
		}
	}
}

func TestShapes_flatFieldErrors(t *testing.T) {
	t.Parallel()
	for item, test := range map[string]struct {
		selection, want string
		paths           []string
	}{
		`"vm_uuid":7`: {selection: `vmId hosted { vmId }`, want: `{"vmId":null,"hosted":null}`, paths: []string{"vmId", "hosted"}},
		`"vm_uuid":"u","resource":[]`: {
			selection: `vcpu gpuCount hosted { configuration { memory image } }`,
			want:      `{"vcpu":null,"gpuCount":null,"hosted":{"configuration":{"memory":null,"image":null}}}`,
			paths:     []string{"vcpu", "gpuCount", "hosted.configuration.memory"},
		},
		`"vm_uuid":"u","resource":{"memory_in_gb":"4"}`: {
			selection: `m: memory vcpu hosted { configuration { memory } }`,
			want:      `{"m":null,"vcpu":null,"hosted":{"configuration":{"memory":null}}}`,
			paths:     []string{"m", "hosted.configuration.memory"},
		},
		`"vm_uuid":"u","os":{"name":7},"base_image":"b"`: {
			selection: `os { name } hosted { configuration { image } }`,
			want:      `{"os":{"name":null},"hosted":{"configuration":{"image":"b"}}}`,
			paths:     []string{"os.name"},
		},
		`"vm_uuid":"u","base_image":7`: {
			selection: `hosted { configuration { image } }`,
			want:      `{"hosted":{"configuration":{"image":null}}}`,
			paths:     []string{"hosted.configuration.image"},
		},
		`"logs":{"serial":7}`: {selection: `syslogEndpoint logs { serial }`, want: `{"syslogEndpoint":null,"logs":{"serial":null}}`, paths: []string{"syslogEndpoint", "logs.serial"}},
		`"kms_info":7`:        {selection: `kmsInfo { url } contractAddress`, want: `{"kmsInfo":null,"contractAddress":null}`, paths: []string{"kmsInfo", "contractAddress"}},
		`"endpoints":[7,{"app":1,"instance":"i"}]`: {
			selection: `publicUrls { app instance }`, want: `{"publicUrls":[{"app":null,"instance":"i"}]}`, paths: []string{"publicUrls.0", "publicUrls.0.app"},
		},
	} {
		s := newFakeSourceOf(restclient.ShapeFlat)
		s.putItems("Bearer tester", false, `{"id":"cvm_1",`+item+`}`)
		g := newGateway(t, listOf(), func(r *graph.Resolver) { r.Pages, r.APIVersion = s, versionOf(restclient.ShapeFlat) })
		a := g.post(t, `{ cvms { nodes { `+test.selection+` } } }`, nil, nil)
		if got := string(a.Data["cvms"]); got != `{"nodes":[`+test.want+`]}` {
			t.Errorf("%s: got %s, want %s", item, got, test.want)
		}
		var paths []string
		for _, e := range a.Errors {
			paths = append(paths, strings.TrimPrefix(dotted(e.Path), "cvms.nodes.0."))
		}
		slices.Sort(paths)
		if slices.Sort(test.paths); !slices.Equal(paths, test.paths) {
			t.Errorf("%s: got errors at %v, want %v", item, paths, test.paths)
		}
	}
}

func TestShapes_provisionalID(t *testing.T) {
	t.Parallel()
	s := newFakeSourceOf(restclient.ShapeFlat)
	s.putItems("Bearer tester", false,
		`{"id":"cvm_1","name":"n"}`, `{"id":"cvm_2","name":"n"}`, `{"id":"cvm_1","vm_uuid":""}`, `{"id":7}`, `{"id":"7"}`, `{"id":"cvm_3","vm_uuid":"1A09D70626864E0A8B1D323FF0E3504B"}`)
	g := newGateway(t, listOf(), func(r *graph.Resolver) { r.Pages, r.APIVersion = s, versionOf(restclient.ShapeFlat) })
	nodes := g.post(t, `{ cvms { nodes { id vmId } } }`, nil, nil).cvms(t).Nodes
	ids := map[string]int{}
	for i, node := range nodes {
		ids[node.ID] = i
	}
	if len(ids) != len(nodes) || len(nodes) != 6 {
		t.Errorf("got %v, want a different id for each CVM", nodes)
	}
	if want := "Q3ZtOjFhMDlkNzA2LTI2ODYtNGUwYS04YjFkLTMyM2ZmMGUzNTA0Yg"; nodes[5].ID != want {
		t.Errorf("got the id %s of a CVM with a VM, want %s, as in the shape hosted", nodes[5].ID, want)
	}
	s.putItems("Bearer tester", false, `{"id":"cvm_2","name":"another","status":"running","node_info":{"id":4}}`)
	if again := g.post(t, `{ cvms { nodes { id } } }`, nil, nil).cvms(t).Nodes; again[0].ID != nodes[1].ID {
		t.Errorf("got the id %s after other values changed, want %s", again[0].ID, nodes[1].ID)
	}
}
