// Does what its first argument says, as the programs beside it do.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	_ "github.com/wasmagent/wasmagent/guest/reactor"
)

var calls int

func main() {
	calls++
	switch os.Args[1] {
	case "words":
		fmt.Printf("%d: %s\n", calls, strings.Join(os.Args[2:], "|"))
	case "exit":
		fmt.Println("exits")
		status, _ := strconv.Atoi(os.Args[2])
		os.Exit(status)
	case "input":
		io.Copy(os.Stdout, os.Stdin)
	case "complain":
		fmt.Fprintln(os.Stderr, "something is wrong")
		os.Exit(3)
	case "open":
		_, err := os.ReadFile("/absent")
		fmt.Println("open:", os.IsNotExist(err))
	case "give-up":
		fmt.Println("before")
		go panic("deliberate")
		select {}
	}
}
