package restclient_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"cvmgraph/restclient"
)

// The oracle decodes a page slowly and simply: with encoding/json into any, and then field by
// field, with the upstream's keys written a second time.

// oraclePage decodes the response to req, or returns the reason why it is unusable. It does not
// check for truncation or depth: the reason for invalid JSON is always ReasonNotJSON.
func oraclePage(shape restclient.Shape, body []byte, req restclient.PageRequest) (*restclient.CvmPage, restclient.Reason) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document any
	if decoder.Decode(&document) != nil {
		return nil, restclient.ReasonNotJSON
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, restclient.ReasonNotJSON
	}
	envelope, _ := document.(map[string]any)
	items, isList := envelope["items"].([]any)
	if !isList {
		return nil, restclient.ReasonEnvelope
	}
	page := &restclient.CvmPage{Items: []restclient.Item{}}
	other := false
	for _, entry := range items {
		object, isObject := entry.(map[string]any)
		if !isObject {
			return nil, restclient.ReasonEntry
		}
		o := oracle{}
		decode := o.cvm
		if shape == restclient.ShapeFlat {
			decode = o.flatCvm
		}
		cvm := decode(object)
		page.Items = append(page.Items, restclient.Item{Cvm: cvm, FieldErrors: o.fieldErrors})
		other = other || oracleIsOther(shape, object)
	}
	if other {
		return nil, restclient.ReasonOtherShape
	}
	total, totalOK := oracleInteger(envelope["total"])
	number, numberOK := oracleInteger(envelope["page"])
	size, sizeOK := oracleInteger(envelope["page_size"])
	if !totalOK || !numberOK || !sizeOK {
		return nil, restclient.ReasonEnvelope
	}
	if number != int64(req.Page) || size != int64(req.PageSize) {
		return nil, restclient.ReasonEcho
	}
	if reason := oracleTotal(page, int(total), len(items), req); reason != "" {
		return nil, reason
	}
	return page, ""
}

// oracleIsOther reports whether an item has keys of the other shape only.
func oracleIsOther(shape restclient.Shape, object map[string]any) bool {
	hosted := has(object, "hosted") || has(object, "managed_user") || has(object, "node") || has(object, "syslog_endpoint")
	flat := has(object, "vm_uuid") || has(object, "resource") || has(object, "node_info")
	return hosted != flat && flat == (shape == restclient.ShapeHosted)
}

func has(object map[string]any, key string) bool {
	_, found := object[key]
	return found
}

func oracleTotal(page *restclient.CvmPage, total, count int, req restclient.PageRequest) restclient.Reason {
	if count > req.PageSize {
		return restclient.ReasonSurplus
	}
	if total < 0 || total > math.MaxInt32 {
		return restclient.ReasonTotal
	}
	before := (req.Page - 1) * req.PageSize
	expected := 0
	for i := 1; i <= req.PageSize && before+i <= total; i++ {
		expected++
	}
	page.Total = total
	switch {
	case count == expected:
	case count > expected && before+count > math.MaxInt32:
		return restclient.ReasonTotal
	case count > expected:
		page.Total, page.Irregular = before+count, count == req.PageSize
	case total <= before+req.PageSize && (before+count > 0 || total == 1):
		page.Total = before + count
	default:
		page.Irregular = true
	}
	return ""
}

// oracleInteger is slow and exact: it computes with rational numbers.
func oracleInteger(value any) (int64, bool) {
	number, isNumber := value.(json.Number)
	if !isNumber {
		return 0, false
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(string(number)), "e")
	if strings.Trim(mantissa, "-0.") == "" {
		return 0, true
	}
	if power, err := strconv.Atoi(exponent); exponent != "" && (err != nil || max(power, -power) > 1000) {
		return 0, false // no fuzzer writes a mantissa that is long enough to make this an integer of 64 bits
	}
	rational, ok := new(big.Rat).SetString(string(number))
	if !ok || !rational.IsInt() || !rational.Num().IsInt64() {
		return 0, false
	}
	return rational.Num().Int64(), true
}

// oracle collects the field errors of one item.
type oracle struct {
	path        []any
	fieldErrors []restclient.FieldError
}

func (o *oracle) record(want string, steps ...any) {
	path := append(append([]any{}, o.path...), steps...)
	o.fieldErrors = append(o.fieldErrors, restclient.FieldError{Path: path, Want: want})
}

func (o *oracle) string(m map[string]any, key string) *string {
	switch value := m[key].(type) {
	case nil:
	case string:
		return &value
	default:
		o.record("a string", key)
	}
	return nil
}

// notEmpty returns nil for an empty string.
func notEmpty(value *string) *string {
	if value != nil && *value == "" {
		return nil
	}
	return value
}

func (o *oracle) identifier(m map[string]any, key string) *string {
	switch value := m[key].(type) {
	case nil:
		return nil
	case string:
		return &value
	case json.Number:
		if n, ok := oracleInteger(value); ok {
			decimal := strconv.FormatInt(n, 10)
			return &decimal
		}
	}
	o.record("a string or an integer", key)
	return nil
}

func (o *oracle) int32(m map[string]any, key string) *int32 {
	n, ok := oracleInteger(m[key])
	if ok && n >= math.MinInt32 && n <= math.MaxInt32 {
		narrow := int32(n)
		return &narrow
	}
	if m[key] != nil {
		o.record("an integer of 32 bits", key)
	}
	return nil
}

func (o *oracle) int64(m map[string]any, key string) *int64 {
	n, ok := oracleInteger(m[key])
	if ok {
		return &n
	}
	if m[key] != nil {
		o.record("an integer of 64 bits", key)
	}
	return nil
}

func (o *oracle) boolean(m map[string]any, key string, absent bool) bool {
	switch value := m[key].(type) {
	case nil:
	case bool:
		return value
	default:
		o.record("true or false", key)
	}
	return absent
}

// nullable returns a boolean that is a pointer in the wire types.
func (o *oracle) nullable(m map[string]any, key string, absent bool) *bool {
	value := o.boolean(m, key, absent)
	return &value
}

func (o *oracle) list(m map[string]any, key string) []any {
	switch value := m[key].(type) {
	case nil:
	case []any:
		return value
	default:
		o.record("a list", key)
	}
	return nil
}

func (o *oracle) strings(m map[string]any, key string) []string {
	list := []string{}
	for i, element := range o.list(m, key) {
		if value, ok := element.(string); ok {
			list = append(list, value)
		} else {
			o.record("a string", key, i)
		}
	}
	return list
}

// oracleObject decodes the object under key with decode, if it is one.
func oracleObject[T any](o *oracle, m map[string]any, key string, decode func(map[string]any) T) *T {
	switch value := m[key].(type) {
	case nil:
	case map[string]any:
		o.path = append(o.path, key)
		decoded := decode(value)
		o.path = o.path[:len(o.path)-1]
		return &decoded
	default:
		o.record("an object", key)
	}
	return nil
}

// oracleObjects decodes the list of objects under key with decode.
func oracleObjects[T any](o *oracle, m map[string]any, key string, decode func(map[string]any) T) []T {
	list := []T{}
	for i, element := range o.list(m, key) {
		value, ok := element.(map[string]any)
		if !ok {
			o.record("an object", key, i)
			continue
		}
		o.path = append(o.path, key, i)
		list = append(list, decode(value))
		o.path = o.path[:len(o.path)-2]
	}
	return list
}
