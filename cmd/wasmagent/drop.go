package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/daemon"
)

// unprivileged is the configuration of an agent that is to run as no more than a
// configuration says. If root has started it, and it is to be another user, this
// process becomes one of that user, and the function does not return.
func (a *app) unprivileged() (config.Config, error) {
	c, err := a.configuration()
	if err != nil {
		return c, err
	}
	account, found, err := daemon.Unprivileged(c.User)
	if err != nil || !found {
		return c, err
	}
	if c.Native.User != "" {
		return c, errors.New(`native.user: only an agent that runs as root can start processes as another user; set user = "root" in config.toml, or leave native.user out`)
	}
	if err := account.Settle(); err != nil {
		return c, err
	}
	if c, err = a.configuration(); err != nil {
		return c, err
	}
	return c, fmt.Errorf("giving up the rights of root: %w", account.Become(own(c)))
}

// own are the directories that an agent writes to.
func own(c config.Config) []string {
	list := []string{c.Directories.Data, c.Directories.State, c.Directories.Cache, c.Directories.Scratch}
	for _, file := range []string{c.Audit.Path, c.Events.Path} {
		if file != "" {
			list = append(list, filepath.Dir(file))
		}
	}
	return list
}
