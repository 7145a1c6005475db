package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/internal/private"
	"github.com/wasmagent/wasmagent/trust"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A signFlags is what the flags of sign say.
type signFlags struct{ secret, module, password string }

func (a *app) signCommand() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign ZIP -s KEY",
		Short: "Sign a zip",
		Long: `Sign checks that a zip is a module, signs it with a secret key of
"wasmagent keygen" or minisign, and writes the signature to ZIP.minisig, in
minisign's format. The signature holds for a module of this name only, which is
the zip's file name without ".zip": under another name the zip is not signed.`,
		Example: "  wasmagent pack my-checks\n  wasmagent sign my-checks.zip -s minisign.key\n  wasmagent verify my-checks.zip -p minisign.pub",
		Args:    one("ZIP"),
	}
	cmd.Flags().StringVarP(&f.secret, "secret-key", "s", "", "sign with the secret key in this `FILE`")
	cmd.Flags().StringVar(&f.module, "module", "", "sign it as the module of this `NAME`, which its file will have where it is used")
	passwordFlag(cmd, &f.password)
	_ = cmd.MarkFlagRequired("secret-key")
	cmd.RunE = do(func(_ context.Context, args []string) error { return a.sign(args[0], f) })
	return cmd
}

// sign signs a zip and verifies what it has signed.
func (a *app) sign(path string, f signFlags) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	if isDir(path) {
		return fmt.Errorf("%s: is a directory; pack it and sign the zip: wasmagent pack %[1]s", path)
	}
	limits := newLibrary(c, toolchain.Builder{}).limits(path)
	archive, err := readArchive(path, limits)
	if err != nil {
		return err
	}
	m, err := zipmod.Read(cmp.Or(f.module, moduleName(path)), archive, zipmod.Options{Limits: limits})
	if err != nil {
		return prefix(path, err)
	}
	secret, err := a.openSecret(f)
	if err != nil {
		return err
	}
	text := secret.Sign(archive, m.Name, m.Version, time.Now())
	own := trust.Policy{Require: trust.Signature, Keys: []trust.Key{secret.Public()}}
	proof, err := own.Verify(trust.Subject{Name: m.Name, Signature: func() ([]byte, error) { return text, nil }}, archive)
	if err != nil {
		return fmt.Errorf("%s: its own signature does not verify, so the key is damaged: %w", f.secret, err)
	}
	if err := writeWhole(path+trust.Extension, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s%s\n%s, by %s\n", path, trust.Extension, proof.Comment, proof.Signer)
	return err
}

// openSecret reads the secret key to sign with.
func (a *app) openSecret(f signFlags) (trust.Secret, error) {
	text, err := private.Read(f.secret, trust.MaxKey, nil)
	if err != nil {
		return trust.Secret{}, err
	}
	secret, err := trust.OpenSecret(text, func() (string, error) {
		return a.password(f.password, "Password of "+f.secret+": ")
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", f.secret, err)
	}
	return secret, err
}

// A keygenFlags is what the flags of keygen say.
type keygenFlags struct{ name, password string }

func (a *app) keygenCommand() *cobra.Command {
	var f keygenFlags
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a pair of keys to sign modules with",
		Long: `Keygen makes a secret key, NAME.key, encrypted under a password that it asks for,
and the public key that belongs to it, NAME.pub. Both are files of minisign's
format. Files that are there are not overwritten. Encrypting the key, and signing
with it, takes some seconds and 1 GiB of memory, so that guessing does too.`,
		Example: "  wasmagent keygen -o ops",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVarP(&f.name, "output", "o", "minisign", "write `NAME`.key and NAME.pub")
	passwordFlag(cmd, &f.password)
	cmd.RunE = do(func(context.Context, []string) error { return a.keygen(f) })
	return cmd
}

func (a *app) keygen(f keygenFlags) error {
	secretName, publicName := f.name+".key", f.name+".pub"
	for _, name := range []string{secretName, publicName} {
		if _, err := os.Lstat(name); err == nil {
			return fmt.Errorf("%s: is there already, and keys are not overwritten; name another with -o", name)
		}
	}
	password, err := a.newPassword(f.password)
	if err != nil {
		return err
	}
	secret, err := trust.NewSecret()
	if err != nil {
		return err
	}
	text, err := secret.Encrypt(password)
	if err != nil {
		return err
	}
	if err := writeNew(secretName, text, 0o600); err != nil {
		return err
	}
	if err := writeNew(publicName, secret.Public().File(), 0o644); err != nil {
		return errors.Join(err, os.Remove(secretName))
	}
	_, err = fmt.Fprintf(a.stdout, "%s: keep it secret, and a copy of it safe\n%s: %s\n\n[trust]\nkeys = [%q]\n",
		secretName, publicName, secret.Public(), secret.Public().Line())
	return err
}

// writeNew writes a file that must not be there yet.
func writeNew(name string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
