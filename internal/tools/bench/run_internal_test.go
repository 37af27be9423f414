package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/testing/freeport"
)

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-rounds=5", "-duration=2s", "-only=cvmgraph,naive", "-workloads=a", "-out=x"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.times != (times{5, 2 * time.Second}) || !slices.Equal(o.only, []string{"cvmgraph", "naive"}) ||
		!slices.Equal(o.workloads, []string{"a"}) || o.out != "x" {
		t.Errorf("got %+v", o)
	}
	for name, args := range map[string][]string{
		"no rounds":        {"-rounds=0"},
		"no time":          {"-duration=0s"},
		"an unknown flag":  {"-seconds=1"},
		"an argument more": {"naive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := parse(args, io.Discard); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestServersOfTheGatewaysSettings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		help    string
		plain   []string // the gateway's servers that are not cached
		cached  int
		command string
	}{
		"none": {"", []string{"cvmgraph"}, 0, "--log-level=warn"},
		"projection": {
			"--projection", []string{"cvmgraph", "cvmgraph-plain"}, 0, "--log-level=warn --projection=false",
		},
		"projection and cache": {
			"--projection --cache-ttl", []string{"cvmgraph", "cvmgraph-plain"}, 1, "--log-level=warn --cache-ttl=0 --projection=false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tools := tools{help: tt.help}
			var names []string
			var last *server
			for _, s := range tools.plain() {
				if s.kind == ours {
					names, last = append(names, s.name), s
				}
			}
			if !slices.Equal(names, tt.plain) {
				t.Errorf("got %v, want %v", names, tt.plain)
			}
			l, err := last.launch(1, "http://127.0.0.1:2/api/v1")
			if err != nil || !strings.HasSuffix(strings.Join(l.argv, " "), tt.command) {
				t.Errorf("got %v, %v, want %s at the end", l.argv, err, tt.command)
			}
			keeping := slices.DeleteFunc(tools.caching(), func(s *server) bool { return s.kind != ours })
			if len(keeping) != tt.cached {
				t.Errorf("got %d gateways with a cache, want %d", len(keeping), tt.cached)
			}
		})
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	g := group{servers: tools{}.plain()}
	if got := g.only(nil); len(got.servers) != len(g.servers) {
		t.Errorf("got %d servers, want all %d", len(got.servers), len(g.servers))
	}
	if got := g.only([]string{"yoga", "naive"}); len(got.servers) != 2 || got.servers[0].name != "naive" {
		t.Errorf("got %v, want naive and yoga", got.servers)
	}
	if got := g.without("tailcall"); len(got.servers) != len(g.servers)-1 {
		t.Errorf("got %d servers, want one less than %d", len(got.servers), len(g.servers))
	}
}

func TestTailcallsConfigurationIsFilledIn(t *testing.T) {
	t.Parallel()
	tools := tools{peers: "peers", scratch: t.TempDir()}
	if _, err := tools.tailcall("", "dedupe: true", "@cache(maxAge: 5)").launch(4242, "http://127.0.0.1:2/api/v1"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(tools.scratch, "tailcall-4242.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"port: 4242", `url: "http://127.0.0.1:2/api/v1/cvms/paginated"`, "dedupe: true", "@cache(maxAge: 5)"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(strings.Join(slices.Collect(strings.Lines(string(text)))[2:], ""), "$") {
		t.Errorf("something is left to fill in:\n%s", text)
	}
}

func TestAServerThatEndsTellsWhy(t *testing.T) {
	t.Parallel()
	port, err := freeport.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = start(t.Context(), launch{argv: []string{"sh", "-c", "echo $REASON; exit 1"}, env: []string{"REASON=no luck"}}, 0, loopback(port))
	if err == nil || !strings.Contains(err.Error(), "ended: no luck") {
		t.Errorf("got %v, want the server's own words", err)
	}
}

func TestPackages(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("peers/package.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := packages(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"@apollo/server", "mercurius", "graphql-jit", "graphql-yoga", "@tailcallhq/core-linux-x64-gnu"} {
		if got[name] == "" {
			t.Errorf("no version of %s, which the document tells", name)
		}
	}
}
