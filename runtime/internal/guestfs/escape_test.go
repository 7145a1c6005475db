package guestfs_test

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/errno"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
)

// capabilities are patterns of everything that takes a grant.
var capabilities = []string{"/dev/**", "/files/**", "/state/**", "/command/**", "/env/**", "/host/**"}

// both asks for and grants the same.
func both(patterns ...string) policy.Access { return access(patterns...) }

// lures are paths of a world that lead somewhere, or might.
func (w *world) lures() []string {
	return []string{
		"dev", "dev/tcp", "dev/tcp/127.0.0.1", "dev/tcp/127.0.0.1/" + w.port, "dev/udp/127.0.0.1/" + w.port, "dev/tls/127.0.0.1/" + w.port,
		"dev/tls/127.0.0.1/" + w.port + "/peer", "dev/tcp/localhost/" + w.port, "dev/stdin", "dev/none",
		"files", "files/logs", "files/logs/a.log", "files/logs/sub", "files/logs/none", "files/spool", "files/spool/old", "files/one", "files/none", "files/none/x",
		"state", "state/kept", "state/none", "state/none/x",
		"command", "command/status", "command/other", "command/none",
		"env", "env/TOKEN", "env/NONE", "host", "host/memory", "host/none",
	}
}

// disguises are spellings of one path.
func disguises(name string) []string {
	return []string{name, "/" + name, "./" + name, "//" + name, "../" + name, "scripts/../" + name, name + "/", name + "/.", name + "/x/..", "scripts/../../" + name + "//"}
}

// accesses that leave a capability out, each in another way.
func accesses(capability string) map[string]policy.Access {
	others := slices.DeleteFunc(slices.Clone(capabilities), func(p string) bool { return strings.HasPrefix(p, "/"+capability+"/") })
	all := both(capabilities...)
	return map[string]policy.Access{
		"nothing":      {},
		"only asked":   {Asked: all.Asked},
		"only granted": {Granted: all.Granted},
		"all others":   both(others...),
		"others asked": {Asked: policy.Patterns(others), Granted: all.Granted},
		"one wildcard": both("/" + capability + "?/**"),
	}
}

// TestNothingWithoutAGrant tries every path in every spelling through every door,
// without its grant. All is as in a root that has nothing there, nothing is
// reached, and each attempt that a grant would let pass is reported once as refused.
func TestNothingWithoutAGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doors := maps.Clone(readers)
	maps.Copy(doors, writers)
	for _, lure := range w.lures() {
		for how, a := range accesses(capability(lure)) {
			full, empty := w.visit(t, a), begin(t, guestfs.Config{Files: w.config.Files}, a)
			for _, name := range disguises(lure) {
				for door, try := range doors {
					got, want := try(full.Mount, name), try(empty.Mount, name)
					if got != want || got == 0 {
						t.Errorf("%s: %s %q: %v, where nothing is %v", how, door, name, got, want)
					}
					refusedOnce(t, full.tried(), name)
					empty.tried()
				}
			}
		}
	}
	w.untouched(t)
}

// refusedOnce wants every attempt at a path to be reported as refused, with the
// reason, and no other.
func refusedOnce(t *testing.T, tried []guestfs.Attempt, name string) {
	t.Helper()
	at := path.Clean("/" + name)
	ops := map[string]int{}
	for _, a := range tried {
		if a.Refused != (a.Path == at) || a.Refused && (a.Why == "" || !a.NeedsGrant) {
			t.Errorf("%q: %+v", name, a)
		}
		if a.Path == at {
			ops[a.Op]++
		}
	}
	for op, n := range ops {
		if n != 1 {
			t.Errorf("%q: %s was reported %d times", name, op, n)
		}
	}
	if len(ops) == 0 {
		t.Errorf("%q: nothing was reported", name)
	}
}

// An escape is a path that is tried, and what that gives: the content, or an errno.
type escape struct {
	path    string
	content string
	errno   experimental.Errno
	refused bool // reported as such
}

var (
	longName = strings.Repeat("n", guestfs.MaxName+1)
	longPath = strings.Repeat("./", guestfs.MaxPath/2) + "files/logs/a.log"
)

