package hostfs_test

import (
	"strings"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// badPaths are paths that no mount has, be they there on the host or not.
var badPaths = []string{
	"", "/", "/etc/passwd", "/a/x", "//a/x", "..", "../secret", "../mount/a/x", "a/../../secret", "a/../a/x", "a/..", "./a/x", "a/./x", "a//x", "a/", "a/x/",
	`..\secret`, `a\x`, `a\..\..\secret`, `\\host\share`, "C:/x", "a:stream", "a/x:$DATA", "a/x\x00", "\x00", "a\x00/../../secret", "a/\xff", "\xc0\xae\xc0\xae/secret",
	strings.Repeat("n", hostfs.MaxName+1), "a/" + strings.Repeat("n", hostfs.MaxName+1), strings.Repeat("d/", hostfs.MaxDepth) + "x",
	strings.Repeat("x", hostfs.MaxPath+1), strings.Repeat("../", 1000) + "etc/passwd", "a/x/y", "no/way/x",
}
