package cost_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/testing/cost"
	"cvmgraph/restclient"
)

func TestListsHaveItemsOfTheirSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1000, 4000, 64_000} {
		request := restclient.PageRequest{Page: 3, PageSize: 10}
		body := cost.NewList(size).Body(request)
		if got := len(body) / request.PageSize; got < size*9/10 || got > size*11/10 {
			t.Errorf("items of %d bytes: got %d", size, got)
		}
		page, err := restclient.DecodePage(body, request)
		if err != nil || len(page.Items) != request.PageSize || page.Items[0].FieldErrors != nil {
			t.Errorf("items of %d bytes: got %+v, %v", size, page, err)
		}
	}
}

func TestSelections(t *testing.T) {
	t.Parallel()
	sdl, err := os.ReadFile("../../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	fields, err := cost.NewFields(string(sdl))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fields.Selection(3), "{ id vmId hosted { vmId } }"; got != want {
		t.Errorf("three fields: got %s, want %s", got, want)
	}
	if got := fields.Selection(fields.Count()); !strings.HasSuffix(got, " }") || !strings.Contains(got, "composeFile { name ") {
		t.Errorf("all fields: got %s", got)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	list := cost.NewList(0)
	cursors, err := list.Cursors(40)
	if err != nil || len(cursors) != 40 {
		t.Fatalf("got %d cursors, %v", len(cursors), err)
	}
	for name, source := range map[string]*cost.Source{"at hand": list.AtHand(), "unread": list.Unread()} {
		o, err := cost.NewOperation(source, cost.Aliases(3, 20, 10, cursors))
		if err != nil || o.Pages != 1 || o.Read < 100_000 || o.Written < 1000 {
			t.Errorf("%s: got %+v, %v", name, o, err)
		}
	}
	if _, err := cost.NewOperation(list.AtHand(), "{ nope }"); err == nil {
		t.Error("an operation with errors: got none")
	}
}

func TestInThreeTries(t *testing.T) {
	t.Parallel()
	for fitting, want := range map[int]struct {
		tries int
		fits  bool
	}{1: {1, true}, 2: {2, true}, 3: {3, true}, 4: {3, false}} {
		tries := 0
		got := cost.InThreeTries(func() bool {
			tries++
			return tries == fitting
		})
		if got != want.fits || tries != want.tries {
			t.Errorf("one that fits at try %d: got %v after %d tries, want %v after %d", fitting, got, tries, want.fits, want.tries)
		}
	}
}

func TestRatioIsTheMedian(t *testing.T) {
	t.Parallel()
	if got := cost.Ratio([]time.Duration{2, 90, 6}, []time.Duration{1, 1, 2}); got != 3 {
		t.Errorf("got %v, want 3", got)
	}
}