// narrow are grants of single things, and what there is to reach with them.
func (w *world) narrow() ([]string, []escape) {
	const none = experimental.ENOENT
	server := "127.0.0.1/" + w.port
	return []string{"/files/logs/*.log", "/files/one", "/files/spool/in/**", "/state/mine/*", "/dev/tcp/" + server, "/command/status", "/env/TOKEN", "/host/memory"}, []escape{
		{"files/logs/a.log", "line", 0, false},
		{"/files//logs/./a.log", "line", 0, false},
		{"files/none/../logs/a.log", "line", 0, false},
		{"../../files/logs/a.log", "line", 0, false},
		{"files/logs/a.log/", "", experimental.ENOTDIR, false},
		{"files/logs/a.log/x", "", none, true},
		{"files/logs/a.log/..", "", none, true},
		{"files/logs/a.log/../key.pem", "", none, true},
		{"files/logs/key.pem", "", none, true},
		{"files/logs/sub/c.log", "", none, true},
		{"files/logs/../spool/old", "", none, true},
		{"files/logs/../../secret/file", "", none, false}, // the zip has none
		{"files/logs/../outside.log", "", none, true},
		{"files/logs/..", "", none, true},
		{"files/logs", "", none, true},
		{"files", "dir", 0, false}, // for /files/one is listed there
		{"files/LOGS/a.log", "", none, true},
		{"FILES/logs/a.log", "", none, false},
		{"files/logs/A.LOG", "", none, true},
		{`files\logs\a.log`, "", none, false},
		{`files/logs\a.log`, "", none, true},
		{`files/logs/sub\c.log`, "", experimental.EINVAL, false},
		{`files/logs/..\outside.log`, "", experimental.EINVAL, false},
		{"files/logs/a.log\x00", "", none, true},
		{"files/logs/key.pem\x00.log", "", experimental.EINVAL, false},
		{"files/logs/\xff.log", "", experimental.EINVAL, false},
		{"files/logs/c:a.log", "", experimental.EINVAL, false},
		{"files/logs/" + longName + ".log", "", experimental.ENAMETOOLONG, false},
		{"files/logs/" + strings.Repeat("n", policy.MaxPath) + ".log", "", none, true},
		{longPath, "", experimental.ENAMETOOLONG, false},
		{"files/one", "one", 0, false},
		{"files/one/x", "", none, true},
		{"files/one/../logs/key.pem", "", none, true},
		{"files/spool/in/x", "x", 0, false},
		{"files/spool/in", "dir", 0, false},
		{"files/spool/in/../old", "", none, true},
		{"files/spool/in/none", "", none, false},

		{"state/kept", "", none, true},
		{"state/mine", "", none, true},
		{"state/mine/../kept", "", none, true},
		{"state/mine/x", "", none, false},

		{"dev/tcp/" + server, "hello", 0, false},
		{"dev/tcp/" + server + "/", "", experimental.ENOTDIR, false},
		{"dev/tcp/" + server + "/peer", "", none, true},
		{"dev/tls/" + server, "", none, true},
		{"dev/tls/" + server + "/peer", "", none, true},
		{"dev/udp/" + server, "", none, true},
		{"dev/TCP/" + server, "", none, true},
		{"dev/tcp/127.0.0.1/1", "", none, true},
		{"dev/tcp/127.0.0.1/0" + w.port, "", none, true},
		{"dev/tcp/127.0.0.1/+" + w.port, "", none, true},
		{"dev/tcp/127.0.0.1./" + w.port, "", none, true},
		{"dev/tcp/localhost/" + w.port, "", none, true},
		{"dev/tcp/2130706433/" + w.port, "", none, true},
		{"dev/tcp/0x7f000001/" + w.port, "", none, true},
		{"dev/tcp/017700000001/" + w.port, "", none, true},
		{"dev/tcp/127.1/" + w.port, "", none, true},
		{"dev/tcp/127.0.0.2/" + w.port, "", none, true},
		{"dev/tcp/::ffff:127.0.0.1/" + w.port, "", none, true},
		{"dev/tcp/127.0.0.1%lo/" + w.port, "", none, true},
		{"dev/tcp/127.0.0.1\x00/" + w.port, "", none, true},
		{"dev/tcp/127.0.0.1/" + w.port + "\x00", "", none, true},
		{"dev/tcp/１27.0.0.1/" + w.port, "", none, true},
		{"dev/tcp/127.0.0.\u200b1/" + w.port, "", none, true},
		{"dev/fd/0", "", none, true},

		{"command/status", `["status"]`, 0, false},
		{"command/mine", `["mine"]`, 0, false},
		{"command/status/", "", experimental.ENOTDIR, false},
		{"command/STATUS", "", none, true},
		{"command/status/../other", "", none, true},
		{"command/other", "", none, true},
		{"command/mine\x00", "", none, true},
		{"command/ｍine", "", none, true},
		{"command", "", none, true},

		{"env/TOKEN", "token", 0, false},
		{"env/token", "", none, true},
		{"env/TOKEN\x00", "", none, true},
		{"env/TOKEN/", "", experimental.ENOTDIR, false},
		{"env/OTHER", "", none, true},
		{"env/../env/OTHER", "", none, true},
		{"host/memory", "{}", 0, false},
		{"host/memory/../processes", "", experimental.ENOTDIR, true},
		{"host/processes", "", none, true},

		{"proc/self/root/etc/passwd", "", none, false},
		{"etc/passwd", "", none, false},
		{"exec/sh", "", none, true},
	}
}

