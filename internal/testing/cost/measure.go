package cost

import (
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"
)

// Memory is the number of allocations and the bytes allocated.
type Memory struct{ Allocations, Bytes float64 }

// Allocated returns the mean memory that one run allocates after a warm-up. No other goroutine may
// run meanwhile.
func Allocated(run func()) Memory {
	const runs = 12
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a garbage collection would empty the pools
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

// CPU returns the user and system CPU time of the process so far.
func CPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // getrusage fails only for invalid arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// CPUTimes measures functions in a number of rounds. In each round every function is called in
// turn, many times. The result has the mean CPU time of one call, by function and round, without
// garbage collection. No other goroutine may run meanwhile.
func CPUTimes(rounds int, runs ...func()) [][]time.Duration {
	const turn = 4 * time.Millisecond // the CPU time of one function's calls in a round
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GC()
	times := make([][]time.Duration, len(runs))
	counts := make([]int, len(runs))
	for i, run := range runs {
		run()
		start := CPU()
		run()
		counts[i] = int(turn/max(CPU()-start, time.Microsecond)) + 1
	}
	for range rounds {
		for i, run := range runs {
			runtime.GC()
			run() // fills the pools again
			start := CPU()
			for range counts[i] {
				run()
			}
			times[i] = append(times[i], (CPU()-start)/time.Duration(counts[i]))
		}
	}
	return times
}

// InThreeTries repeats a measurement until it succeeds, at most three times, and reports whether it
// succeeded. Other programs that use the machine can spoil one measurement, but rarely three.
func InThreeTries(measure func() bool) bool {
	for range 3 {
		if measure() {
			return true
		}
	}
	return false
}

// Ratio returns the median of a[i] / b[i]. Ratios of times of the same round vary less than times,
// because a machine's speed changes little within a round.
func Ratio(a, b []time.Duration) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = float64(a[i]) / float64(b[i])
	}
	return median(ratios)
}

// Median returns the median of the times.
func Median(times []time.Duration) time.Duration { return median(times) }

func median[T ~int64 | ~float64](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
