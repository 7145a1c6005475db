//go:build linux

package checks

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/worker"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
)

// held is how long a check stays that is told to.
const held = 2 * time.Second

// build makes the checks, as programs of the sandbox and as processes.
func (l *lab) build(ctx context.Context) error {
	l.say("building the agent and the checks")
	agent, source := l.file("wasmagent"), filepath.Join("testdata", "checks")
	for _, argv := range [][]string{
		{"go", "build", "-C", l.source, "-o", agent, "./cmd/wasmagent"},
		{"go", "build", "-C", filepath.Join(l.source, "bench", "extism"), "-o", l.file("extism"), "."},
		{agent, "pack", filepath.Join(l.source, "bench", source), "-o", l.file("checks.zip")},
		{"cc", "-O2", "-static", "-s", "-o", l.file("check_c"), filepath.Join(l.source, "bench", source, "scripts", "check_c", "main.c")},
		{"go", "build", "-C", filepath.Join(l.source, "bench"), "-trimpath", "-ldflags", "-s -w", "-o", l.dir, "./" + source + "/scripts/check_go", "./" + source + "/scripts/check_sdk"},
	} {
		command := exec.CommandContext(ctx, argv[0], argv[1:]...)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w\n%s", argv, err, said)
		}
	}
	python, err := exec.CommandContext(ctx, "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return fmt.Errorf("python3: %w", err)
	}
	l.python = strings.TrimSpace(string(python))
	return errors.Join(
		l.unpack(),
		os.WriteFile(l.file("check_smallest.wasm"), wasmtest.Print("OK: "+worker.Said+"|time=1s;2;3\n", 0), 0o600),
		os.WriteFile(l.file("held_smallest.wasm"), printAndStay("OK: "+worker.Said+"|time=1s;2;3\n"), 0o600),
	)
}

// unpack takes the programs out of the module.
func (l *lab) unpack() error {
	archive, err := zip.OpenReader(l.file("checks.zip"))
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(in)
		if err = errors.Join(err, in.Close(), os.WriteFile(l.file(filepath.Base(f.Name)), data, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// printAndStay is the smallest check, which then stays.
func printAndStay(text string) []byte {
	const vector, result, clock, at = 0, 16, 64, 1024 // places in its memory
	signature := wasmtest.Signature{Params: []wasmtest.Op{wasmtest.I32, wasmtest.I32, wasmtest.I32, wasmtest.I32}, Results: []wasmtest.Op{wasmtest.I32}}
	subscription := make([]byte, 48)
	binary.LittleEndian.PutUint32(subscription[16:], 1) // the monotonic clock
	binary.LittleEndian.PutUint64(subscription[24:], uint64(held))
	pointer := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, at), uint32(len(text)))
	return wasmtest.Command(
		[]wasmtest.Import{
			{Module: wasmtest.Preview1, Name: "fd_write", Type: signature},
			{Module: wasmtest.Preview1, Name: "poll_oneoff", Type: signature},
		},
		wasmtest.Code(
			wasmtest.I32Const, 1, wasmtest.I32Const, vector, wasmtest.I32Const, 1, wasmtest.I32Const, result, wasmtest.Call, uint32(0), wasmtest.Drop,
			wasmtest.I32Const, clock, wasmtest.I32Const, clock+64, wasmtest.I32Const, 1, wasmtest.I32Const, result, wasmtest.Call, uint32(1), wasmtest.Drop,
		),
		wasmtest.Data{Offset: vector, Bytes: pointer}, wasmtest.Data{Offset: clock, Bytes: subscription}, wasmtest.Data{Offset: at, Bytes: []byte(text)},
	).Bytes()
}
