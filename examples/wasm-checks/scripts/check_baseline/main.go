// check_baseline compares the machine with /baseline.toml of this module's zip:
// the system that it should run, and the services that should run or be
// stopped. Every key of the file may be left out.
//
// It needs the permissions "/host/os" and "/host/services".
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	_ "github.com/wasmagent/wasmagent/guest/reactor" // each run begins after the initialisation
)

// baseline is the machine as it should be.
type baseline struct {
	OS struct {
		Names         []string `toml:"names"`         // such as "linux"
		Architectures []string `toml:"architectures"` // such as "amd64"
	} `toml:"os"`
	Services struct {
		Running []string `toml:"running"` // must run, where a service manager does
		Stopped []string `toml:"stopped"` // must not run
	} `toml:"services"`
}

// system is what this check reads of /host/os.
type system struct {
	Name         string `json:"name"`
	Architecture string `json:"architecture"`
}

// services is what this check reads of /host/services.
type services struct {
	Manager  string `json:"manager"`
	Services []struct {
		Name  string `json:"name"`
		State string `json:"state"`
	} `json:"services"`
}

func main() {
	deviations, err := check()
	switch {
	case err != nil:
		fmt.Println("BASELINE UNKNOWN:", err)
		os.Exit(3)
	case len(deviations) > 0:
		fmt.Printf("BASELINE CRITICAL: %s|deviations=%d;;0;0\n", strings.Join(deviations, ", "), len(deviations))
		os.Exit(2)
	}
	fmt.Println("BASELINE OK: the machine is as it should be|deviations=0;;0;0")
}

func check() (deviations []string, err error) {
	var want baseline
	if _, err := toml.DecodeFile("/baseline.toml", &want); err != nil {
		return nil, err
	}
	var is system
	var run services
	if err := read("/host/os", &is); err != nil {
		return nil, err
	}
	if err := read("/host/services", &run); err != nil {
		return nil, err
	}
	deviations = append(deviations, compare("system", is.Name, want.OS.Names)...)
	deviations = append(deviations, compare("architecture", is.Architecture, want.OS.Architectures)...)
	return append(deviations, run.deviations(want)...), nil
}

func read(file string, document any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, document)
}

func compare(what, is string, want []string) []string {
	if len(want) == 0 || slices.Contains(want, is) {
		return nil
	}
	return []string{fmt.Sprintf("%s is %q, not %s", what, is, strings.Join(want, " or "))}
}

// deviations compares the services. A machine without a service manager, such
// as a container, has none to compare.
func (s services) deviations(want baseline) (list []string) {
	if s.Manager == "" {
		return nil
	}
	running := map[string]bool{}
	for _, service := range s.Services {
		running[strings.TrimSuffix(service.Name, ".service")] = service.State == "running"
	}
	for _, name := range want.Services.Running {
		if !running[name] {
			list = append(list, name+" does not run")
		}
	}
	for _, name := range want.Services.Stopped {
		if running[name] {
			list = append(list, name+" runs")
		}
	}
	return list
}
