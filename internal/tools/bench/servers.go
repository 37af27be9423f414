package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// kind says what a server is to the comparison.
type kind int

const (
	ours kind = iota
	peer
	limit
)

// server is something that can be measured.
type server struct {
	name  string // as -only has it
	label string
	kind  kind
	// launch says how to start it on a port. nil is the upstream itself, which shares its core with the load: only its time to
	// answer a single caller is measured.
	launch func(port int, upstream string) (launch, error)
	// connection tells that it serves a Relay connection with cursors.
	connection bool
	request    func(workload) request
	check      func(workload, []byte, expectation) error
}

// tools is what servers are started with.
type tools struct {
	binaries string // folder of the built programs
	answers  string // folder of the constant answers
	scratch  string // folder to write to
	peers    string // folder of the servers from npm
	help     string // of cvmgraph
}

// has returns whether the gateway has a flag.
func (t tools) has(flag string) bool { return strings.Contains(t.help, flag) }

// cvmgraph returns the gateway with flags that make it differ from its defaults. Settings that it does not have yet are not given.
func (t tools) cvmgraph(label string, flags ...string) *server {
	return &server{
		name: "cvmgraph", label: label, kind: ours, connection: true, request: workload.relay, check: checkRelay,
		launch: func(port int, upstream string) (launch, error) {
			argv := []string{
				filepath.Join(t.binaries, "cvmgraph"), "--listen=" + loopback(port), "--upstream-url=" + upstream, "--log-level=warn",
			}
			if t.has("--admin-listen") {
				argv = append(argv, "--admin-listen=")
			}
			return launch{argv: append(argv, flags...), env: oneCore()}, nil
		},
	}
}

// uncached returns the flags that keep the gateway from keeping pages.
func (t tools) uncached() []string {
	if t.has("--cache-ttl") {
		return []string{"--cache-ttl=0"}
	}
	return nil
}

func (t tools) naive() *server {
	return &server{
		name: "naive", label: "gqlgen, as usually written", kind: peer, connection: true, request: workload.relay, check: checkRelay,
		launch: func(port int, upstream string) (launch, error) {
			return launch{argv: []string{filepath.Join(t.binaries, "naive"), "-listen", loopback(port), "-upstream", upstream}, env: oneCore()}, nil
		},
	}
}

// node returns a server in JavaScript.
func (t tools) node(name, label string, settings ...string) *server {
	return &server{
		name: name, label: label, kind: peer, connection: true, request: workload.relay, check: checkRelay,
		launch: func(port int, upstream string) (launch, error) {
			env := append([]string{"NODE_ENV=production", "PORT=" + strconv.Itoa(port), "UPSTREAM=" + upstream}, settings...)
			return launch{argv: []string{"node", name + ".js"}, env: env, dir: t.peers}, nil
		},
	}
}

// tailcall returns Tailcall with what is given to its @http, and behind that.
func (t tools) tailcall(label, http, field string) *server {
	return &server{
		name: "tailcall", label: label, kind: peer, request: workload.native, check: checkNative,
		launch: func(port int, upstream string) (launch, error) {
			text, err := os.ReadFile(filepath.Join(t.peers, "tailcall.graphql"))
			if err != nil {
				return launch{}, err
			}
			config := strings.NewReplacer("$PORT", strconv.Itoa(port), "$UPSTREAM", upstream, "$HTTP", http, "$FIELD", field).Replace(string(text))
			file := filepath.Join(t.scratch, fmt.Sprintf("tailcall-%d.graphql", port))
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				return launch{}, err
			}
			argv := append(tailcallCommand(t.peers), "start", file)
			return launch{argv: argv, env: []string{"TAILCALL_TRACKER=false", "TAILCALL_LOG_LEVEL=error"}}, nil
		},
	}
}

// tailcallCommand returns how to run Tailcall's program: by a newer C library where peers/glibc.sh has put one.
func tailcallCommand(peers string) []string {
	program := filepath.Join(peers, "node_modules", "@tailcallhq", "core-linux-x64-gnu", "bin", "tailcall")
	library := filepath.Join(peers, "node_modules", ".glibc")
	loader := filepath.Join(library, "ld-linux-x86-64.so.2")
	if _, err := os.Stat(loader); err != nil {
		return []string{program}
	}
	return []string{loader, "--library-path", library, program}
}

func (t tools) proxy() *server {
	return &server{
		name: "proxy", label: "limit: httputil.ReverseProxy", kind: limit, request: workload.page, check: checkPage,
		launch: func(port int, upstream string) (launch, error) {
			return launch{argv: []string{filepath.Join(t.binaries, "limit"), "-listen", loopback(port), "-upstream", upstream}, env: oneCore()}, nil
		},
	}
}

func (t tools) constant() *server {
	return &server{
		name: "constant", label: "limit: a constant answer", kind: limit, request: workload.answer, check: checkRelay,
		launch: func(port int, upstream string) (launch, error) {
			argv := []string{filepath.Join(t.binaries, "limit"), "-listen", loopback(port), "-upstream", upstream, "-answers", t.answers}
			return launch{argv: argv, env: oneCore()}, nil
		},
	}
}

func (t tools) direct() *server {
	return &server{name: "direct", label: "limit: the upstream itself", kind: limit, request: workload.page, check: checkPage}
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func oneCore() []string { return []string{"GOMAXPROCS=1"} }

// features are the settings that the gateway has.
type features struct{ projection, cache bool }

func (t tools) features() features {
	return features{projection: t.has("--projection"), cache: t.has("--cache-ttl")}
}
