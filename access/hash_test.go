package access_test

import (
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/access"
)

// published are hashes that the reference implementation has made, of the password
// "password" under the salt "somesalt", from its own tests.
// https://github.com/P-H-C/phc-winner-argon2/blob/master/src/test.c
var published = []string{
	"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
	"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
}

// badHashes are none, with what the errors say.
var badHashes = map[string]string{
	"":           "want an argon2id hash",
	"secret":     "want an argon2id hash",
	"$2y$05$x$y": "want an argon2id hash",
	strings.Replace(cheap, "argon2id", "argon2i", 1):         "want an argon2id hash",
	strings.Replace(cheap, "v=19", "v=16", 1):                "want an argon2id hash",
	strings.Replace(cheap, "m=8", "m=7", 1):                  "want m from 8 times p",
	strings.Replace(cheap, "m=8", "m=262145", 1):             "want m from 8 times p to 262144",
	strings.Replace(cheap, "m=8", "m=99999999999", 1):        "want m=MEMORY,t=TIME,p=LANES",
	strings.Replace(cheap, "m=8", "m=+8", 1):                 "want m=MEMORY,t=TIME,p=LANES",
	strings.Replace(cheap, "p=1", "p=1,x=2", 1):              "want m=MEMORY,t=TIME,p=LANES",
	strings.Replace(cheap, "t=1", "t=0", 1):                  "want t from 1 to 16",
	strings.Replace(cheap, "t=1", "t=17", 1):                 "want t from 1 to 16",
	strings.Replace(cheap, "p=1", "p=2", 1):                  "want m from 8 times p",
	strings.Replace(cheap, "p=1", "p=0", 1):                  "p from 1 to 16",
	strings.Replace(cheap, "c29tZXNhbHQ", "c29t", 1):         "a salt of 3 and a sum of 32 bytes",
	strings.Replace(cheap, "c29tZXNhbHQ", "c29tZXNhbHQ=", 1): "base64 without padding",
	cheap[:len(cheap)-23]:                                    "16 to 64",
	cheap + "$":                                              "want an argon2id hash",
	cheap + strings.Repeat("A", 600):                         "want an argon2id hash",
}

func TestPublishedHashes(t *testing.T) {
	t.Parallel()
	for _, text := range published {
		h, err := access.ParseHash(text)
		if err != nil || h.String() != text {
			t.Errorf("%s reads as %s, %v", text, h, err)
		}
		if !h.Verify("password") || h.Verify("Password") || h.Verify("") {
			t.Errorf("%s is another password's", text)
		}
	}
}

func TestNewHash(t *testing.T) {
	t.Parallel()
	one, two := access.NewHash("secret"), access.NewHash("secret")
	if one == two {
		t.Error("two hashes have one salt")
	}
	if h, err := access.ParseHash(one.String()); err != nil || h != one || !h.Verify("secret") || h.Verify("secre") {
		t.Errorf("%v, %v", h, err)
	}
	var none access.Hash
	if none.Verify("") || none.String() != "" {
		t.Error("the zero hash is a password's")
	}
}

func TestParseHashRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range badHashes {
		_, err := access.ParseHash(text)
		wantError(t, err, want)
	}
}

func FuzzHash(f *testing.F) {
	f.Add(cheap)
	for _, text := range published {
		f.Add(text)
	}
	for text := range badHashes {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := access.ParseHash(text)
		if err != nil {
			return
		}
		if h.String() != text {
			t.Errorf("%q reads as %q", text, h)
		}
	})
}

// BenchmarkVerify is what one guess costs.
func BenchmarkVerify(b *testing.B) {
	h := access.NewHash("secret")
	b.ReportAllocs()
	for b.Loop() {
		h.Verify("wrong")
	}
}

// BenchmarkAuthenticate is what a request costs whose password has been verified,
// and one with a token.
func BenchmarkAuthenticate(b *testing.B) {
	u := access.NewUsers(parse(b, users))
	for name, c := range map[string]access.Credentials{"password": {User: "admin", Password: "secret", Peer: peer}, "token": {Token: "token"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := u.Authenticate(b.Context(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
