package demo_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/demo"
)

// newestFlat is the newest API version.
const newestFlat = "2026-06-23"

// versioned returns the headers of a request for an API version.
func versioned(t demo.Tenant, version string) http.Header {
	h := headers(t)
	h.Set("X-Phala-Version", version)
	return h
}

// pairs returns the items of a list in both shapes. No item has changed in between.
func pairs(t *testing.T, u *demo.Upstream, tenant demo.Tenant) (hosted, flat []map[string]any) {
	t.Helper()
	for number, pages := 1, 1; number <= pages; number++ {
		query := "page_size=100&page=" + strconv.Itoa(number)
		first, other := getPage(t, u, versioned(tenant, "2025-10-28"), query), getPage(t, u, versioned(tenant, newestFlat), query)
		hosted, flat, pages = append(hosted, first.Items...), append(flat, other.Items...), first.Pages
		if first.Total != other.Total || first.Pages != other.Pages || len(first.Items) != len(other.Items) {
			t.Fatalf("page %d: got %d items of %d in the flat shape, want %d of %d", number, len(other.Items), other.Total, len(first.Items), first.Total)
		}
	}
	return hosted, flat
}

// at returns the value at a path, and nil if it or an object on the way is missing.
func at(item map[string]any, path string) any {
	var v any = item
	for key := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

// mapping lists each path of the flat shape with the paths of the hosted shape that have the same
// value. If convert is set, it returns the value in the flat shape. If onlyIn is set, it is an
// object of the hosted shape without which the flat shape has more.
var mapping = []struct {
	flat    string
	hosted  []string
	convert func(hosted any) any
	onlyIn  string
}{
	{flat: "name", hosted: []string{"name"}},
	{flat: "name", hosted: []string{"hosted.name"}, onlyIn: "hosted"},
	{flat: "name", hosted: []string{"hosted.configuration.name"}, onlyIn: "hosted.configuration"},
	{flat: "app_id", hosted: []string{"hosted.app_id"}, onlyIn: "hosted"},
	{flat: "app_id", hosted: []string{"hosted.configuration.app_id"}, onlyIn: "hosted.configuration"},
	{flat: "vm_uuid", hosted: []string{"hosted.id"}},
	{flat: "instance_id", hosted: []string{"hosted.instance_id"}},
	{flat: "status", hosted: []string{"status"}},
	{flat: "in_progress", hosted: []string{"in_progress"}},
	{flat: "listed", hosted: []string{"listed"}},
	{flat: "project_type", hosted: []string{"project_type"}},
	{flat: "resource.vcpu", hosted: []string{"vcpu"}},
	{flat: "resource.vcpu", hosted: []string{"hosted.configuration.vcpu"}, onlyIn: "hosted.configuration"},
	{flat: "resource.memory_in_gb", hosted: []string{"memory"}, convert: gigabytes},
	{flat: "resource.memory_in_gb", hosted: []string{"hosted.configuration.memory"}, convert: gigabytes, onlyIn: "hosted.configuration"},
	{flat: "resource.disk_in_gb", hosted: []string{"disk_size"}},
	{flat: "resource.disk_in_gb", hosted: []string{"hosted.configuration.disk_size"}, onlyIn: "hosted.configuration"},
	{flat: "resource.gpus", hosted: []string{"hosted.configuration.gpus.gpus"}, convert: length},
	{flat: "resource.billing_period", hosted: []string{"billing_period"}},
	{flat: "node_info.id", hosted: []string{"node.id"}},
	{flat: "node_info.name", hosted: []string{"node.name"}},
	{flat: "node_info.region", hosted: []string{"node.region_identifier"}},
	{flat: "base_image", hosted: []string{"hosted.configuration.image"}},
	{flat: "os.version", hosted: []string{"hosted.image_version"}},
	{flat: "kms_info.chain_id", hosted: []string{"kms_info.chain_id"}},
	{flat: "kms_info.dstack_kms_address", hosted: []string{"kms_info.kms_contract_address"}, convert: orEmpty, onlyIn: "kms_info"},
	{flat: "kms_info.dstack_app_address", hosted: []string{"contract_address"}},
	{flat: "kms_info.deployer_address", hosted: []string{"deployer_address"}},
	{flat: "kms_info.rpc_endpoint", hosted: []string{"kms_info.url"}},
	{flat: "gateway.base_domain", hosted: []string{"gateway_domain"}},
	{flat: "logs.serial", hosted: []string{"syslog_endpoint"}, convert: serialLog},
	{flat: "endpoints", hosted: []string{"public_urls"}, onlyIn: "hosted"},
	{flat: "public_logs", hosted: []string{"hosted.configuration.compose_file.public_logs"}, convert: orFalse},
	{flat: "public_sysinfo", hosted: []string{"hosted.configuration.compose_file.public_sysinfo"}, convert: orFalse},
	{flat: "public_tcbinfo", hosted: []string{"hosted.configuration.compose_file.public_tcbinfo"}, convert: orTrue},
	{flat: "gateway_enabled", hosted: []string{"hosted.configuration.compose_file.gateway_enabled", "hosted.configuration.compose_file.tproxy_enabled"}, convert: orFalse},
	{flat: "secure_time", hosted: []string{"hosted.configuration.compose_file.secure_time"}, convert: orFalse},
	{flat: "storage_fs", hosted: []string{"hosted.configuration.compose_file.storage_fs"}, convert: orZFS},
	{flat: "creator.username", hosted: []string{"managed_user.username"}},
	{flat: "creator.id", hosted: []string{"managed_user"}, convert: userID},
	{flat: "app_url", hosted: []string{"hosted.app_url", "dapp_dashboard_url"}},
	{flat: "features", hosted: []string{"hosted.configuration.compose_file.features"}},
	{flat: "runner", hosted: []string{"hosted.configuration.compose_file.runner"}},
	{flat: "manifest_version", hosted: []string{"hosted.configuration.compose_file.manifest_version"}, convert: decimal},
}

func or(v, fallback any) any {
	if v == nil {
		return fallback
	}
	return v
}

func orEmpty(v any) any { return or(v, "") }
func orFalse(v any) any { return or(v, false) }
func orTrue(v any) any  { return or(v, true) }
func orZFS(v any) any   { return or(v, "zfs") }

func gigabytes(v any) any {
	if megabytes, ok := v.(float64); ok {
		return megabytes / 1024
	}
	return nil
}

func length(v any) any {
	if list, ok := v.([]any); ok {
		return float64(len(list))
	}
	return nil
}

func serialLog(v any) any {
	if url, ok := v.(string); ok {
		return url + "&ch=serial"
	}
	return nil
}

func decimal(v any) any {
	if n, ok := v.(float64); ok {
		return strconv.Itoa(int(n))
	}
	return nil
}

func userID(v any) any {
	if user, ok := v.(map[string]any); ok {
		return "usr_" + user["username"].(string)
	}
	return nil
}

// checkMapping compares an item in both shapes, value by value.
func checkMapping(t *testing.T, hosted, flat map[string]any) {
	t.Helper()
	for _, m := range mapping {
		if m.onlyIn != "" && at(hosted, m.onlyIn) == nil {
			continue
		}
		for _, path := range m.hosted {
			want := at(hosted, path)
			if m.convert != nil {
				want = m.convert(want)
			}
			if got := at(flat, m.flat); !reflect.DeepEqual(got, want) {
				t.Errorf("%v: got %s %v, want %v as %s", hosted["name"], m.flat, got, want, path)
			}
		}
	}
	if name := at(flat, "os.name"); name != nil && name != at(flat, "base_image") {
		t.Errorf("%v: got os.name %v, want the base image %v", hosted["name"], name, at(flat, "base_image"))
	}
}

func TestFlat_agreesWithTheHostedShape(t *testing.T) {
	t.Parallel()
	for _, tenant := range []demo.Tenant{alice, {APIKey: "k", Workspace: "w"}} {
		var h hands
		u := demo.New(demo.Options{ChangeEvery: time.Second, Now: h.now})
		for range 3 {
			hosted, flat := pairs(t, u, tenant)
			for i := range hosted {
				checkMapping(t, hosted[i], flat[i])
			}
			h.move(200 * time.Second)
		}
	}
}

// flatFixture returns the flat shape of a CVM, and what an upstream returns for the same CVM.
func flatFixture(t *testing.T) (want, got map[string]any) {
	t.Helper()
	hosted, err := os.ReadFile("../../restclient/testdata/item.json")
	if err != nil {
		t.Fatal(err)
	}
	flat, err := os.ReadFile("../../restclient/testdata/item-flat.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(flat, &want); err != nil {
		t.Fatal(err)
	}
	u := demo.New(demo.Options{Items: -1})
	u.Edit(alice, func([]demo.Item) []demo.Item {
		return []demo.Item{{ID: want["vm_uuid"].(string), JSON: hosted}}
	})
	return want, getPage(t, u, versioned(alice, newestFlat), "").Items[0]
}

// remove deletes the value at a path of one or two keys. It reports whether there was one.
func remove(object map[string]any, path string) bool {
	key := path
	if parent, member, ok := strings.Cut(path, "."); ok {
		object, key = object[parent].(map[string]any), member
	}
	_, ok := object[key]
	delete(object, key)
	return ok
}

// The fixture is the real API's view of a CVM.
func TestFlat_equalsTheFixture(t *testing.T) {
	t.Parallel()
	want, got := flatFixture(t)
	// The hosted shape has nothing that these values follow from.
	for _, path := range []string{
		"id", "node_info.node_id", "node_info.device_id", "node_info.device_ids", "node_info.ppid", "node_info.status",
		"node_info.version", "os.name", "os.os_image_hash", "kms_info.encrypted_env_pubkey", "kms_info.k256_pubkey",
		"progress", "compose_hash", "gateway.cname", "workspace", "creator.id", "created_at", "updated_at",
	} {
		remove(want, path)
		if !remove(got, path) {
			t.Errorf("got no %s", path)
		}
	}
	for key := range want {
		if !reflect.DeepEqual(got[key], want[key]) {
			t.Errorf("%s: got %v, want %v", key, got[key], want[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d keys, want %d", len(got), len(want))
	}
}

// The types of the values are those of the fixture.
func TestFlat_matchesTheFixture(t *testing.T) {
	t.Parallel()
	fixture, _ := flatFixture(t)
	// The fixture has null here, or an empty list.
	kinds := map[string]string{
		".progress.target": "string", ".progress.started_at": "string", ".progress.correlation_id": "string",
		".gateway.cname": "string", ".workspace.avatar_url": "string", ".project_type": "string", ".deleted_at": "string",
		".gpu_rental_order": "map[string]interface {}", ".gpu_rental_order.order_id": "string", ".gpu_rental_order.status": "string",
		".gpu_rental_order.hourly_rate": "string", ".gpu_rental_order.started_at": "string", ".gpu_rental_order.ends_at": "string",
	}
	keys := map[string]int{".gpu_rental_order": 5}
	walk("", fixture, func(path string, v any) {
		if v != nil {
			kinds[path] = fmt.Sprintf("%T", v)
		}
		if object, ok := v.(map[string]any); ok {
			keys[path] = len(object)
		}
	})
	u := demo.New(demo.Options{})
	u.Edit(alice, func(items []demo.Item) []demo.Item {
		return append(items, demo.Item{JSON: []byte(`{"status":"deleted"}`)})
	})
	seen := map[string]bool{}
	_, flat := pairs(t, u, alice)
	for _, item := range flat {
		walk("", item, func(path string, v any) {
			kind, want := fmt.Sprintf("%T", v), kinds[path]
			if v != nil && kind != want && path != ".creator.avatar_url" {
				t.Errorf("%s: got %s, want %q", path, kind, want)
			}
			seen[path] = seen[path] || v != nil
			if object, ok := v.(map[string]any); ok && len(object) != keys[path] {
				t.Errorf("%s: got %d keys, want %d", path, len(object), keys[path])
			}
		})
	}
	for path := range kinds {
		if !seen[path] {
			t.Errorf("%s: got no value in any item, want one", path)
		}
	}
}

// The gateway's tests depend on these values.
func TestFlat_variety(t *testing.T) {
	t.Parallel()
	raw := get(demo.New(demo.Options{Items: 1000}), versioned(alice, newestFlat), "page_size=100").Body.String()
	for _, want := range []string{`"memory_in_gb":4.0`, `"memory_in_gb":0.5`, `"manifest_version":"2"`} {
		if !strings.Contains(raw, want) {
			t.Errorf("got no item with %s", want)
		}
	}
	counts := map[string]int{}
	hosted, flat := pairs(t, demo.New(demo.Options{}), alice)
	for i, item := range flat {
		for _, path := range []string{
			"vm_uuid", "app_id", "instance_id", "resource.instance_type", "resource.gpus", "resource.compute_billing_price",
			"node_info", "node_info.region", "node_info.device_id", "os", "os.name", "os.version", "kms_type", "kms_info", "kms_info.chain_id",
			"progress", "progress.target", "compose_hash", "gateway.base_domain", "gateway.cname", "logs.serial", "endpoints", "workspace",
			"creator", "app_url", "runner", "hourly_rate", "gpu_rental_order",
		} {
			counts[fmt.Sprintf("%s null: %t", path, at(item, path) == nil)]++
		}
		for _, path := range []string{"kms_type", "node_info.status", "kms_info.dstack_kms_address", "os.is_dev", "resource.billing_period"} {
			counts[fmt.Sprintf("%s %v", path, at(item, path))]++
		}
		if endpoints, _ := item["endpoints"].([]any); len(endpoints) > 0 {
			counts[fmt.Sprintf("endpoint without instance: %t", at(endpoints[0].(map[string]any), "instance") == "")]++
		}
		if item["status"] == "running" && item["instance_id"] == nil && item["vm_uuid"] != nil {
			counts["running without instance_id"]++
		}
		if hosted[i]["hosted"] == nil && item["app_id"] != nil {
			counts["app_id before the VM"]++
		}
	}
	for _, path := range []string{
		"vm_uuid null: true", "instance_id null: true", "node_info null: true", "node_info.region null: true",
		"kms_info null: true", "progress null: true", "progress null: false", "progress.target null: false", "gateway.cname null: false",
		"endpoints null: true", "gpu_rental_order null: false", "compose_hash null: true", "workspace null: true", "os.name null: true",
		"kms_type phala", "kms_type base", "kms_type ethereum", "kms_type legacy", "kms_info.dstack_kms_address ",
		"node_info.status ONLINE", "os.is_dev true", "os.is_dev false", "resource.billing_period skip",
		"endpoint without instance: true", "endpoint without instance: false", "running without instance_id", "app_id before the VM",
	} {
		if counts[path] == 0 {
			t.Errorf("%s: got 0, want some", path)
		}
	}
}

func TestFlat_validValues(t *testing.T) {
	t.Parallel()
	patterns := map[string]*regexp.Regexp{
		"id":                             regexp.MustCompile(`^cvm_[0-9a-z]+$`),
		"creator.id":                     regexp.MustCompile(`^usr_.+$`),
		"workspace.id":                   regexp.MustCompile(`^wks_.+$`),
		"created_at":                     regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`),
		"updated_at":                     regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`),
		"hourly_rate.total":              regexp.MustCompile(`^\d+\.\d{6}$`),
		"resource.compute_billing_price": regexp.MustCompile(`^\d+\.\d{6}$`),
		"compose_hash":                   regexp.MustCompile(`^[0-9a-f]{64}$`),
		"kms_info.encrypted_env_pubkey":  regexp.MustCompile(`^[0-9a-f]{64}$`),
		"node_info.device_id":            regexp.MustCompile(`^[0-9a-f]{64}$`),
		"progress.correlation_id":        regexp.MustCompile(`^[0-9a-f-]{36}$`),
		"logs.serial":                    regexp.MustCompile(`/logs\?token=FAKE-DEMO-TOKEN-.*&ch=serial$`),
		"logs.container_log_base":        regexp.MustCompile(`^https://.+/containers/[0-9a-f]{40}$`),
		"gpu_rental_order.hourly_rate":   regexp.MustCompile(`^\d+\.\d{6}$`),
		"node_info.status":               regexp.MustCompile(`^(ONLINE|OFFLINE|MAINTENANCE)$`),
		"resource.billing_period":        regexp.MustCompile(`^(skip|hourly|monthly)$`),
	}
	seen := map[any]bool{}
	_, flat := pairs(t, demo.New(demo.Options{}), alice)
	for _, item := range flat {
		if id := item["id"]; seen[id] {
			t.Errorf("got id %v twice", id)
		}
		seen[item["id"]] = true
		for path, pattern := range patterns {
			if v := at(item, path); v != nil && !pattern.MatchString(fmt.Sprint(v)) {
				t.Errorf("%v: got %s %v, want a match of %s", item["id"], path, v, pattern)
			}
		}
		if item["created_at"].(string) > item["updated_at"].(string) {
			t.Errorf("%v: got created_at %v after updated_at %v", item["id"], item["created_at"], item["updated_at"])
		}
	}
}

// The values that only the flat shape has belong to a CVM and stay while it changes.
func TestFlat_identityStays(t *testing.T) {
	t.Parallel()
	var h hands
	u := demo.New(demo.Options{Items: 40, ChangeEvery: time.Second, Now: h.now})
	type identity struct{ id, createdAt, workspace any }
	known := map[any]identity{}
	placed, before := 0, map[any]any{}
	for range 60 {
		_, flat := pairs(t, u, alice)
		for _, item := range flat {
			got := identity{item["id"], item["created_at"], at(item, "workspace.id")}
			if want, ok := known[item["name"]]; ok && got != want {
				t.Fatalf("%v: got %v, want %v", item["name"], got, want)
			}
			if known[item["name"]] = got; before[got.id] == "unplaced" && item["vm_uuid"] != nil {
				placed++
			}
			before[got.id] = or(item["vm_uuid"], "unplaced")
		}
		h.move(5 * time.Second)
	}
	if placed == 0 {
		t.Error("got no VM for a CVM without one, want some")
	}
	_, flat := pairs(t, u, alice)
	u.Edit(alice, func(items []demo.Item) []demo.Item {
		for i := range items {
			items[i].JSON = []byte(strings.Replace(string(items[i].JSON), `"listed":`, `"listed":true,"x":`, 1))
		}
		return items
	})
	_, edited := pairs(t, u, alice)
	for i, item := range flat {
		if edited[i]["listed"] != true || edited[i]["id"] != item["id"] || edited[i]["created_at"] != item["created_at"] {
			t.Errorf("got %v after an edit, want id %v and created_at %v", edited[i], item["id"], item["created_at"])
		}
	}
}

// Tests write items in the hosted shape, with wrong types if they like.
func TestFlat_writtenItems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		json string
		want map[string]any // by path
	}{
		"no keys":         {json: `{}`, want: map[string]any{"vm_uuid": nil, "name": nil, "endpoints": nil, "in_progress": false, "public_tcbinfo": true, "kms_info": nil}},
		"white space":     {json: " {\"name\": \"a\"}\n", want: map[string]any{"name": "a"}},
		"no VM":           {json: `{"hosted":null,"name":"a","contract_address":"0xab"}`, want: map[string]any{"vm_uuid": nil, "app_id": "ab", "kms_info.dstack_app_address": "0xab"}},
		"an empty id":     {json: `{"hosted":{"id":""},"name":"a"}`, want: map[string]any{"vm_uuid": nil}},
		"wrong types":     {json: `{"hosted":{"id":7,"app_id":true},"name":7,"vcpu":"2","memory":"1024","listed":"yes","node":{"id":"x"}}`, want: map[string]any{"name": 7.0, "resource.vcpu": "2", "resource.memory_in_gb": "1024", "listed": "yes", "node_info.id": "x", "app_id": true}},
		"wrong objects":   {json: `{"hosted":"x","name":"a","node":[1],"kms_info":7}`, want: map[string]any{"name": "a", "vm_uuid": nil}},
		"fractions":       {json: `{"vcpu":1.5,"memory":1000,"disk_size":1e2}`, want: map[string]any{"resource.vcpu": 1.5, "resource.memory_in_gb": 0.9765625, "resource.disk_in_gb": 100.0}},
		"an owner by id":  {json: `{"managed_user":{"id":"usr_9","username":"zoe"}}`, want: map[string]any{"creator.id": "usr_9", "creator.username": "zoe"}},
		"a nameless user": {json: `{"managed_user":{"id":9}}`, want: map[string]any{"creator.id": nil, "creator.object_type": "user"}},
		"awkward text":    {json: `{"name":"<b>&\u2028\ud83d\ude80"}`, want: map[string]any{"name": "<b>&\u2028🚀"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := demo.New(demo.Options{Items: -1})
			u.Edit(alice, func([]demo.Item) []demo.Item { return []demo.Item{{JSON: []byte(test.json)}} })
			got := getPage(t, u, versioned(alice, newestFlat), "").Items[0]
			for path, want := range test.want {
				if value := at(got, path); !reflect.DeepEqual(value, want) {
					t.Errorf("%s: got %v, want %v", path, value, want)
				}
			}
			if id, _ := got["id"].(string); !strings.HasPrefix(id, "cvm_") {
				t.Errorf("got id %v, want one", got["id"])
			}
		})
	}
}

func TestFlat_filters(t *testing.T) {
	t.Parallel()
	for _, ignores := range []bool{false, true} {
		u := demo.New(demo.Options{FlatIgnoresFilters: ignores})
		all := getPage(t, u, versioned(alice, newestFlat), "").Total
		for _, query := range []string{"teepod_id=18", "user_id=usr_alice", "user_id=0"} {
			hosted, flat := getPage(t, u, headers(alice), query), getPage(t, u, versioned(alice, newestFlat), query)
			if hosted.Total == 0 || hosted.Total == all {
				t.Errorf("%s: got %d items of %d in the hosted shape, want some", query, hosted.Total, all)
			}
			if want := map[bool]int{false: hosted.Total, true: all}[ignores]; flat.Total != want {
				t.Errorf("%s, ignored %t: got %d items, want %d", query, ignores, flat.Total, want)
			}
			foreign := slices.ContainsFunc(flat.Items, func(item map[string]any) bool {
				return !strings.Contains(query, fmt.Sprint("=", at(item, "node_info.id"))) && !strings.Contains(query, fmt.Sprint("=", or(at(item, "creator.id"), "0")))
			})
			if foreign != ignores {
				t.Errorf("%s, ignored %t: got items of other nodes or users: %t", query, ignores, foreign)
			}
		}
	}
}
