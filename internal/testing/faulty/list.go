package faulty

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// filteredEvery is the distance of the items that filtered-items leaves out, by their positions
	// in the list.
	filteredEvery = 15
	// largeComposeFile is the size of each item's compose file in large-items. A hundred of them
	// exceed 16 MiB.
	largeComposeFile = 190 << 10
)

// addLists adds faults of the whole list. Each page shows the same list if every call of a token
// fails.
func (u *Upstream) addLists() {
	// Items are filtered after they were counted, and after the page was cut.
	u.faults["filtered-items"] = func(c *call) {
		c.sendEdited(func(d document) {
			position, all := c.start(), items(d)
			visible := make([]any, 0, len(all))
			for i, item := range all {
				if (position+i+1)%filteredEvery != 0 {
					visible = append(visible, item)
				}
			}
			d["items"] = visible
		})
	}
	// The page has one item more than the total says.
	u.faults["total-too-small"] = func(c *call) {
		c.sendEdited(func(d document) { d["total"] = max(c.start()+len(items(d))-1, 0) })
	}
	u.faults["404-beyond-the-end"] = func(c *call) {
		d := c.document()
		if n := len(items(d)); n == 0 && c.start() > 0 {
			c.sendError(http.StatusNotFound)
			return
		}
		c.sendEdited(func(document) {})
	}
	// Not a failure if fewer items are requested.
	u.faults["large-items"] = func(c *call) {
		c.sendEdited(func(d document) {
			for _, item := range items(d) {
				enlarge(item.(document), strings.Repeat("# x\n", largeComposeFile/4))
			}
		})
	}
}

// start returns the position in the list of the requested page's first item.
func (c *call) start() int {
	query := c.r.URL.Query()
	page, _ := strconv.Atoi(query.Get("page"))
	size, _ := strconv.Atoi(query.Get("page_size"))
	return (page - 1) * size
}

// sendLate sends the page after a wait, unless the caller cancels the call.
func (c *call) sendLate(wait time.Duration) {
	select {
	case <-time.After(wait):
		c.send(http.StatusOK, jsonType, string(c.page()))
	case <-c.repaired:
		c.send(http.StatusOK, jsonType, string(c.page()))
	case <-c.r.Context().Done():
		c.onAbandoned()
	}
}
