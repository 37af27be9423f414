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

// tick is the unit of times in /proc, on every Linux of today.
const tick = 10 * time.Millisecond

// stat is what /proc/PID/stat tells of a process.
type stat struct {
	parent int
	cpu    time.Duration // of all its threads, in the system and outside
}

var errStat = errors.New("not a line of /proc/PID/stat")

// parseStat reads a line of /proc/PID/stat. The name in its parentheses may hold anything.
func parseStat(line string) (stat, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, errStat
	}
	fields := strings.Fields(line[end+1:]) // from the third, the state, on
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

// family returns the process and all its descendants.
func family(pid int) (map[int]stat, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	seen := make(map[int]stat)
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
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

// descendants returns the part of seen that is pid or descends from it.
func descendants(seen map[int]stat, pid int) (map[int]stat, error) {
	if _, ok := seen[pid]; !ok {
		return nil, fmt.Errorf("process %d has ended", pid)
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

// cpuTime returns what the process and its descendants have used.
func cpuTime(pid int) (time.Duration, error) {
	members, err := family(pid)
	sum := time.Duration(0)
	for _, s := range members {
		sum += s.cpu
	}
	return sum, err
}

// memory is a resident size, in bytes.
type memory struct{ now, peak int64 }

// residentMemory returns that of the process and its descendants. The peaks are added, though they need not be of one moment.
func residentMemory(pid int) (memory, error) {
	members, err := family(pid)
	var sum memory
	for id := range members {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
		if err != nil {
			return memory{}, err
		}
		m, err := parseStatus(string(text))
		if err != nil {
			return memory{}, err
		}
		sum.now += m.now
		sum.peak += m.peak
	}
	return sum, err
}

// parseStatus reads VmRSS and VmHWM.
func parseStatus(text string) (memory, error) {
	var m memory
	for line := range strings.Lines(text) {
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
