package demo_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

// all returns the items of a list, decoded.
func all(t *testing.T, u *demo.Upstream, tenant demo.Tenant) []map[string]any {
	t.Helper()
	var decoded []map[string]any
	u.Edit(tenant, func(items []demo.Item) []demo.Item {
		for _, it := range items {
			var m map[string]any
			if err := json.Unmarshal(it.JSON, &m); err != nil {
				t.Errorf("item %s: %v", it.ID, err)
			}
			if hostedID(m) != it.ID {
				t.Errorf("got hosted.id %q, want ID %q", hostedID(m), it.ID)
			}
			decoded = append(decoded, m)
		}
		return items
	})
	return decoded
}

// walk calls see for each value in a JSON document, with its path.
func walk(path string, v any, see func(path string, v any)) {
	see(path, v)
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			walk(path+"."+key, inner, see)
		}
	case []any:
		for _, inner := range v {
			walk(path+"[]", inner, see)
		}
	}
}

func TestItem_matchesReference(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct{ Items []any }
	if err := json.Unmarshal(data, &reference); err != nil {
		t.Fatal(err)
	}

	// The reference shows some lists empty. These are the types of their elements.
	kinds := map[string]string{
		".hosted.configuration.gpus.gpus[]":            "map[string]interface {}",
		".hosted.configuration.gpus.gpus[].slot":       "string",
		".hosted.configuration.gpus.gpus[].product_id": "string",
		".hosted.configuration.kms_urls[]":             "string",
		".hosted.configuration.gateway_urls[]":         "string",
	}
	keys := map[string][]string{".hosted.configuration.gpus.gpus[]": {"product_id", "slot"}}
	walk("", reference.Items[0], func(path string, v any) {
		kinds[path] = fmt.Sprintf("%T", v)
		if object, ok := v.(map[string]any); ok {
			keys[path] = slices.Sorted(maps.Keys(object))
		}
	})

	seen, missing := map[string]bool{}, 0
	for _, item := range all(t, demo.New(demo.Options{}), alice) {
		if _, ok := item["hosted"]; !ok {
			missing++
			item["hosted"] = nil // the only optional key
		}
		walk("", item, func(path string, v any) {
			kind := fmt.Sprintf("%T", v)
			switch want := kinds[path]; {
			case v == nil:
			case kind == want:
				seen[path] = true
			case path == ".managed_user.id" && kind == "string":
			default:
				t.Errorf("%s: got %s, want %q", path, kind, want)
			}
			if object, ok := v.(map[string]any); ok {
				if got := slices.Sorted(maps.Keys(object)); !slices.Equal(got, keys[path]) {
					t.Errorf("%s: got keys %v, want %v", path, got, keys[path])
				}
			}
		})
	}
	for path := range kinds {
		if !seen[path] {
			t.Errorf("%s: got no value in any item, want one", path)
		}
	}
	if missing == 0 {
		t.Error("got hosted in all items, want some without it")
	}
}

// The gateway's tests depend on these values.
func TestItem_variety(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	items := all(t, demo.New(demo.Options{}), alice)
	for _, item := range items {
		walk("", item, func(path string, v any) {
			switch v := v.(type) {
			case nil:
				counts[path+" null"]++
			case []any:
				if len(v) == 0 {
					counts[path+" empty"]++
				} else if len(v) >= 20 {
					counts[path+" long"]++
				}
			case string:
				counts[path+" string"]++
				if path == ".status" || strings.HasSuffix(path, "attach_mode") {
					counts[path+" "+v]++
				}
				if strings.Contains(v, "größe") {
					counts[path+" awkward"]++
				}
			case float64:
				if strings.HasSuffix(path, "chain_id") {
					counts[fmt.Sprintf("%s %g", path, v)]++
				}
			}
		})
	}
	for _, want := range []string{
		".hosted null", ".hosted.configuration null", ".hosted.instance_id null", ".hosted.exited_at null",
		".hosted.boot_progress null", ".hosted.configuration.ports null", ".hosted.configuration.ports empty",
		".hosted.events empty", ".hosted.events long",
		".hosted.configuration.gpus null", ".hosted.configuration.gpus.gpus empty",
		".hosted.configuration.gpus.attach_mode all", ".hosted.configuration.gpus.attach_mode listed",
		".hosted.configuration.compose_file null", ".hosted.configuration.compose_file.docker_compose_file awkward",
		".node null", ".node.region_identifier null", ".kms_info null", ".kms_info.chain_id null",
		".kms_info.chain_id 1", ".kms_info.chain_id 8453", ".kms_info.chain_id 31337",
		".managed_user null", ".managed_user.id string", ".project_type null", ".project_type string",
		".gateway_domain null", ".public_urls empty", ".vcpu null",
		".status stopped", ".status provisioning", ".status starting", ".status updating",
		".status shutting_down", ".status error", ".status exited",
	} {
		if counts[want] == 0 {
			t.Errorf("%s: got 0, want some", want)
		}
	}
	if got := counts[".status running"]; got < len(items)*7/10 {
		t.Errorf("got %d running of %d, want most", got, len(items))
	}
}

