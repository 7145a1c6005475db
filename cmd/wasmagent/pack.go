package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

func (a *app) packCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "pack DIR",
		Short: "Make a zip of a module's directory",
		Long: `Pack builds the programs that are missing from their source, validates the
module as loading it does, and writes the zip beside the directory, as DIR.zip.
The same files make the same zip at every time. The zip's file name without
".zip" is the module's name. Nothing of it is run, so that [trust] has no say: what
it requires is asked when the zip is loaded.`,
		Args: one("DIR"),
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to `FILE`")
	cmd.RunE = do(func(ctx context.Context, args []string) error { return a.pack(ctx, args[0], output) })
	return cmd
}

func (a *app) pack(ctx context.Context, dir, output string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if !isDir(dir) {
		return fmt.Errorf("%s: is no directory", dir)
	}
	if output == "" {
		output = dir + ".zip"
	}
	if err := checkOutput(dir, output); err != nil {
		return err
	}
	s, err := a.wireConfigured(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	data, err := s.pack(ctx, dir)
	if err != nil {
		return err
	}
	m, err := s.validate(ctx, output, data)
	if err != nil {
		return prefix(dir, err)
	}
	if err := writeWhole(output, data); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n%d bytes, %s, sha256 %s\n", output, len(data), counted(len(m.Scripts), "command"), m.Digest)
	return err
}

// checkOutput refuses to write a zip where a directory is, or into what is
// packed: the next zip would hold this one.
func checkOutput(dir, output string) error {
	if isDir(output) {
		return fmt.Errorf("%s: is a directory; name the zip's file", output)
	}
	abs, err := filepath.Abs(output)
	if err != nil {
		return err
	}
	if inside, err := filepath.Rel(dir, abs); err == nil && filepath.IsLocal(inside) {
		return fmt.Errorf("%s: would be in the directory that is packed; name a file outside of it", output)
	}
	return nil
}

// pack builds and packs a directory. Every program must be there.
func (s *setup) pack(ctx context.Context, dir string) ([]byte, error) {
	if _, err := s.library.outline(dir, zipmod.Options{Limits: s.library.limits(dir)}); err != nil {
		return nil, err
	}
	programs, err := s.library.builder.Build(ctx, dir)
	if err != nil {
		return nil, prefix(dir, err)
	}
	var absent []error
	for _, name := range slices.Sorted(maps.Keys(programs.Absent)) {
		absent = append(absent, fmt.Errorf("%s: %w", name, programs.Absent[name]))
	}
	if len(absent) > 0 {
		return nil, errors.Join(absent...)
	}
	data, err := zipmod.Pack(dir, zipmod.Options{Limits: s.library.limits(dir), Built: programs.Built})
	return data, prefix(dir, err)
}

// validate reads a zip and makes its programs ready to run, as loading does.
func (s *setup) validate(ctx context.Context, file string, data []byte) (*zipmod.Module, error) {
	limits := s.library.limits(file)
	m, err := zipmod.Read(filepath.Base(file), data, zipmod.Options{Limits: limits})
	if err != nil {
		return nil, err
	}
	loaded, err := s.providers.Load(ctx, m, providers.Grant{Limits: limits})
	if err != nil {
		return nil, err
	}
	return m, loaded.Close()
}

// writeWhole writes a file so that nobody sees a part of it.
func writeWhole(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
