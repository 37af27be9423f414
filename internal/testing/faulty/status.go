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

// cdnPage is an error page of the CDN in front of the API.
const cdnPage = `<!DOCTYPE html><html><title>` + Secret + `</title></html>`

// faultOf returns the fault with a name. The name is a key of u.faults, a status such as 503, or a
// status with a Retry-After header in seconds, such as 503-after-7.
func (u *Upstream) faultOf(name string) (fault, bool) {
	if f, ok := u.faults[name]; ok {
		return f, true
	}
	code, seconds, hasRetryAfter := strings.Cut(name, "-after-")
	status, err := strconv.Atoi(code)
	if err != nil || status < 200 || status > 599 || hasRetryAfter && strings.Trim(seconds, "0123456789") != "" {
		return nil, false
	}
	return func(c *call) {
		if hasRetryAfter {
			c.Header().Set("Retry-After", seconds)
		}
		c.Header().Set("X-Request-Id", Secret)
		c.send(status, jsonType, errorBody)
	}, true
}

// addStatuses adds responses with statuses other than 200 that have special headers or bodies.
func (u *Upstream) addStatuses() {
	for name, body := range map[string]string{
		"400-structured": `{"error_code":"ERR-01-001","message":"` + Secret + `","details":[{"field":"user_id","value":"` + Secret + `"}]}`,
		"422-validation": `{"detail":[{"loc":["query","teepod_id"],"msg":"` + Secret + `","type":"int_parsing","input":"` + Secret + `"}]}`,
		"503-wait-30":    `{"detail":"` + Secret + `","retry_after":30}`,
		"500-unusual":    `{"detail":{"message":[["` + Secret + `"]],"details":7,"retry_after":"soon"}}`,
	} {
		status, _ := strconv.Atoi(name[:3])
		u.faults[name] = func(c *call) { c.send(status, jsonType, body) }
	}
	for _, status := range []int{403, 502, 520} {
		u.faults[fmt.Sprintf("%d-html", status)] = func(c *call) { c.send(status, "text/html", cdnPage) }
	}
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
