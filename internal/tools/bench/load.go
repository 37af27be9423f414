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
	c.raw = r.bytes(addr, 0)
	if err := c.exchange(); err != nil {
		return nil, err
	}
	if c.status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %.300s", c.status, c.body)
	}
	return c.body, nil
}

// pressure says how much load there is.
type pressure struct {
	callers  int  // each with a connection
	apart    bool // each with a credential, too
	duration time.Duration
}

// load lets callers send the same request again and again, until their time is over, and waits for all answers. Each must be want, byte
// for byte.
func load(ctx context.Context, addr string, r request, want []byte, p pressure) (result, error) {
	clients := make([]*client, p.callers)
	for i := range clients {
		c, err := dial(ctx, addr, time.Now().Add(p.duration+patience))
		if err != nil {
			return result{}, err
		}
		defer c.conn.Close()
		c.raw = r.bytes(addr, 0)
		if p.apart {
			c.raw = r.bytes(addr, i)
		}
		clients[i] = c
	}
	begun := time.Now()
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(func() { c.err = c.repeat(ctx, want, begun.Add(p.duration)) })
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
	raw       []byte // the request
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

func (c *client) exchange() (err error) {
	if _, err = c.conn.Write(c.raw); err != nil {
		return err
	}
	c.status, c.body, err = readAnswer(c.in, c.body)
	return err
}

func (c *client) repeat(ctx context.Context, want []byte, end time.Time) error {
	for begun := time.Now(); begun.Before(end) && ctx.Err() == nil; {
		if err := c.exchange(); err != nil {
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
