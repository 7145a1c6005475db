package agent_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
)

// BenchmarkDispatch is what the dispatcher takes for a command that does nothing,
// each time that of another module, while some who follow the events read along.
func BenchmarkDispatch(b *testing.B) {
	for _, modules := range []int{1, 10, 100, 1000} {
		for _, followers := range []int{0, 3} {
			b.Run(fmt.Sprintf("modules=%d/followers=%d", modules, followers), func(b *testing.B) {
				a, requests := manyModules(b, modules)
				for range followers {
					follow(b, a)
				}
				b.ReportAllocs()
				ctx := context.Background() // a parent shared by all requests is not what listeners have
				for i := 0; b.Loop(); i++ {
					if _, err := a.Run(ctx, requests[i%modules]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkDispatchParallel is the same, of as many at a time as there are processors.
func BenchmarkDispatchParallel(b *testing.B) {
	a, requests := manyModules(b, 10)
	b.ReportAllocs()
	ctx := context.Background()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := a.Run(ctx, requests[i%len(requests)]); err != nil {
				b.Error(err)
			}
		}
	})
}

// manyModules is an agent with builtin modules of one command each, and a request for
// each command.
func manyModules(b *testing.B, n int) (*agent.Agent, []check.Request) {
	b.Helper()
	a := agent.New(agent.Config{})
	b.Cleanup(func() { a.Close() })
	var requests []check.Request
	for i := range n {
		name, command := fmt.Sprintf("Module%d", i), fmt.Sprintf("check_%d", i)
		newBuiltin(a, name, command)
		if err := a.LoadBuiltin(b.Context(), name); err != nil {
			b.Fatal(err)
		}
		requests = append(requests, check.Request{Command: command, Args: []string{"-w", "5"}})
	}
	return a, requests
}

// follow reads the events of an agent until it is closed.
func follow(b *testing.B, a *agent.Agent) {
	b.Helper()
	events, _ := a.Subscribe(1024)
	go func() {
		for range events {
		}
	}()
}
