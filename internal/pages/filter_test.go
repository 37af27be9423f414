package pages_test

import (
	"errors"
	"strings"
	"testing"

	"cvmgraph/internal/pages"
	"cvmgraph/restclient"
)

// filterCases are pages for a filter, as lists of nodes or owners. "" is an item that reports none.
var filterCases = map[string]struct {
	filter        restclient.Filter
	nodes, owners string
	want          restclient.Reason // "" if the page is valid
}{
	"no filter":                              {nodes: "7 8", owners: `1 "usr_b"`},
	"the node":                               {filter: restclient.Filter{NodeID: 7}, nodes: "7 7.0"},
	"no items":                               {filter: restclient.Filter{NodeID: 7, UserID: "usr_a"}},
	"another node":                           {filter: restclient.Filter{NodeID: 7}, nodes: "7 7 8", want: restclient.ReasonOtherNode},
	"a node whose digits begin alike":        {filter: restclient.Filter{NodeID: 7}, nodes: "77", want: restclient.ReasonOtherNode},
	"no node":                                {filter: restclient.Filter{NodeID: 7}, nodes: "7 null", want: restclient.ReasonOtherNode},
	"a node of the wrong type":               {filter: restclient.Filter{NodeID: 7}, nodes: `7 "7"`, want: restclient.ReasonOtherNode},
	"a negative node":                        {filter: restclient.Filter{NodeID: -7}, nodes: "-7"},
	"the owner":                              {filter: restclient.Filter{UserID: "usr_a"}, owners: `"usr_a" "usr_\u0061"`},
	"another owner":                          {filter: restclient.Filter{UserID: "usr_a"}, owners: `"usr_a" "usr_b"`, want: restclient.ReasonOtherOwner},
	"another owner of all items":             {filter: restclient.Filter{UserID: "usr_a"}, owners: `"usr_b" "usr_b"`, want: restclient.ReasonOtherOwner},
	"an owner whose name begins alike":       {filter: restclient.Filter{UserID: "usr_a"}, owners: `"usr_ab"`, want: restclient.ReasonOtherOwner},
	"no owner":                               {filter: restclient.Filter{UserID: "usr_a"}, owners: `"usr_a" null`, want: restclient.ReasonOtherOwner},
	"no owner of all items":                  {filter: restclient.Filter{UserID: "usr_a"}, owners: "null", want: restclient.ReasonOtherOwner},
	"the number of one owner":                {filter: restclient.Filter{UserID: "usr_a"}, owners: `1042 "1042"`},
	"the numbers of two owners":              {filter: restclient.Filter{UserID: "usr_a"}, owners: "1042 1043", want: restclient.ReasonOtherOwner},
	"a number and no owner":                  {filter: restclient.Filter{UserID: "usr_a"}, owners: "1042 null", want: restclient.ReasonOtherOwner},
	"a number and the owner":                 {filter: restclient.Filter{UserID: "usr_a"}, owners: `1042 "usr_a"`, want: restclient.ReasonOtherOwner},
	"items without an owner":                 {filter: restclient.Filter{UserID: "0"}, owners: `null 0 "0"`},
	"items with and without an owner":        {filter: restclient.Filter{UserID: "0"}, owners: "null 1042", want: restclient.ReasonOtherOwner},
	"a user instead of no owner":             {filter: restclient.Filter{UserID: "0"}, owners: `"usr_a"`, want: restclient.ReasonOtherOwner},
	"the node and the owner":                 {filter: restclient.Filter{NodeID: 7, UserID: "usr_a"}, nodes: "7 7", owners: `"usr_a" "usr_a"`},
	"the node, and another owner":            {filter: restclient.Filter{NodeID: 7, UserID: "usr_a"}, nodes: "7 7", owners: `"usr_a" "usr_b"`, want: restclient.ReasonOtherOwner},
	"the owner, and another node":            {filter: restclient.Filter{NodeID: 7, UserID: "usr_a"}, nodes: "7 8", owners: `"usr_a" "usr_a"`, want: restclient.ReasonOtherNode},
	"another node, and the owner is unknown": {filter: restclient.Filter{NodeID: 7, UserID: "usr_a"}, nodes: "8", want: restclient.ReasonOtherNode},
}

// itemsOf returns the items of a page. Each format has one verb, for the value.
func itemsOf(nodes, owners, nodeFormat, ownerFormat string) (items string, count int) {
	n, o := strings.Fields(nodes), strings.Fields(owners)
	count = max(len(n), len(o))
	all := make([]string, count)
	for i := range all {
		node, owner := "null", "null"
		if i < len(n) {
			node = n[i]
		}
		if i < len(o) {
			owner = o[i]
		}
		all[i] = "{" + strings.Replace(nodeFormat, "%", node, 1) + "," + strings.Replace(ownerFormat, "%", owner, 1) + "}"
	}
	return strings.Join(all, ","), count
}

func TestUpstreamPage_ignoredFilter(t *testing.T) {
	t.Parallel()
	for shape, formats := range map[restclient.Shape][2]string{
		restclient.ShapeHosted: {`"hosted":{},"node":{"id":%}`, `"managed_user":{"id":%}`},
		restclient.ShapeFlat:   {`"vm_uuid":null,"node_info":{"id":%,"node_id":7}`, `"creator":{"id":%}`},
	} {
		for name, test := range filterCases {
			t.Run(string(shape)+"/"+name, func(t *testing.T) {
				t.Parallel()
				items, count := itemsOf(test.nodes, test.owners, formats[0], formats[1])
				request := restclient.PageRequest{Filter: test.filter, Page: 1, PageSize: 30}
				page, err := pages.NewUpstreamFunc(shape, nil).Page(document(items, count, 1, 30), request)
				if test.want == "" {
					if err != nil || page.Len() != count {
						t.Errorf("%s: got %v, want %d items", items, err, count)
					}
					return
				}
				invalid, ok := errors.AsType[*restclient.InvalidResponseError](err)
				if !ok || invalid.Reason != test.want || page != nil {
					t.Errorf("%s: got %v, want %q and no page", items, err, test.want)
				}
			})
		}
	}
}
