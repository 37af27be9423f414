package restclient_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

// oddValues are valid for some keys and invalid for others.
var oddValues = []string{
	`null`, `true`, `false`, `0`, `-1`, `1.0`, `1.5`, `1e2`, `2147483648`, `1e19`, `""`, `"x"`, `"\ud83d"`, `"\u0061\n"`, `"é"`,
	`[]`, `[null]`, `[1,"a",{},[]]`, `{}`, `{"id":1,"name":"n","gpus":[{}]}`, `[{"slot":"a"},{"app":2,"app":"b"}]`,
}

// mutator writes a document, and sometimes replaces a value.
type mutator struct {
	rand *rand.Rand
	out  strings.Builder
}

func (m *mutator) rarely() bool { return m.rand.IntN(40) == 0 }

func (m *mutator) write(value any) {
	if m.rarely() {
		m.out.WriteString(oddValues[m.rand.IntN(len(oddValues))])
		return
	}
	switch value := value.(type) {
	case map[string]any:
		m.object(value)
	case []any:
		m.out.WriteString("[")
		for i, element := range value {
			if i > 0 {
				m.out.WriteString(", ")
			}
			m.write(element)
		}
		m.out.WriteString("]")
	default:
		encoded, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		m.out.Write(encoded)
	}
}

// object writes the members in random order, omits some, and writes some twice.
func (m *mutator) object(members map[string]any) {
	var keys []string
	for key := range members {
		keys = append(keys, key)
		if m.rarely() {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	m.rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	m.out.WriteString("{")
	separator := ""
	for _, key := range keys {
		if m.rarely() {
			continue
		}
		m.out.WriteString(separator + `"` + key + `":`)
		m.write(members[key])
		separator = ","
	}
	m.out.WriteString("}")
}

func TestDecodePage_randomItems(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			decodeRandomItems(t, shape)
		})
	}
}

func decodeRandomItems(t *testing.T, shape restclient.Shape) {
	t.Helper()
	example := generic(t, exampleOf(t, shape))
	m := mutator{rand: rand.New(rand.NewPCG(1, 2))}
	fieldErrors := 0
	for range 2_000 {
		m.out.Reset()
		for i := range 3 {
			m.out.WriteString(strings.Repeat(",", min(i, 1)))
			m.object(example.(map[string]any))
		}
		body := envelope(m.out.String(), 3, 1, 3)
		req := restclient.PageRequest{Page: 1, PageSize: 3}
		got, err := shape.DecodePage(body, req)
		want, reason := oraclePage(shape, body, req)
		if gotReason := reasonOf(t, err); gotReason != reason {
			t.Fatalf("got reason %q, want %q: %s", gotReason, reason, body)
		}
		if err == nil {
			samePage(t, got, want)
			fieldErrors += len(got.Items[0].FieldErrors)
		}
		if t.Failed() {
			t.Fatalf("for %s", body)
		}
	}
	if fieldErrors < 1_000 {
		t.Errorf("got %d field errors, want at least 1000", fieldErrors)
	}
}
