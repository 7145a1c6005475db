// check_ok prints what the smallest check prints.
package main

import "fmt"

func main() { fmt.Println("OK: all is well|time=1s;2;3") }
