package main

import (
	"context"
	"fmt"
	"time"

	"cvmgraph/internal/testing/freeport"
)

// Cores, counted from 0.
const (
	serverCore = 1
	loadCore   = 0
)

// sample is what a server did in one round of a workload.
type sample struct {
	rate     float64 // answers a second
	cpu      float64 // the server's microseconds an answer
	busy     float64 // share of its core
	p50, p99 float64 // milliseconds
	single   float64 // p50 with one caller, in milliseconds; 0 where it was not measured
	calls    float64 // upstream calls an answer
}

// row is what was measured of a server.
type row struct {
	server  *server
	samples map[string][]sample // by workload, in the order of the rounds
	memory  memory              // after the last round
}

// each returns one figure of every round of a workload.
func (r *row) each(workload string, figure func(sample) float64) []float64 {
	values := make([]float64, len(r.samples[workload]))
	for i, s := range r.samples[workload] {
		values[i] = figure(s)
	}
	return values
}

// middle returns the median of the rounds.
func (r *row) middle(workload string, figure func(sample) float64) float64 {
	return median(r.each(workload, figure))
}

func rate(s sample) float64   { return s.rate }
func cpu(s sample) float64    { return s.cpu }
func busy(s sample) float64   { return s.busy }
func p50(s sample) float64    { return s.p50 }
func p99(s sample) float64    { return s.p99 }
func single(s sample) float64 { return s.single }
func calls(s sample) float64  { return s.calls }

// times are the lengths of a run.
type times struct {
	rounds   int
	duration time.Duration // of one slice of load
}

func (t times) warming() time.Duration { return t.duration * 2 / 3 }
func (t times) single() time.Duration  { return t.duration / 3 }

// runner measures one group.
type runner struct {
	group    group
	times    times
	upstream *upstream
	want     map[string]expectation
	rows     []*row
	running  []*process        // of each row; nil is the upstream itself
	first    map[string][]byte // by row and workload: the answer that was checked
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
	progress(fmt.Sprintf("%s: %d servers are warm", g.name, len(r.rows)))
	for i := range t.rounds {
		if err := r.round(ctx, i); err != nil {
			return nil, err
		}
		progress(fmt.Sprintf("%s: round %d of %d", g.name, i+1, t.rounds))
	}
	return r.rows, r.weigh()
}

// expectation returns what right answers hold, from the upstream's page.
func (w workload) expectation(u *upstream) (expectation, error) {
	page := u.page(pageKey{page: 1, size: w.first})
	items, err := w.expected(page)
	return expectation{page: page, items: items}, err
}

// start starts every server, checks its answers and warms it up.
func (r *runner) start(ctx context.Context) error {
	for _, s := range r.group.servers {
		p, err := r.launch(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.rows = append(r.rows, &row{server: s, samples: map[string][]sample{}})
		r.running = append(r.running, p)
		if s.connection {
			if err := walk(ctx, p.addr, r.upstream.items); err != nil {
				return fmt.Errorf("%s, cursors: %w", s.name, err)
			}
		}
		for _, w := range r.group.workloads {
			if err := r.warm(ctx, len(r.rows)-1, w); err != nil {
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

// addr returns where the server of a row listens.
func (r *runner) addr(i int) string {
	if r.running[i] == nil {
		return r.upstream.addr()
	}
	return r.running[i].addr
}

// warm checks the first answer, and gives compilers of the server's time to do their work.
func (r *runner) warm(ctx context.Context, i int, w workload) error {
	s := r.rows[i].server
	body, err := ask(ctx, r.addr(i), s.request(w))
	if err != nil {
		return err
	}
	if err := s.check(w, body, r.want[w.name]); err != nil {
		return err
	}
	r.first[key(i, w)] = body
	_, err = load(ctx, r.addr(i), s.request(w), body, r.pressure(r.times.warming()))
	return err
}

// pressure returns the load of the group.
func (r *runner) pressure(d time.Duration) pressure {
	return pressure{callers: r.group.callers, apart: r.group.apart, duration: d}
}

func key(i int, w workload) string { return fmt.Sprintf("%d %s", i, w.name) }

// round measures every server once on every workload, each time in another order.
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

// sample measures one server on one workload, with many callers and with one.
func (r *runner) sample(ctx context.Context, i int, w workload) (sample, error) {
	var s sample
	request, want := r.rows[i].server.request(w), r.first[key(i, w)]
	if p := r.running[i]; p != nil {
		called := r.upstream.calls.Load()
		before, err := cpuTime(p.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		many, err := load(ctx, p.addr, request, want, r.pressure(r.times.duration))
		if err != nil {
			return s, err
		}
		after, err := cpuTime(p.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		n := float64(many.answers)
		s.rate = n / many.elapsed.Seconds()
		s.cpu = float64((after - before).Microseconds()) / n
		s.busy = (after - before).Seconds() / many.elapsed.Seconds()
		s.p50, s.p99 = milliseconds(quantile(many.latencies, 0.5)), milliseconds(quantile(many.latencies, 0.99))
		s.calls = float64(r.upstream.calls.Load()-called) / n
	}
	if r.group.single {
		one, err := load(ctx, r.addr(i), request, want, pressure{callers: 1, duration: r.times.single()})
		if err != nil {
			return s, err
		}
		s.single = milliseconds(quantile(one.latencies, 0.5))
	}
	return s, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// weigh reads the servers' memory.
func (r *runner) weigh() (err error) {
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
