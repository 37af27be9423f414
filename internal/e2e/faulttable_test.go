package e2e_test

import (
	"time"

	"cvmgraph/internal/testing/testmode"
)

// faultRow is the expected behavior of the program for one fault of the upstream.
type faultRow struct {
	// code is the code of the response's errors, or empty if there are none. Partial is set if
	// there is data beside the errors.
	code    string
	partial bool
	// calls is the number of upstream calls.
	calls int
	// retryAfter is the errors' retryAfter in seconds, or 0 without one.
	retryAfter float64
	// attempt and request are the timeouts of an attempt and of the whole request. 0 is longer than
	// any of them takes.
	attempt, request time.Duration
	// soonest and within limit the time until the response. A within of 0 is 2 s. If other programs
	// may use the machine, the response may take longer.
	soonest, within time.Duration
	// memory is the growth of the resident set that is allowed in MiB. 0 is 32.
	memory int64
	// other is set if the data differs from the list of a healthy upstream.
	other bool
	// large is set if only the projection can write the response.
	large bool
}

// The error codes in faultTable.
const (
	unauthenticated = "UNAUTHENTICATED"
	forbidden       = "FORBIDDEN"
	badInput        = "BAD_USER_INPUT"
	notFound        = "NOT_FOUND"
	rateLimited     = "RATE_LIMITED"
	upstreamError   = "UPSTREAM_ERROR"
	upstreamTimeout = "UPSTREAM_TIMEOUT"
	invalidResponse = "UPSTREAM_INVALID_RESPONSE"
)

// impatient is the timeout of an attempt if the upstream hangs. A healthy response takes less, even
// if other programs use the machine.
var impatient = func() time.Duration {
	switch {
	case testmode.QuietMachine():
		return time.Second
	case testmode.Race:
		return 5 * time.Second
	}
	return 2 * time.Second
}()

// itemFaults are the faults of items. They differ by the shape of the items.
var itemFaults = []string{
	"other-shape", "wrong-types", "wrong-object", "unknown-keys", "duplicate-item", "empty-vm-id", "bare-item", "string-in-items",
	"null-in-items", "deep-objects", "many-wrong-types", "many-elements", "long-string", "long-number", "long-escapes", "many-keys",
}

