// Command bench measures cvmgraph and other gateways on the same workloads and machine. It writes
// docs/benchmarks.md and docs/benchmarks.svg. Run it with make bench, which installs the npm
// packages that it needs. It needs Linux, two cores and the command taskset.
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
	shapes    bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.times.rounds, "rounds", 3, "number of rounds; each round measures every server on every workload")
	flags.DurationVar(&o.times.duration, "duration", 1200*time.Millisecond, "duration of one measurement")
	list := func(into *[]string) func(string) error {
		return func(value string) error {
			*into = strings.Split(value, ",")
			return nil
		}
	}
	flags.Func("only", "comma-separated servers to measure, such as cvmgraph,naive,proxy (default all)", list(&o.only))
	flags.Func("workloads", "comma-separated workloads, such as a,b (default all)", list(&o.workloads))
	flags.StringVar(&o.out, "out", "docs", "output directory")
	flags.BoolVar(&o.shapes, "shapes", false, "measure only how fast both shapes of the API are read, and update that section")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.times.rounds < 1 || o.times.duration <= 0 || flags.NArg() > 0 {
		return o, errors.New("-rounds and -duration must be positive, and arguments other than flags are not allowed")
	}
	return o, nil
}

func run(ctx context.Context, args []string, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	if runtime.NumCPU() < 2 {
		return errors.New("two cores are required: one for the server, one for the load and the upstream")
	}
	if o.shapes {
		return updateShapes(o.out)
	}
	list, err := selectWorkloads(o.workloads)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cvmgraph-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	report, err := compare(ctx, o, list, dir, progress)
	if err != nil {
		return err
	}
	for name, content := range map[string]string{"benchmarks.md": report.document(), "benchmarks.svg": report.chart().SVG()} {
		if err := os.WriteFile(filepath.Join(o.out, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// selectWorkloads returns the workloads with these names. If there are no names, it returns all.
func selectWorkloads(names []string) ([]workload, error) {
	list, err := workloads()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.ContainsFunc(list, func(w workload) bool { return w.name == name }) {
			return nil, fmt.Errorf("unknown workload %q", name)
		}
	}
	if len(names) > 0 {
		list = slices.DeleteFunc(list, func(w workload) bool { return !slices.Contains(names, w.name) })
	}
	return list, nil
}

// compare builds, runs and measures the servers. It builds them in dir.
func compare(ctx context.Context, o options, list []workload, dir string, progress io.Writer) (report, error) {
	items := newItems()
	t, err := prepare(ctx, dir, list, &upstream{items: items})
	if err != nil {
		return report{}, err
	}
	groups, missing, err := selectGroups(ctx, t, list, o.only)
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
	if r.shapes, err = shapesSection(); err != nil {
		return report{}, err
	}
	start := time.Now()
	for _, g := range groups {
		if len(g.servers) == 0 {
			continue
		}
		rows, err := measure(ctx, g, o.times, items, func(message string) {
			fmt.Fprintf(progress, "%4.0f s  %s\n", time.Since(start).Seconds(), message)
		})
		if err != nil {
			return report{}, fmt.Errorf("%s: %w", g.name, err)
		}
		r.groups = append(r.groups, groupResult{g, rows})
	}
	return r, nil
}

// selectGroups returns the groups with the selected servers that can run on this machine. If a
// server cannot run, missing is the reason.
func selectGroups(ctx context.Context, t tools, list []workload, only []string) (_ []group, missing string, _ error) {
	groups := t.groups(list)
	var names []string
	for _, g := range groups {
		for _, s := range g.servers {
			names = append(names, s.name)
		}
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			known := strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ", ")
			return nil, "", fmt.Errorf("unknown server %q: the servers are %s", name, known)
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
		missing = "Tailcall is not included: its Linux binary did not run on this machine."
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
