package main

import (
	"context"
	"fmt"
	"time"

	"cvmgraph/internal/testing/freeport"
)

// Numbers of cores, counted from 0.
const (
	serverCore = 1
	loadCore   = 0
)

// sample has the figures of a server in one round of a workload.
type sample struct {
	rate     float64 // requests per second
	cpu      float64 // CPU time of the server per request, in microseconds
	busy     float64 // share of the server's core that was used
	p50, p99 float64 // latency in milliseconds
	single   float64 // p50 with one caller, in milliseconds; 0 if it was not measured
	calls    float64 // upstream calls per request
}

// row has the measurements of a server.
type row struct {
	server  *server
	samples map[string][]sample // by workload, in the order of the rounds
	memory  memory              // after the last round
}

// values returns a figure of all rounds of a workload.
func (r *row) values(workload string, figure func(sample) float64) []float64 {
	values := make([]float64, len(r.samples[workload]))
	for i, s := range r.samples[workload] {
		values[i] = figure(s)
	}
	return values
}

// median returns the median of a figure over all rounds of a workload.
func (r *row) median(workload string, figure func(sample) float64) float64 {
	return median(r.values(workload, figure))
}

func rate(s sample) float64   { return s.rate }
func cpu(s sample) float64    { return s.cpu }
func busy(s sample) float64   { return s.busy }
func p50(s sample) float64    { return s.p50 }
func p99(s sample) float64    { return s.p99 }
func single(s sample) float64 { return s.single }
func calls(s sample) float64  { return s.calls }

// times configures the duration of a run.
type times struct {
	rounds   int
	duration time.Duration // of one measurement
}

func (t times) warmup() time.Duration { return t.duration * 2 / 3 }
func (t times) single() time.Duration { return t.duration / 3 }

// runner measures one group.
type runner struct {
	group    group
	times    times
	upstream *upstream
	want     map[string]expectation
	rows     []*row
	running  []*process        // by row; nil for the upstream itself
	first    map[string][]byte // by row and workload: the body of the first response, which was checked
}

// measure runs a group and returns a row for each server.
func measure(ctx context.Context, g group, t times, items [][]byte, progress func(string)) ([]*row, error) {
	u, err := startUpstream(items, g.latency)
	if err != nil {
		return nil, err
	}
	defer u.Close()
	r := &runner{group: g, times: t, upstream: u, want: map[string]expectation{}, first: map[string][]byte{}}
	for _, w := range g.workloads {
		if r.want[w.name], err = w.expectation(u); err != nil {
			return nil, err
		}
	}
	defer r.stop()
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	progress(fmt.Sprintf("%s: %d servers are warmed up", g.name, len(r.rows)))
	for i := range t.rounds {
		if err := r.round(ctx, i); err != nil {
			return nil, err
		}
		progress(fmt.Sprintf("%s: round %d of %d", g.name, i+1, t.rounds))
	}
	return r.rows, r.readMemory()
}

// expectation returns the data of correct responses, from the upstream's page.
func (w workload) expectation(u *upstream) (expectation, error) {
	page := u.page(pageKey{page: 1, size: w.first})
	items, err := w.expected(page)
	return expectation{page: page, items: items}, err
}

// start starts every server, checks its responses and warms it up.
func (r *runner) start(ctx context.Context) error {
	for _, s := range r.group.servers {
		p, err := r.launch(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.rows = append(r.rows, &row{server: s, samples: map[string][]sample{}})
		r.running = append(r.running, p)
		if s.connection {
			if err := checkCursors(ctx, p.addr, r.upstream.items); err != nil {
				return fmt.Errorf("%s, cursors: %w", s.name, err)
			}
		}
		for _, w := range r.group.workloads {
			if err := r.warmUp(ctx, len(r.rows)-1, w); err != nil {
				return fmt.Errorf("%s, %s: %w", s.name, w.name, err)
			}
		}
	}
	return nil
}

func (r *runner) launch(ctx context.Context, s *server) (*process, error) {
	if s.launch == nil {
		return nil, nil
	}
	port, err := freeport.Find(ctx)
	if err != nil {
		return nil, err
	}
	l, err := s.launch(port, r.upstream.base())
	if err != nil {
		return nil, err
	}
	return start(ctx, l, serverCore, loopback(port))
}

func (r *runner) stop() {
	for _, p := range r.running {
		if p != nil {
			p.stop()
		}
	}
}

// addr returns the address of a row's server.
func (r *runner) addr(i int) string {
	if r.running[i] == nil {
		return r.upstream.addr()
	}
	return r.running[i].addr
}

// warmUp checks the first response, then sends load so that just-in-time compilers do their work
// before the measurements.
func (r *runner) warmUp(ctx context.Context, i int, w workload) error {
	s := r.rows[i].server
	body, err := ask(ctx, r.addr(i), s.request(w))
	if err != nil {
		return err
	}
	if err := s.check(w, body, r.want[w.name]); err != nil {
		return err
	}
	r.first[key(i, w)] = body
	_, err = load(ctx, r.addr(i), s.request(w), body, r.loadOptions(r.times.warmup()))
	return err
}

// loadOptions returns the load of the group.
func (r *runner) loadOptions(d time.Duration) loadOptions {
	return loadOptions{callers: r.group.callers, ownCredentials: r.group.ownCredentials, duration: d}
}

func key(i int, w workload) string { return fmt.Sprintf("%d %s", i, w.name) }

// round measures every server once on every workload. The order of the servers changes with each
// round.
func (r *runner) round(ctx context.Context, n int) error {
	for turn, w := range r.group.workloads {
		for i := range r.rows {
			i = (i + n + turn) % len(r.rows)
			s, err := r.sample(ctx, i, w)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", r.rows[i].server.name, w.name, err)
			}
			r.rows[i].samples[w.name] = append(r.rows[i].samples[w.name], s)
		}
	}
	return nil
}

// sample measures a server on a workload, with many callers and with one.
func (r *runner) sample(ctx context.Context, i int, w workload) (sample, error) {
	var s sample
	request, want := r.rows[i].server.request(w), r.first[key(i, w)]
	if p := r.running[i]; p != nil {
		called := r.upstream.calls.Load()
		before, err := cpuTime(p.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		many, err := load(ctx, p.addr, request, want, r.loadOptions(r.times.duration))
		if err != nil {
			return s, err
		}
		after, err := cpuTime(p.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		n := float64(many.responses)
		s.rate = n / many.elapsed.Seconds()
		s.cpu = float64((after - before).Microseconds()) / n
		s.busy = (after - before).Seconds() / many.elapsed.Seconds()
		s.p50, s.p99 = milliseconds(quantile(many.latencies, 0.5)), milliseconds(quantile(many.latencies, 0.99))
		s.calls = float64(r.upstream.calls.Load()-called) / n
	}
	if r.group.single {
		one, err := load(ctx, r.addr(i), request, want, loadOptions{callers: 1, duration: r.times.single()})
		if err != nil {
			return s, err
		}
		s.single = milliseconds(quantile(one.latencies, 0.5))
	}
	return s, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// readMemory reads the memory sizes of all servers.
func (r *runner) readMemory() (err error) {
	for i, p := range r.running {
		if p == nil {
			continue
		}
		if r.rows[i].memory, err = residentMemory(p.cmd.Process.Pid); err != nil {
			return err
		}
	}
	return nil
}
