package demo_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
)

// hands is a clock that the test sets.
type hands struct{ elapsed atomic.Int64 }

func (h *hands) now() time.Time        { return clock().Add(time.Duration(h.elapsed.Load())) }
func (h *hands) move(by time.Duration) { h.elapsed.Add(int64(by)) }

func TestUpstream_withoutChanges(t *testing.T) {
	t.Parallel()
	var h hands
	u := demo.New(demo.Options{Now: h.now})
	before := get(u, headers(alice), "page_size=100").Body.String()
	h.move(100 * time.Hour)
	if after := get(u, headers(alice), "page_size=100").Body.String(); after != before {
		t.Error("got another page after 100 hours without changes")
	}
}

func TestUpstream_changes(t *testing.T) {
	t.Parallel()
	const steps = 700
	tests := map[string]struct{ items, slack int }{
		"a long list":  {items: 300, slack: 15},
		"a short list": {items: 5, slack: 1},
		"one item":     {items: 1, slack: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h hands
			u := demo.New(demo.Options{Items: test.items, ChangeEvery: time.Second, Now: h.now})
			known := map[*byte]string{}
			before := names(t, u, known)
			var inserted, deleted, altered int
			for range steps {
				h.move(time.Second)
				after := names(t, u, known)
				if d := len(after) - test.items; d < -test.slack || d > test.slack {
					t.Fatalf("got %d items, want %d plus or minus %d", len(after), test.items, test.slack)
				}
				switch changed := differences(before, after); {
				case len(after) == len(before)+1 && changed == 1:
					inserted++
				case len(after) == len(before)-1 && changed == 1:
					deleted++
				case len(after) == len(before) && changed == 1:
					altered++
				default:
					t.Fatalf("got %d changes from %d to %d items, want one", changed, len(before), len(after))
				}
				before = after
			}
			if inserted < steps/20 || deleted < steps/20 || altered < steps/4 {
				t.Errorf("got %d inserted, %d deleted, %d altered, want many of each", inserted, deleted, altered)
			}

			// The list does not depend on the number of requests.
			var late hands
			v := demo.New(demo.Options{Items: test.items, ChangeEvery: time.Second, Now: late.now})
			v.IDs(alice)
			late.move(steps * time.Second)
			if got, want := v.IDs(alice), u.IDs(alice); !slices.Equal(got, want) {
				t.Errorf("got ids %v after one step of %d s, want %v", got, steps, want)
			}
		})
	}
}

// names returns the address of each item's JSON by the item's name. It checks that names and ids
// are unique. An unchanged item keeps the address of its JSON, so known caches the names by
// address: decoding all items at each step would be slow.
func names(t *testing.T, u *demo.Upstream, known map[*byte]string) map[string]*byte {
	t.Helper()
	list, ids := map[string]*byte{}, map[string]bool{}
	u.Edit(alice, func(items []demo.Item) []demo.Item {
		for _, it := range items {
			if ids[it.ID] && it.ID != "" {
				t.Errorf("got id %s twice", it.ID)
			}
			ids[it.ID] = true
			address := &it.JSON[0]
			if known[address] == "" {
				var named struct{ Name string }
				if err := json.Unmarshal(it.JSON, &named); err != nil {
					t.Errorf("item %s: %v", it.ID, err)
				}
				known[address] = named.Name
			}
			list[known[address]] = address
		}
		if len(list) != len(items) {
			t.Errorf("got %d names for %d items", len(list), len(items))
		}
		return items
	})
	return list
}

// differences counts the items that were added, removed or changed.
func differences(before, after map[string]*byte) (count int) {
	for name, address := range after {
		if before[name] != address {
			count++
		}
	}
	for name := range before {
		if after[name] == nil {
			count++
		}
	}
	return count
}

func TestUpstream_changesKeepConfiguration(t *testing.T) {
	t.Parallel()
	var h hands
	u := demo.New(demo.Options{Items: 20, ChangeEvery: time.Second, Now: h.now})
	first := map[string]map[string]any{}
	statuses := map[any]bool{}
	for range 60 {
		for _, item := range all(t, u, alice) {
			statuses[item["status"]] = true
			name := item["name"].(string)
			hosted, ok := item["hosted"].(map[string]any)
			if !ok {
				continue
			}
			if first[name] == nil {
				first[name] = hosted
			}
			for _, key := range []string{"id", "app_id", "configuration"} {
				if got, want := hosted[key], first[name][key]; !reflect.DeepEqual(got, want) {
					t.Fatalf("%s: got %s %v, want %v", name, key, got, want)
				}
			}
		}
		h.move(5 * time.Second)
	}
	for _, want := range []string{"provisioning", "starting", "running", "shutting_down", "stopped"} {
		if !statuses[want] {
			t.Errorf("got no item %s in 300 changes, want one", want)
		}
	}
}

