package e2e_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
	"cvmgraph/internal/testing/testmode"
)

// row is what the program makes of one fault.
type row struct {
	// code is that of the answer's errors, "" where there are none; partial says that there is data beside them.
	code    string
	partial bool
	// calls is how often the upstream is called.
	calls int
	// retryAfter is in seconds, 0 for none.
	retryAfter float64
	// attempt and request are how long an attempt and the whole request may take, 0 for longer than any does.
	attempt, request time.Duration
	// soonest and within are how long the answer takes; within 0 is 2 s. On a machine that may be busy otherwise it is given more.
	soonest, within time.Duration
	// memory is by how many MiB the resident set may grow, 0 for 32.
	memory int64
	// other says that the data is not the healthy list's.
	other bool
	// large says that the answer is one that only the projection may write.
	large bool
}

// The codes of the matrix.
const (
	unauthenticated = "UNAUTHENTICATED"
	forbidden       = "FORBIDDEN"
	badInput        = "BAD_USER_INPUT"
	notFound        = "NOT_FOUND"
	rateLimited     = "RATE_LIMITED"
	failed          = "UPSTREAM_ERROR"
	late            = "UPSTREAM_TIMEOUT"
	invalid         = "UPSTREAM_INVALID_RESPONSE"
)

// impatient is how long an attempt may take where the upstream hangs: long enough for one that does not, on a machine that may be busy
// otherwise.
var impatient = func() time.Duration {
	switch {
	case testmode.QuietMachine():
		return time.Second
	case testmode.Race:
		return 5 * time.Second
	}
	return 2 * time.Second
}()

