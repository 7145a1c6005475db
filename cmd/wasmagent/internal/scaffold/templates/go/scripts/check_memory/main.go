// check_memory says how much memory is in use. It alerts when that is more than
// a percentage of all the memory:
//
//	check_memory [-w PERCENT] [-c PERCENT]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	flags := flag.NewFlagSet("check_memory", flag.ContinueOnError)
	warn := flags.Float64("w", 80, "WARNING above this `percentage`")
	crit := flags.Float64("c", 90, "CRITICAL above this `percentage`")
	if flags.Parse(os.Args[1:]) != nil {
		os.Exit(3) // UNKNOWN; the flag package has said why
	}
	used, total, err := memory()
	if err != nil {
		fmt.Println("UNKNOWN:", err)
		os.Exit(3)
	}
	percent := used / total * 100
	state, status := "OK", 0
	if percent > *warn {
		state, status = "WARNING", 1
	}
	if percent > *crit {
		state, status = "CRITICAL", 2
	}
	fmt.Printf("%s: %.1f %% of memory is in use|used=%.1f%%;%g;%g;0;100\n", state, percent, percent, *warn, *crit)
	os.Exit(status)
}

// memory reads the agent's document about the machine's memory, in bytes.
func memory() (used, total float64, err error) {
	text, err := os.ReadFile("/host/memory")
	if err != nil {
		return 0, 0, err
	}
	var m struct {
		Total float64 `json:"total_bytes"`
		Used  float64 `json:"used_bytes"`
	}
	err = json.Unmarshal(text, &m)
	return m.Used, m.Total, err
}
