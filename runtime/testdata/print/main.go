// Print is the smallest check in Go.
package main

import "fmt"

func main() { fmt.Println("OK - fine|load=1;2;3") }
