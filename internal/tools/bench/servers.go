package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// kind is the role of a server in the comparison.
type kind int

const (
	ours kind = iota
	peer
	limit
)

// server is a server that is measured.
type server struct {
	name  string // in the flag -only
	label string
	kind  kind
	// launch returns the command that starts the server on a port. It is nil for the upstream,
	// which runs in this process and shares its core with the load. Only its latency with a single
	// caller is measured.
	launch func(port int, upstream string) (launch, error)
	// connection reports whether the server has a Relay connection with cursors.
	connection bool
	request    func(workload) request
	check      func(workload, []byte, expectation) error
}

// tools has the programs and files of the servers.
type tools struct {
	binaries  string // directory of the built programs
	responses string // directory of the constant responses
	scratch   string // directory for temporary files
	peers     string // directory of the servers from npm
	help      string // of cvmgraph
}

// has reports whether cvmgraph has a flag.
func (t tools) has(flag string) bool { return strings.Contains(t.help, flag) }

// cvmgraph returns cvmgraph with flags in addition to the ones that every measurement needs. Flags
// that the built version does not have are left out.
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

// uncached returns the flags that disable cvmgraph's caches.
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

// node returns a server that is written in JavaScript.
func (t tools) node(name, label string, settings ...string) *server {
	return &server{
		name: name, label: label, kind: peer, connection: true, request: workload.relay, check: checkRelay,
		launch: func(port int, upstream string) (launch, error) {
			env := append([]string{"NODE_ENV=production", "PORT=" + strconv.Itoa(port), "UPSTREAM=" + upstream}, settings...)
			return launch{argv: []string{"node", name + ".js"}, env: env, dir: t.peers}, nil
		},
	}
}

// tailcall returns Tailcall. http is an argument of the directive @http, and field a directive
// after it; both may be empty.
func (t tools) tailcall(label, http, field string) *server {
	return &server{
		name: "tailcall", label: label, kind: peer, request: workload.native, check: checkNative,
		launch: func(port int, upstream string) (launch, error) {
			template, err := os.ReadFile(filepath.Join(t.peers, "tailcall.graphql"))
			if err != nil {
				return launch{}, err
			}
			config := strings.NewReplacer("$PORT", strconv.Itoa(port), "$UPSTREAM", upstream, "$HTTP", http, "$FIELD", field).Replace(string(template))
			file := filepath.Join(t.scratch, fmt.Sprintf("tailcall-%d.graphql", port))
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				return launch{}, err
			}
			argv := append(tailcallCommand(t.peers), "start", file)
			return launch{argv: argv, env: []string{"TAILCALL_TRACKER=false", "TAILCALL_LOG_LEVEL=error"}}, nil
		},
	}
}

// tailcallCommand returns the command that runs Tailcall. It uses the newer C library that
// peers/glibc.sh has installed, if there is one.
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
		name: "constant", label: "limit: a constant response", kind: limit, request: workload.constant, check: checkRelay,
		launch: func(port int, upstream string) (launch, error) {
			argv := []string{filepath.Join(t.binaries, "limit"), "-listen", loopback(port), "-upstream", upstream, "-responses", t.responses}
			return launch{argv: argv, env: oneCore()}, nil
		},
	}
}

func (t tools) direct() *server {
	return &server{name: "direct", label: "limit: the upstream itself", kind: limit, request: workload.page, check: checkPage}
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func oneCore() []string { return []string{"GOMAXPROCS=1"} }

// features are optional features of the built cvmgraph.
type features struct{ projection, cache bool }

func (t tools) features() features {
	return features{projection: t.has("--projection"), cache: t.has("--cache-ttl")}
}
