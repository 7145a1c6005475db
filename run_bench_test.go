package wasmagent_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
)

// BenchmarkRun is a run of the smallest check through the dispatcher, each time that of
// another module: one at a time, and as many as there are processors.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("modules=%d", n), func(b *testing.B) {
			a := newAgent(b)
			for i := range n {
				if err := a.Load(b.Context(), packed(b, fmt.Sprintf("check_%d", i), wasmtest.Print(fmt.Sprintf("OK: all is well|time=%ds;2;3\n", i), 0))); err != nil {
					b.Fatal(err)
				}
			}
			b.Run("alone", func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := ran(a, i%n); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("parallel", func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for i := 0; pb.Next(); i++ {
						if err := ran(a, i%n); err != nil {
							b.Error(err)
						}
					}
				})
			})
		})
	}
}

// ran runs the check of a module. A parent shared by all runs is not what listeners have.
func ran(a *agent.Agent, i int) error {
	r, err := a.Run(context.Background(), check.Request{Command: fmt.Sprintf("check_%d", i)})
	if err == nil && (r.State != check.StateOK || len(r.Perf) != 1) {
		err = fmt.Errorf("%v %s", r.State, r.Text)
	}
	return err
}
