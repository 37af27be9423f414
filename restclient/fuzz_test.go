package restclient_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cvmgraph/restclient"
)

func FuzzDecodePage(f *testing.F) {
	for _, shape := range shapes {
		f.Add(pageOf(1, compact(f, exampleOf(f, shape))), 1, 1)
	}
	for _, item := range faultyFlatItems {
		f.Add(pageOf(1, []byte(item.item)), 1, 1)
	}
	f.Add(envelope("", 7, 3, 5), 3, 5)
	f.Add(envelope(`{"vm_uuid":null}`, 1, 1, 1), 1, 1)
	for _, items := range faultyItems {
		f.Add(pageOf(1, []byte(items.item)), 1, 1)
	}
	for _, number := range oddNumbers {
		f.Add(pageOf(1, []byte(`{"hosted":{},"vcpu":`+number+`,"managed_user":{"id":`+number+`}}`)), 1, 1)
	}
	f.Add([]byte(`{"items":[{"name":1}],"total":1,"items":[{"hosted":null,"name":"\ud83d\ude00\ud83d\n"}],"page":1.0,"page_size":1e0,"total":10e-1}`), 1, 1)
	f.Add([]byte(strings.Repeat("[", 600)+strings.Repeat("]", 600)), 1, 1)
	f.Fuzz(func(t *testing.T, body []byte, number, size int) {
		req := restclient.PageRequest{Page: max(1, number&0xffff), PageSize: max(1, size&0x7f%101)}
		for _, shape := range shapes {
			compareWithOracle(t, shape, body, req)
		}
	})
}

// compareWithOracle decodes any body, and compares the result with the oracle's.
func compareWithOracle(t *testing.T, shape restclient.Shape, body []byte, req restclient.PageRequest) {
	t.Helper()
	page, err := shape.DecodePage(body, req)
	reason := reasonOf(t, err)
	// The oracle has no limits, and does not tell truncated documents from invalid ones.
	if reason == restclient.ReasonTooManyFieldErrors && len(body) > 2*10_000 {
		return
	}
	if brackets := bytes.Count(body, []byte("[")) + bytes.Count(body, []byte("{")); reason == restclient.ReasonTooDeep && brackets > 512 {
		return
	}
	if reason == restclient.ReasonTruncated {
		reason = restclient.ReasonNotJSON
	}
	if !utf8.Valid(body) {
		if reason != restclient.ReasonNotJSON {
			t.Errorf("got reason %q for invalid UTF-8, want %q", reason, restclient.ReasonNotJSON)
		}
		return
	}
	want, wantReason := oraclePage(shape, body, req)
	if reason != wantReason {
		t.Fatalf("%s: got reason %q, want %q", shape, reason, wantReason)
	}
	if err == nil {
		samePage(t, page, want)
	}
}

// reasonOf returns the reason of err, or "" for nil.
func reasonOf(t *testing.T, err error) restclient.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	var unusable *restclient.InvalidResponseError
	if !errors.As(err, &unusable) {
		t.Fatalf("got error %#v, want an *InvalidResponseError", err)
	}
	return unusable.Reason
}

// samePage compares two pages, except for the order of field errors.
func samePage(t *testing.T, got, want *restclient.CvmPage) {
	t.Helper()
	if got.Total != want.Total || len(got.Items) != len(want.Items) {
		t.Fatalf("got %d items of %d, want %d of %d", len(got.Items), got.Total, len(want.Items), want.Total)
	}
	for i := range got.Items {
		if !reflect.DeepEqual(got.Items[i].Cvm, want.Items[i].Cvm) {
			t.Errorf("item %d: got other values than the oracle", i)
		}
		gotErrors, wantErrors := sortedFieldErrors(got.Items[i].FieldErrors), sortedFieldErrors(want.Items[i].FieldErrors)
		if !reflect.DeepEqual(gotErrors, wantErrors) {
			t.Errorf("item %d: got field errors %v, want %v", i, gotErrors, wantErrors)
		}
	}
}

func sortedFieldErrors(fieldErrors []restclient.FieldError) []restclient.FieldError {
	return slices.SortedFunc(slices.Values(fieldErrors), func(a, b restclient.FieldError) int {
		return strings.Compare(fmt.Sprintf("%#v", a), fmt.Sprintf("%#v", b))
	})
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for value := range retryAfterForms(now) {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := restclient.RetryAfter(value, now)
		if got < 0 || got > time.Hour {
			t.Fatalf("got %v, want 0 to an hour", got)
		}
		want := time.Duration(0)
		if seconds, ok := new(big.Int).SetString(value, 10); ok && !strings.ContainsAny(value, "+-") {
			want = time.Hour
			if seconds.Cmp(big.NewInt(3600)) < 0 {
				want = time.Duration(seconds.Int64()) * time.Second
			}
		} else if date, err := http.ParseTime(value); err == nil && date.After(now) {
			want = min(date.Sub(now), time.Hour)
		}
		if got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
