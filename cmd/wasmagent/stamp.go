package main

import (
	"io/fs"
	"os"
	"reflect"
	"time"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/trust"
)

// A stamp tells whether a zip that was read is still what a path has, with the same
// signature beside it, and whether it would be judged by the same rules. The zero stamp
// is that of nothing.
type stamp struct {
	zip, signature fs.FileInfo // signature is nil if there is none
	policy         trust.Policy
	pin            trust.Digest
	limits         policy.Limits
}

// stamp is that of the zip at a path now.
func (l *library) stamp(path string) stamp {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return stamp{}
	}
	entry, _ := l.config.Module(moduleName(path))
	s := stamp{zip: info, policy: l.config.Trust, pin: entry.Pin, limits: entry.Limits}
	if s.signature, err = os.Stat(path + trust.Extension); err != nil {
		s.signature = nil
	}
	s.same(s) // has Windows look at the files now
	return s
}

// same tells whether nothing has changed between two stamps.
func (s stamp) same(other stamp) bool {
	return s.zip != nil && other.zip != nil && sameFile(s.zip, other.zip) &&
		(s.signature == nil) == (other.signature == nil) && (s.signature == nil || sameFile(s.signature, other.signature)) &&
		s.pin == other.pin && s.limits == other.limits && reflect.DeepEqual(s.policy, other.policy)
}

func sameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// coarse is the coarsest that a file system is about the time of a file, with room to
// spare: FAT counts in two seconds.
const coarse = 3 * time.Second

// old tells whether a change of the files from now on would give them another time.
func (s stamp) old(now time.Time) bool {
	return s.zip != nil && now.Sub(s.zip.ModTime()) > coarse && (s.signature == nil || now.Sub(s.signature.ModTime()) > coarse)
}

// unchanged is the module at a path, if it was read and nothing has changed since then.
func (l *library) unchanged(path string) (found, bool) {
	name, now := fold(moduleName(path)), l.stamp(path)
	l.lock.Lock()
	defer l.lock.Unlock()
	f, ok := l.modules[name]
	if !ok {
		f, ok = l.before[name]
	}
	if l.lenient || !ok || f.path != path || !f.stamp.same(now) {
		return found{}, false
	}
	l.modules[name], l.rulings[name] = f, f.ruling
	return f, true
}

// keep has a module that was read not be read again, if it was the same file from
// before it was read until now.
func (l *library) keep(name, path string, before stamp) {
	now := l.stamp(path)
	if !now.same(before) || !now.old(time.Now()) {
		return
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	f := l.modules[fold(name)]
	f.stamp, f.ruling = now, l.rulings[fold(name)]
	l.modules[fold(name)] = f
}
