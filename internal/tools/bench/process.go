package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTime = 30 * time.Second // for a server to listen
	stopTime  = 5 * time.Second  // for it to end before it is killed
)

// launch says how to start a server.
type launch struct {
	argv []string
	env  []string // besides the own
	dir  string
}

// process is a running server.
type process struct {
	addr   string
	cmd    *exec.Cmd
	output *tail
	ended  chan struct{}
}

// start starts a server on one core, and returns once it listens at addr.
func start(ctx context.Context, l launch, core int, addr string) (*process, error) {
	argv := append([]string{"taskset", "-c", strconv.Itoa(core)}, l.argv...)
	p := &process{addr: addr, cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), output: new(tail), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), l.env...)
	p.cmd.Dir = l.dir
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTime
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // ended by a signal, or too early: then its output tells why
	}()
	if err := p.listening(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%w: %s", err, p.output)
	}
	return p, nil
}

// listening waits until the server accepts connections.
func (p *process) listening(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("does not listen"))
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-p.ended:
			return errors.New("ended")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// stop ends the server and waits for its end.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-p.ended:
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2000

// Write never fails.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = bytes.Clone(t.text[max(0, len(t.text)-tailSize):])
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
