package confine_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers/confine"
)

// shim is the only one of this process.
var shim, shimErr = confine.Self()

// TestMain lets the test binary be the shim, and a program that it confines.
func TestMain(m *testing.M) {
	confine.Main()
	if os.Args[0] == "dial" {
		_, err := net.Dial(os.Args[1], os.Args[2])
		fmt.Println("dialled:", err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func newCage(t testing.TB, c confine.Config) *confine.Cage {
	t.Helper()
	if shimErr != nil {
		t.Fatal(shimErr)
	}
	cage, err := confine.New(c, shim)
	if err != nil {
		t.Fatal(err)
	}
	return cage
}

// limits are enough for every script that is not about them.
var limits = policy.Limits{Time: time.Minute, OpenFiles: 64}

// free is no Cage at all.
var free *confine.Cage

// run runs a command in a directory of its own, and returns what it prints.
func run(t testing.TB, cage *confine.Cage, limits policy.Limits, command *exec.Cmd) string {
	t.Helper()
	var out bytes.Buffer
	command.Dir, command.Stdout, command.Stderr = home(t, cage), &out, &out
	if cage == free {
		_ = command.Run()
		return out.String()
	}
	if err := cage.Start(command, limits); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		fmt.Fprintln(&out, err)
	}
	cage.End(command)
	return out.String()
}

// home is a directory that the processes of a Cage can use.
func home(t testing.TB, cage *confine.Cage) string {
	t.Helper()
	dir := t.TempDir()
	err := os.Chmod(filepath.Dir(dir), 0o711)
	if cage != free {
		if uid, gid, other := cage.Owner(); other {
			err = errors.Join(err, os.Chown(dir, uid, gid))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func sh(script string, args ...string) *exec.Cmd {
	return exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, args...)...)
}

// needLandlock skips a test where the kernel cannot do what it is about.
func needLandlock(t *testing.T) {
	t.Helper()
	for _, text := range newCage(t, confine.Config{}).Missing() {
		if strings.Contains(text, "Landlock") {
			needs.Missing(t, text)
		}
	}
}

// asUser is a Cage with a user of its own.
func asUser(t *testing.T, name string, c confine.Config) *confine.Cage {
	t.Helper()
	if os.Geteuid() != 0 {
		needs.Missing(t, "only root can become another user")
	}
	if _, err := user.Lookup(name); err != nil {
		needs.Missing(t, err.Error())
	}
	c.User = name
	return newCage(t, c)
}

// Each script says "done" if nobody stops it. The last word of a confined one
// says what stopped it.
func TestWhatLandlockStops(t *testing.T) {
	t.Parallel()
	needLandlock(t)
	pid := strconv.Itoa(os.Getpid())
	for name, row := range map[string]struct{ script, arg, text string }{
		"makes a file":        {`echo x >"$1/new" && echo done`, "", "Permission denied"},
		"overwrites a file":   {`echo x >"$1/there" && echo done`, "", "Permission denied"},
		"appends":             {`echo x >>"$1/there" && echo done`, "", "Permission denied"},
		"removes a file":      {`rm "$1/there" && echo done`, "", "Permission denied"},
		"makes a directory":   {`mkdir "$1/d" && echo done`, "", "Permission denied"},
		"removes a directory": {`rmdir "$1/dir" && echo done`, "", "Permission denied"},
		"moves a file in":     {`mv "$1/there" . && echo done`, "", "Permission denied"},
		"moves a file out":    {`echo x >f; mv f "$1/" && echo done`, "", "Permission denied"},
		"links a file in":     {`ln "$1/there" . && echo x >there && echo done`, "", "Invalid cross-device link"},
		"follows a link":      {`ln -s "$1/there" l && echo x >l && echo done`, "", "Permission denied"},
		"makes a pipe":        {`mkfifo "$1/p" && echo done`, "", "Permission denied"},
		"by /proc":            {`echo x >"/proc/self/root$1/there" && echo done`, "", "Permission denied"},
		"sends a signal":      {`kill -0 "$1" && echo done`, pid, "ermitted"},
		"reads a memory":      {`cat "/proc/$1/environ" >/dev/null && echo done`, pid, "Permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, cage := range []*confine.Cage{free, newCage(t, confine.Config{})} {
				arg := row.arg
				if arg == "" {
					arg = t.TempDir()
					if err := errors.Join(os.WriteFile(filepath.Join(arg, "there"), nil, 0o666), os.Mkdir(filepath.Join(arg, "dir"), 0o777)); err != nil {
						t.Fatal(err)
					}
				}
				out := run(t, cage, limits, sh(row.script, arg))
				if want := cage == free; strings.Contains(out, "done") != want || !want && !strings.Contains(out, row.text) {
					t.Errorf("free %v: %q", want, out)
				}
			}
		})
	}
}

func TestAbstractSocketIsOutOfReach(t *testing.T) {
	t.Parallel()
	needLandlock(t)
	listener, err := net.Listen("unix", fmt.Sprintf("@wasmagent-test-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for cage, want := range map[*confine.Cage]string{free: "dialled: <nil>", newCage(t, confine.Config{}): "operation not permitted"} {
		if out := run(t, cage, limits, itself("dial", "unix", listener.Addr().String())); !strings.Contains(out, want) {
			t.Errorf("got %q, want %q", out, want)
		}
	}
}

// itself is the test binary with an argument vector.
func itself(argv ...string) *exec.Cmd {
	c := exec.Command("/proc/self/exe")
	c.Args = argv
	return c
}

// What a check needs works as ever.
func TestWhatIsLeftToAScript(t *testing.T) {
	t.Parallel()
	cage := newCage(t, confine.Config{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, script := range []string{
		`echo x >/dev/null && echo done`,
		`mkdir -p a/b c && echo x >a/b/f && mv a/b/f c/ && rm -r a && cat c/f && echo done`,
		`mkfifo p && ln -s p l && ln p h && echo done`,
		`cat /etc/passwd /proc/self/status /proc/1/stat >copy && echo done`,
		`echo done >/dev/stderr`,
		`echo done | cat`,
		`sleep 1000 >/dev/null 2>&1 & kill $! && echo done`,
		`ls / /usr/bin >/dev/null && echo done`,
	} {
		if out := run(t, cage, limits, sh(script)); !strings.Contains(out, "done") {
			t.Errorf("%s: %q", script, out)
		}
	}
	if out := run(t, cage, limits, itself("dial", "tcp", listener.Addr().String())); !strings.Contains(out, "<nil>") {
		t.Errorf("the network: %q", out)
	}
}

func TestNothingIsGained(t *testing.T) {
	t.Parallel()
	out := run(t, newCage(t, confine.Config{}), limits, sh(`cat /proc/self/status`))
	if !strings.Contains(out, "NoNewPrivs:\t1\n") {
		t.Errorf("got %q", out)
	}
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		_, rest, _ := strings.Cut(out, set+":\t")
		text, _, _ := strings.Cut(rest, "\n")
		bits, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, kept := range confine.Keeps() {
			bits &^= 1 << kept
		}
		if bits != 0 {
			t.Errorf("%s holds %x", set, bits)
		}
	}
}

// A device in its own directory would be the disk itself.
func TestRootMakesNoDevices(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		needs.Missing(t, "only root can make devices")
	}
	const script = `mknod d c 1 5 && head -c 1 d >/dev/null && echo done`
	if out := run(t, free, limits, sh(script)); !strings.Contains(out, "done") {
		needs.Missing(t, "devices cannot be made here: "+out)
	}
	if out := run(t, newCage(t, confine.Config{}), limits, sh(script)); strings.Contains(out, "done") {
		t.Errorf("got %q", out)
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	cage := asUser(t, "nobody", confine.Config{})
	uid, gid, _ := cage.Owner()
	secret := filepath.Join(home(t, free), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `id -u; id -g; id -G; echo x >own && ls -n own; cat "$1"`
	if out := run(t, free, limits, sh(script, secret)); !strings.Contains(out, "secret") {
		t.Errorf("free: %q", out)
	}
	out := run(t, cage, limits, sh(script, secret))
	if want := fmt.Sprintf("%d\n%d\n%[2]d\n-", uid, gid); !strings.HasPrefix(out, want) {
		t.Errorf("got %q, want it to begin with %q", out, want)
	}
	if !strings.Contains(out, "Permission denied") {
		t.Errorf("the secret was read: %q", out)
	}
}

// A setuid program makes nobody root.
func TestSetuidProgram(t *testing.T) {
	t.Parallel()
	cage := asUser(t, "nobody", confine.Config{})
	uid, gid, _ := cage.Owner()
	id, err := exec.LookPath("id")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(id)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home(t, free), "id")
	if err := errors.Join(os.WriteFile(file, program, 0o755), os.Chmod(file, 0o755|os.ModeSetuid)); err != nil {
		t.Fatal(err)
	}
	plain := exec.Command(file, "-u")
	plain.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if out := run(t, free, limits, plain); out != "0\n" {
		needs.Missing(t, "setuid programs do not work here: "+out)
	}
	if out := run(t, cage, limits, exec.Command(file, "-u")); out != fmt.Sprintln(uid) {
		t.Errorf("got %q", out)
	}
}

// The program gets what it was given and cannot see how it came to be.
func TestProgramIsStartedAsItIs(t *testing.T) {
	t.Parallel()
	cage := newCage(t, confine.Config{})
	c := exec.Command("/bin/sh")
	argv := []string{"a name", "-c", `tr '\0' '\n' </proc/$$/cmdline; cat /proc/$$/environ; ls /proc/self/fd`, "\xff\xfe", "", "é\n"}
	c.Args = argv
	c.Env = []string{"A=\xff", "B="}
	out := run(t, cage, limits, c)
	want := strings.Join(argv, "\n") + "\nA=\xff\x00B=\x00" + "0\n1\n2\n3\n" // ls opens the directory
	if out != want {
		t.Errorf("got  %q\nwant %q", out, want)
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	t.Parallel()
	nowhere := newCage(t, confine.Config{})
	nowhere.As(-1, -1) // which is no user
	without, err := confine.New(confine.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cage := newCage(t, confine.Config{})
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		cage    *confine.Cage
		command *exec.Cmd
		text    string
	}{
		{cage, exec.Command(text), "executing " + text + ": exec format error"},
		{cage, exec.Command("/nowhere"), "executing /nowhere: no such file or directory"},
		{nowhere, sh("echo started"), "cannot be confined: "},
		{without, sh("echo started"), "no program to confine it with"},
	} {
		var out bytes.Buffer
		row.command.Stdout = &out
		if err := row.cage.Start(row.command, limits); err == nil || !strings.Contains(err.Error(), row.text) || out.Len() > 0 {
			t.Errorf("got %v and %q, want %q", err, out.String(), row.text)
		}
	}
}

func TestNewRefusesUsers(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"root": "is root", "there-is-no-such-user": "create it"} {
		if _, err := confine.New(confine.Config{User: name}, shim); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if _, err := confine.New(confine.Config{User: "nobody"}, shim); (err == nil) != (os.Geteuid() == 0) {
		t.Errorf("nobody: %v", err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for version, want := range map[int]int{0: 1, 1: 3, 2: 3, 3: 2, 4: 2, 5: 1, 6: 0, 99: 0} {
		if got := confine.Missing(version); len(got) != want {
			t.Errorf("version %d: %q, want %d", version, got, want)
		}
	}
	if got := strings.Join(newCage(t, confine.Config{}).Missing(), "; "); !strings.Contains(got, "the user: ") || !strings.Contains(got, "number of processes") {
		t.Errorf("without a user: %q", got)
	}
}

// BenchmarkStart compares a command with and without the shim.
func BenchmarkStart(b *testing.B) {
	cage := newCage(b, confine.Config{})
	for name, cage := range map[string]*confine.Cage{"free": free, "confined": cage} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				run(b, cage, limits, exec.Command("/bin/sh", "-c", "true"))
			}
		})
	}
}
