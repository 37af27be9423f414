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

// loadTimeout is the maximum time of a run of load beyond its duration.
const loadTimeout = 60 * time.Second

// result has the figures of a run of load.
type result struct {
	responses int
	elapsed   time.Duration
	latencies []time.Duration // sorted
}

// mismatchError is a response that differs from the first response, which was checked.
type mismatchError struct {
	status, length, want int
}

// Error returns the status and the length of the response.
func (e *mismatchError) Error() string {
	return fmt.Sprintf("got status %d and %d bytes, which differ from the first response with %d bytes", e.status, e.length, e.want)
}

// ask sends one request over a new connection and returns the response body.
func ask(ctx context.Context, addr string, r request) ([]byte, error) {
	c, err := dial(ctx, addr, time.Now().Add(loadTimeout))
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

// loadOptions configures the load.
type loadOptions struct {
	callers        int  // each with a connection
	ownCredentials bool // each with a credential, too
	duration       time.Duration
}

// load sends the same request repeatedly from concurrent callers for the given duration. Each
// response body must be equal to want.
func load(ctx context.Context, addr string, r request, want []byte, o loadOptions) (result, error) {
	clients := make([]*client, o.callers)
	for i := range clients {
		c, err := dial(ctx, addr, time.Now().Add(o.duration+loadTimeout))
		if err != nil {
			return result{}, err
		}
		defer c.conn.Close()
		c.raw = r.bytes(addr, 0)
		if o.ownCredentials {
			c.raw = r.bytes(addr, i)
		}
		clients[i] = c
	}
	start := time.Now()
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(func() { c.err = c.repeat(ctx, want, start.Add(o.duration)) })
	}
	group.Wait()
	sum := result{elapsed: time.Since(start)}
	for _, c := range clients {
		if c.err != nil {
			return result{}, c.err
		}
		sum.latencies = append(sum.latencies, c.latencies...)
	}
	slices.Sort(sum.latencies)
	sum.responses = len(sum.latencies)
	return sum, nil
}

// client is one connection.
type client struct {
	conn      net.Conn
	in        *bufio.Reader
	raw       []byte // the request
	status    int
	body      []byte // of the last response
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
	c.status, c.body, err = readResponse(c.in, c.body)
	return err
}

func (c *client) repeat(ctx context.Context, want []byte, end time.Time) error {
	for start := time.Now(); start.Before(end) && ctx.Err() == nil; {
		if err := c.exchange(); err != nil {
			return err
		}
		now := time.Now()
		c.latencies = append(c.latencies, now.Sub(start))
		if c.status != http.StatusOK || !bytes.Equal(c.body, want) {
			return &mismatchError{c.status, len(c.body), len(want)}
		}
		start = now
	}
	return context.Cause(ctx)
}
