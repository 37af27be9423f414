package faulty

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// maxFrame is the size of a frame that each client accepts.
const maxFrame = 16 << 10

// NewHTTP2Server starts a server of u with TLS that prefers HTTP/2 and writes its frames by hand.
// Faults of a connection are faults of its stream if HTTP/2 has them. Responses must be smaller
// than the client's window. If greet is not nil, it writes the frames at the begin of a connection,
// after which nothing else is written.
func NewHTTP2Server(u *Upstream, greet func(*http2.Framer)) *httptest.Server {
	server := httptest.NewUnstartedServer(u)
	startHTTP2(server, u, greet)
	return server
}

// NewHTTP2ServerOn is [NewHTTP2Server] with a listener, whose connections are of type [Conn].
func NewHTTP2ServerOn(listener net.Listener, handler http.Handler) *httptest.Server {
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	startHTTP2(server, handler, nil)
	return server
}

func startHTTP2(server *httptest.Server, handler http.Handler, greet func(*http2.Framer)) {
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{http2.NextProtoTLS}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		http2.NextProtoTLS: func(_ *http.Server, conn *tls.Conn, _ http.Handler) { serveHTTP2(handler, conn, greet) },
	}
	server.StartTLS()
}

// http2Conn is a connection of a client that speaks HTTP/2.
type http2Conn struct {
	*tls.Conn

	mu      sync.Mutex // guards the fields below, except for reading frames
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
	streams map[uint32]context.CancelFunc
}

// serveHTTP2 serves a connection until one side closes it.
func serveHTTP2(handler http.Handler, conn *tls.Conn, greet func(*http2.Framer)) {
	defer func() { _ = conn.Close() }()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil || string(preface) != http2.ClientPreface {
		return
	}
	c := &http2Conn{Conn: conn, framer: http2.NewFramer(conn, conn), streams: map[uint32]context.CancelFunc{}}
	c.framer.AllowIllegalWrites = true
	if greet != nil {
		greet(c.framer)
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	c.encoder = hpack.NewEncoder(&c.block)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var handlers sync.WaitGroup
	defer handlers.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.write(func() error { return c.framer.WriteSettings() })
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				c.write(c.framer.WriteSettingsAck)
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				c.write(func() error { return c.framer.WritePing(true, frame.Data) })
			}
		case *http2.RSTStreamFrame:
			c.end(frame.StreamID)
		case *http2.MetaHeadersFrame:
			s := c.open(ctx, frame)
			handlers.Go(func() { s.serve(handler) })
		}
	}
}

// write calls a function that writes frames. If it fails, so does reading the next frame.
func (c *http2Conn) write(frames func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = frames()
}

// end cancels the request of a stream.
func (c *http2Conn) end(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.streams[id]; cancel != nil {
		cancel()
	}
	delete(c.streams, id)
}

// stream is a stream of a request. As a ResponseWriter it writes the frames of the response.
type stream struct {
	conn    *http2Conn
	id      uint32
	request *http.Request
	header  http.Header
	status  int  // that was written, or 0
	aborted bool // a fault has ended the stream or the connection
}

// open returns a new stream.
func (c *http2Conn) open(ctx context.Context, frame *http2.MetaHeadersFrame) *stream {
	ctx, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	c.streams[frame.StreamID] = cancel
	c.mu.Unlock()
	target, err := url.ParseRequestURI(frame.PseudoValue("path"))
	if err != nil {
		panic(err)
	}
	r := &http.Request{
		Method: frame.PseudoValue("method"), URL: target, Host: frame.PseudoValue("authority"), Header: http.Header{},
		Proto: "HTTP/2.0", ProtoMajor: 2, Body: http.NoBody, RequestURI: target.String(),
	}
	for _, field := range frame.RegularFields() {
		r.Header.Add(field.Name, field.Value)
	}
	return &stream{conn: c, id: frame.StreamID, request: r.WithContext(ctx), header: http.Header{}}
}

// serve calls the handler and ends the stream.
func (s *stream) serve(handler http.Handler) {
	defer s.conn.end(s.id)
	handler.ServeHTTP(s, s.request)
	if s.aborted || s.request.Context().Err() != nil {
		return
	}
	if s.status == 0 {
		s.WriteHeader(http.StatusOK)
	}
	s.conn.write(func() error { return s.conn.framer.WriteData(s.id, true, nil) })
}

// Header returns the header of the response.
func (s *stream) Header() http.Header { return s.header }

// WriteHeader writes the header of the response, or an interim one.
func (s *stream) WriteHeader(status int) {
	if s.status == 0 {
		s.writeFields(status)
	}
	if status >= http.StatusOK {
		s.status = status
	}
}

// writeFields writes a header with a status, or without one if it is 0.
func (s *stream) writeFields(status int) {
	c := s.conn
	c.write(func() error {
		c.block.Reset()
		if status != 0 {
			_ = c.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: fmt.Sprint(status)})
		}
		for name, values := range s.header {
			for _, value := range values {
				_ = c.encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(name), Value: value})
			}
		}
		block := c.block.Next(maxFrame)
		err := c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block, EndHeaders: c.block.Len() == 0})
		for err == nil && c.block.Len() > 0 {
			block = c.block.Next(maxFrame)
			err = c.framer.WriteContinuation(s.id, c.block.Len() == 0, block)
		}
		return err
	})
}

// Write writes a part of the body. It fails if the client has canceled the request.
func (s *stream) Write(body []byte) (int, error) {
	if s.status == 0 {
		s.WriteHeader(http.StatusOK)
	}
	for rest := body; len(rest) > 0; {
		if err := s.request.Context().Err(); err != nil {
			return len(body) - len(rest), err
		}
		part := rest[:min(len(rest), maxFrame)]
		s.conn.write(func() error { return s.conn.framer.WriteData(s.id, false, part) })
		rest = rest[len(part):]
	}
	return len(body), nil
}

// Flush does nothing, because each write is sent at once.
func (s *stream) Flush() {}
