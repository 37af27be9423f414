package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Canaries of the requests. Responses and the log must contain neither, and only the upstream may
// receive canaryCredential. Neither is a valid name or request id, which a response may repeat.
const (
	canary           = "xq7Zk!2Wv9"
	canaryCredential = "pT4!mR8sLd"
)

// draft has the parts of a valid request.
type draft struct {
	method    string
	document  string
	operation string // its name, or empty
	variables string // JSON, or empty
	hash      bool   // whether it has the document's hash as a persisted query
	registers bool   // whether it has the document beside the hash
	accept    string
	header    []string // more lines
}

// validDrafts are the requests before the mutations. If the list is not empty, the response to each
// has data, except for hashes of documents that are not registered yet.
var validDrafts = []draft{
	{method: "POST", document: `{ cvms(first: 2) { totalCount pageInfo { hasNextPage endCursor } nodes { id name status vcpu node { name } } } }`},
	{method: "POST", document: `query Page($first: Int, $after: String) { cvms(first: $first, after: $after) { edges { cursor node { id } } } } # ` + canary, operation: "Page", variables: `{"first":3,"after":null,"` + canary + `":"` + canary + `"}`},
	{method: "POST", document: `query A { __typename } query B($id: ID!) { cvm(vmId: $id) { id } }`, operation: "B", variables: `{"id":"` + canary + `"}`},
	{method: "POST", document: `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Cvm { name } } }`, variables: `{"ids":[]}`, accept: "application/graphql-response+json"},
	{method: "POST", document: `{ a: cvm(vmId: "` + canary + `") { id } b: cvms(last: 2) { nodes { ...F } } } fragment F on Cvm { hosted { configuration { composeFile { name } ports { hostPort } } } }`, accept: "application/json;q=0.5, application/graphql-response+json"},
	{method: "POST", document: `{ cvms(userId: """usr_` + canary + `""", nodeId: 18) { totalCount } }`, header: []string{"X-Cvmgraph-Explain: 1", "Cache-Control: no-cache"}},
	{method: "POST", document: `query($skip: Boolean = false) { cvms(first: 1) @skip(if: $skip) { nodes { publicUrls { app } } } __typename }`, variables: `{"skip":false}`, header: []string{"Accept-Encoding: gzip"}},
	{method: "POST", document: `{ __schema { queryType { name } } __type(name: "Cvm") { fields { name } } }`},
	{method: "POST", document: `{ __typename }`, hash: true, registers: true},
	{method: "POST", document: `{ cvms(first: 1) { totalCount } }`, hash: true},
	{method: "GET", document: `query Q($first: Int) { cvms(first: $first) { nodes { id } } }`, operation: "Q", variables: `{"first":1,"x":"` + canary + `"}`, header: []string{"If-None-Match: \"x\""}},
	{method: "GET", document: `{ __typename }`, hash: true},
	{method: "GET", document: `{ cvm(vmId: "` + canary + `") { id } }`, hash: true, registers: true, accept: "*/*"},
}

// words are strings for insertions: tokens of the parsers, and the canary.
var words = []string{
	`{`, `}`, `(`, `)`, `[`, `]`, `"`, `"""`, `\`, `\u`, `\u00`, `\ud83d`, `\u{110000}`, `:`, `,`, `!`, `$`, `@`, `#`, `...`, `|`, `=`, `&`, `%`, `%zz`, `%00`, `+`, `;`, `?`, `/`, "\x00",
	"\r", "\n", "\r\n", "\r\n\r\n", "\t", " ", "\ufeff", "\xff", "\xed\xa0\x80", "\u2028", "é", "null", "true", "0", "-1", "1e999", "2147483648", "99999999999999999999", "0x1", "NaN",
	"query", "mutation", "subscription", "fragment", "on", "@skip(if: true)", "@include(if: $x)", "@defer", "@deprecated(reason: \"" + canary + "\")", "__typename", "__schema", "cvms", "first: ", "after: ",
	`"` + canary + `"`, `"""` + canary, `"\x` + canary + `"`, `"\u` + canary, canary, `{"a":`, `{"query":"{ __typename }"}`, `"query":`, `"variables":`, `"extensions":`, `"persistedQuery":`,
	"application/json", "chunked", "HTTP/1.1", "HTTP/9.9", "Content-Length: 5", "Transfer-Encoding: chunked", "Authorization: ", "Bearer ",
}

