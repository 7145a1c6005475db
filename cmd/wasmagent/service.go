package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/daemon"
)

func (a *app) serviceCommand() *cobra.Command {
	service := &cobra.Command{
		Use:   "service",
		Short: "Install, start and stop the agent as a service of this system",
		Long: `Service makes this program a service of systemd, OpenRC, launchd, FreeBSD's rc or
Windows, which runs "wasmagent serve". A package does that by itself. It takes
the rights of an administrator.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return errors.New("which command? " + seeHelp(cmd)) },
	}
	service.AddCommand(
		a.serviceAction("install", "Install the service, to be started with the system", `Install makes this program, where it lies now, a service that is started with the
system, and on systemd the user wasmagent, whom it runs as. The service reads the
configuration that this command finds. It is not started by that.`, daemon.Service.Install, "installed; to start it: wasmagent service start"),
		a.serviceAction("start", "Start the service", "", daemon.Service.Start, "started"),
		a.serviceAction("stop", "Stop the service", "", daemon.Service.Stop, "stopped"),
		a.serviceAction("uninstall", "Stop and remove the service", `Uninstall stops the service and takes it from the system. The configuration and
what modules have kept stay.`, daemon.Service.Uninstall, "uninstalled"),
		a.serviceStatusCommand())
	return service
}

// serviceAction is a command that does something with the service.
func (a *app) serviceAction(name, short, long string, act func(daemon.Service) error, done string) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Long:  long,
		Args:  cobra.NoArgs,
		RunE: do(func(context.Context, []string) error {
			service, err := a.service()
			if err != nil {
				return err
			}
			if err := act(service); err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, done)
			return err
		}),
	}
}

func (a *app) serviceStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say whether the service runs",
		Long: `Status prints "running" and ends with 0, or prints "stopped" and ends with 2. If the
service is not installed, or has failed, it says so and ends with 3.`,
		Args: cobra.NoArgs,
		RunE: do(func(context.Context, []string) error {
			service, err := a.service()
			if err != nil {
				return err
			}
			running, err := service.Running()
			if err != nil {
				return err
			}
			if running {
				_, err = fmt.Fprintln(a.stdout, "running")
				return err
			}
			a.status = check.StateCritical.ExitStatus()
			_, err = fmt.Fprintln(a.stdout, "stopped")
			return err
		}),
	}
}

// service is the service with the configuration that the flags and the environment
// name.
func (a *app) service() (daemon.Service, error) {
	file, err := config.Find(a.configFile)
	if err == nil && file != "" {
		file, err = filepath.Abs(file)
	}
	if err != nil {
		return daemon.Service{}, err
	}
	return daemon.New(file)
}
