package faulty

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const jsonType = "application/json"

// errorBody is the simplest form of the API's errors.
const errorBody = `{"detail":"` + Secret + `"}`

// faultOf returns the fault with a name. The name is a key of u.faults, a response with a status as
// in [responseWith], or a page that comes late, such as late-by-12s.
func (u *Upstream) faultOf(name string) (fault, bool) {
	if f, ok := u.faults[name]; ok {
		return f, true
	}
	if late, ok := strings.CutPrefix(name, "late-by-"); ok {
		wait, err := time.ParseDuration(late)
		return func(c *call) { c.sendLate(wait) }, err == nil && wait > 0
	}
	return responseWith(name)
}

// responseWith returns the fault whose name is a status and the form of the response: 503 is the
// API's own error, 503-after-7 the same with a Retry-After header in seconds. The other forms are
// those of a CDN, a firewall or a proxy in front of the API: 503-html, 503-text, 503-json, and
// 503-empty without a body.
func responseWith(name string) (fault, bool) {
	code, form, _ := strings.Cut(name, "-")
	status, err := strconv.Atoi(code)
	if err != nil || status < 200 || status > 599 {
		return nil, false
	}
	if seconds, ok := strings.CutPrefix(form, "after-"); ok {
		return func(c *call) {
			c.Header().Set("Retry-After", seconds)
			c.sendError(status)
		}, strings.Trim(seconds, "0123456789") == ""
	}
	if form == "" {
		return func(c *call) { c.sendError(status) }, true
	}
	refuse, ok := refusals[form]
	return func(c *call) { refuse(c, status) }, ok
}

// sendError sends an error as the API does.
func (c *call) sendError(status int) {
	c.Header().Set("X-Request-Id", Secret)
	c.send(status, jsonType, errorBody)
}

// addStatuses adds responses with statuses other than 200 that have special headers or bodies.
func (u *Upstream) addStatuses() {
	for name, body := range map[string]string{
		"400-version":    `{"detail":"Unsupported API version ` + Secret + `"}`,
		"404-version":    `{"error_code":"ERR-01-001","message":"API version ` + Secret + ` was withdrawn","details":[]}`,
		"400-structured": `{"error_code":"ERR-01-001","message":"` + Secret + `","details":[{"field":"user_id","value":"` + Secret + `"}]}`,
		"422-validation": `{"detail":[{"loc":["query","teepod_id"],"msg":"` + Secret + `","type":"int_parsing","input":"` + Secret + `"}]}`,
		"503-wait-30":    `{"detail":"` + Secret + `","retry_after":30}`,
		"404-structured": `{"error_code":"ERR-03-001","message":"` + Secret + `","details":[],"suggestions":["` + Secret + `"],"links":[],"request_id":"req_0123456789abcdef"}`,
		"403-structured": `{"detail":{"error_code":"ERR-03-005","message":"` + Secret + `","details":[],"request_id":"req_0123456789abcdef"}}`,
		"503-wait-text":  `{"detail":"` + Secret + `","retry_after":"30"}`,
		"429-body":       "90",
		"500-unusual":    `{"detail":{"message":[["` + Secret + `"]],"details":7,"retry_after":"soon"}}`,
	} {
		status, _ := strconv.Atoi(name[:3])
		u.faults[name] = func(c *call) { c.send(status, jsonType, body) }
	}
	u.faults["429-body-90"] = func(c *call) { c.send(http.StatusTooManyRequests, "text/plain", "90") }
	for _, status := range []int{301, 302, 303, 307, 308} {
		u.faults[fmt.Sprintf("%d-elsewhere", status)] = func(c *call) {
			c.Header().Set("Location", u.elsewhere+"/"+Secret)
			c.send(status, "text/html", cdnPage)
		}
	}
	u.faults["302-loop"] = func(c *call) {
		c.Header().Set("Location", c.r.URL.String())
		c.send(http.StatusFound, "text/html", cdnPage)
	}
	u.faults["429-date"] = func(c *call) {
		c.Header().Set("Retry-After", time.Now().Add(30*time.Minute).UTC().Format(http.TimeFormat))
		c.send(http.StatusTooManyRequests, jsonType, errorBody)
	}
	u.faults["503-after-invalid"] = func(c *call) {
		c.Header().Set("Retry-After", "-1e9 "+Secret)
		c.send(http.StatusServiceUnavailable, jsonType, errorBody)
	}
	u.faults["429-late"] = func(c *call) {
		select {
		case <-time.After(time.Second):
			c.sendError(http.StatusTooManyRequests)
		case <-c.r.Context().Done():
			c.onAbandoned()
		}
	}
	u.faults["500-hang"] = func(c *call) {
		c.WriteHeader(http.StatusInternalServerError)
		c.flush()
		c.hang()
	}
	u.faults["500-flood"] = func(c *call) {
		c.WriteHeader(http.StatusInternalServerError)
		c.flood(64)
	}
	u.faults["hints"] = func(c *call) { // not a failure: 103 Early Hints precede the response
		for range 3 {
			c.Header().Set("Link", "</"+Secret+">; rel=preload")
			c.WriteHeader(http.StatusEarlyHints)
		}
		c.Header().Del("Link")
		c.send(http.StatusOK, jsonType, string(c.page()))
	}
}