// oddValues are JSON values that some parameters do not expect.
var oddValues = []string{
	`null`, `true`, `0`, `-1`, `1.0`, `1.5`, `1e9`, `2147483647`, `2147483648`, `-99999999999999999999`, `1e400`, `""`, `"5"`, `"` + canary + `"`, `"\ud83d"`, `"\u0000"`, `[]`, `[[1]]`, `[null]`, `["` + canary + `"]`,
	`{}`, `{"` + canary + `":1}`, `{"a":{"b":{"c":"` + canary + `"}}}`, `[1,"` + canary + `",null,{}]`, strings.Repeat(`[`, 500) + strings.Repeat(`]`, 500), `"` + strings.Repeat(canary, 500) + `"`,
}

// headerLines are lines for insertions into a header.
var headerLines = []string{
	"Content-Type: application/json", "Content-Type: application/json; charset=utf-16", "Content-Type: text/plain", "Content-Type: multipart/form-data; boundary=" + canary, "Content-Type: " + canary, "Content-Type:",
	"Content-Encoding: gzip", "Content-Encoding: " + canary, "Content-Length: 0", "Content-Length: -1", "Content-Length: 99", "Content-Length: 99999999999", "Content-Length: " + canary, "Transfer-Encoding: chunked",
	"Transfer-Encoding: gzip, chunked", "Transfer-Encoding: " + canary, "Accept: text/html", "Accept: " + canary, "Accept: */*;q=0", "Accept: application/json;q=" + canary, "Accept: ,,;;q=", "Accept-Encoding: gzip;q=" + canary,
	"Accept-Encoding: gzip", "Expect: 100-continue", "Expect: " + canary, "Connection: Upgrade", "Upgrade: websocket", "Connection: " + canary, "Host: " + canary, "Host:", "Origin: https://" + canary + ".example", "Cookie: session=" + canary,
	"Referer: https://" + canary + ".example/", "User-Agent: " + canary, "X-Request-Id: " + canary, "X-Request-Id: a-request-of-a-test", "If-None-Match: *", "If-None-Match: " + canary, "X-Cvmgraph-Explain: 1", "Cache-Control: no-cache, " + canary,
	"X-Forwarded-For: " + canary, "Traceparent: " + canary, "X-Phala-Workspace: " + canaryCredential,
	"Range: bytes=0-1", "X: " + strings.Repeat(canary, 2000), ": " + canary, canary, " folded: " + canary, "Trailer: " + canary, "TE: trailers", "Access-Control-Request-Method: POST", "Proxy-Authorization: " + canaryCredential,
}

// credentialLines replace a valid credential.
var credentialLines = []string{
	"Authorization: Basic " + canaryCredential, "Authorization: Bearer " + canaryCredential + "\xe9", "Authorization: Bearer", "Authorization: Bearer invalid-" + canaryCredential, "Authorization: " + canaryCredential, "Authorization:",
	"X-API-Key: " + canaryCredential, "X-API-Key: invalid-" + canaryCredential, "X-API-Key:", "X-API-Key: a\r\nX-API-Key: " + canaryCredential, "Authorization: Bearer " + strings.Repeat(canaryCredential, 900), "X-Phala-Workspace: " + canaryCredential,
}

// mutator generates requests from random numbers.
type mutator struct{ *rand.Rand }

func newMutator(seed [2]uint64) mutator { return mutator{rand.New(rand.NewPCG(seed[0], seed[1]))} }

func pick[T any](m mutator, from []T) T { return from[m.IntN(len(from))] }

// The layers of a request that a mutation can change.
const (
	layerDocument = iota
	layerVariables
	layerExtensions
	layerMembers
	layerEncoded // the body, or the query string
	layerCredential
	layerHeader
	layerLine // method and path
	layerBytes
	layers
)

// weights has each layer as often as its weight. The inner layers have high weights, because other
// mutations are rejected before them.
var weights = []int{
	layerDocument, layerDocument, layerDocument, layerDocument, layerDocument, layerVariables, layerVariables, layerVariables, layerExtensions, layerExtensions,
	layerMembers, layerMembers, layerEncoded, layerCredential, layerHeader, layerHeader, layerLine, layerBytes,
}

// member is a parameter of a request. Its value is JSON.
type member struct{ name, value string }

