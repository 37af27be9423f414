package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc. It is the same on all current Linux systems.
const tick = 10 * time.Millisecond

// stat has values of /proc/PID/stat.
type stat struct {
	parent int
	cpu    time.Duration // user and system time of all threads
}

var errStat = errors.New("not a line of /proc/PID/stat")

// parseStat parses a line of /proc/PID/stat. The process name, in parentheses, may contain any
// character.
func parseStat(line string) (stat, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, errStat
	}
	fields := strings.Fields(line[end+1:]) // begins with the third field, the state
	if len(fields) < 13 {
		return stat{}, errStat
	}
	var numbers [3]int64
	for i, at := range []int{1, 11, 12} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return stat{}, errStat
		}
		numbers[i] = n
	}
	return stat{parent: int(numbers[0]), cpu: time.Duration(numbers[1]+numbers[2]) * tick}, nil
}

// processTree returns a process and all its descendants, by process ID.
func processTree(pid int) (map[int]stat, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	seen := make(map[int]stat)
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // the process has exited
		}
		s, err := parseStat(string(line))
		if err != nil {
			return nil, err
		}
		id, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		seen[id] = s
	}
	return descendants(seen, pid)
}

// descendants returns the processes of seen that are pid or descend from it.
func descendants(seen map[int]stat, pid int) (map[int]stat, error) {
	if _, ok := seen[pid]; !ok {
		return nil, fmt.Errorf("process %d has exited", pid)
	}
	members := map[int]stat{pid: seen[pid]}
	for grown := true; grown; {
		grown = false
		for id, s := range seen {
			_, known := members[id]
			if _, child := members[s.parent]; child && !known {
				members[id], grown = s, true
			}
		}
	}
	return members, nil
}

// cpuTime returns the CPU time of a process and its descendants.
func cpuTime(pid int) (time.Duration, error) {
	members, err := processTree(pid)
	sum := time.Duration(0)
	for _, s := range members {
		sum += s.cpu
	}
	return sum, err
}

// memory is a resident set size in bytes.
type memory struct{ now, peak int64 }

// residentMemory returns the memory of a process and its descendants. The peak is the sum of the
// processes' peaks, which may have been at different times.
func residentMemory(pid int) (memory, error) {
	members, err := processTree(pid)
	var sum memory
	for id := range members {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
		if err != nil {
			return memory{}, err
		}
		m, err := parseStatus(string(status))
		if err != nil {
			return memory{}, err
		}
		sum.now += m.now
		sum.peak += m.peak
	}
	return sum, err
}

// parseStatus parses VmRSS and VmHWM in /proc/PID/status.
func parseStatus(status string) (memory, error) {
	var m memory
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		into := &m.now
		switch name {
		case "VmRSS":
		case "VmHWM":
			into = &m.peak
		default:
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return memory{}, err
		}
		*into = kilobytes << 10
	}
	return m, nil
}