func TestUpstream_manyOverdueChanges(t *testing.T) {
	t.Parallel()
	var h hands
	u := demo.New(demo.Options{ChangeEvery: time.Millisecond, Now: h.now})
	u.IDs(alice)
	h.move(10 * 365 * 24 * time.Hour)
	if got := len(u.IDs(alice)); got < 285 || got > 315 {
		t.Errorf("got %d items, want about 300", got)
	}
	h.move(-time.Hour)
	if got := len(u.IDs(alice)); got < 285 || got > 315 {
		t.Errorf("after the clock was set back: got %d items, want about 300", got)
	}
}

func TestUpstream_concurrentUse(t *testing.T) {
	t.Parallel()
	var h hands
	u := demo.New(demo.Options{Items: 50, ChangeEvery: time.Second, Now: h.now})
	var group sync.WaitGroup
	for worker := range 8 {
		tenant := demo.Tenant{APIKey: strconv.Itoa(worker % 3)}
		header := headers(tenant)
		if worker%4 == 3 {
			header.Del("X-Phala-Version")
		}
		group.Go(func() {
			for i := range 40 {
				h.move(time.Second)
				w := get(u, header, "page_size=10&page="+strconv.Itoa(1+i%5))
				if w.Code != http.StatusOK {
					t.Errorf("got status %d, want 200", w.Code)
				}
				if i%10 == 0 {
					u.Edit(tenant, func(items []demo.Item) []demo.Item {
						return append(items[1:], demo.NewItem(uint64(worker*100+i)))
					})
				}
				u.IDs(tenant)
			}
		})
	}
	group.Wait()
}

func TestUpstream_changesWithEachResponse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		tenant      demo.Tenant
		min, max    int
		changes     bool
		cacheHeader string
	}{
		"a token with the prefix":   {tenant: demo.Tenant{Bearer: "changing-a"}, min: 76, max: 84, changes: true, cacheHeader: "no-store"},
		"a key with the prefix":     {tenant: demo.Tenant{APIKey: "changing-a"}, min: 76, max: 84, changes: true, cacheHeader: "no-store"},
		"another token":             {tenant: demo.Tenant{Bearer: "a-changing-list"}, min: 300, max: 300},
		"the prefix without a dash": {tenant: demo.Tenant{Bearer: "changing"}, min: 300, max: 300},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := demo.New(demo.Options{Now: clock})
			before := u.IDs(test.tenant)
			if again := u.IDs(test.tenant); !slices.Equal(again, before) {
				t.Error("got another list without a response in between")
			}
			seen, ids := map[string]bool{}, before
			for range 50 {
				response := get(u, headers(test.tenant), "page_size=100")
				if got := response.Header().Get("Cache-Control"); got != test.cacheHeader {
					t.Errorf("got Cache-Control %q, want %q", got, test.cacheHeader)
				}
				seen[response.Body.String()] = true
				after := u.IDs(test.tenant)
				if len(after) < test.min || len(after) > test.max {
					t.Errorf("got %d items, want %d to %d", len(after), test.min, test.max)
				}
				checkOrder(t, ids, after)
				ids = after
			}
			if got := len(seen); (got == 50) != test.changes || (got == 1) == test.changes {
				t.Errorf("got %d different responses of 50, want all of them different: %t", got, test.changes)
			}
			if got := !slices.Equal(ids, before); got != test.changes {
				t.Errorf("got other ids at the end: %t, want %t", got, test.changes)
			}
		})
	}
}

// checkOrder checks that the remaining items keep their order, and that most items remain.
func checkOrder(t *testing.T, before, after []string) {
	t.Helper()
	remaining := func(in, of []string) (ids []string) {
		known := map[string]bool{}
		for _, id := range of {
			known[id] = id != ""
		}
		for _, id := range in {
			if known[id] {
				ids = append(ids, id)
			}
		}
		return ids
	}
	got, want := remaining(after, before), remaining(before, after)
	if !slices.Equal(got, want) || len(got) < len(before)*3/4 {
		t.Errorf("got %v after %v, want most of them in the same order", got, before)
	}
}
