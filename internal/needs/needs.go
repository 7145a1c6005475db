// Package needs says what a test needs that not every machine has: a program, a
// right. Without it the test is skipped; where the environment variable
// WASMAGENT_REQUIRE is "1", everything has to be there and the test fails.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Everything tells whether everything has to be there.
func Everything() bool { return os.Getenv("WASMAGENT_REQUIRE") == "1" }

// Program is the path of a program, which is looked for in PATH if its name has no
// slash.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, err)
	}
	return path
}

// Missing ends a test, for there is not what it needs.
func Missing(t testing.TB, why any) {
	t.Helper()
	if Everything() {
		t.Fatal(why)
	}
	t.Skip(why)
}