// faultTable has the expected behavior for each fault. The first word of a key is the fault, and
// the second one the calls that it affects, as package faulty defines them. Further words
// distinguish rows. If a fault differs over HTTP/2, the row is valid for both protocols.
var faultTable = map[string]faultRow{
	// Errors of the request or the credential are not retried.
	"400 always":            {code: badInput, calls: 1},
	"400-structured always": {code: badInput, calls: 1},
	"401 always":            {code: unauthenticated, calls: 1},
	"401 later":             {code: unauthenticated, calls: 2},
	"402 always":            {code: upstreamError, calls: 1},
	"403 always":            {code: forbidden, calls: 1},
	"403-structured always": {code: forbidden, calls: 1},
	"403 later":             {code: forbidden, calls: 2},
	"404 always":            {code: notFound, calls: 1},
	"404-structured always": {code: notFound, calls: 1},
	"409 always":            {code: upstreamError, calls: 1},
	"418 always":            {code: upstreamError, calls: 1},
	"422 always":            {code: badInput, calls: 1},
	"422-validation always": {code: badInput, calls: 1},

	// Refusals of a CDN, a firewall or a proxy.
	"400-html always":  {code: upstreamError, calls: 1},
	"401-html always":  {code: unauthenticated, calls: 1},
	"403-html always":  {code: upstreamError, calls: 1},
	"403-text always":  {code: upstreamError, calls: 1},
	"403-json always":  {code: upstreamError, calls: 1},
	"403-empty always": {code: upstreamError, calls: 1},
	"403-text later":   {code: upstreamError, calls: 2},
	"404-html always":  {code: notFound, calls: 1},
	"422-text always":  {code: upstreamError, calls: 1},

	// Unexpected statuses.
	"202 always":           {code: upstreamError, calls: 1},
	"204 always":           {code: upstreamError, calls: 1},
	"206 always":           {code: upstreamError, calls: 1},
	"304 always":           {code: upstreamError, calls: 1},
	"301-elsewhere always": {code: upstreamError, calls: 1},
	"302-elsewhere always": {code: upstreamError, calls: 1},
	"303-elsewhere always": {code: upstreamError, calls: 1},
	"307-elsewhere always": {code: upstreamError, calls: 1},
	"308-elsewhere always": {code: upstreamError, calls: 1},
	"302-loop always":      {code: upstreamError, calls: 1},
	"hints always":         {calls: 1},

	// Retried.
	"429 once":                 {calls: 2},
	"429 always":               {code: rateLimited, calls: 3},
	"429-after-1 once":         {calls: 2, soonest: time.Second, within: 3 * time.Second},
	"429-after-2 once":         {calls: 2, soonest: 2 * time.Second, within: 4 * time.Second},
	"500 once":                 {calls: 2},
	"500 always":               {code: upstreamError, calls: 3},
	"500-unusual always":       {code: upstreamError, calls: 3},
	"500-hang always":          {code: upstreamError, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"500-flood always":         {code: upstreamError, calls: 3},
	"502 once":                 {calls: 2},
	"502-html always":          {code: upstreamError, calls: 3},
	"503 once":                 {calls: 2},
	"503 twice":                {calls: 3},
	"503 always":               {code: upstreamError, calls: 3},
	"503 later":                {code: upstreamError, calls: 4},
	"503-after-0 once":         {calls: 2},
	"503-after-1 once":         {calls: 2, soonest: time.Second, within: 3 * time.Second},
	"503-after-1 always":       {code: upstreamError, calls: 3, retryAfter: 1, soonest: 2 * time.Second, within: 5 * time.Second},
	"503-after-invalid always": {code: upstreamError, calls: 3},
	"504 once":                 {calls: 2},
	"504 always":               {code: upstreamError, calls: 3},
	"520-html once":            {calls: 2},
	"520-html always":          {code: upstreamError, calls: 3},
	"522 once":                 {calls: 2},
	"526 always":               {code: upstreamError, calls: 3},
	"530 always":               {code: upstreamError, calls: 3},

	// Not retried, because the wait is longer than 2 s or ends after the deadline.
	"429-after-3 once":         {code: rateLimited, calls: 1, retryAfter: 3, within: time.Second},
	"429-after-7 always":       {code: rateLimited, calls: 1, retryAfter: 7, within: time.Second},
	"429-body once":            {code: rateLimited, calls: 1, retryAfter: 90, within: time.Second},
	"503-after-7 once":         {code: upstreamError, calls: 1, retryAfter: 7, within: time.Second},
	"503-wait-text once":       {code: upstreamError, calls: 1, retryAfter: 30, within: time.Second},
	"503-after-2 always in 1s": {code: upstreamError, calls: 1, retryAfter: 2, request: time.Second, within: time.Second},
	"429-after-3600 always":    {code: rateLimited, calls: 1, retryAfter: 3600, within: time.Second},
	"429-date always":          {code: rateLimited, calls: 1, retryAfter: 1800, within: time.Second},
	"503-after-60 always":      {code: upstreamError, calls: 1, retryAfter: 60, within: time.Second},
	"503-after-3600 once":      {code: upstreamError, calls: 1, retryAfter: 3600, within: time.Second},
	"503-wait-30 always":       {code: upstreamError, calls: 1, retryAfter: 30, within: time.Second},

	// Not retried, because a retry would not help.
	"501 always": {code: upstreamError, calls: 1},
	"505 always": {code: upstreamError, calls: 1},
	"527 always": {code: upstreamError, calls: 1},

	// Connections.
	"reset once":              {calls: 2},
	"reset always":            {code: upstreamError, calls: 3},
	"reset-in-header once":    {calls: 2},
	"reset-in-header always":  {code: upstreamError, calls: 3},
	"reset-in-body once":      {calls: 2},
	"reset-in-body twice":     {calls: 3},
	"reset-in-body always":    {code: upstreamError, calls: 3},
	"closed once":             {calls: 2},
	"closed always":           {code: upstreamError, calls: 3},
	"closed-in-header once":   {calls: 2},
	"truncated once":          {calls: 2},
	"truncated always":        {code: invalidResponse, calls: 3},
	"truncated later":         {code: invalidResponse, calls: 4},
	"truncated-chunks once":   {calls: 2},
	"truncated-chunks always": {code: invalidResponse, calls: 3},
	"truncated-gzip once":     {calls: 2},
	"truncated-gzip always":   {code: invalidResponse, calls: 3},
	"invalid-chunks always":   {code: upstreamError, calls: 1},
	"two-lengths always":      {code: upstreamError, calls: 1},
	"not-http always":         {code: upstreamError, calls: 1},
	"tls-alert always":        {code: upstreamError, calls: 1},
	"http2 always":            {code: upstreamError, calls: 1},
	"large-header always":     {code: upstreamError, calls: 1},
	"endless-hints always":    {code: upstreamError, calls: 1},
	"switching always":        {code: upstreamError, calls: 1, attempt: impatient},
	"second-response always":  {calls: 1},
	"last-response always":    {calls: 1},

	// Faults that only HTTP/2 has.
	"reset-refused-stream once":               {calls: 2},
	"reset-refused-stream always":             {code: upstreamError, calls: 3},
	"reset-enhance-your-calm always":          {code: upstreamError, calls: 3},
	"reset-http-1-1-required always":          {code: upstreamError, calls: 3},
	"reset-in-body-internal-error once":       {calls: 2},
	"reset-in-body-internal-error always":     {code: upstreamError, calls: 3},
	"reset-in-body-cancel later":              {code: upstreamError, calls: 4},
	"goaway-no-error once":                    {calls: 2},
	"goaway-no-error always":                  {code: upstreamError, calls: 3},
	"goaway-and-close-no-error always":        {code: upstreamError, calls: 3},
	"goaway-of-request-protocol-error always": {code: upstreamError, calls: 3},
	"goaway-in-body-no-error once":            {calls: 2},
	"goaway-in-body-no-error always":          {code: invalidResponse, calls: 3},
	"invalid-settings always":                 {code: upstreamError, calls: 3},
	"invalid-header-block once":               {calls: 2},

	// Time.
	"hang once":                     {calls: 2, attempt: impatient, soonest: impatient},
	"hang always":                   {code: upstreamTimeout, calls: 3, attempt: impatient, soonest: 3 * impatient, within: 3*impatient + 2*time.Second},
	"hang later":                    {code: upstreamTimeout, calls: 4, attempt: impatient, soonest: 3 * impatient, within: 3*impatient + 2*time.Second},
	"hang-in-header always":         {code: upstreamTimeout, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"hang-in-body once":             {calls: 2, attempt: impatient, soonest: impatient},
	"hang-in-body always":           {code: upstreamTimeout, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"hang-in-announced-body always": {code: upstreamTimeout, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"drip always":                   {code: upstreamTimeout, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"drip once":                     {calls: 2, attempt: impatient, soonest: impatient},
	"drip-header always":            {code: upstreamTimeout, calls: 3, attempt: impatient, within: 3*impatient + 2*time.Second},
	"hang always in 1s":             {code: upstreamTimeout, calls: 1, attempt: 550 * time.Millisecond, request: time.Second, soonest: 550 * time.Millisecond, within: 1700 * time.Millisecond},
	"hang-in-body always in 1s":     {code: upstreamTimeout, calls: 1, request: time.Second, within: 1700 * time.Millisecond},
	"slow always":                   {calls: 1, soonest: 150 * time.Millisecond},

	// Bodies that are not a page.
	"empty once":               {calls: 2}, // an empty body is a truncated one
	"empty always":             {code: invalidResponse, calls: 3},
	"white-space always":       {code: invalidResponse, calls: 3},
	"null always":              {code: invalidResponse, calls: 1},
	"string always":            {code: invalidResponse, calls: 1},
	"list always":              {code: invalidResponse, calls: 1},
	"object always":            {code: invalidResponse, calls: 1},
	"html always":              {code: invalidResponse, calls: 1},
	"html later":               {code: invalidResponse, calls: 2},
	"error-with-200 always":    {code: invalidResponse, calls: 1},
	"half-json once":           {calls: 2},
	"half-json always":         {code: invalidResponse, calls: 3},
	"utf-16 always":            {code: invalidResponse, calls: 1},
	"not-utf-8 always":         {code: invalidResponse, calls: 1},
	"single-quotes always":     {code: invalidResponse, calls: 1},
	"not-a-number always":      {code: invalidResponse, calls: 1},
	"control-in-string always": {code: invalidResponse, calls: 1},
	"trailing-garbage always":  {code: invalidResponse, calls: 1},
	"trailing-brace always":    {code: invalidResponse, calls: 1},
	"two-documents always":     {code: invalidResponse, calls: 1},
	"byte-order-mark always":   {code: invalidResponse, calls: 1},
	"unrequested-gzip always":  {code: invalidResponse, calls: 1},
	"gzip-in-name-only always": {code: invalidResponse, calls: 1},
	"brotli always":            {code: invalidResponse, calls: 1},
	"wrong-checksum always":    {code: invalidResponse, calls: 1},
	"plain-text always":        {calls: 1},

	// Pages with something wrong.
	"no-items always":           {code: invalidResponse, calls: 1},
	"null-items always":         {code: invalidResponse, calls: 1},
	"object-as-items always":    {code: invalidResponse, calls: 1},
	"string-in-items always":    {code: invalidResponse, calls: 1},
	"null-in-items always":      {code: invalidResponse, calls: 1},
	"too-many-items always":     {code: invalidResponse, calls: 1},
	"too-few-items always":      {calls: 4, other: true},           // the list is read from its front
	"empty-items always":        {code: invalidResponse, calls: 4}, // no page of the list has an item
	"no-total always":           {code: invalidResponse, calls: 1},
	"string-as-total always":    {code: invalidResponse, calls: 1},
	"negative-total always":     {code: invalidResponse, calls: 1},
	"huge-total always":         {code: invalidResponse, calls: 1},
	"fractional-total always":   {code: invalidResponse, calls: 1},
	"low-total always":          {calls: 2}, // the list is read until a page is not full
	"no-page always":            {code: invalidResponse, calls: 1},
	"no-page-size always":       {code: invalidResponse, calls: 1},
	"nested-page always":        {code: invalidResponse, calls: 1},
	"renamed-items always":      {code: invalidResponse, calls: 1},
	"bare-list always":          {code: invalidResponse, calls: 1},
	"empty-vm-id always":        {calls: 1},
	"late-by-200ms always":      {calls: 1, soonest: 200 * time.Millisecond},
	"404-beyond-the-end always": {calls: 1},
	"another-page always":       {code: invalidResponse, calls: 1},
	"another-page later":        {code: invalidResponse, calls: 2},
	"another-page-size always":  {code: invalidResponse, calls: 1},
	"string-as-page always":     {code: invalidResponse, calls: 1},
	"other-shape always":        {code: invalidResponse, calls: 1},
	"wrong-types always":        {code: invalidResponse, partial: true, calls: 1, other: true},
	"wrong-object always":       {code: invalidResponse, partial: true, calls: 1},
	"unknown-keys always":       {calls: 1},
	"duplicate-item always":     {code: invalidResponse, partial: true, calls: 3, other: true}, // one CVM comes from a later page
	"bare-item always":          {calls: 1, other: true},

	// Responses that are too large. The gateway requests pages of 50, 25 and 12 CVMs.
	"deep-lists always":       {code: invalidResponse, calls: 1},
	"deep-objects always":     {code: invalidResponse, calls: 1},
	"flood always":            {code: invalidResponse, calls: 3, memory: 96},
	"flood-announced always":  {code: invalidResponse, calls: 3},
	"flood-of-spaces always":  {code: invalidResponse, calls: 3, memory: 96},
	"bomb always":             {code: invalidResponse, calls: 3, memory: 96},
	"bomb-with-500 always":    {code: upstreamError, calls: 3},
	"many-objects always":     {code: invalidResponse, calls: 1, memory: 96},
	"many-numbers always":     {code: invalidResponse, calls: 1, memory: 96},
	"many-wrong-types always": {code: invalidResponse, calls: 1, memory: 96},
	"many-elements always":    {code: invalidResponse, calls: 1, memory: 96},
	"long-string always":      {large: true, calls: 1, memory: 128, other: true},
	"long-number always":      {code: invalidResponse, partial: true, calls: 1, memory: 128, other: true},
	"long-escapes always":     {large: true, calls: 1, memory: 128, other: true},
	"many-keys always":        {calls: 1, memory: 128, other: true},
}
