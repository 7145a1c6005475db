package builtin

import (
	"context"
	"fmt"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

// A command is one built-in command: what it understands, what it says about
// itself and what it does. It is a check.Runner.
type command struct {
	name    string
	summary string   // one line, without a full stop
	words   string   // what bare words mean, as in "COUNTER [ALIAS]"; empty: they are refused
	about   []string // paragraphs of the help
	options []option
	example []string // the arguments of an example, as one types them
	run     func(context.Context, arguments) (check.Result, error)
}

// Run reads the arguments and runs the command. --help, help and -h are
// answered with the command's help, UNKNOWN as the Monitoring Plugins do.
func (c *command) Run(ctx context.Context, req check.Request) (check.Result, error) {
	args, err := c.parse(req.Args)
	if err != nil {
		return check.Result{}, fmt.Errorf("%s: %w; %s --help lists what it understands", c.name, err, c.name)
	}
	if args.help {
		head, body, _ := strings.Cut(c.help(), "\n")
		return check.Result{State: check.StateUnknown, Text: head, Long: body}, nil
	}
	args.asker = req.Allowed
	result, err := c.run(ctx, args)
	if err != nil {
		return result, fmt.Errorf("%s: %w", c.name, err)
	}
	return result, nil
}

// help is the command's documentation as plain text.
func (c *command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nUsage: %s [OPTION=VALUE...]", c.name, c.summary, c.name)
	if c.words != "" {
		b.WriteString(" " + c.words)
	}
	b.WriteString("\n")
	if len(c.options) > 0 {
		b.WriteString("\nOptions, each as name=value, --name value or --name=value:\n")
	}
	for _, o := range c.options {
		fmt.Fprintf(&b, "  %-19s %s\n", o.usage(), o.describe())
	}
	for _, paragraph := range c.about {
		fmt.Fprintf(&b, "\n%s\n", paragraph)
	}
	for _, line := range c.example {
		fmt.Fprintf(&b, "\nExample: %s\n", strings.TrimSpace(c.name+" "+line))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// commands indexes a module's commands by name.
func commands(list ...*command) map[string]check.Runner {
	table := make(map[string]check.Runner, len(list))
	for _, c := range list {
		table[c.name] = c
	}
	return table
}
