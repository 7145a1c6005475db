// work encodes, decodes, sorts, matches and digests a hundred kilobytes of JSON.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
)

type process struct {
	Name  string   `json:"name"`
	Pid   int      `json:"pid"`
	Ratio float64  `json:"cpu_ratio"`
	Args  []string `json:"args"`
}

func main() {
	var all []process
	for i := range 1000 {
		all = append(all, process{fmt.Sprintf("worker-%d", i*7919%1000), i, float64(i) / 1000, strings.Fields("serve --config /etc/worker.toml --verbose")})
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	var read []process
	if err := json.Unmarshal(text, &read); err != nil {
		panic(err)
	}
	sort.Slice(read, func(i, j int) bool { return read[i].Name < read[j].Name })
	matches := regexp.MustCompile(`"name":"worker-[0-9]*7","pid":[0-9]+`).FindAll(text, -1)
	fmt.Printf("%d %s %d %x\n", len(text), read[0].Name, len(matches), sha256.Sum256(text))
}
