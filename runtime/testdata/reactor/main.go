// A check that shows what its run has, and leaves behind what it can for the next.
package main

import (
	crand "crypto/rand"
	"flag"
	"fmt"
	"io"
	"math/rand"
	randv2 "math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	_ "github.com/wasmagent/wasmagent/guest" // as most checks in Go
)

// What is computed before main.
var (
	number   = rand.Uint64()
	words    = strings.Fields("one two three")
	known    = map[string]int{"one": 1, "two": 2}
	once     sync.Once
	calls    int
	requests = make(chan int)
	answers  = make(chan int)
)

// A goroutine that is there before main.
func init() {
	go func() {
		for n := range requests {
			answers <- 2 * n
		}
	}()
}

func main() {
	show := map[string]func(){
		"args": args, "random": random, "number": func() { fmt.Println(number) }, "state": state, "clock": clock,
		"goroutines": goroutines, "memory": memory, "input": input, "files": files, "flags": flags,
	}
	show[os.Args[1]]()
}

func args() { fmt.Printf("%q\n", os.Args) }

// random prints one line of each kind of randomness.
func random() {
	secret := make([]byte, 8)
	crand.Read(secret)
	order := map[int]bool{}
	for i := range 100 {
		order[i] = true
	}
	var keys []int
	for key := range order {
		keys = append(keys, key)
	}
	fmt.Printf("%d\n%d\n%x\n%d\n%d\n", rand.Uint64(), randv2.Uint64(), secret, keys, rand.Perm(20))
}

// state prints all that a run before could have changed, and changes it.
func state() {
	first := false
	once.Do(func() { first = true })
	directory, _ := os.Getwd()
	fmt.Println(calls, words, known, first, os.Getenv("LEFT"), directory, len(os.Args))
	calls++
	words[0] = "left"
	known["left"] = 3
	os.Setenv("LEFT", "left")
	os.Chdir("/data")
	os.Args = append(os.Args, "left")
}

// clock prints the time of day, and how long a sleep was.
func clock() {
	before := time.Now()
	time.Sleep(2 * time.Millisecond)
	fmt.Println(before.UnixNano(), time.Since(before).Nanoseconds())
}

func goroutines() {
	requests <- 21
	fmt.Println(<-answers)
	var lock sync.Mutex
	var group sync.WaitGroup
	sum := 0
	for i := range 100 {
		group.Go(func() {
			time.Sleep(time.Duration(i%3) * time.Millisecond)
			lock.Lock()
			defer lock.Unlock()
			sum += i
		})
	}
	group.Wait()
	select {
	case <-time.After(time.Millisecond):
		fmt.Println(sum)
	case <-answers:
	}
}

// memory makes garbage, and looks whether what is needed stays.
func memory() {
	var kept [][]byte
	for i := range 2000 {
		block := slices.Repeat([]byte{byte(i)}, 10_000)
		if i%100 == 0 {
			kept = append(kept, block)
		}
	}
	runtime.GC()
	sum := 0
	for _, block := range kept {
		for _, b := range block {
			sum += int(b)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println(sum, m.NumGC > 1, m.HeapAlloc < 10_000_000)
}

func input() {
	data, err := io.ReadAll(os.Stdin)
	fmt.Printf("%q %v\n", data, err)
}

// files opens a file, leaves it open, and prints its descriptor.
func files() {
	f, err := os.Open("/data/one.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := io.ReadAll(f)
	fmt.Printf("%d %q %v\n", f.Fd(), data, err)
	runtime.KeepAlive(f)
}

func flags() {
	n := flag.Int("n", 1, "a number")
	flag.CommandLine.Parse(os.Args[2:])
	fmt.Println(*n, flag.Args())
}
