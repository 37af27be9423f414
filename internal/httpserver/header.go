package httpserver

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"cvmgraph/internal/telemetry"
)

const (
	// minReadHeader is the smallest limit of the headers that net/http reads. It is larger than
	// MaxHeader, because net/http rejects larger headers without a call or a log line.
	minReadHeader = 64 << 10
	// readHeaderSlop is what net/http reads beyond its limit.
	readHeaderSlop = 4096

	// lingerTime and lingerBytes limit what is read after a request has been rejected.
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 1 << 20
)

// maxReadHeader returns the limit of the headers that net/http reads, in bytes.
func (s *Server) maxReadHeader() int64 { return max(minReadHeader, 2*s.options.MaxHeader) }

// headerBytes returns the size of a request's header with its request line, as in HTTP/1.1.
func headerBytes(r *http.Request) int64 {
	const separators = len("  \r\n") + len("Host: \r\n") + len("\r\n")
	size := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len(r.Host) + separators
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return int64(size)
}

// meteredConn is a connection that counts the bytes it has received since it was idle, to notice
// that net/http has rejected a header as too large: no hook and no log line reports it.
type meteredConn struct {
	net.Conn

	received atomic.Int64
	begun    atomic.Bool // a request has reached the handler since the connection was idle
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

// Close closes the connection. If net/http has rejected a request, it may not have read all of it.
// The kernel resets a connection with unread data, and the caller could lose the response, so Close
// then ends only the response, and a goroutine reads what the caller still sends.
func (c *meteredConn) Close() error {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok || c.begun.Load() || c.received.Load() == 0 || tcp.CloseWrite() != nil {
		return c.Conn.Close()
	}
	go func() {
		_ = tcp.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, tcp, lingerBytes)
		_ = tcp.Close()
	}()
	return nil
}

type meterKey struct{}

// withMeter is the ConnContext of the server.
func withMeter(ctx context.Context, conn net.Conn) context.Context {
	if metered := meterOf(conn); metered != nil {
		return context.WithValue(ctx, meterKey{}, metered)
	}
	return ctx
}

// meterOf returns the meter of a connection, or nil.
func meterOf(conn net.Conn) *meteredConn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	metered, _ := conn.(*meteredConn)
	return metered
}

// beginRequest records that a request has reached the handler.
func beginRequest(ctx context.Context) {
	if metered, ok := ctx.Value(meterKey{}).(*meteredConn); ok {
		metered.begun.Store(true)
	}
}

// connState is the ConnState of the server. It logs and counts a request whose header net/http has
// rejected.
func (s *Server) connState(conn net.Conn, state http.ConnState) {
	s.conns.setState(conn, state)
	metered := meterOf(conn)
	switch {
	case metered == nil:
	case state == http.StateIdle:
		metered.received.Store(0)
		metered.begun.Store(false)
	case state == http.StateClosed && !metered.begun.Load() && metered.received.Load() >= s.maxReadHeader()+readHeaderSlop:
		if observe := s.options.Observer.Begun; observe != nil {
			observe()
		}
		const other, status = "other", http.StatusRequestHeaderFieldsTooLarge
		if observe := s.options.Observer.Ended; observe != nil {
			observe(other, other, status, 0)
		}
		s.options.Logger.LogAttrs(context.Background(), slog.LevelInfo, "request",
			slog.String("method", other),
			slog.String("path", other),
			slog.Int("status", status),
			slog.String("request_id", telemetry.RequestID("")),
			slog.String("client", s.client(conn.RemoteAddr().String(), nil)),
		)
	}
}