// request returns a valid request with random changes at one or two layers. Its credential is one
// of 20.
func (m mutator) request() []byte {
	d := pick(m, validDrafts)
	var chosen [layers]bool
	for range 1 + m.IntN(2) {
		chosen[pick(m, weights)] = true
	}
	members := m.members(d, chosen)
	method, path := d.method, "/graphql"
	encoded, body := "", ""
	if method == "GET" {
		values := url.Values{}
		for _, p := range members {
			values.Add(p.name, queryValue(p))
		}
		encoded = values.Encode()
		if chosen[layerEncoded] {
			encoded = m.edit(encoded)
		}
	} else {
		body = m.object(members, chosen[layerMembers])
		if chosen[layerEncoded] {
			body = m.edit(body)
		}
	}
	credential := "Authorization: Bearer " + canaryCredential + fmt.Sprint(m.IntN(20))
	if chosen[layerCredential] {
		credential = pick(m, credentialLines)
	}
	header := []string{"Host: gateway.example", credential, "Connection: close"}
	if method == "POST" {
		header = append(header, "Content-Type: application/json", fmt.Sprint("Content-Length: ", len(body)))
	}
	if d.accept != "" {
		header = append(header, "Accept: "+d.accept)
	}
	header = append(header, d.header...)
	if chosen[layerHeader] {
		header = m.header(header)
	}
	if chosen[layerLine] {
		method = pick(m, []string{"POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", canary})
		path = pick(m, []string{"/graphql", "/graphql/", "//graphql", "/./graphql", "/graphql/../graphql", "/" + canary, "/../" + canary, "*", "", "/readyz", "/assets/" + canary, "http://" + canary + ".example/graphql", "/%67raphql", "/graphql%00"})
	}
	if encoded != "" {
		path += "?" + encoded
	}
	raw := method + " " + path + " HTTP/1.1\r\n" + strings.Join(header, "\r\n") + "\r\n\r\n" + body
	if chosen[layerBytes] {
		raw = m.edit(raw)
	}
	return []byte(raw)
}

// members returns the parameters of a draft with changes at the chosen layers.
func (m mutator) members(d draft, chosen [layers]bool) []member {
	document := d.document
	if chosen[layerDocument] {
		document = m.changeDocument(document)
	}
	var all []member
	if d.registers || !d.hash {
		all = append(all, member{"query", quoted(document)})
	}
	if d.operation != "" {
		all = append(all, member{"operationName", quoted(d.operation)})
	}
	switch {
	case chosen[layerVariables] && d.variables != "" && m.IntN(8) == 0:
		all = append(all, member{"variables", m.edit(d.variables)})
	case chosen[layerVariables]:
		all = append(all, member{"variables", m.variables(d.variables)})
	case d.variables != "":
		all = append(all, member{"variables", d.variables})
	}
	if d.hash {
		sum := sha256.Sum256([]byte(document))
		all = append(all, member{"extensions", `{"persistedQuery":{"version":1,"sha256Hash":"` + hex.EncodeToString(sum[:]) + `"}}`})
	}
	if chosen[layerExtensions] {
		all = slices.DeleteFunc(all, func(p member) bool { return p.name == "extensions" })
		all = append(all, member{"extensions", m.extensions(document)})
	}
	if chosen[layerMembers] {
		all = m.changeMembers(all)
	}
	return all
}

// changeMembers deletes, repeats, renames or replaces one of the parameters, or adds one.
func (m mutator) changeMembers(all []member) []member {
	i := m.IntN(len(all))
	switch m.IntN(5) {
	case 0:
		return slices.Delete(all, i, i+1)
	case 1:
		return append(all, all[i])
	case 2:
		all[i].name = pick(m, []string{"Query", "QUERY", "operation_name", "id", "", canary, "query", "variables"})
	case 3:
		all[i].value = pick(m, oddValues)
	default:
		all = append(all, member{pick(m, []string{canary, "id", "doc_id", "query", "variables", "extensions"}), pick(m, oddValues)})
	}
	return all
}

// Words of documents, and their replacements.
var (
	wordPattern = regexp.MustCompile(`\.\.\.|"[^"]*"|\$?\w+`)
	vocabulary  = strings.Fields(`query fragment on Query Cvm Int ID String Boolean __typename __schema __type cvms cvm node nodes edges cursor pageInfo totalCount hosted id vmId name status first last after before
		nodeId userId ids $first $after $id $x @skip if true false null 0 -1 5 1000 1001 2147483648 1.5 "" "0" "usr_x" "` + canary + `" """` + canary + `""" "` + canary + `" ["` + canary + `"] {a:"` + canary + `"} {id} [] ["x"] [null] {a:1} RUNNING ... F`)
)

