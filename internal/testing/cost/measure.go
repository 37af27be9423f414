package cost

import (
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"
)

// Memory is how often something allocates, and how many bytes.
type Memory struct{ Allocations, Bytes float64 }

// Allocated returns what a run allocates once it has warmed up. Nothing else of the process may run.
func Allocated(run func()) Memory {
	const runs = 12
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	defer runtime.GC()
	for range 3 {
		run()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		run()
	}
	runtime.ReadMemStats(&after)
	return Memory{float64((after.Mallocs - before.Mallocs) / runs), float64((after.TotalAlloc - before.TotalAlloc) / runs)}
}

// CPU returns the CPU time that the process has used so far, in the system and outside.
func CPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it fails for wrong arguments alone
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Times returns the CPU time of one run in each round: rounds of them for each of the runs, in which they take turns. The collection
// of garbage is not in it. Nothing else of the process may run.
func Times(rounds int, runs ...func()) [][]time.Duration {
	const turn = 4 * time.Millisecond
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GC()
	times := make([][]time.Duration, len(runs))
	counts := make([]int, len(runs))
	for i, run := range runs {
		run()
		begun := CPU()
		run()
		counts[i] = int(turn/max(CPU()-begun, time.Microsecond)) + 1
	}
	for range rounds {
		for i, run := range runs {
			runtime.GC()
			run() // fills the pools again
			begun := CPU()
			for range counts[i] {
				run()
			}
			times[i] = append(times[i], (CPU()-begun)/time.Duration(counts[i]))
		}
	}
	return times
}

// InThreeTries calls a measurement until it fits, three times at most, and says whether it did. What is measured stays the same; what
// another program takes of the machine, or of its caches, does not.
func InThreeTries(fits func() bool) bool {
	for range 3 {
		if fits() {
			return true
		}
	}
	return false
}

// Ratio returns the median of a[i] / b[i]: a machine's speed varies, and less so within a round.
func Ratio(a, b []time.Duration) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = float64(a[i]) / float64(b[i])
	}
	return median(ratios)
}

// Median returns the middle of the times.
func Median(times []time.Duration) time.Duration { return median(times) }

func median[T ~int64 | ~float64](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
