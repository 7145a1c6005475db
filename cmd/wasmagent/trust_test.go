package main

import (
	"os"
	"strings"

	"aead.dev/minisign"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wasmagent/wasmagent/trust"
)

// writePair writes a pair of keys, NAME.key and NAME.pub: keypair NAME. The
// secret one is not encrypted, for decrypting takes seconds.
func writePair(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keypair NAME")
	}
	public, private, err := minisign.GenerateKey(nil)
	ts.Check(err)
	secretText, err := private.MarshalText()
	ts.Check(err)
	publicText, err := public.MarshalText()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), secretText, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), publicText, 0o600))
	ts.Setenv("PUBLIC", public.String())
}

// writeConfig writes config.toml with what a template says and the digest of a
// zip in the place of DIGEST: config TEMPLATE [ZIP].
func writeConfig(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: config TEMPLATE [ZIP]")
	}
	text := ts.ReadFile(args[0])
	if len(args) == 2 {
		digest := trust.DigestOf([]byte(ts.ReadFile(args[1])))
		text = strings.ReplaceAll(text, "DIGEST", string(digest))
	}
	ts.Check(os.WriteFile(ts.MkAbs("config.toml"), []byte(text), 0o600))
}
