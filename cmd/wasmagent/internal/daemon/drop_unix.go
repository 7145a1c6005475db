//go:build unix

package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	osuser "os/user"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/wasmagent/wasmagent/internal/private"
)

// An Account is a user of the system whom a process of root's can become.
type Account struct {
	name, home string
	uid, gid   int
	groups     []int // the others that it is in
}

// Unprivileged returns the account that a process is to run as that root has
// started: the one of a name, or DefaultUser. There is none if root has not
// started it, or if the name is root's.
func Unprivileged(name string) (account Account, found bool, _ error) {
	name = cmp.Or(name, DefaultUser)
	if os.Geteuid() != 0 || name == root {
		return Account{}, false, nil
	}
	account, err := lookup(name)
	return account, err == nil, err
}

func lookup(name string) (Account, error) {
	user, err := osuser.Lookup(name)
	if err != nil {
		return Account{}, fmt.Errorf("user %q: there is no such user; %s, or set user in config.toml to another one, or to %q", name, howToAdd(name), root)
	}
	a := Account{name: name, home: user.HomeDir}
	ids, err := user.GroupIds()
	if err != nil {
		return Account{}, fmt.Errorf("user %q: its groups: %w", name, err)
	}
	var uidErr, gidErr error
	a.uid, uidErr = strconv.Atoi(user.Uid)
	a.gid, gidErr = strconv.Atoi(user.Gid)
	for _, id := range ids {
		gid, err := strconv.Atoi(id)
		gidErr = cmp.Or(gidErr, err)
		a.groups = append(a.groups, gid)
	}
	if uidErr != nil || gidErr != nil || a.uid == 0 {
		return Account{}, fmt.Errorf("user %q: want a user that is not root under another name, with numeric ids", name)
	}
	return a, nil
}

// howToAdd says how a user of the system is added.
func howToAdd(name string) string {
	switch goruntime.GOOS {
	case "freebsd":
		return fmt.Sprintf("run: pw useradd %s -d /var/lib/%s -s /usr/sbin/nologin", name, name)
	case "darwin":
		return fmt.Sprintf("run: sysadminctl -addUser %s -roleAccount -home /var/lib/%s -shell /usr/bin/false", name, name)
	}
	return fmt.Sprintf("run: useradd --system --user-group --home-dir /var/lib/%s --shell /usr/sbin/nologin %s", name, name)
}

// environment is what variables the process of an account has in the place of
// root's, in the manner of systemd: what a service keeps has a place that depends on
// no home.
func (a Account) environment() []string {
	set := []string{"HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name}
	for variable, dir := range map[string]string{"STATE_DIRECTORY": "/var/lib/wasmagent", "CACHE_DIRECTORY": "/var/cache/wasmagent", "LOGS_DIRECTORY": "/var/log/wasmagent"} {
		set = append(set, variable+"="+cmp.Or(os.Getenv(variable), dir))
	}
	return set
}

// Settle takes the environment of the account, so that what is read from then on
// says what it will say to the account's own process.
func (a Account) Settle() error {
	var errs []error
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "XDG_") {
			name, _, _ := strings.Cut(variable, "=")
			errs = append(errs, os.Unsetenv(name))
		}
	}
	for _, variable := range a.environment() {
		name, value, _ := strings.Cut(variable, "=")
		errs = append(errs, os.Setenv(name, value))
	}
	return errors.Join(errs...)
}

// Become gives directories to the account and executes this program anew as the
// account, with the same arguments, number and standard descriptors. It returns
// only if that is not possible.
func (a Account) Become(directories []string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for _, dir := range slices.Compact(slices.Sorted(slices.Values(directories))) {
		if dir == "" {
			continue
		}
		if err := private.Give(dir, a.uid, a.gid); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	goruntime.LockOSThread() // what holds for a thread holds for what it executes
	if err := a.become(); err != nil {
		return fmt.Errorf("becoming user %q: %w", a.name, err)
	}
	err = syscall.Exec(program, os.Args, os.Environ())
	return fmt.Errorf("user %q cannot execute %s: %w; put it where that user can, such as /usr/local/bin", a.name, program, err)
}

// become gives up the rights of root, and the way back to them.
func (a Account) become() error {
	if err := syscall.Setgroups(a.groups); err != nil {
		return err
	}
	if err := syscall.Setgid(a.gid); err != nil {
		return err
	}
	if err := syscall.Setuid(a.uid); err != nil {
		return err
	}
	return renounce()
}

// exists tells whether there is a user, by an error that says how to add it.
func exists(name string) error {
	_, err := lookup(name)
	return err
}
