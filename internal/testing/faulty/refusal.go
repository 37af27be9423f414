package faulty

import (
	"fmt"
	"net/http"
)

// cdnPage is an error page of the CDN in front of the API.
const cdnPage = `<!DOCTYPE html><html><title>` + Secret + `</title></html>`

// refusals are responses of a CDN, a firewall or a proxy in front of the API, by the form of their
// body. None of them has the form of the API's errors.
//
//nolint:gochecknoglobals // immutable
var refusals = map[string]func(c *call, status int){
	"html": func(c *call, status int) { c.refuse(status, "text/html; charset=UTF-8", cdnPage) },
	"text": func(c *call, status int) {
		c.refuse(status, "text/plain; charset=UTF-8", fmt.Sprintf("error code: %d", cdnCode(status)))
	},
	// What the CDN sends to callers that accept JSON.
	"json": func(c *call, status int) {
		c.refuse(status, jsonType, fmt.Sprintf(`{"type":"https://%[1]s/error-%[2]d/","title":"Error %[2]d","status":%[3]d,"detail":"%[1]s","instance":"8f1c2d3e4f5a6b7c",`+
			`"error_code":%[2]d,"error_category":"access_denied","ray_id":"8f1c2d3e4f5a6b7c","cloudflare_error":true,"retryable":false}`, Secret, cdnCode(status), status))
	},
	"empty": func(c *call, status int) { c.refuse(status, "", "") },
}

// cdnCode returns the CDN's own code in an error with a status.
func cdnCode(status int) int {
	switch status {
	case http.StatusForbidden:
		return 1010
	case http.StatusTooManyRequests:
		return 1015
	}
	return status
}

// refuse sends a response with a CDN's headers.
func (c *call) refuse(status int, kind, body string) {
	c.Header().Set("Server", "cloudflare "+Secret)
	c.Header().Set("CF-Ray", "8f1c2d3e4f5a6b7c-FRA")
	c.Header().Set("Cache-Control", "private, max-age=0, no-store")
	c.send(status, kind, body)
}
