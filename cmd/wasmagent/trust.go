package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
)

func (a *app) trustCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Show whose modules are loaded, and which of config.toml's are",
		Long: `Trust shows what config.toml requires of modules, the keys whose signatures
count, and for each module that it names what verifying it says. No module is
read beyond its digest and its signature.`,
		Args: cobra.NoArgs,
	}
	outputFlag(cmd, &output)
	cmd.RunE = do(func(context.Context, []string) error {
		v, err := a.trustView()
		if err != nil {
			return err
		}
		return a.print(output, v)
	})
	return cmd
}

// A trustView is what trust prints.
type trustView struct {
	Require string        `json:"require"`
	Keys    []keyView     `json:"keys"`
	Modules []moduleTrust `json:"modules"`
}

// A keyView is one key whose signatures count.
type keyView struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Key     string   `json:"key"`
	Modules []string `json:"modules"` // patterns; empty is every module
}

// A moduleTrust is what verifying says of one module.
type moduleTrust struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	Digest   string `json:"digest"` // empty of a directory
	Pin      string `json:"pin"`    // the digest that config.toml wants; empty is any
	Signer   string `json:"signer"`
	Comment  string `json:"comment"`
	Unsigned string `json:"unsigned"` // why no signature counts; empty if one does
	Refused  string `json:"refused"`  // why it is not loaded; empty if it may be
}

func (a *app) trustView() (trustView, error) {
	c, err := a.configuration()
	if err != nil {
		return trustView{}, err
	}
	l := newLibrary(c, toolchain.Builder{})
	v := trustView{Require: c.Trust.Require.String(), Keys: []keyView{}, Modules: []moduleTrust{}}
	for _, k := range c.Trust.Keys {
		v.Keys = append(v.Keys, keyView{k.ID(), k.Name, k.Line(), append([]string{}, k.Modules...)})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		if _, builtin := config.Builtin(name); !builtin {
			v.Modules = append(v.Modules, l.trustOf(name))
		}
	}
	return v, nil
}

// trustOf verifies a module of the configuration.
func (l *library) trustOf(name string) moduleTrust {
	entry, _ := l.config.Module(name)
	path, err := l.path(name)
	if err != nil {
		return moduleTrust{Name: name, Pin: string(entry.Pin), Unsigned: err.Error(), Refused: err.Error()}
	}
	r := l.verifyFile(path)
	return moduleTrust{
		Name: name, Path: path, Digest: string(r.Digest), Pin: string(entry.Pin), Signer: r.signer(), Comment: r.Comment,
		Unsigned: text(r.Unsigned), Refused: text(r.refused),
	}
}

// text is what an error says; empty if there is none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (v trustView) print(w io.Writer) {
	fmt.Fprintf(w, "requires\t%s\n\nKEY\tNAME\tMAY SIGN FOR\n", v.Require)
	for _, k := range v.Keys {
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.ID, k.Name, cmp.Or(strings.Join(k.Modules, ", "), "every module"))
	}
	fmt.Fprintln(w, "\nMODULE\tVERDICT\tPINNED\tSIGNED BY")
	for _, m := range v.Modules {
		verdict, pinned := "trusted", "no"
		if m.Refused != "" {
			verdict = "REFUSED"
		}
		if m.Pin != "" {
			pinned = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.Name, verdict, pinned, cmp.Or(m.Signer, "nobody"))
	}
	for _, m := range v.Modules {
		// Where nothing is required, why nobody signed matters to nobody.
		if reason := cmp.Or(m.Refused, m.Unsigned); reason != "" && (m.Refused != "" || len(v.Keys) > 0) {
			fmt.Fprintf(w, "\n%s: %s", m.Name, reason)
		}
	}
	fmt.Fprintln(w)
}
