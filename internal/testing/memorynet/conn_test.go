package memorynet_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"cvmgraph/internal/testing/memorynet"
)

func connect(tb testing.TB) (client, server *memorynet.Conn) {
	tb.Helper()
	listener := memorynet.Listen()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := listener.Accept()
		accepted <- conn
	}()
	conn, err := listener.Dial(tb.Context(), "", "")
	if err != nil {
		tb.Fatal(err)
	}
	return conn.(*memorynet.Conn), (<-accepted).(*memorynet.Conn)
}

func TestConn_nettest(t *testing.T) {
	t.Parallel()
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := connect(t)
		return a, b, func() { _, _ = a.Close(), b.Close() }, nil
	})
}

func TestConn_ends(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end  func(*memorynet.Conn)
		want error
	}{
		"closed":      {end: func(c *memorynet.Conn) { _ = c.Close() }, want: io.EOF},
		"half closed": {end: func(c *memorynet.Conn) { _ = c.CloseWrite() }, want: io.EOF},
		"reset":       {end: func(c *memorynet.Conn) { _, _ = c.SetLinger(0), c.Close() }, want: syscall.ECONNRESET},
	} {
		client, server := connect(t)
		tt.end(server)
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got error %v, want %v", name, err, tt.want)
		}
	}
}

func TestConn_virtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := connect(t)
		begin := time.Now()
		_ = client.SetWriteDeadline(begin.Add(time.Hour))
		sent := bytes.Repeat([]byte("x"), 1<<20)
		if _, err := client.Write(sent); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Hour {
			t.Errorf("got %v after %v, want a full buffer for an hour", err, time.Since(begin))
		}
		_ = client.Close()
		if got, err := io.ReadAll(server); err != nil || len(got) == 0 || !bytes.HasPrefix(sent, got) {
			t.Errorf("got %d bytes, %v, want the begin of what was sent", len(got), err)
		}
	})
}
