package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/internal/private"
	"github.com/wasmagent/wasmagent/trust"
)

func (a *app) verifyCommand() *cobra.Command {
	var public, output string
	cmd := &cobra.Command{
		Use:   "verify ZIP",
		Short: "Verify who vouches for a zip: its signature, or its pin",
		Long: `Verify prints the SHA-256 of a zip, and whose signature ZIP.minisig is. The exit
status is 0 if there is a signature that counts for a module of this file name,
or a pin in config.toml, and config.toml would have the zip loaded; and 3 if not.

With -p nothing of config.toml matters: the signature must be by that key. Nothing
in the zip is read.`,
		Args: one("ZIP"),
	}
	outputFlag(cmd, &output)
	cmd.Flags().StringVarP(&public, "public-key", "p", "", "verify with this `KEY` instead of config.toml's: its line of base64, or a .pub file")
	cmd.RunE = do(func(_ context.Context, args []string) error {
		r, err := a.verify(args[0], public)
		if err != nil {
			return err
		}
		if err := a.print(output, verdictOf(args[0], r)); err != nil {
			return err
		}
		return prefix(args[0], r.refused)
	})
	return cmd
}

// verify rules on a zip as something that must be vouched for.
func (a *app) verify(path, public string) (*ruling, error) {
	c, err := a.vouching(public)
	if err != nil {
		return nil, err
	}
	if isDir(path) {
		return nil, fmt.Errorf("%s: %w", path, errDirectory)
	}
	l := newLibrary(c, toolchain.Builder{})
	archive, err := readArchive(path, l.limits(path))
	if err != nil {
		return nil, err
	}
	return l.verify(moduleName(path), path, archive), nil
}

// vouching is the configuration with the least requirement that something
// vouches for a module; or one of a public key alone.
func (a *app) vouching(public string) (config.Config, error) {
	if public == "" {
		c, err := a.configuration()
		c.Trust.Require = max(c.Trust.Require, trust.Pin)
		return c, err
	}
	key, err := publicKey(public)
	return config.Config{Trust: trust.Policy{Require: trust.Signature, Keys: []trust.Key{key}}}, err
}

// publicKey reads a key of the command line.
func publicKey(text string) (trust.Key, error) {
	subject := fmt.Sprintf("the key %.80q", text)
	if filepath.Ext(text) == ".pub" {
		content, err := private.Read(text, trust.MaxKey, nil)
		if err != nil {
			return trust.Key{}, err
		}
		subject, text = text+":", string(content)
	}
	key, err := trust.ParseKey(text)
	if err != nil {
		err = fmt.Errorf("%s %w", subject, err)
	}
	return key, err
}

// A verdict is what verify prints.
type verdict struct {
	Module   string `json:"module"`
	Digest   string `json:"digest"`
	Pinned   bool   `json:"pinned"`
	Signer   string `json:"signer"` // empty if no signature counts
	KeyID    string `json:"key_id"`
	Comment  string `json:"comment"`
	Unsigned string `json:"unsigned"` // why no signature counts
	Refused  string `json:"refused"`  // why it would not be loaded
}

func verdictOf(path string, r *ruling) verdict {
	v := verdict{Module: moduleName(path), Digest: string(r.Digest), Pinned: r.Pinned, Signer: r.signer(), Comment: r.Comment,
		Unsigned: text(r.Unsigned), Refused: text(r.refused)}
	if r.Signer != nil {
		v.KeyID = r.Signer.ID()
	}
	return v
}

func (v verdict) print(w io.Writer) {
	fmt.Fprintf(w, "module\t%s\n", v.Module)
	fmt.Fprintf(w, "sha256\t%s\n", v.Digest)
	fmt.Fprintf(w, "pinned\t%v\n", v.Pinned)
	if v.Signer == "" {
		fmt.Fprintf(w, "signed by\tnobody: %s\n", v.Unsigned)
		return
	}
	fmt.Fprintf(w, "signed by\t%s\n", v.Signer)
	fmt.Fprintf(w, "comment\t%s\n", strings.ReplaceAll(v.Comment, "\t", " "))
}
