//go:build linux

package checks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A worker is a process that runs one check in one way.
type worker struct {
	process *exec.Cmd
	orders  io.Closer
	in      *json.Encoder
	out     *json.Decoder
	errors  *strings.Builder
}

// hire starts a worker that has some of the processors for itself and its children.
func hire(processors int) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{process: exec.Command(self, WorkCommand), errors: &strings.Builder{}}
	w.process.Stderr = w.errors
	orders, err := w.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := w.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.orders, w.in, w.out = orders, json.NewEncoder(orders), json.NewDecoder(answers)
	return w, confined(processors, w.process.Start)
}

// confined calls start where only the first of the processors can be used. What it
// starts inherits that.
func confined(processors int, start func() error) error {
	done := make(chan error)
	go func() {
		goruntime.LockOSThread() // for good: the thread ends with the goroutine
		var all, some unix.CPUSet
		err := unix.SchedGetaffinity(0, &all)
		for i := 0; err == nil && some.Count() < min(processors, all.Count()); i++ {
			if all.IsSet(i) {
				some.Set(i)
			}
		}
		if err == nil {
			err = unix.SchedSetaffinity(0, &some)
		}
		if err == nil {
			err = start()
		}
		done <- err
	}()
	return <-done
}

// do has the worker carry out an order.
func (w *worker) do(o order) (a answer, err error) {
	if err := w.in.Encode(o); err != nil {
		return a, fmt.Errorf("a worker ended: %w: %s", err, w.errors)
	}
	if err := w.out.Decode(&a); err != nil {
		return a, errors.Join(fmt.Errorf("a worker ended: %w", err), w.leave(), errors.New(w.errors.String()))
	}
	if a.Failure != "" {
		return a, errors.New(a.Failure)
	}
	return a, nil
}

// leave ends the worker.
func (w *worker) leave() error {
	w.orders.Close()
	return w.process.Wait()
}
