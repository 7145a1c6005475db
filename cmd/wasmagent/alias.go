package main

import (
	"context"
	"maps"
	"slices"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/providers"
)

// aliasModule is the module that has the aliases of config.toml as its commands.
const aliasModule = "Aliases"

// aliases is that module. Its commands run other ones through the dispatcher,
// which bounds how deep they nest.
type aliases struct {
	commands config.Aliases
	dispatch check.Runner
}

func (a aliases) Description() string {
	return "the aliases of config.toml: other commands, with arguments"
}

func (a aliases) Close() error { return nil }

func (a aliases) Commands() map[string]check.Runner {
	runners := map[string]check.Runner{}
	for name, line := range a.commands {
		runners[name] = check.RunnerFunc(func(ctx context.Context, req check.Request) (check.Result, error) {
			words, err := providers.Expand(line, req.Args)
			if err != nil {
				return check.Result{}, err
			}
			return a.dispatch.Run(ctx, check.Request{Command: words[0], Args: words[1:], Input: req.Input, Origin: check.Check})
		})
	}
	return runners
}

// addAliases makes the aliases available as a module.
func (s *setup) addAliases() {
	s.agent.AddBuiltin(aliasModule, func() agent.Builtin { return aliases{s.config.Aliases, s.agent} })
}

// loadAliases loads the aliases, if there are any.
func (s *setup) loadAliases(ctx context.Context) error {
	if len(s.config.Aliases) == 0 {
		return nil
	}
	return prefix("aliases", s.agent.LoadBuiltin(ctx, aliasModule))
}

// names are the names of the aliases.
func (a aliases) names() []string { return slices.Sorted(maps.Keys(a.commands)) }