func TestItem_validValues(t *testing.T) {
	t.Parallel()
	var (
		hostName = regexp.MustCompile(`^[a-z][a-z0-9-]{3,61}[a-z0-9]$`)
		uuid     = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		hex40    = regexp.MustCompile(`^[0-9a-f]{40}$`)
		elapsed  = regexp.MustCompile(`^(never|\d+(days?|h|m|s|months?|years?)( \d+(days?|h|m|s|months?))*)$`)
	)
	u := demo.New(demo.Options{})
	const fresh = 200
	u.Edit(alice, func(items []demo.Item) []demo.Item {
		size := 0
		for _, it := range items {
			size += len(it.JSON)
		}
		if mean := size / len(items); mean < 4000 || mean > 6000 {
			t.Errorf("got items of %d bytes on average, want 4000 to 6000", mean)
		}
		for serial := range uint64(fresh) {
			it := demo.NewItem(serial)
			if again := demo.NewItem(serial); it.ID == "" || string(it.JSON) != string(again.JSON) {
				t.Errorf("serial %d: got %s and %s, want equal items", serial, it.JSON, again.JSON)
			}
			items = append(items, it)
		}
		return items
	})
	seen := map[string]bool{}
	items := all(t, u, alice)
	if got, want := len(items), 300+fresh; got != want {
		t.Errorf("got %d items, want %d", got, want)
	}
	for _, item := range items {
		name := item["name"].(string)
		if !hostName.MatchString(name) || seen[name] {
			t.Errorf("got name %q, want a new host name of 5 to 63 characters", name)
		}
		seen[name] = true
		hosted, ok := item["hosted"].(map[string]any)
		if !ok {
			continue
		}
		id := hosted["id"].(string)
		if !uuid.MatchString(id) || seen[id] {
			t.Errorf("got id %q, want a new UUID", id)
		}
		seen[id] = true
		if app := hosted["app_id"].(string); !hex40.MatchString(app) {
			t.Errorf("got app_id %q, want 40 digits", app)
		}
		if uptime := hosted["uptime"].(string); !elapsed.MatchString(uptime) {
			t.Errorf("got uptime %q", uptime)
		}
		if since, ok := hosted["exited_at"].(string); ok && !elapsed.MatchString(since) {
			t.Errorf("got exited_at %q", since)
		}
		last := 0.0
		for _, e := range hosted["events"].([]any) {
			e := e.(map[string]any)
			at := e["timestamp"].(float64)
			if at != 0 && (at < 1e12 || at > 1e13) || at < last {
				t.Errorf("%s: got event at %.0f ms after one at %.0f", id, at, last)
			}
			last = at
			if body := e["body"].(string); e["event"] == "instance.info" && !json.Valid([]byte(body)) {
				t.Errorf("%s: got body %q, want JSON", id, body)
			}
		}
	}
}

func TestEdit_customItems(t *testing.T) {
	t.Parallel()
	u := demo.New(demo.Options{Items: 3})
	const (
		mine   = `{"hosted":null,"name":"mine","status":"creating","public_urls":[],"managed_user":{"id":1,"username":"zoe"},"node":{"id":99,"name":"n"}}`
		broken = `{"hosted":`
	)
	before := u.IDs(alice)
	u.Edit(alice, func(items []demo.Item) []demo.Item {
		return append(items[1:], demo.Item{JSON: []byte(mine)}, demo.Item{ID: "x", JSON: []byte(broken)})
	})
	if got, want := u.IDs(alice), slices.Concat(before[1:], []string{"", "x"}); !slices.Equal(got, want) {
		t.Errorf("got ids %q, want %q", got, want)
	}
	tests := map[string]struct {
		version, query, want string
	}{
		"at its position":    {version: "2025-10-28", query: "page=3&page_size=1", want: `{"items":[` + mine + `],"total":4,"page":3,"page_size":1,"pages":4}`},
		"by its node":        {version: "2025-10-28", query: "teepod_id=99", want: `{"items":[` + mine + `],"total":1,"page":1,"page_size":30,"pages":1}`},
		"by its owner":       {version: "2025-10-28", query: "user_id=usr_zoe", want: `{"items":[` + mine + `],"total":1,"page":1,"page_size":30,"pages":1}`},
		"invalid JSON":       {version: "2025-10-28", query: "page=4&page_size=1", want: `{"items":[` + broken + `],"total":4,"page":4,"page_size":1,"pages":4}`},
		"invalid JSON, flat": {query: "page=4&page_size=1", want: `{"items":[` + broken + `],"total":4,"page":4,"page_size":1,"pages":4}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"Authorization": {"Bearer alice"}, "X-Phala-Version": {test.version}}
			if got := get(u, h, test.query).Body.String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