// matrix has for each fault, and when it strikes (see package faulty), what the program makes of it. What follows these two words
// tells rows apart.
var matrix = map[string]row{
	// The request, or who sent it: never asked again.
	"400 always":            {code: badInput, calls: 1},
	"400-structured always": {code: badInput, calls: 1},
	"401 always":            {code: unauthenticated, calls: 1},
	"401 later":             {code: unauthenticated, calls: 2},
	"402 always":            {code: failed, calls: 1},
	"403 always":            {code: forbidden, calls: 1},
	"403-html always":       {code: forbidden, calls: 1},
	"403 later":             {code: forbidden, calls: 2},
	"404 always":            {code: notFound, calls: 1},
	"409 always":            {code: failed, calls: 1},
	"418 always":            {code: failed, calls: 1},
	"422 always":            {code: badInput, calls: 1},
	"422-blaming always":    {code: badInput, calls: 1},

	// Other answers than there should be.
	"202 always":           {code: failed, calls: 1},
	"204 always":           {code: failed, calls: 1},
	"206 always":           {code: failed, calls: 1},
	"304 always":           {code: failed, calls: 1},
	"301-elsewhere always": {code: failed, calls: 1},
	"302-elsewhere always": {code: failed, calls: 1},
	"303-elsewhere always": {code: failed, calls: 1},
	"307-elsewhere always": {code: failed, calls: 1},
	"308-elsewhere always": {code: failed, calls: 1},
	"302-itself always":    {code: failed, calls: 1},
	"hints always":         {calls: 1},

	// Asked again.
	"429 once":                  {calls: 2},
	"429 always":                {code: rateLimited, calls: 3},
	"429-after-1 once":          {calls: 2, soonest: time.Second, within: 3 * time.Second},
	"500 once":                  {calls: 2},
	"500 always":                {code: failed, calls: 3},
	"500-odd always":            {code: failed, calls: 3},
	"500-hang always":           {code: failed, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"500-flood always":          {code: failed, calls: 3},
	"502 once":                  {calls: 2},
	"502-html always":           {code: failed, calls: 3},
	"503 once":                  {calls: 2},
	"503 twice":                 {calls: 3},
	"503 always":                {code: failed, calls: 3},
	"503 later":                 {code: failed, calls: 4},
	"503-after-0 once":          {calls: 2},
	"503-after-1 once":          {calls: 2, soonest: time.Second, within: 3 * time.Second},
	"503-after-1 always":        {code: failed, calls: 3, retryAfter: 1, soonest: 2 * time.Second, within: 5 * time.Second},
	"503-after-nonsense always": {code: failed, calls: 3},
	"504 once":                  {calls: 2},
	"504 always":                {code: failed, calls: 3},

	// Not asked again, for the answer would come too late.
	"429-after-3600 always":    {code: rateLimited, calls: 1, retryAfter: 3600, within: time.Second},
	"429-date always":          {code: rateLimited, calls: 1, retryAfter: 1800, within: time.Second},
	"503-after-60 always":      {code: failed, calls: 1, retryAfter: 60, within: time.Second},
	"503-after-3600 once":      {code: failed, calls: 1, retryAfter: 3600, within: time.Second},
	"503-after-3 always in 2s": {code: failed, calls: 1, retryAfter: 3, request: 2 * time.Second, within: time.Second},
	"503-wait-30 always":       {code: failed, calls: 1, retryAfter: 30, within: time.Second},

	// No sign that it would help.
	"501 always":      {code: failed, calls: 1},
	"505 always":      {code: failed, calls: 1},
	"520-html always": {code: failed, calls: 1},

	// Connections.
	"reset once":              {calls: 2},
	"reset always":            {code: failed, calls: 3},
	"reset-in-header once":    {calls: 2},
	"reset-in-header always":  {code: failed, calls: 3},
	"reset-in-body once":      {calls: 2},
	"reset-in-body twice":     {calls: 3},
	"reset-in-body always":    {code: failed, calls: 3},
	"closed once":             {calls: 2},
	"closed always":           {code: failed, calls: 3},
	"closed-in-header once":   {calls: 2},
	"truncated once":          {calls: 2},
	"truncated always":        {code: invalid, calls: 3},
	"truncated later":         {code: invalid, calls: 4},
	"truncated-chunks once":   {calls: 2},
	"truncated-chunks always": {code: invalid, calls: 3},
	"truncated-gzip once":     {calls: 2},
	"truncated-gzip always":   {code: invalid, calls: 3},
	"odd-chunks always":       {code: failed, calls: 1},
	"two-lengths always":      {code: failed, calls: 1},
	"not-http always":         {code: failed, calls: 1},
	"tls-alert always":        {code: failed, calls: 1},
	"http2 always":            {code: failed, calls: 1},
	"large-header always":     {code: failed, calls: 1},
	"endless-hints always":    {code: failed, calls: 1},
	"switching always":        {code: failed, calls: 1, attempt: impatient},
	"second-response always":  {calls: 1},

	// Time.
	"hang once":                     {calls: 2, attempt: impatient, soonest: impatient},
	"hang always":                   {code: late, calls: 3, attempt: impatient, soonest: 3 * impatient, within: 3*impatient + 2*time.Second},
	"hang later":                    {code: late, calls: 4, attempt: impatient, soonest: 3 * impatient, within: 3*impatient + 2*time.Second},
	"hang-in-header always":         {code: late, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"hang-in-body once":             {calls: 2, attempt: impatient, soonest: impatient},
	"hang-in-body always":           {code: late, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"hang-in-announced-body always": {code: late, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"drip always":                   {code: late, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"drip once":                     {calls: 2, attempt: impatient, soonest: impatient},
	"drip-of-header always":         {code: late, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"hang always in 1s":             {code: late, calls: 2, attempt: 550 * time.Millisecond, request: time.Second, within: 1700 * time.Millisecond},
	"hang-in-body always in 1s":     {code: late, calls: 1, request: time.Second, within: 1700 * time.Millisecond},
	"slow always":                   {calls: 1, soonest: 150 * time.Millisecond},

	// Bodies that are no page.
	"empty once":              {calls: 2}, // as truncated as what ends later
	"empty always":            {code: invalid, calls: 3},
	"white-space always":      {code: invalid, calls: 3},
	"null always":             {code: invalid, calls: 1},
	"text always":             {code: invalid, calls: 1},
	"list always":             {code: invalid, calls: 1},
	"object always":           {code: invalid, calls: 1},
	"html always":             {code: invalid, calls: 1},
	"html later":              {code: invalid, calls: 2},
	"error-of-200 always":     {code: invalid, calls: 1},
	"half-json once":          {calls: 2},
	"half-json always":        {code: invalid, calls: 3},
	"utf-16 always":           {code: invalid, calls: 1},
	"not-utf-8 always":        {code: invalid, calls: 1},
	"single-quotes always":    {code: invalid, calls: 1},
	"not-a-number always":     {code: invalid, calls: 1},
	"control-in-text always":  {code: invalid, calls: 1},
	"trailing-garbage always": {code: invalid, calls: 1},
	"trailing-brace always":   {code: invalid, calls: 1},
	"two-documents always":    {code: invalid, calls: 1},
	"byte-order-mark always":  {code: invalid, calls: 1},
	"unasked-gzip always":     {code: invalid, calls: 1},
	"gzip-in-name always":     {code: invalid, calls: 1},
	"brotli always":           {code: invalid, calls: 1},
	"wrong-checksum always":   {code: invalid, calls: 1},
	"plain-text always":       {calls: 1},

	// Pages that are wrong somewhere.
	"no-items always":           {code: invalid, calls: 1},
	"null-items always":         {code: invalid, calls: 1},
	"object-of-items always":    {code: invalid, calls: 1},
	"text-in-items always":      {code: invalid, calls: 1},
	"null-in-items always":      {code: invalid, calls: 1},
	"surplus always":            {code: invalid, calls: 1},
	"short always":              {code: invalid, calls: 1},
	"no-items-of-many always":   {code: invalid, calls: 1},
	"no-total always":           {code: invalid, calls: 1},
	"text-of-total always":      {code: invalid, calls: 1},
	"negative-total always":     {code: invalid, calls: 1},
	"huge-total always":         {code: invalid, calls: 1},
	"fraction-of-total always":  {code: invalid, calls: 1},
	"low-total always":          {calls: 1}, // items came: the total counts them at least
	"no-page always":            {code: invalid, calls: 1},
	"another-page always":       {code: invalid, calls: 1},
	"another-page later":        {code: invalid, calls: 2},
	"another-page-size always":  {code: invalid, calls: 1},
	"text-of-page always":       {code: invalid, calls: 1},
	"flat-shape always":         {code: invalid, calls: 1},
	"wrong-types always":        {code: invalid, partial: true, calls: 1, other: true},
	"wrong-object always":       {code: invalid, partial: true, calls: 1},
	"unknown-keys always":       {calls: 1},
	"twice-the-same always":     {code: invalid, partial: true, calls: 3, other: true}, // one CVM is from further behind
	"nothing-but-hosted always": {calls: 1, other: true},

	// Too much.
	"deep-lists always":       {code: invalid, calls: 1},
	"deep-objects always":     {code: invalid, calls: 1},
	"flood always":            {code: invalid, calls: 1, memory: 96},
	"flood-announced always":  {code: invalid, calls: 1},
	"flood-of-spaces always":  {code: invalid, calls: 1, memory: 96},
	"bomb always":             {code: invalid, calls: 1, memory: 96},
	"bomb-of-500 always":      {code: failed, calls: 3},
	"many-objects always":     {code: invalid, calls: 1, memory: 96},
	"many-numbers always":     {code: invalid, calls: 1, memory: 96},
	"many-wrong-types always": {code: invalid, calls: 1, memory: 96},
	"many-elements always":    {code: invalid, calls: 1, memory: 96},
	"long-text always":        {large: true, calls: 1, memory: 128, other: true},
	"long-number always":      {code: invalid, partial: true, calls: 1, memory: 128, other: true},
	"long-escapes always":     {large: true, calls: 1, memory: 128, other: true},
	"many-keys always":        {calls: 1, memory: 128, other: true},
}

// mediaTypes are those that answers come in.
var mediaTypes = []string{"application/json", "application/graphql-response+json"}

// faultyUpstream is what the tests' programs call.
type faultyUpstream struct {
	*faulty.Upstream
	list *demo.Upstream
	url  string
	// elsewhere counts the calls that followed a redirect.
	elsewhere atomic.Int64
}

func startFaulty(t *testing.T) *faultyUpstream {
	t.Helper()
	u := &faultyUpstream{list: demo.New(demo.Options{})}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { u.elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	u.Upstream = faulty.New(u.list, other.URL)
	server := httptest.NewUnstartedServer(u)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	u.url = server.URL
	return u
}

// tokenOf returns a token for a row of the matrix.
func (u *faultyUpstream) tokenOf(name, salt string) string {
	words := strings.Fields(name)
	return u.Token(words[0], faulty.When(words[1]), strings.Join(append(words, salt), "_"))
}

// names returns those of the first CVMs of a token's list.
func (u *faultyUpstream) names(t *testing.T, token string, first int) []string {
	t.Helper()
	var names []string
	for page := 1; len(names) < first; page++ {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s?page=%d&page_size=%d", demo.ListPath, page, min(first, 50)), nil)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("X-Phala-Version", "2025-10-28")
		recorder := httptest.NewRecorder()
		u.list.ServeHTTP(recorder, request)
		var list struct{ Items []struct{ Name string } }
		if err := json.Unmarshal(recorder.Body.Bytes(), &list); err != nil || len(list.Items) == 0 {
			t.Fatalf("the list ends at %d, %v", len(names), err)
		}
		for _, item := range list.Items {
			names = append(names, item.Name)
		}
	}
	return names
}

// asked is an answer of the program.
type asked struct {
	Data struct {
		Cvms *struct{ Nodes []struct{ Name *string } }
	}
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	raw  string
	took time.Duration
}

func (a *asked) names() []string {
	if a.Data.Cvms == nil {
		return nil
	}
	names := []string{}
	for _, node := range a.Data.Cvms.Nodes {
		if node.Name == nil {
			node.Name = new("null")
		}
		names = append(names, *node.Name)
	}
	return names
}

// list asks for a list's beginning in a media type, and checks the answer's form.
func (p *process) list(t *testing.T, token, media string, first int, header http.Header) *asked {
	t.Helper()
	header = header.Clone()
	header.Set("Accept", media)
	header.Set("X-Cvmgraph-Explain", "1")
	query := fmt.Sprintf(`{ cvms(first: %d) { totalCount pageInfo { endCursor } nodes { id name vcpu publicUrls { app } hosted { name } node { name } } } }`, first)
	begun := time.Now()
	r, err := p.send(t.Context(), query, token, header)
	if err != nil {
		t.Fatal(err)
	}
	a := &asked{raw: fmt.Sprint(r.text, r.header), took: time.Since(begun)}
	if kind := r.header.Get("Content-Type"); r.status != http.StatusOK || kind != media+"; charset=utf-8" {
		t.Errorf("got status %d of %s, want 200 of %s", r.status, kind, media)
	}
	if err := json.Unmarshal([]byte(r.text), a); err != nil {
		t.Errorf("got %v: %.300s", err, r.text)
	}
	return a
}

// TestFaults is the matrix: each fault, in each media type, before a program of its own.
func TestFaults(t *testing.T) {
	t.Parallel()
	upstream := startFaulty(t)
	// Those that wait for time to pass do so together: by t.Parallel, as many would as there are processors.
	const together = 8
	var waiting sync.WaitGroup
	defer waiting.Wait()
	turn := make(chan struct{}, together)
	for i, name := range slices.Sorted(maps.Keys(matrix)) {
		want := matrix[name]
		if want.large && os.Getenv("CVMGRAPH_PROJECTION") == "false" {
			want.code = "QUERY_TOO_COMPLEX"
		}
		if testmode.Race && want.memory > 0 {
			continue // it multiplies their time as well
		}
		for j, media := range mediaTypes {
			if !testmode.Full() && i%2 != j {
				continue // each fault in one of them
			}
			if want.attempt == 0 && want.soonest == 0 {
				t.Run(name+"/"+media, func(t *testing.T) {
					t.Parallel()
					want.check(t, upstream, name, media)
				})
				continue
			}
			waiting.Go(func() {
				turn <- struct{}{}
				defer func() { <-turn }()
				t.Run(name+"/"+media, func(t *testing.T) { want.check(t, upstream, name, media) })
			})
		}
	}
}

// check lets a program of its own meet the fault, and the upstream when it is mended.
func (want row) check(t *testing.T, upstream *faultyUpstream, name, media string) {
	t.Helper()
	token := upstream.tokenOf(name, "phak_"+media[len("application/"):])
	first := 30
	if strings.Contains(name, string(faulty.Later)) {
		first = 150 // on two pages
	}
	p := startWith(t, []string{"GOMEMLIMIT=200MiB"}, "--upstream-url", upstream.url+demo.BasePath, "--log-level=debug",
		"--upstream-timeout", cmp.Or(want.attempt, 10*time.Second).String(), "--request-timeout", cmp.Or(want.request, 20*time.Second).String())
	idle := p.resident(t)
	a := p.list(t, token, media, first, http.Header{})

	want.answers(t, a, upstream.names(t, token, first))
	if got := upstream.Calls(token); got != want.calls {
		t.Errorf("got %d upstream calls, want %d", got, want.calls)
	}
	if got, most := p.resident(t)-idle, max(want.memory, 32)<<20; got > most && !testmode.Race {
		t.Errorf("the resident set grew by %d MiB, want at most %d", got>>20, most>>20)
	}
	p.shows(t, a.raw, upstream.url, token)

	for _, healthy := range []string{"neighbour-of-" + token, token} {
		upstream.Repair(healthy)
		if again := p.list(t, healthy, media, first, http.Header{"Cache-Control": {"no-cache"}}); len(again.Errors) > 0 || !slices.Equal(again.names(), upstream.names(t, healthy, first)) {
			t.Errorf("the next request: got %.300s, want the list", again.raw)
		}
	}
	if got := upstream.elsewhere.Load(); got > 0 {
		t.Errorf("got %d calls elsewhere, want none", got)
	}
	p.shows(t, "", upstream.url, token)
}

// answers checks an answer: its errors, its data, which is healthy where there is any, and its time.
func (want row) answers(t *testing.T, a *asked, healthy []string) {
	t.Helper()
	if len(a.Errors) > 0 != (want.code != "") {
		t.Errorf("got %d errors, want %q: %.500s", len(a.Errors), want.code, a.raw)
	}
	for _, e := range a.Errors {
		if got, _ := e.Extensions["retryAfter"].(float64); e.Extensions["code"] != want.code || got != want.retryAfter || len(e.Path) == 0 {
			t.Errorf("got %+v, want %s with retryAfter %v at a field", e, want.code, want.retryAfter)
		}
	}
	switch got := a.names(); {
	case want.code != "" && !want.partial:
		if got != nil {
			t.Errorf("got %d CVMs beside the error, want null", len(got))
		}
	case want.other && len(got) == 0, !want.other && !slices.Equal(got, healthy):
		t.Errorf("got %.500q, want %.500q", got, healthy)
	}
	within := cmp.Or(want.within, 2*time.Second)
	if !testmode.QuietMachine() {
		within += 6 * time.Second
	}
	if a.took < want.soonest || a.took > within {
		t.Errorf("took %v, want %v to %v", a.took, want.soonest, within)
	}
}

// shows fails the test where an answer or the log has something of the upstream or the credential.
func (p *process) shows(t *testing.T, answer, upstreamURL, token string) {
	t.Helper()
	for _, leak := range []string{faulty.Secret, "s3cret", strings.TrimPrefix(upstreamURL, "http://"), demo.ListPath, token} {
		if strings.Contains(answer, leak) {
			t.Errorf("got %q in the answer: %.1000s", leak, answer)
		}
		if logged := p.logged(); strings.Contains(logged, leak) {
			t.Errorf("got %q in the log: %.1000s", leak, logged)
		}
	}
}

// TestCallersThatLeave lets the first of two callers that share a call leave, and then the last one.
func TestCallersThatLeave(t *testing.T) {
	t.Parallel()
	upstream := startFaulty(t)
	p := start(t, "--upstream-url", upstream.url+demo.BasePath, "--admin-listen=127.0.0.1:0")
	for i, media := range mediaTypes {
		ask := func(token string) (leave context.CancelFunc, answered chan string) {
			ctx, leave := context.WithCancel(t.Context())
			answered = make(chan string, 1)
			go func() {
				r, err := p.send(ctx, `{ cvms { totalCount } }`, token, http.Header{"Accept": {media}})
				answered <- fmt.Sprint(r.text, err)
			}()
			return leave, answered
		}
		token := upstream.Token("blocked", faulty.Always, media)
		leave, left := ask(token)
		waitFor(t, func() bool { return upstream.Calls(token) == 1 })
		giveUp, answered := ask(token)
		p.waitForMetrics(t, "cvmgraph_http_requests_in_flight 2", fmt.Sprintf("cvmgraph_page_cache_misses_total %d", 3*i+2)) // it joins the call
		leave()
		<-left
		p.waitForMetrics(t, "cvmgraph_http_requests_in_flight 1")
		upstream.Repair(token)
		if got := <-answered; got != `{"data":{"cvms":{"totalCount":300}}}<nil>` {
			t.Errorf("the caller that stayed: got %s, want data", got)
		}
		giveUp()
		if calls, gone := upstream.Calls(token), upstream.Abandoned(token); calls != 1 || gone != 0 {
			t.Errorf("got %d calls, %d of them left, want one that was not", calls, gone)
		}

		token = upstream.Token("blocked", faulty.Always, "alone-"+media)
		leave, left = ask(token)
		waitFor(t, func() bool { return upstream.Calls(token) == 1 })
		leave()
		<-left
		waitFor(t, func() bool { return upstream.Abandoned(token) == 1 })
		p.waitForMetrics(t, "cvmgraph_http_requests_in_flight 0")
		if calls := upstream.Calls(token); calls != 1 {
			t.Errorf("got %d calls for a caller that has gone, want 1", calls)
		}
	}
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.Tick(5 * time.Millisecond)
	for begun := time.Now(); !holds(); <-tick {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("what the test waits for does not happen")
		}
	}
}
