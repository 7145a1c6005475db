// Package codecache keeps compiled code on disk between runs of the agent.
//
// What is in the cache is executed as it is, so whoever can write there runs code
// in the agent. Open therefore refuses a directory that is not the agent's alone
// (internal/private).
//
// An entry is a directory of files and a checksum over all of them and over its
// key. It appears whole, by being renamed into place; an entry that is damaged,
// truncated, foreign or under another's key is removed when it is looked for. So
// whatever happens to the cache costs a compilation and nothing else.
//
// Several goroutines and processes may share a cache.
package codecache

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
	"github.com/wasmagent/wasmagent/internal/private"
)

const (
	// Unused is how long an entry is kept that nobody used.
	Unused = 30 * 24 * time.Hour
	// abandoned is how old a draft is whose maker has crashed.
	abandoned = 24 * time.Hour

	// The names in the cache's directory and in an entry.
	draftPrefix  = "draft-"
	codeName     = "code"
	checksumName = "checksum"
)

// keys are the keys of entries: 32 bytes in lower-case hex.
var keys = lazyregexp.New("^[0-9a-f]{64}$")

// A Cache is a directory of compiled code.
type Cache struct{ dir string }

// Open opens the cache in dir and creates it if it is missing. It removes the
// entries that have not been used for the time Unused.
func Open(dir string) (*Cache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cache directory: %w", err)
	}
	if err := private.Dir(dir); err != nil {
		return nil, fmt.Errorf("cache directory %s: %w", dir, err)
	}
	c := &Cache{dir}
	return c, c.prune(time.Now())
}

// Find returns the directory of the code under key, and notes that it was used.
// The error is fs.ErrNotExist if there is none; any other says what was wrong
// with the entry, which has been removed.
func (c *Cache) Find(key string) (string, error) {
	entry := c.entry(key)
	if !exists(entry) { // an entry comes whole, so that what is missing later is damage
		return "", fs.ErrNotExist
	}
	if err := verify(key, entry); err != nil {
		return "", errors.Join(fmt.Errorf("damaged: %w", err), c.Remove(key))
	}
	now := time.Now()
	_ = os.Chtimes(entry, now, now) // else it is compiled anew, some day
	return filepath.Join(entry, codeName), nil
}

// verify compares an entry with its checksum.
func verify(key, entry string) error {
	want, err := readChecksum(entry)
	if err != nil {
		return err
	}
	sum, err := checksum(key, filepath.Join(entry, codeName))
	if err == nil && subtle.ConstantTimeCompare(want, sum) != 1 {
		err = errors.New("the checksum is wrong")
	}
	return err
}

// readChecksum reads the checksum of an entry, which must be a directory and hold one
// as a file: opening a named pipe, say, would wait for a writer.
func readChecksum(entry string) ([]byte, error) {
	name := filepath.Join(entry, checksumName)
	dir, err := os.Lstat(entry)
	if err != nil {
		return nil, err
	}
	file, err := os.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case !dir.IsDir() || !file.Mode().IsRegular() || file.Size() != sha256.Size:
		return nil, fmt.Errorf("%s is no checksum", name)
	}
	return os.ReadFile(name)
}

// Remove removes an entry, if there is one.
func (c *Cache) Remove(key string) error { return os.RemoveAll(c.entry(key)) }

func (c *Cache) entry(key string) string { return filepath.Join(c.dir, key) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// A Draft is an entry that is being made.
type Draft struct {
	cache *Cache
	dir   string
}

// Draft begins an entry. Discard must be called in the end.
func (c *Cache) Draft() (*Draft, error) {
	dir, err := os.MkdirTemp(c.dir, draftPrefix)
	if err != nil {
		return nil, err
	}
	d := &Draft{c, dir}
	if err := os.Mkdir(d.Dir(), 0o700); err != nil {
		d.Discard()
		return nil, err
	}
	return d, nil
}

// Dir is the directory to put the code in.
func (d *Draft) Dir() string { return filepath.Join(d.dir, codeName) }

// Publish makes the draft the entry under key. It is no error that another
// process was first.
func (d *Draft) Publish(key string) error {
	sum, err := checksum(key, d.Dir())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, checksumName), sum, 0o600); err != nil {
		return err
	}
	if err := os.Rename(d.dir, d.cache.entry(key)); err != nil && !exists(d.cache.entry(key)) {
		return err
	}
	return nil
}

// Discard removes what was not published. What it cannot remove is pruned later.
func (d *Draft) Discard() { _ = os.RemoveAll(d.dir) }

// checksum covers the key, and the name, the size and the bytes of every file in
// dir. There must be one, and nothing but files and directories.
func checksum(key, dir string) ([]byte, error) {
	sum, files := sha256.New(), 0
	fmt.Fprintf(sum, "%s\n", key)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file", path)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files++
		return hashFile(sum, filepath.ToSlash(name), path)
	})
	if err == nil && files == 0 {
		err = errors.New("there is no code")
	}
	return sum.Sum(nil), err
}

func hashFile(sum io.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	content := sha256.New()
	size, err := io.Copy(content, f)
	fmt.Fprintf(sum, "%q %d %s\n", name, size, hex.EncodeToString(content.Sum(nil)))
	return err
}

// prune removes what has not been used for long. It leaves alone what it does not
// know.
func (c *Cache) prune(now time.Time) error {
	list, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("cache directory: %w", err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			continue // another process removed it
		}
		if age := now.Sub(info.ModTime()); age > lifetime(e.Name()) {
			_ = os.RemoveAll(filepath.Join(c.dir, e.Name())) // or the next time
		}
	}
	return nil
}

// lifetime is how long what has this name is kept.
func lifetime(name string) time.Duration {
	switch {
	case keys().MatchString(name):
		return Unused
	case strings.HasPrefix(name, draftPrefix):
		return abandoned
	}
	return math.MaxInt64
}
