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

func TestParse_flags(t *testing.T) {
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
		"zero rounds":       {"-rounds=0"},
		"zero duration":     {"-duration=0s"},
		"unknown flag":      {"-seconds=1"},
		"unwanted argument": {"naive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := parse(args, io.Discard); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestTools_useOnlyFlagsThatCvmgraphHas(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		help       string
		wantPlain  []string // servers of cvmgraph without a cache
		wantCached int      // number of servers of cvmgraph with a cache
		wantFlags  string   // the last flags
	}{
		"no optional flags": {
			wantPlain: []string{"cvmgraph"},
			wantFlags: "--log-level=warn",
		},
		"projection": {
			help:      "--projection",
			wantPlain: []string{"cvmgraph", "cvmgraph-plain"},
			wantFlags: "--log-level=warn --projection=false",
		},
		"projection and cache": {
			help:       "--projection --cache-ttl",
			wantPlain:  []string{"cvmgraph", "cvmgraph-plain"},
			wantCached: 1,
			wantFlags:  "--log-level=warn --cache-ttl=0 --projection=false",
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
			if !slices.Equal(names, tt.wantPlain) {
				t.Errorf("got %v, want %v", names, tt.wantPlain)
			}
			l, err := last.launch(1, "http://127.0.0.1:2/api/v1")
			if err != nil || !strings.HasSuffix(strings.Join(l.argv, " "), tt.wantFlags) {
				t.Errorf("got %v, %v, want %s at the end", l.argv, err, tt.wantFlags)
			}
			caching := slices.DeleteFunc(tools.caching(), func(s *server) bool { return s.kind != ours })
			if len(caching) != tt.wantCached {
				t.Errorf("got %d servers with a cache, want %d", len(caching), tt.wantCached)
			}
		})
	}
}

func TestGroup_selectsServersByName(t *testing.T) {
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

func TestTailcall_fillsInTheConfiguration(t *testing.T) {
	t.Parallel()
	tools := tools{peers: "peers", scratch: t.TempDir()}
	if _, err := tools.tailcall("", "dedupe: true", "@cache(maxAge: 5)").launch(4242, "http://127.0.0.1:2/api/v1"); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(tools.scratch, "tailcall-4242.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"port: 4242", `url: "http://127.0.0.1:2/api/v1/cvms/paginated"`, "dedupe: true", "@cache(maxAge: 5)"} {
		if !strings.Contains(string(config), want) {
			t.Errorf("no %q in\n%s", want, config)
		}
	}
	if strings.Contains(strings.Join(slices.Collect(strings.Lines(string(config)))[2:], ""), "$") {
		t.Errorf("got a configuration with variables:\n%s", config)
	}
}

func TestStart_returnsTheOutputOfAServerThatExits(t *testing.T) {
	t.Parallel()
	port, err := freeport.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = start(t.Context(), launch{argv: []string{"sh", "-c", "echo $REASON; exit 1"}, env: []string{"REASON=no luck"}}, 0, loopback(port))
	if err == nil || !strings.Contains(err.Error(), "exited: no luck") {
		t.Errorf("got %v, want the server's output", err)
	}
}

func TestPackages_haveVersions(t *testing.T) {
	t.Parallel()
	manifest, err := os.ReadFile("peers/package.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := packages(manifest)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"@apollo/server", "mercurius", "graphql-jit", "graphql-yoga", "@tailcallhq/core-linux-x64-gnu"} {
		if got[name] == "" {
			t.Errorf("got no version of %s, which the document shows", name)
		}
	}
}
