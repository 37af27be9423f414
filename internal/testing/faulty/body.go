package faulty

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	mebibyte = 1 << 20
	nearMax  = 15 << 20 // just below a gateway's limit for bodies
)

// addBodies adds responses with status 200 whose bodies are not pages or are too large.
func (u *Upstream) addBodies() {
	for name, body := range map[string]string{
		"empty":             "",
		"white-space":       " \r\n\t ",
		"null":              "null",
		"string":            `"` + Secret + `"`,
		"list":              `[{"name":"` + Secret + `"}]`,
		"object":            `{}`,
		"html":              cdnPage,
		"error-with-200":    errorBody,
		"half-json":         `{"items":[{"name":"` + Secret,
		"utf-16":            "\xff\xfe{\x00}\x00",
		"not-utf-8":         `{"items":[],"total":0,"page":1,"page_size":30,"pages":0,"x":"` + "\xff" + Secret + `"}`,
		"single-quotes":     `{'items':[],'total':0}`,
		"not-a-number":      `{"items":[{"vcpu":NaN,"name":"` + Secret + `"}],"total":1,"page":1,"page_size":30,"pages":1}`,
		"control-in-string": `{"items":[{"name":"` + "\x01" + Secret + `"}],"total":1,"page":1,"page_size":30,"pages":1}`,
		"deep-lists":        `{"items":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
	} {
		u.faults[name] = func(c *call) { c.send(http.StatusOK, jsonType, body) }
	}
	u.faults["deep-objects"] = func(c *call) {
		c.send(http.StatusOK, jsonType, `{"items":[{"`+c.either("hosted", "resource")+`":`+strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)+`}]}`)
	}
	for name, suffix := range map[string]string{"trailing-garbage": Secret, "two-documents": errorBody, "trailing-brace": "}"} {
		u.faults[name] = func(c *call) { c.send(http.StatusOK, jsonType, string(c.page())+suffix) }
	}
	u.faults["byte-order-mark"] = func(c *call) { c.send(http.StatusOK, jsonType, "\ufeff"+string(c.page())) }
	u.faults["unrequested-gzip"] = func(c *call) { c.send(http.StatusOK, jsonType, string(gzipped(c.page()))) }
	u.faults["gzip-in-name-only"] = func(c *call) {
		c.Header().Set("Content-Encoding", "gzip")
		c.send(http.StatusOK, jsonType, string(c.page()))
	}
	u.faults["brotli"] = func(c *call) {
		c.Header().Set("Content-Encoding", "br")
		c.send(http.StatusOK, jsonType, "\x8b\x02\x80"+Secret+"\x03")
	}
	u.faults["wrong-checksum"] = func(c *call) {
		zipped := gzipped(c.page())
		zipped[len(zipped)-5] ^= 1
		c.Header().Set("Content-Encoding", "gzip")
		c.send(http.StatusOK, jsonType, string(zipped))
	}
	// Not a failure: the body is valid.
	u.faults["plain-text"] = func(c *call) { c.send(http.StatusOK, "text/plain", string(c.page())) }
	u.addFloods()
}

// addFloods adds responses that are large, or become large when decompressed.
func (u *Upstream) addFloods() {
	u.faults["flood"] = func(c *call) { c.flood(64) }
	u.faults["flood-announced"] = func(c *call) {
		c.Header().Set("Content-Length", strconv.Itoa(64*mebibyte))
		c.flood(64)
	}
	u.faults["flood-of-spaces"] = func(c *call) {
		_, _ = c.Write(c.page())
		c.repeat(bytes.Repeat([]byte(" "), mebibyte), 64)
	}
	bomb := gzipped(bytes.Repeat([]byte(" "), mebibyte)) // a gzip file may have any number of members
	u.faults["bomb"] = func(c *call) {
		c.Header().Set("Content-Encoding", "gzip")
		c.repeat(bomb, 1024)
	}
	u.faults["bomb-with-500"] = func(c *call) {
		c.Header().Set("Content-Encoding", "gzip")
		c.WriteHeader(http.StatusInternalServerError)
		c.repeat(bomb, 1024)
	}
	u.faults["many-objects"] = func(c *call) { c.list(`{}`, nearMax) }
	u.faults["many-numbers"] = func(c *call) { c.list(`7`, nearMax) }
	u.faults["many-wrong-types"] = func(c *call) {
		wrong := c.either(`{"name":1,"status":2,"vcpu":"3","hosted":4},`, `{"name":1,"status":2,"resource":{"vcpu":"3"},"node_info":4},`)
		c.wrapped(strings.Repeat(wrong, 29)+c.either(`{"public_urls":[`, `{"resource":{},"endpoints":[`)+strings.Repeat(`1,`, nearMax/2)+`1]}`, 30)
	}
	u.faults["many-elements"] = func(c *call) {
		c.wrapped(strings.Repeat(`{},`, 29)+c.either(`{"public_urls":[`, `{"resource":{},"endpoints":[`)+strings.Repeat(`{},`, nearMax/3)+`{}]}`, 30)
	}
	u.faults["long-string"] = func(c *call) { c.single(`"name":"` + strings.Repeat("x", nearMax) + `"`) }
	u.faults["long-number"] = func(c *call) {
		c.single(c.either(`"vcpu":`, `"resource":{"vcpu":`) + strings.Repeat("7", nearMax) + c.either("", "}"))
	}
	u.faults["long-escapes"] = func(c *call) { c.single(`"name":"` + strings.Repeat(`\u0001`, nearMax/6) + `"`) }
	u.faults["many-keys"] = func(c *call) { c.single(`"status":"x"` + strings.Repeat(`,"name":"x"`, nearMax/11)) }
}

// single sends a page with one item, which has no VM and the given members.
func (c *call) single(members string) {
	c.wrapped(c.either(`{"hosted":null,`, `{"gateway":{},"vm_uuid":null,`)+members+"}", 1)
}

// flood sends the given number of MiB of a JSON document that does not end.
func (c *call) flood(mebibytes int) {
	_, _ = io.WriteString(c, `{"items": [], "padding": "`+Secret)
	c.repeat(bytes.Repeat([]byte("x"), mebibyte), mebibytes)
}

// repeat writes a chunk the given number of times. It stops if the caller disconnects.
func (c *call) repeat(chunk []byte, times int) {
	for range times {
		if _, err := c.Write(chunk); err != nil {
			c.onAbandoned()
			return
		}
	}
}

// list sends a page of about size bytes that repeats one entry.
func (c *call) list(entry string, size int) {
	n := size / (len(entry) + 1)
	c.wrapped(strings.Repeat(entry+",", n)+entry, n+1)
}

// wrapped sends entries as the requested page of a list with the given total.
func (c *call) wrapped(entries string, total int) {
	query := c.r.URL.Query()
	c.send(http.StatusOK, jsonType, `{"items":[`+entries+`],"total":`+strconv.Itoa(total)+`,"page":`+query.Get("page")+
		`,"page_size":`+query.Get("page_size")+`,"pages":1}`)
}

func gzipped(body []byte) []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = zip.Write(body) // a bytes.Buffer returns no error
	_ = zip.Close()
	return b.Bytes()
}
