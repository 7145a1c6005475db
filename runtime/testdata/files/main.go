// Files is a guest that uses its file system through Go's library, as a check
// would, and prints what it finds.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

func main() {
	walk()
	read()
	write()
	fmt.Println("environment:", len(os.Environ()))
	fmt.Println("arguments:", len(os.Args), os.Args[len(os.Args)-1])
	input, err := io.ReadAll(os.Stdin)
	fmt.Println("input:", len(input), err)
	started := time.Now()
	time.Sleep(time.Millisecond)
	fmt.Println("clock:", started.Year() > 2023, time.Since(started) >= time.Millisecond)
	random := make([]byte, 16)
	rand.Read(random)
	fmt.Println("random:", string(random) != string(make([]byte, 16)))
	fmt.Fprintln(os.Stderr, "done")
	os.Exit(2)
}

// walk prints every file, with its size and mode.
func walk() {
	inodes := map[uint64]bool{}
	fs.WalkDir(os.DirFS("/"), ".", func(path string, d fs.DirEntry, err error) error {
		info, errInfo := d.Info()
		if err != nil || errInfo != nil {
			fmt.Println(path, err, errInfo)
			return nil
		}
		inodes[info.Sys().(*syscall.Stat_t).Ino] = true
		fmt.Println(path, info.Mode(), info.Size())
		return nil
	})
	fmt.Println("inodes:", len(inodes))
}

func read() {
	for _, path := range []string{"/data/two.txt", "data/../data/one.txt", "/host/memory", "/data", "/absent", "/etc/passwd", "/data/one.txt/x"} {
		text, err := os.ReadFile(path)
		fmt.Printf("%s: %q %v\n", path, text, err)
	}
	f, err := os.Open("/data/one.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	at, err := f.Seek(-4, io.SeekEnd)
	rest, _ := io.ReadAll(f)
	fmt.Println("from", at, string(rest), err)
	part := make([]byte, 5)
	n, err := f.ReadAt(part, 4)
	fmt.Println("at 4:", string(part[:n]), err)
	one, _ := f.Stat()
	two, _ := os.Stat("/data/two.txt")
	again, _ := os.Stat("data/deep/../one.txt")
	fmt.Println("same:", os.SameFile(one, again), os.SameFile(one, two), one.ModTime().UTC())
}

// write tries everything that would change the file system.
func write() {
	_, create := os.Create("/new")
	_, both := os.OpenFile("/data/one.txt", os.O_RDWR, 0)
	f, _ := os.Open("/data/one.txt")
	_, written := f.Write([]byte("x"))
	for _, row := range []struct {
		what string
		err  error
	}{
		{"create", create}, {"open", both}, {"write", written},
		{"write file", os.WriteFile("/data/one.txt", nil, 0o600)},
		{"truncate", os.Truncate("/data/one.txt", 0)}, {"ftruncate", f.Truncate(0)},
		{"mkdir", os.Mkdir("/new", 0o700)}, {"mkdir all", os.MkdirAll("/data/deep", 0o700)},
		{"remove", os.Remove("/data/one.txt")}, {"remove all", os.RemoveAll("/data")},
		{"rename", os.Rename("/data/one.txt", "/x")}, {"link", os.Link("/data/one.txt", "/x")},
		{"symlink", os.Symlink("/etc", "/x")}, {"chtimes", os.Chtimes("/data/one.txt", time.Now(), time.Now())},
	} {
		fmt.Printf("%s: %v, read-only %v\n", row.what, row.err, errors.Is(row.err, syscall.EROFS))
	}
}
