// check_memory compares the memory in use with two thresholds.
//
//	check_memory [-w PERCENT] [-c PERCENT]
//
// It needs the permission "/host/memory".
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	_ "github.com/wasmagent/wasmagent/guest/reactor" // each run begins after the initialisation
)

// memory is what this check reads of /host/memory.
type memory struct {
	TotalBytes uint64  `json:"total_bytes"`
	UsedBytes  uint64  `json:"used_bytes"`
	UsedRatio  float64 `json:"used_ratio"`
}

func main() {
	flags := flag.NewFlagSet("check_memory", flag.ContinueOnError)
	flags.SetOutput(os.Stdout)
	warn := flags.Float64("w", 80, "WARNING when more `percent` are in use")
	crit := flags.Float64("c", 90, "CRITICAL when more `percent` are in use")
	if flags.Parse(os.Args[1:]) != nil {
		os.Exit(3)
	}
	m, err := read("/host/memory")
	if err != nil {
		fmt.Println("MEMORY UNKNOWN:", err)
		os.Exit(3)
	}
	percent := 100 * m.UsedRatio
	status := level(percent, *warn, *crit)
	total := float64(m.TotalBytes)
	fmt.Printf("MEMORY %s: %.0f%% of %.1f GiB in use|memory=%dB;%.0f;%.0f;0;%d\n",
		[...]string{"OK", "WARNING", "CRITICAL"}[status], percent, total/(1<<30),
		m.UsedBytes, total**warn/100, total**crit/100, m.TotalBytes)
	os.Exit(status)
}

func read(file string) (m memory, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(data, &m)
}

func level(value, warn, crit float64) int {
	switch {
	case value > crit:
		return 2
	case value > warn:
		return 1
	}
	return 0
}
