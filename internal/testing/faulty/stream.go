package faulty

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// addStreams adds the faults that differ over HTTP/2: the faults of connections, and faults that
// only HTTP/2 has. Over HTTP/1.1, the latter are the fault that is most similar.
func (u *Upstream) addStreams() {
	half := func(s *stream, c *call) { body := c.page(); _, _ = s.Write(body[:len(body)/2]) }
	for name, f := range map[string]func(*stream, *call){
		"reset":           func(s *stream, _ *call) { s.reset(http2.ErrCodeInternal) },
		"reset-in-header": func(s *stream, _ *call) { s.beginHeader(); s.abort() },
		"reset-in-body":   func(s *stream, c *call) { half(s, c); s.reset(http2.ErrCodeInternal) },
		"closed":          func(s *stream, _ *call) { s.close() },
		"closed-in-header": func(s *stream, _ *call) {
			s.beginHeader()
			s.close()
		},
		"truncated":              func(s *stream, c *call) { half(s, c); s.close() },
		"truncated-chunks":       func(s *stream, c *call) { half(s, c); s.close() },
		"hang-in-header":         func(_ *stream, c *call) { c.hang() },
		"hang-in-announced-body": func(s *stream, c *call) { half(s, c); c.hang() },
		"drip-header":            func(_ *stream, c *call) { c.hang() },
		"large-header": func(s *stream, _ *call) {
			for range 30 { // less than twice the limit, beyond which the connection ends
				s.header.Add("X-Server", strings.Repeat(Secret, 100))
			}
			s.WriteHeader(http.StatusOK)
		},
		"not-http": func(s *stream, _ *call) { s.aborted = true; s.writeFields(0) }, // no :status
	} {
		u.overHTTP2[name] = func(c *call) { f(c.ResponseWriter.(*stream), c) }
	}
	u.addCodes(half)
}

// addCodes adds the faults with each error code of HTTP/2, such as reset-refused-stream.
func (u *Upstream) addCodes(half func(*stream, *call)) {
	add := func(name, overHTTP1 string, f func(*stream, *call)) {
		u.faults[name] = u.faults[overHTTP1]
		u.overHTTP2[name] = func(c *call) { f(c.ResponseWriter.(*stream), c) }
	}
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required; code++ {
		suffix := "-" + strings.ReplaceAll(strings.ToLower(code.String()), "_", "-")
		add("reset"+suffix, "reset", func(s *stream, _ *call) { s.reset(code) })
		add("reset-in-body"+suffix, "reset-in-body", func(s *stream, c *call) { half(s, c); s.reset(code) })
		// The upstream has not seen the request: the client may send it again.
		add("goaway"+suffix, "closed", func(s *stream, _ *call) { s.goAway(s.id-1, code) })
		add("goaway-and-close"+suffix, "closed", func(s *stream, _ *call) { s.goAway(s.id-1, code); s.close() })
		// The upstream may have processed the request.
		add("goaway-of-request"+suffix, "closed", func(s *stream, _ *call) { s.goAway(s.id, code); s.close() })
		add("goaway-in-body"+suffix, "truncated", func(s *stream, c *call) { half(s, c); s.goAway(s.id, code); s.close() })
	}
	add("invalid-settings", "closed", func(s *stream, _ *call) {
		s.aborted = true
		s.conn.write(func() error {
			return s.conn.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31})
		})
	})
	add("invalid-header-block", "closed", func(s *stream, _ *call) {
		s.aborted = true
		s.conn.write(func() error {
			return s.conn.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: []byte{0x80}, EndHeaders: true})
		})
	})
}

// HTTP2Faults returns the names of the faults that differ over HTTP/2, in alphabetical order.
func (u *Upstream) HTTP2Faults() []string { return slices.Sorted(maps.Keys(u.overHTTP2)) }

// addDepartures adds responses after which the connection cannot be used again. They are no
// failures.
func (u *Upstream) addDepartures() {
	u.faults["last-response"] = func(c *call) {
		c.Header().Set("Connection", "close")
		c.send(http.StatusOK, jsonType, string(c.page()))
	}
	u.overHTTP2["last-response"] = func(c *call) {
		s := c.ResponseWriter.(*stream)
		s.conn.write(func() error { return s.conn.framer.WriteGoAway(s.id, http2.ErrCodeNo, nil) })
		c.send(http.StatusOK, jsonType, string(c.page()))
	}
}

// reset ends the stream with an error code.
func (s *stream) reset(code http2.ErrCode) {
	s.aborted = true
	s.conn.write(func() error { return s.conn.framer.WriteRSTStream(s.id, code) })
}

// goAway tells the client to leave the connection. The streams up to last are those that the
// upstream has seen.
func (s *stream) goAway(last uint32, code http2.ErrCode) {
	s.aborted = true
	s.conn.write(func() error { return s.conn.framer.WriteGoAway(last, code, []byte(Secret)) })
}

// beginHeader writes a header that does not end.
func (s *stream) beginHeader() {
	s.conn.write(func() error {
		return s.conn.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: []byte{0x88}})
	})
}

// close closes the sending side of the connection. The client closes the other one.
func (s *stream) close() {
	s.aborted = true
	_ = s.conn.NetConn().(Conn).CloseWrite()
}

// abort resets the connection, after the bytes written so far have arrived.
func (s *stream) abort() {
	<-time.After(10 * time.Millisecond)
	s.aborted = true
	_ = s.conn.NetConn().(Conn).SetLinger(0)
	_ = s.conn.NetConn().Close()
}