// changeDocument edits the bytes of a document, or replaces one or two of its words.
func (m mutator) changeDocument(text string) string {
	if m.IntN(2) == 0 {
		return m.edit(text)
	}
	for range 1 + m.IntN(2) {
		if places := wordPattern.FindAllStringIndex(text, -1); len(places) > 0 {
			at := pick(m, places)
			text = text[:at[0]] + pick(m, vocabulary) + text[at[1]:]
		}
	}
	return text
}

// variables replaces some of the variables with odd values.
func (m mutator) variables(valid string) string {
	if m.IntN(8) == 0 {
		return pick(m, oddValues)
	}
	given := map[string]json.RawMessage{"x": nil}
	if valid != "" && json.Unmarshal([]byte(valid), &given) != nil {
		panic("the variables of a draft are not an object")
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value := string(given[name])
		if value == "" || m.IntN(2) == 0 {
			value = pick(m, oddValues)
		}
		b.WriteString("," + quoted(name) + ":" + value)
	}
	return "{" + strings.TrimPrefix(b.String(), ",") + "}"
}

// extensions returns a persisted query with odd values, or with the hash of the document.
func (m mutator) extensions(document string) string {
	sum := sha256.Sum256([]byte(document))
	hash := quoted(hex.EncodeToString(sum[:]))
	switch m.IntN(6) {
	case 0:
		return pick(m, oddValues)
	case 1:
		return `{"persistedQuery":` + pick(m, oddValues) + `}`
	case 2:
		return `{"persistedQuery":{"version":` + pick(m, oddValues) + `,"sha256Hash":` + hash + `}}`
	case 3:
		return `{"persistedQuery":{"version":1,"sha256Hash":` + pick(m, oddValues) + `}}`
	case 4:
		return `{"persistedQuery":{"version":1,"sha256Hash":` + quoted(strings.Repeat("0a", 32)) + `}}`
	default:
		return `{"` + canary + `":"` + canary + `","persistedQuery":{"version":1,"sha256Hash":` + hash + `,"miss":true}}`
	}
}

// object returns the parameters as a JSON object. If odd is set, it may return a similar value
// instead.
func (m mutator) object(members []member, odd bool) string {
	parts := make([]string, len(members))
	for i, p := range members {
		parts[i] = quoted(p.name) + ":" + p.value
	}
	text := "{" + strings.Join(parts, ",") + "}"
	if odd {
		text = pick(m, []string{text, text, text, "[" + text + "]", "[" + text + "," + text + "]", text + text, text + canary, quoted(text), "\ufeff" + text, " \n" + text, "{" + strings.Join(parts, ",") + ",}"})
	}
	return text
}

// header inserts, deletes or edits one to three lines.
func (m mutator) header(lines []string) []string {
	for range 1 + m.IntN(3) {
		i := m.IntN(len(lines) + 1)
		switch m.IntN(4) {
		case 0:
			if i < len(lines) && len(lines) > 1 {
				lines = slices.Delete(lines, i, i+1)
			}
		case 1:
			if i < len(lines) {
				lines[i] = m.edit(lines[i])
			}
		default:
			lines = slices.Insert(lines, i, pick(m, headerLines))
		}
	}
	return lines
}

// edit makes one to three random changes of bytes.
func (m mutator) edit(text string) string {
	b := []byte(text)
	for range 1 + m.IntN(3) {
		from := m.IntN(len(b) + 1)
		to := from + m.IntN(min(len(b)-from, 40)+1)
		switch m.IntN(9) {
		case 0:
			if from < len(b) {
				b[from] ^= 1 << m.IntN(8)
			}
		case 1:
			if from < len(b) {
				b[from] = byte(m.IntN(256))
			}
		case 2:
			b = slices.Delete(b, from, to)
		case 3:
			b = slices.Insert(b, from, bytes.Clone(b[from:to])...)
		case 4:
			b = slices.Insert(b, m.IntN(len(b)+1), bytes.Clone(b[from:to])...)
		case 5:
			b = b[:from]
		case 6:
			times := pick(m, []int{2, 20, 300, 2500})
			if m.IntN(50) == 0 {
				times = 60_000
			}
			b = slices.Insert(b, from, bytes.Repeat([]byte(pick(m, words)), times)...)
		default:
			b = slices.Insert(b, from, []byte(pick(m, words))...)
		}
	}
	return string(b)
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has a JSON encoding
	}
	return string(b)
}

// queryValue returns a member's value as a query parameter. A string loses its JSON quotes.
func queryValue(p member) string {
	var text string
	if json.Unmarshal([]byte(p.value), &text) != nil {
		return p.value
	}
	return text
}
