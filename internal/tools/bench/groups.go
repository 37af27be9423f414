package main

import (
	"fmt"
	"slices"
	"time"
)

const (
	callers          = 16 // concurrent
	coalescedCallers = 32
	slowUpstream     = 20 * time.Millisecond
	cacheTTL         = time.Hour // longer than a run
)

// group is a set of servers that are measured in turn.
type group struct {
	name           string
	servers        []*server
	workloads      []workload
	callers        int           // concurrent
	latency        time.Duration // of the upstream
	ownCredentials bool          // each caller has its own credential, so servers cannot share calls
	single         bool          // a single caller is measured too
}

// groups returns all groups in the order in which they are measured.
func (t tools) groups(list []workload) []group {
	return []group{
		{name: notCached, servers: t.plain(), workloads: list, callers: callers, ownCredentials: true, single: true},
		{name: cached, servers: t.caching(), workloads: list, callers: callers},
		{name: coalesced, servers: t.coalescing(), workloads: withoutAllFields(list), callers: coalescedCallers, latency: slowUpstream},
	}
}

// withoutAllFields returns the workloads without the one that selects all fields.
func withoutAllFields(list []workload) []workload {
	return slices.DeleteFunc(slices.Clone(list), func(w workload) bool { return w.allFields })
}

// The names of the groups.
const (
	notCached = "not cached"
	cached    = "cached"
	coalesced = "coalesced"
)

// plain returns the servers without caches.
func (t tools) plain() []*server {
	gateways := []*server{t.cvmgraph("**cvmgraph**", t.uncached()...)}
	if t.has("--projection") {
		without := t.cvmgraph("cvmgraph --projection=false", append(t.uncached(), "--projection=false")...)
		without.name = "cvmgraph-plain"
		gateways = append(gateways, without)
	}
	return append(gateways,
		t.naive(),
		t.node("apollo", "Apollo Server"),
		t.node("mercurius", "Mercurius with graphql-jit"),
		t.node("yoga", "GraphQL Yoga"),
		t.tailcall("Tailcall, upstream's format", "", ""),
		t.proxy(),
		t.constant(),
		t.direct(),
	)
}

// caching returns the servers with caches.
func (t tools) caching() []*server {
	seconds := fmt.Sprintf("CACHE_SECONDS=%.0f", cacheTTL.Seconds())
	var servers []*server
	if t.has("--cache-ttl") {
		servers = append(servers, t.cvmgraph("**cvmgraph**", "--cache-ttl="+cacheTTL.String()))
	}
	return append(servers,
		t.node("apollo", "Apollo Server, response cache", seconds),
		t.node("mercurius", "Mercurius with graphql-jit, mercurius-cache", seconds),
		t.node("yoga", "GraphQL Yoga, response cache", seconds),
		t.tailcall("Tailcall, @cache", "", fmt.Sprintf("@cache(maxAge: %d)", cacheTTL.Milliseconds())),
		t.constant(),
	)
}

// coalescing returns the servers that can make one call for identical requests in flight, and a
// proxy that cannot.
func (t tools) coalescing() []*server {
	return []*server{
		t.cvmgraph("**cvmgraph**", t.uncached()...),
		t.node("mercurius", "Mercurius with graphql-jit, mercurius-cache of 0 s", "COALESCE=1"),
		t.tailcall("Tailcall, dedupe", "dedupe: true", ""),
		t.proxy(),
	}
}

// only returns the group with the servers of these names. If there are no names, it has all
// servers.
func (g group) only(names []string) group {
	if len(names) > 0 {
		g.servers = slices.DeleteFunc(slices.Clone(g.servers), func(s *server) bool { return !slices.Contains(names, s.name) })
	}
	return g
}

// without returns the group without the servers of this name.
func (g group) without(name string) group {
	g.servers = slices.DeleteFunc(slices.Clone(g.servers), func(s *server) bool { return s.name == name })
	return g
}
