//go:build linux

// Package worker is a process of its own for one check that is run in one way, and the
// orders that it is given.
package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	goruntime "runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A Worker is a process that runs one check in one way.
type Worker struct {
	process *exec.Cmd
	orders  io.Closer
	in      *json.Encoder
	out     *json.Decoder
	errors  *strings.Builder
}

// Hire starts a program as a worker that has some of the processors for itself and its
// children.
func Hire(program string, processors int) (*Worker, error) {
	w := &Worker{process: exec.Command(program, Command), errors: &strings.Builder{}}
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

// Do has the worker carry out an order.
func (w *Worker) Do(o Order) (a Answer, err error) {
	if err := w.in.Encode(o); err != nil {
		return a, fmt.Errorf("a worker ended: %w: %s", err, w.errors)
	}
	if err := w.out.Decode(&a); err != nil {
		return a, errors.Join(fmt.Errorf("a worker ended: %w", err), w.Leave(), errors.New(w.errors.String()))
	}
	if a.Failure != "" {
		return a, errors.New(a.Failure)
	}
	return a, nil
}

// Leave ends the worker.
func (w *Worker) Leave() error {
	w.orders.Close()
	return w.process.Wait()
}