// tries a list of escapes through the doors that only look.
func (v *visit) tries(t *testing.T, list []escape) {
	t.Helper()
	for _, row := range list {
		v.tried()
		got, e := v.reach(row.path)
		if got != row.content || e != row.errno {
			t.Errorf("%.80q: %q, %v; want %q, %v", row.path, got, e, row.content, row.errno)
		}
		tried := v.tried()
		if len(tried) != 1 || tried[0].Refused != row.refused || row.refused && tried[0].Why == "" || (tried[0].Errno == "") != (e == 0) {
			t.Errorf("%.80q was reported as %+v", row.path, tried)
		}
		if _, e := v.Stat(row.path); e == 0 && row.errno != 0 && row.errno != experimental.ENOTDIR && row.errno != experimental.EACCES {
			t.Errorf("stat %.80q: it is there, but cannot be opened: %v", row.path, row.errno)
		}
	}
}

// TestOnlyWhatIsGranted tries what surrounds single things that are granted.
func TestOnlyWhatIsGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grants, rows := w.narrow()
	w.visit(t, both(grants...)).tries(t, rows)
	w.visit(t, policy.Access{Asked: both(grants...).Asked, Granted: both(capabilities...).Granted}).tries(t, slices.DeleteFunc(rows, isConnection))
	if got := w.tree(t); !maps.Equal(got, planted) {
		t.Errorf("the host's files are now %q", got)
	}
}

// isConnection tells of an escape that only a grant that names its address allows.
func isConnection(e escape) bool { return strings.HasPrefix(e.path, "dev/") }

