package prepare_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// rewritten is the digest of what Version makes of the programs below.
const rewritten = "fd5d849d36d0b1fa9c2579aed9c5e8740e74d01314fe98de1c687b0e89f66974"

func TestVersion(t *testing.T) {
	t.Parallel()
	sum := sha256.New()
	for _, wasm := range [][]byte{
		wasmtest.Print("OK", 0), wasmtest.SleepFor(time.Second), wasmtest.Spin(), wasmtest.Recurse(), wasmtest.RecurseWith(9),
		wasmtest.FillMemory(), wasmtest.GrowMemory(), wasmtest.GrowTable(), wasmtest.BigBody(1000), wasmtest.Unreachable(),
		wasmtest.NoStart(), wasmtest.UnknownImport(), wasmtest.Component(),
	} {
		p, err := prepare.Prepare(wasm, policy.Defaults)
		if err != nil {
			sum.Write([]byte(err.Error()))
		}
		sum.Write(p.Wasm)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != rewritten {
		t.Errorf("version %d rewrites to %s; raise Version and write that here", prepare.Version, got)
	}
}
