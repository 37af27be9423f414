package main

import (
	"fmt"
	"slices"
	"time"
)

const (
	callers          = 16 // at once
	coalescedCallers = 32
	slowUpstream     = 20 * time.Millisecond
	cacheTime        = time.Hour // longer than any run
)

// group is a set of servers that are measured in turns.
type group struct {
	name      string
	servers   []*server
	workloads []workload
	callers   int           // at once
	latency   time.Duration // of the upstream
	apart     bool          // callers have credentials of their own, so that their calls cannot be shared
	single    bool          // measures a single caller as well
}

// groups returns what is measured, one group after another.
func (t tools) groups(list []workload) []group {
	return []group{
		{name: notCached, servers: t.plain(), workloads: list, callers: callers, apart: true, single: true},
		{name: cached, servers: t.caching(), workloads: list, callers: callers},
		{name: coalesced, servers: t.coalescing(), workloads: withoutC(list), callers: coalescedCallers, latency: slowUpstream},
	}
}

// withoutC drops the workload that is the upstream's page with other names.
func withoutC(list []workload) []workload {
	return slices.DeleteFunc(slices.Clone(list), func(w workload) bool { return w.everything })
}

// The names of the groups.
const (
	notCached = "not cached"
	cached    = "cached"
	coalesced = "coalesced"
)

// plain returns the servers as they are without a cache.
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
		t.tailcall("Tailcall, its page shape", "", ""),
		t.proxy(),
		t.constant(),
		t.direct(),
	)
}

// caching returns the servers that keep answers, or what they are made of.
func (t tools) caching() []*server {
	seconds := fmt.Sprintf("CACHE_SECONDS=%.0f", cacheTime.Seconds())
	var servers []*server
	if t.has("--cache-ttl") {
		servers = append(servers, t.cvmgraph("**cvmgraph**", "--cache-ttl="+cacheTime.String()))
	}
	return append(servers,
		t.node("apollo", "Apollo Server, response cache", seconds),
		t.node("mercurius", "Mercurius with graphql-jit, mercurius-cache", seconds),
		t.node("yoga", "GraphQL Yoga, response cache", seconds),
		t.tailcall("Tailcall, @cache", "", fmt.Sprintf("@cache(maxAge: %d)", cacheTime.Milliseconds())),
		t.constant(),
	)
}

// coalescing returns the servers that can make one call of equal ones in flight, and a proxy that cannot.
func (t tools) coalescing() []*server {
	return []*server{
		t.cvmgraph("**cvmgraph**", t.uncached()...),
		t.node("mercurius", "Mercurius with graphql-jit, mercurius-cache of 0 s", "COALESCE=1"),
		t.tailcall("Tailcall, dedupe", "dedupe: true", ""),
		t.proxy(),
	}
}

// only keeps the servers with these names, and all where there are none.
func (g group) only(names []string) group {
	if len(names) > 0 {
		g.servers = slices.DeleteFunc(slices.Clone(g.servers), func(s *server) bool { return !slices.Contains(names, s.name) })
	}
	return g
}

// without drops the servers with this name.
func (g group) without(name string) group {
	g.servers = slices.DeleteFunc(slices.Clone(g.servers), func(s *server) bool { return s.name == name })
	return g
}
