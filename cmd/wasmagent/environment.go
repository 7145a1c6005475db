package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/internal/private"
	"github.com/wasmagent/wasmagent/runtime"
)

// maxValue is the largest value of /env in bytes.
const maxValue = 64 << 10

// environment makes the files below /env. A value is looked up when it is read, so
// that a secret can be replaced while the agent runs.
func environment(values config.Values) map[string]runtime.Document {
	files := map[string]runtime.Document{}
	for name, v := range values {
		files[name] = func(context.Context) ([]byte, error) { return value(v) }
	}
	return files
}

// value looks a value up. No error shows it.
func value(v config.Value) ([]byte, error) {
	switch {
	case v.File != "":
		return secret(v.File)
	case v.Env != "":
		text, set := os.LookupEnv(v.Env)
		if !set {
			return nil, fmt.Errorf("the agent's environment has no variable %s; set it where the agent is started", v.Env)
		}
		return []byte(text), nil
	}
	return []byte(v.Text), nil
}

// secret reads a file without the line break at its end.
func secret(file string) ([]byte, error) {
	text, err := private.Read(file, maxValue, nil)
	if err == nil && len(text) > maxValue {
		err = fmt.Errorf("%s: is larger than the %d bytes that a value can have", file, maxValue)
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r")), err
}
