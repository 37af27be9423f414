package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// patience bounds one run of load beyond its time.
const patience = 60 * time.Second

// result is what came of a run of load.
type result struct {
	answers   int
	elapsed   time.Duration
	latencies []time.Duration // sorted
}

// errWrong is an answer other than the first one, which was checked.
type errWrong struct {
	status, length, want int
}

// Error tells how the answer differs.
func (e *errWrong) Error() string {
	return fmt.Sprintf("status %d with %d bytes, unlike the first answer's %d", e.status, e.length, e.want)
}

// ask sends one request over a connection of its own and returns the answer's body.
func ask(ctx context.Context, addr string, r request) ([]byte, error) {
	c, err := dial(ctx, addr, time.Now().Add(patience))
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	if err := c.exchange(r.bytes(addr)); err != nil {
		return nil, err
	}
	if c.status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %.300s", c.status, c.body)
	}
	return c.body, nil
}

// load sends the same request over each of n connections, again and again, until duration is over, and waits for all answers. Each must
// be want, byte for byte.
func load(ctx context.Context, addr string, r request, want []byte, n int, duration time.Duration) (result, error) {
	raw := r.bytes(addr)
	clients := make([]*client, n)
	for i := range clients {
		c, err := dial(ctx, addr, time.Now().Add(duration+patience))
		if err != nil {
			return result{}, err
		}
		defer c.conn.Close()
		clients[i] = c
	}
	begun := time.Now()
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(func() { c.err = c.repeat(ctx, raw, want, begun.Add(duration)) })
	}
	group.Wait()
	sum := result{elapsed: time.Since(begun)}
	for _, c := range clients {
		if c.err != nil {
			return result{}, c.err
		}
		sum.latencies = append(sum.latencies, c.latencies...)
	}
	slices.Sort(sum.latencies)
	sum.answers = len(sum.latencies)
	return sum, nil
}

// client is one connection.
type client struct {
	conn      net.Conn
	in        *bufio.Reader
	status    int
	body      []byte // of the last answer
	latencies []time.Duration
	err       error
}

func dial(ctx context.Context, addr string, deadline time.Time) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

func (c *client) exchange(raw []byte) (err error) {
	if _, err = c.conn.Write(raw); err != nil {
		return err
	}
	c.status, c.body, err = readAnswer(c.in, c.body)
	return err
}

func (c *client) repeat(ctx context.Context, raw, want []byte, end time.Time) error {
	for begun := time.Now(); begun.Before(end) && ctx.Err() == nil; {
		if err := c.exchange(raw); err != nil {
			return err
		}
		now := time.Now()
		c.latencies = append(c.latencies, now.Sub(begun))
		if c.status != http.StatusOK || !bytes.Equal(c.body, want) {
			return &errWrong{c.status, len(c.body), len(want)}
		}
		begun = now
	}
	return context.Cause(ctx)
}
