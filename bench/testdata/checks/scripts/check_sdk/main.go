// check_sdk is a check on the SDK. With an argument it stays for some time.
package main

import (
	"context"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

func main() {
	var limits guest.Thresholds
	var stay time.Duration
	guest.Plugin{
		Name:    "check_sdk",
		Version: "1.0.0",
		About:   "prints an answer",
		Options: limits.Options("seconds"),
		Words: func(words []string) error {
			stay = time.Duration(len(words)) * 2 * time.Second
			return nil
		},
		Check: func(context.Context) (check.Result, error) {
			time.Sleep(stay)
			return check.Result{
				State: limits.State(1),
				Text:  "module 0000 is well",
				Perf:  []check.Perf{limits.Perf("time", 1, "s")},
			}, nil
		},
	}.Main()
}
