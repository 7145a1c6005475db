// Network is a guest that speaks HTTP through /dev: each argument is a URL, all of
// which it fetches at once.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// dial opens the file that is a connection.
func dial(network string) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, _, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		// net.FileConn panics on what os.OpenFile returns.
		fd, err := syscall.Open("/dev/"+network+"/"+host+"/"+port, syscall.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		if err := syscall.SetNonblock(fd, true); err != nil {
			return nil, err
		}
		f := os.NewFile(uintptr(fd), address)
		defer f.Close()
		return net.FileConn(f)
	}
}

func fetch(client *http.Client, url string) string {
	response, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", string(body), " ", err))
}

func main() {
	client := &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{DialContext: dial("tcp"), DialTLSContext: dial("tls")},
	}
	answers := make([]chan string, len(os.Args)-1)
	for i, url := range os.Args[1:] {
		answers[i] = make(chan string, 1)
		go func() { answers[i] <- fetch(client, url) }()
	}
	for _, answer := range answers {
		fmt.Println(<-answer)
	}
}
