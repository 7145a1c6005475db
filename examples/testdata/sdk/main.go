// Sdk is a check that uses one part of package guest inside the agent: its first
// word says which.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
	"github.com/wasmagent/wasmagent/guest/guesthttp"
)

func main() {
	var words []string
	guest.Plugin{
		Name: "check_sdk", Version: "1", About: "uses the SDK", Usage: "PART [WORD...]",
		Words: func(w []string) error { words = append(w, "", "", ""); return nil },
		Check: func(ctx context.Context) (check.Result, error) { return use(ctx, words[0], words[1], words[2]) },
	}.Main()
}

func use(ctx context.Context, part, a, b string) (r check.Result, err error) {
	r.State = check.StateOK
	switch part {
	case "facts":
		r.Text, err = facts()
	case "env":
		r.Text, err = guest.Env(a)
	case "command":
		return guest.Command(a, strings.Split(b, ",")...)
	case "udp":
		r.Text, err = udp(ctx, a, b)
	case "get":
		r.Text, err = get(a)
	case "peer":
		p, err := guest.PeerOf(ctx, a)
		text, _ := json.Marshal(p)
		r.Text = string(text)
		return r, err
	case "panic":
		panic(a)
	case "goroutine":
		go func() { panic(a) }()
		<-ctx.Done()
	}
	return r, err
}

// facts reads every fact, and compares what the types hold with the whole
// document.
func facts() (string, error) {
	for name, read := range map[string]func() (any, error){
		"cpu":         func() (any, error) { return guest.CPU() },
		"disks":       func() (any, error) { return guest.Disks() },
		"filesystems": func() (any, error) { return guest.Filesystems() },
		"load":        func() (any, error) { return guest.Load() },
		"memory":      func() (any, error) { return guest.Memory() },
		"network":     func() (any, error) { return guest.Network() },
		"os":          func() (any, error) { return guest.OS() },
		"processes":   func() (any, error) { return guest.Processes() },
		"sensors":     func() (any, error) { return guest.Sensors() },
		"services":    func() (any, error) { return guest.Services() },
		"swap":        func() (any, error) { return guest.Swap() },
		"uptime":      func() (any, error) { return guest.Uptime() },
		"users":       func() (any, error) { return guest.Users() },
	} {
		value, err := read()
		if err != nil {
			return "", err
		}
		if err := same(value, name); err != nil {
			return "", err
		}
	}
	return "all facts", nil
}

func same(value any, name string) error {
	text, err := os.ReadFile("/host/" + name)
	if err != nil {
		return err
	}
	again, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var is, want any
	if err := json.NewDecoder(bytes.NewReader(again)).Decode(&is); err != nil {
		return err
	}
	if err := json.Unmarshal(text, &want); err != nil {
		return err
	}
	if !reflect.DeepEqual(is, want) {
		return fmt.Errorf("%s is %s, read as %s", name, text, again)
	}
	return nil
}

// udp sends a datagram and returns the answer.
func udp(ctx context.Context, address, text string) (string, error) {
	conn, err := guest.Dial(ctx, "udp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	answer := make([]byte, 100)
	n, err := conn.Read(answer)
	return string(answer[:n]), err
}

// get fetches a page with net/http.
func get(url string) (string, error) {
	client := http.Client{Transport: guesthttp.Transport()}
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return fmt.Sprintf("%s %s", answer.Status, body), err
}
