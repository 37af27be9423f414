package cost_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/testing/cost"
	"cvmgraph/restclient"
)

func TestList_itemsHaveTheGivenSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1000, 4000, 64_000} {
		request := restclient.PageRequest{Page: 3, PageSize: 10}
		body := cost.NewList(size).Body(request)
		if got := len(body) / request.PageSize; got < size*9/10 || got > size*11/10 {
			t.Errorf("items of %d bytes: got %d bytes each", size, got)
		}
		page, err := restclient.ShapeHosted.DecodePage(body, request)
		if err != nil || len(page.Items) != request.PageSize || page.Items[0].FieldErrors != nil {
			t.Errorf("items of %d bytes: got %+v, %v", size, page, err)
		}
	}
}

func TestFields_Selection(t *testing.T) {
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

func TestNewOperation(t *testing.T) {
	t.Parallel()
	list := cost.NewList(0)
	cursors, err := list.Cursors(40)
	if err != nil || len(cursors) != 40 {
		t.Fatalf("got %d cursors, %v", len(cursors), err)
	}
	for name, source := range map[string]*cost.Source{"cached": list.Cached(), "uncached": list.Uncached()} {
		o, err := cost.NewOperation(source, cost.Aliases(3, 20, 10, cursors))
		if err != nil || o.Pages != 1 || o.BytesRead < 100_000 || o.BytesWritten < 1000 {
			t.Errorf("%s: got %+v, %v", name, o, err)
		}
	}
	if _, err := cost.NewOperation(list.Cached(), "{ nope }"); err == nil {
		t.Error("invalid query: got no error")
	}
}

func TestInThreeTries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		successfulTry int
		wantTries     int
		want          bool
	}{
		"first try succeeds":  {successfulTry: 1, wantTries: 1, want: true},
		"second try succeeds": {successfulTry: 2, wantTries: 2, want: true},
		"third try succeeds":  {successfulTry: 3, wantTries: 3, want: true},
		"all tries fail":      {successfulTry: 4, wantTries: 3, want: false},
	} {
		tries := 0
		got := cost.InThreeTries(func() bool {
			tries++
			return tries == tt.successfulTry
		})
		if got != tt.want || tries != tt.wantTries {
			t.Errorf("%s: got %v after %d tries, want %v after %d", name, got, tries, tt.want, tt.wantTries)
		}
	}
}

func TestRatio_returnsTheMedian(t *testing.T) {
	t.Parallel()
	if got := cost.Ratio([]time.Duration{2, 90, 6}, []time.Duration{1, 1, 2}); got != 3 {
		t.Errorf("got %v, want 3", got)
	}
}
