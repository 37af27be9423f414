package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// peersDir is the directory of the servers from npm, relative to the root of the repository.
const peersDir = "internal/tools/bench/peers"

// prepare builds the programs and writes the constant responses, all in dir.
func prepare(ctx context.Context, dir string, list []workload, u *upstream) (tools, error) {
	t := tools{
		binaries:  filepath.Join(dir, "bin"),
		responses: filepath.Join(dir, "responses"),
		scratch:   dir,
	}
	var err error
	if t.peers, err = filepath.Abs(peersDir); err != nil {
		return t, err
	}
	if err := os.MkdirAll(t.responses, 0o700); err != nil {
		return t, err
	}
	build := []string{"build", "-o", t.binaries + string(filepath.Separator), ".", "./internal/tools/bench/naive", "./internal/tools/bench/limit"}
	if _, err := output(ctx, "go", build...); err != nil {
		return t, err
	}
	if t.help, err = output(ctx, filepath.Join(t.binaries, "cvmgraph"), "--help"); err != nil {
		return t, err
	}
	for _, w := range list {
		want, err := w.expectation(u)
		if err != nil {
			return t, err
		}
		body, err := want.constant()
		if err != nil {
			return t, err
		}
		if err := os.WriteFile(filepath.Join(t.responses, w.name), body, 0o600); err != nil {
			return t, err
		}
	}
	return t, nil
}

// pin restricts all threads of this process to one core.
func pin(ctx context.Context, core int) error {
	_, err := output(ctx, "taskset", "-acp", strconv.Itoa(core), strconv.Itoa(os.Getpid()))
	return err
}

// output runs a command and returns its output.
func output(ctx context.Context, name string, args ...string) (string, error) {
	combined, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, combined)
	}
	return string(combined), nil
}
