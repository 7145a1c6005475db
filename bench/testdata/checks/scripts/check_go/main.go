// check_go prints an answer. With an argument it then stays for some time.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	fmt.Println("OK: module 0000 is well|time=1s;2;3")
	if len(os.Args) > 1 {
		time.Sleep(2 * time.Second)
	}
}
