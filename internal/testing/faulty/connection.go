package faulty

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// addConnections adds failures of TCP and HTTP, and responses that take too long.
func (u *Upstream) addConnections() {
	half := func(c *call) string { body := c.page(); return string(body[:len(body)/2]) }
	u.faults["reset"] = func(c *call) { c.raw("", abort) }
	u.faults["reset-in-header"] = func(c *call) { c.raw("HTTP/1.1 200 OK\r\nX-Server: "+Secret, abort) }
	u.faults["reset-in-body"] = func(c *call) { c.raw(headerOf(c.page())+half(c), abort) }
	u.faults["closed"] = func(c *call) { c.raw("", finish) }
	u.faults["closed-in-header"] = func(c *call) { c.raw("HTTP/1.1 200 OK\r\nX-Server: "+Secret+"\r\n", finish) }
	u.faults["truncated"] = func(c *call) { c.raw(headerOf(c.page())+half(c), finish) }
	u.faults["truncated-chunks"] = func(c *call) {
		body := half(c)
		c.raw(fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body), body), finish)
	}
	u.faults["truncated-gzip"] = func(c *call) {
		c.Header().Set("Content-Encoding", "gzip")
		zipped := gzipped(c.page())
		_, _ = c.Write(zipped[:len(zipped)/2])
	}
	u.faults["invalid-chunks"] = func(c *call) {
		c.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+Secret+"\r\n", finish)
	}
	u.faults["two-lengths"] = func(c *call) {
		c.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\nX-Server: "+Secret+"\r\n\r\n{}", finish)
	}
	u.faults["not-http"] = func(c *call) { c.raw("SSH-2.0-"+Secret+"\r\n\r\n", finish) }
	u.faults["tls-alert"] = func(c *call) { c.raw("\x15\x03\x01\x00\x02\x02\x46", finish) }
	u.faults["http2"] = func(c *call) { // a SETTINGS frame and a GOAWAY frame
		c.raw("\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x0a\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\r\n", finish)
	}
	u.faults["second-response"] = func(c *call) { // follows the requested response on the same connection
		page := c.page()
		c.raw(headerOf(page)+string(page)+"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Server: "+Secret+"\r\n\r\n", c.stay)
	}
	u.faults["large-header"] = func(c *call) { c.raw("HTTP/1.1 200 OK\r\nX-Server: "+strings.Repeat(Secret, 1<<16)+"\r\n\r\n", finish) }
	u.faults["endless-hints"] = func(c *call) {
		c.raw(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <"+Secret+">\r\n\r\n", 1000), c.stay)
	}
	u.faults["switching"] = func(c *call) {
		c.raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: "+Secret+"\r\nConnection: Upgrade\r\n\r\n", c.stay)
	}

	u.faults["hang"] = func(c *call) { c.hang() }
	u.faults["hang-in-header"] = func(c *call) { c.raw("HTTP/1.1 200 OK\r\nX-Server: "+Secret+"\r\n", c.stay) }
	u.faults["hang-in-body"] = func(c *call) {
		_, _ = io.WriteString(c, half(c))
		c.flush()
		c.hang()
	}
	u.faults["hang-in-large-body"] = func(c *call) {
		_, _ = c.Write(bytes.Repeat([]byte(" "), 2*mebibyte))
		c.flush()
		c.hang()
	}
	u.faults["hang-in-announced-body"] = func(c *call) { c.raw(headerOf(c.page())+half(c), c.stay) }
	u.faults["drip"] = func(c *call) { c.drip(c.page(), 1) }
	u.faults["drip-header"] = func(c *call) { c.raw("HTTP/1.1 200 OK\r\n", c.dripHeader) }
	u.faults["slow"] = func(c *call) { body := c.page(); c.drip(body, len(body)/10+1) }
	u.faults["blocked"] = func(c *call) { // not a failure: sends the page after the repair
		if c.hang(); c.r.Context().Err() == nil {
			c.send(http.StatusOK, jsonType, string(c.page()))
		}
	}
}

// headerOf returns the header of a response with this body.
func headerOf(body []byte) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
}

// Conn is a connection that can be reset, and whose sides can be closed one by one. A *net.TCPConn
// is one.
type Conn interface {
	net.Conn
	CloseWrite() error
	SetLinger(seconds int) error
}

// raw writes text to the connection itself, then calls end.
func (c *call) raw(text string, end func(Conn)) {
	conn, _, err := http.NewResponseController(c.ResponseWriter).Hijack()
	if err != nil {
		panic(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, text)
	end(conn.(Conn))
}

// abort makes the following close a reset. It waits first, so that the bytes written so far arrive.
func abort(conn Conn) {
	<-time.After(10 * time.Millisecond)
	_ = conn.SetLinger(0)
}

// finish does nothing: raw closes the connection.
func finish(Conn) {}

// stay keeps the connection open until the caller closes it, or the fault is repaired.
func (c *call) stay(conn Conn) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, conn)
	}()
	select {
	case <-closed:
		c.onAbandoned()
	case <-c.repaired:
	}
	_ = conn.Close()
	<-closed
}

// dripEvery is the time between two pieces of a slow response. It is short enough that no single
// read times out.
const dripEvery = 20 * time.Millisecond

// drip sends a body in small pieces. It stops if the caller disconnects.
func (c *call) drip(body []byte, piece int) {
	tick := time.Tick(dripEvery)
	for len(body) > 0 {
		n := min(piece, len(body))
		if _, err := c.Write(body[:n]); err != nil {
			c.onAbandoned()
			return
		}
		c.flush()
		body = body[n:]
		select {
		case <-tick:
		case <-c.r.Context().Done():
			c.onAbandoned()
			return
		}
	}
}

// dripHeader sends header lines until the caller disconnects.
func (c *call) dripHeader(conn Conn) {
	for range time.Tick(dripEvery) {
		if _, err := io.WriteString(conn, "X-Server: "+Secret+"\r\n"); err != nil {
			c.onAbandoned()
			return
		}
	}
}
