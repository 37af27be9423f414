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
	startTimeout = 30 * time.Second // until a server listens
	stopTimeout  = 5 * time.Second  // until a server that does not exit is killed
)

// launch is the command of a server.
type launch struct {
	argv []string
	env  []string // in addition to the environment of this process
	dir  string
}

// process is a running server.
type process struct {
	addr   string
	cmd    *exec.Cmd
	output *tail
	exited chan struct{}
}

// start starts a server on one core and waits until it listens at addr.
func start(ctx context.Context, l launch, core int, addr string) (*process, error) {
	argv := append([]string{"taskset", "-c", strconv.Itoa(core)}, l.argv...)
	p := &process{addr: addr, cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), output: new(tail), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), l.env...)
	p.cmd.Dir = l.dir
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // if the server failed, the reason is in its output
	}()
	if err := p.waitUntilListening(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%w: %s", err, p.output)
	}
	return p, nil
}

// waitUntilListening waits until the server accepts connections.
func (p *process) waitUntilListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("the server does not listen at %s after %v", p.addr, startTimeout))
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-p.exited:
			return errors.New("the server exited")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// stop stops the server and waits until it has exited.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if the server has exited
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// tail is an io.Writer that stores the last tailSize bytes written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

const tailSize = 2000

// Write never returns an error.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, b...)
	t.end = bytes.Clone(t.end[max(0, len(t.end)-tailSize):])
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.end))
}
