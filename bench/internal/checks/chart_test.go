//go:build linux

package checks

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

// timed is a subject with rounds of these times.
func timed(check, way string, modules int, times ...time.Duration) *subject {
	s := &subject{check: check, job: worker.Job{Way: way, Modules: modules}, turn: modules > 1, runs: map[int]*series{1: {}, 2: {}}}
	for _, processors := range []int{1, 2} {
		for _, d := range times {
			s.runs[processors].add(worker.Answer{Times: []time.Duration{d}, Elapsed: d / time.Duration(processors), CPU: d / 2})
		}
	}
	return s
}

func TestChart(t *testing.T) {
	t.Parallel()
	f := &findings{subjects: []*subject{
		timed(smallest, "process", 1, time.Millisecond),
		timed(smallest, "sandbox", 1, 30*time.Microsecond, 40*time.Microsecond, 50*time.Microsecond),
		timed(smallest, "sandbox", 1000, time.Second),
		timed("<&>", "sandbox", 1, 20*time.Millisecond),
		timed(inC, "wazero", 1),
	}}
	drawn := f.chart()
	if !bytes.Equal(drawn, f.chart()) {
		t.Error("the same figures make another picture")
	}
	for _, want := range []string{">sh -c echo<", ">40 µs<", ">1.0 ms<", ">10 µs<", ">100 ms<", "&lt;&amp;&gt;"} {
		if !strings.Contains(string(drawn), want) {
			t.Errorf("there is no %q", want)
		}
	}
	for _, unwanted := range []string{">1 s<", inC + "<", "NaN", "Inf"} {
		if strings.Contains(string(drawn), unwanted) {
			t.Errorf("there is %q", unwanted)
		}
	}
	for document := xml.NewDecoder(bytes.NewReader(drawn)); ; {
		if _, err := document.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if file := os.Getenv("CHART"); file != "" {
		_ = os.WriteFile(file, drawn, 0o600)
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	s := scale{-5, -1}
	for d, want := range map[time.Duration]float64{10 * time.Microsecond: barsLeft, time.Millisecond: (barsLeft + barsRight) / 2, 100 * time.Millisecond: barsRight} {
		if got := s.at(d); got < want-0.01 || got > want+0.01 {
			t.Errorf("%v is at %v, want %v", d, got, want)
		}
	}
}
