// Command bench compares the gateway with others on the same work, in one run on this machine, and writes docs/benchmarks.md and
// docs/benchmarks.svg. Run it from the root of the repository by make bench, which installs what it needs from npm. It needs Linux, two
// cores and the command taskset.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	times     times
	only      []string
	workloads []string
	out       string
}

func parse(args []string, errs io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.IntVar(&o.times.rounds, "rounds", 3, "rounds, each of which measures every server on every workload")
	flags.DurationVar(&o.times.duration, "duration", 1200*time.Millisecond, "time of one measurement")
	list := func(into *[]string) func(string) error {
		return func(text string) error {
			*into = strings.Split(text, ",")
			return nil
		}
	}
	flags.Func("only", "names of the servers to measure, such as cvmgraph,naive,proxy; all unless given", list(&o.only))
	flags.Func("workloads", "names of the workloads, such as a,b; all unless given", list(&o.workloads))
	flags.StringVar(&o.out, "out", "docs", "folder to write to")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.times.rounds < 1 || o.times.duration <= 0 || flags.NArg() > 0 {
		return o, errors.New("rounds and duration must be above 0, and there are no arguments besides the flags")
	}
	return o, nil
}

func run(ctx context.Context, args []string, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	if runtime.NumCPU() < 2 {
		return errors.New("needs two cores: one for the server, one for the load and the upstream")
	}
	list, err := chosen(o.workloads)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "cvmgraph-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	report, err := compare(ctx, o, list, folder, progress)
	if err != nil {
		return err
	}
	for name, content := range map[string]string{"benchmarks.md": report.document(), "benchmarks.svg": report.plot()} {
		if err := os.WriteFile(filepath.Join(o.out, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// chosen returns the workloads with these names, or all.
func chosen(names []string) ([]workload, error) {
	list, err := workloads()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.ContainsFunc(list, func(w workload) bool { return w.name == name }) {
			return nil, fmt.Errorf("no workload %q", name)
		}
	}
	if len(names) > 0 {
		list = slices.DeleteFunc(list, func(w workload) bool { return !slices.Contains(names, w.name) })
	}
	return list, nil
}

// compare builds, runs and measures everything.
func compare(ctx context.Context, o options, list []workload, folder string, progress io.Writer) (report, error) {
	items := newItems()
	t, err := prepare(ctx, folder, list, &upstream{items: items})
	if err != nil {
		return report{}, err
	}
	groups, missing, err := choose(ctx, t, list, o.only)
	if err != nil {
		return report{}, err
	}
	m, err := thisMachine(ctx, t.peers)
	if err != nil {
		return report{}, err
	}
	r := report{machine: m, times: o.times, workloads: list, missing: missing, itemBytes: mean(items), gateway: t.features()}
	if err := pin(ctx, loadCore); err != nil {
		return report{}, err
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)
	begun := time.Now()
	for _, g := range groups {
		if len(g.servers) == 0 {
			continue
		}
		rows, err := measure(ctx, g, o.times, items, func(what string) {
			fmt.Fprintf(progress, "%4.0f s  %s\n", time.Since(begun).Seconds(), what)
		})
		if err != nil {
			return report{}, fmt.Errorf("%s: %w", g.name, err)
		}
		r.groups = append(r.groups, measured{g, rows})
	}
	return r, nil
}

// choose returns the groups of the servers that are asked for and can run, and why others cannot.
func choose(ctx context.Context, t tools, list []workload, only []string) (_ []group, missing string, _ error) {
	groups := t.groups(list)
	var names []string
	for _, g := range groups {
		for _, s := range g.servers {
			names = append(names, s.name)
		}
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			return nil, "", fmt.Errorf("no server %q: there are %s", name, strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ", "))
		}
	}
	command := append(tailcallCommand(t.peers), "--version")
	_, err := output(ctx, command[0], command[1:]...)
	for i, g := range groups {
		if err != nil {
			g = g.without("tailcall")
		}
		groups[i] = g.only(only)
	}
	if err != nil {
		missing = "Tailcall is missing: its program for Linux did not run on this machine."
	}
	return groups, missing, nil
}

// mean returns the mean size of the items, in bytes.
func mean(items [][]byte) int {
	sum := 0
	for _, item := range items {
		sum += len(item)
	}
	return sum / len(items)
}
