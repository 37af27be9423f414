package e2e_test

import (
	"bufio"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestLogReader_gone closes the log's reader while the program serves. It serves on without a log.
func TestLogReader_gone(t *testing.T) {
	t.Parallel()
	command := newCommand(t.Context(), t, func(string) bool { return false }, []string{"OTEL_TRACES_EXPORTER=console", "OTEL_BSP_SCHEDULE_DELAY=1"},
		nil, []string{"--demo", "--admin-listen=", "--listen=127.0.0.1:0", "--log-format=json"})
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	line, err := bufio.NewReader(reader).ReadString('\n')
	for err == nil && !strings.Contains(line, "cvmgraph is serving") {
		line, err = bufio.NewReader(reader).ReadString('\n')
	}
	found := regexp.MustCompile(`(http://[^"]+)/graphql`).FindStringSubmatch(line)
	if err != nil || found == nil {
		t.Fatalf("got %q, %v, want the address", line, err)
	}
	_ = reader.Close()

	p := &process{Cmd: command, url: found[1]}
	for range 3 {
		if got, err := p.query(t.Context(), `{ cvms(first: 1) { totalCount } }`, ""); err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"totalCount":`) {
			t.Errorf("got %.200s, %v, want data", got, err)
		}
	}
	p.terminate(t)
}

// TestShutdown_hangup sends SIGHUP while a request waits for the upstream.
func TestShutdown_hangup(t *testing.T) {
	t.Parallel()
	// Under nohup, the program would inherit that the signal is ignored. It does not inherit a
	// handler.
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, syscall.SIGHUP)
	defer signal.Stop(handled)
	upstream, arrived, release := heldUpstream(t, 1)
	p := start(t, "--upstream-url", upstream, "--drain-delay=0")
	responses := make(chan string, 1)
	go func() {
		got, err := p.query(t.Context(), `{ cvms(first: 3) { nodes { id } } }`, "alice")
		if err != nil {
			got = err.Error()
		}
		responses <- got
	}()
	<-arrived
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	close(release)
	if got := <-responses; !strings.HasPrefix(got, `{"data":{"cvms":{"nodes":[{`) {
		t.Errorf("got %.200s, want data", got)
	}
	p.waitForExit(t)
}

// TestShutdown_nohup sends SIGHUP to a program that was started with this signal ignored.
func TestShutdown_nohup(t *testing.T) {
	t.Parallel()
	p := startIn(t, []string{"nohup"}, nil, "--demo")
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if got, err := p.query(t.Context(), `{ cvms(first: 1) { totalCount } }`, ""); err != nil || !strings.HasPrefix(got, `{"data":`) {
		t.Errorf("got %.200s, %v, want data", got, err)
	}
	p.terminate(t)
}