// TestHostsInDisguise tries to reach the machine itself with a grant of every
// connection, which does not name it.
func TestHostsInDisguise(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visit(t, both("/dev/**"))
	var rows []escape
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "localhost", "0.0.0.0", "::", "::1", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:0:7f00:1",
		"169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1", "224.0.0.1", "ff02::1", "255.255.255.255", "fd00:ec2::254", "100.100.100.200",
	} {
		for _, network := range []string{"tcp/", "udp/", "tls/"} {
			rows = append(rows, escape{"dev/" + network + host + "/" + w.port, "", experimental.EACCES, true})
		}
		rows = append(rows, escape{"dev/tls/" + host + "/" + w.port + "/peer", "", experimental.EACCES, true})
	}
	for _, host := range []string{
		"2130706433", "0x7f000001", "017700000001", "127.1", "127.0.1", "0177.0.0.1", "127.0.0.0x1", "127.0.0.1.", "0", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1",
		"[::1]", "::0001", "0:0:0:0:0:0:0:1", "LOCALHOST", "Localhost", "localhost.", "localhost%2f", "127.0.0.1%eth0", "fe80::1%1", "127。0。0。1", "①②⑦.0.0.1", "１２７.0.0.1",
		"127.0.0.1\x00", "localhost\x00.example", " 127.0.0.1", "user@localhost", "127.0.0.1:22", "*", "..", `127.0.0.1\`, "loc\u00adalhost", "loc\u200balhost", strings.Repeat("a", 254),
	} {
		clean := path.Clean("/dev/tcp/"+host+"/x") == "/dev/tcp/"+host+"/x"
		rows = append(rows, escape{"dev/tcp/" + host + "/" + w.port, "", experimental.ENOENT, true})
		if !clean {
			rows = rows[:len(rows)-1]
		}
	}
	v.tries(t, rows)
	w.untouched(t)
}

// TestReadOnly tries to change what is granted, but not for writing.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visit(t, both("/files/logs/**", "/files/logs", "/files/one", "/env/*", "/host/*", "/command/status"))
	for _, name := range []string{"files/logs/a.log", "files/logs/none", "files/logs/sub", "files/logs", "files/one", "env/TOKEN", "host/memory", "module.json"} {
		for door, try := range writers {
			// A command is written to when it is run, and what cannot be removed is no
			// file; else everything is EROFS.
			if e := try(v.Mount, name); e != experimental.EROFS && e != errno.EXDEV {
				t.Errorf("%s %s: %v", door, name, e)
			}
		}
	}
	f, e := v.OpenFile("files/logs/a.log", experimental.O_RDONLY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	defer f.Close()
	for what, e := range map[string]experimental.Errno{
		"write": second(f.Write([]byte("x"))), "pwrite": second(f.Pwrite([]byte("x"), 0)), "truncate": f.Truncate(0), "utimens": f.Utimens(1, 1),
	} {
		if e == 0 {
			t.Errorf("%s of a file that is open for reading", what)
		}
	}
	w.untouched(t)
}

func second(_ int, e experimental.Errno) experimental.Errno { return e }

// TestAcrossMounts tries to carry files from one mount to another.
func TestAcrossMounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visit(t, both(capabilities...))
	places := []string{"module.json", "files/logs/a.log", "files/spool/old", "files/one", "state/kept", "env/TOKEN", "host/memory", "command/status", "dev/tcp/127.0.0.1/" + w.port}
	for _, from := range places {
		for _, to := range append(places, "new", "files/logs/new", "files/spool/new", "state/new", "env/new", "command/new") {
			if from == to {
				continue
			}
			mountOf := func(name string) string {
				return strings.Join(strings.SplitN(name, "/", 3)[:min(2, strings.Count(name, "/")+1)], "/")
			}
			if mountOf(from) == mountOf(to) || strings.HasPrefix(from, "state") && strings.HasPrefix(to, "state") {
				continue
			}
			for what, e := range map[string]experimental.Errno{"rename": v.Rename(from, to), "link": v.Link(from, to)} {
				if e != errno.EXDEV && e != experimental.EROFS {
					t.Errorf("%s %s to %s: %v", what, from, to, e)
				}
			}
		}
	}
	w.untouched(t)
}

// TestListings wants a directory to list what the run may open, and nothing else.
func TestListings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visit(t, both("/files/logs", "/files/logs/*.log", "/state", "/env/TOKEN", "/host/memory", "/command/**", "/dev/**"))
	for dir, want := range map[string][]string{
		"/":          {"env/", "files/", "host/", "module.json", "scripts/", "state/"},
		"files":      {"logs/"},
		"files/logs": {"a.log", "b.log"},
		"state":      nil,
		"env":        {"TOKEN"},
		"host":       {"memory"},
	} {
		f, e := v.OpenFile(dir, experimental.O_DIRECTORY, 0)
		if e != 0 {
			t.Errorf("%s: %v", dir, e)
			continue
		}
		list, e := f.Readdir(100)
		var names []string
		for _, entry := range list {
			if entry.Type == fs.ModeDir {
				entry.Name += "/"
			}
			names = append(names, entry.Name)
		}
		slices.Sort(names)
		if e != 0 || !slices.Equal(names, want) {
			t.Errorf("%s lists %q, %v; want %q", dir, names, e, want)
		}
		f.Close()
	}
	for _, dir := range []string{"dev", "dev/tcp", "command"} {
		if f, e := v.OpenFile(dir, experimental.O_DIRECTORY, 0); e == 0 {
			t.Errorf("%s can be listed: %v", dir, f)
		}
	}
	w.used.Store(0)
	w.untouched(t)
}
