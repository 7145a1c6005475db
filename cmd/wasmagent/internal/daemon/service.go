package daemon

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/kardianos/service"
)

// Name is what the service is called.
const Name = "wasmagent"

// The texts that packages install as well.
var (
	//go:embed wasmagent.service
	unit string
	//go:embed wasmagent.openrc
	openrc string
	//go:embed wasmagent.sysusers
	sysusers string
)

// What the texts say of an agent from a package.
const (
	packaged     = "/usr/bin/wasmagent"
	packagedArgs = "--config /etc/wasmagent/config.toml serve"
)

// The platforms of package service for which there is more to do than it does.
const (
	systemd = "linux-systemd"
	openRC  = "linux-openrc"
)

// A Service is this program as the system's service manager knows it, whether or
// not it does. Its methods take the rights of an administrator.
type Service struct{ service.Service }

// New returns the service that runs this program with a configuration file; empty is
// none that is known by now.
func New(config string) (Service, error) {
	program, err := os.Executable()
	if err != nil {
		return Service{}, err
	}
	args := []string{"serve"}
	if config != "" {
		args = []string{"--config", config, "serve"}
	}
	for _, word := range append([]string{program}, args...) {
		if strings.ContainsAny(word, "\"'`$%\\ \t\n{}") && service.Platform() != "windows-service" {
			return Service{}, fmt.Errorf("%q cannot stand in the files of service managers; put it where the path has no blank and no special character", word)
		}
	}
	s, err := service.New(nothing{}, &service.Config{
		Name:        Name,
		DisplayName: "wasmagent",
		Description: "Monitoring agent whose checks run in a WebAssembly sandbox",
		Arguments:   args,
		Option: service.KeyValue{
			"SystemdScript": adapted(unit, program, args),
			"OpenRCScript":  adapted(openrc, program, args),
			"RunAtLoad":     true,
			"OnFailure":     "restart",
		},
	})
	return Service{s}, err
}

// adapted is a text that packages install, for another program and its arguments.
func adapted(text, program string, args []string) string {
	return strings.NewReplacer(packaged, program, packagedArgs, strings.Join(args, " ")).Replace(text)
}

// nothing is what package service would run. It is not asked to.
type nothing struct{}

func (nothing) Start(service.Service) error { return errors.ErrUnsupported }
func (nothing) Stop(service.Service) error  { return errors.ErrUnsupported }

// Install makes the service one that is started with the system, and the user that it
// runs as where systemd can. It does not start it.
func (s Service) Install() error {
	if err := s.absent(); err != nil {
		return err
	}
	if err := s.addUser(); err != nil {
		return err
	}
	if err := s.Service.Install(); err != nil {
		return errors.Join(err, s.undo())
	}
	return nil
}

// units are where packages have the units of systemd.
var units = [...]string{"/usr/lib/systemd/system/", "/lib/systemd/system/"}

// ownUnit is the unit that Install writes.
const ownUnit = "/etc/systemd/system/" + Name + ".service"

// absent refuses a service that is installed already.
func (s Service) absent() error {
	if s.Platform() == systemd {
		for _, dir := range units {
			if _, err := os.Stat(dir + Name + ".service"); err == nil {
				return fmt.Errorf("a package has installed the service already; run: systemctl enable --now %s", Name)
			}
		}
	}
	if _, err := s.status(); !errors.Is(err, service.ErrNotInstalled) {
		return errors.New("the service is installed already; to have another one, run: wasmagent service uninstall")
	}
	return nil
}

// undo removes what a failed installation has left.
func (s Service) undo() error {
	if s.Platform() != systemd {
		return nil
	}
	if err := os.Remove(ownUnit); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// addUser makes the user that the service runs as, or says how to.
func (s Service) addUser() error {
	if s.Platform() != systemd {
		return exists(DefaultUser)
	}
	command := exec.Command("systemd-sysusers", "-")
	command.Stdin = strings.NewReader(sysusers)
	if out, err := command.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("systemd-sysusers: %w: %s", err, out), exists(DefaultUser))
	}
	return nil
}

// Uninstall stops the service and takes it from the service manager. What it has
// kept stays.
func (s Service) Uninstall() error {
	status, err := s.status()
	if errors.Is(err, service.ErrNotInstalled) {
		return err
	}
	if status == service.StatusRunning {
		if err := s.Service.Stop(); err != nil {
			return err
		}
	}
	return s.Service.Uninstall()
}

// Running tells whether the service runs. It is an error if it is not installed, or
// has failed.
func (s Service) Running() (bool, error) {
	status, err := s.status()
	return status == service.StatusRunning, err
}

// ownScript is what Install writes for OpenRC, and packages install.
const ownScript = "/etc/init.d/" + Name

// status is how the service stands. OpenRC has one status for a service that it does
// not know and one that has failed.
func (s Service) status() (service.Status, error) {
	status, err := s.Service.Status()
	if err == nil || s.Platform() != openRC {
		return status, err
	}
	if _, missing := os.Stat(ownScript); errors.Is(missing, os.ErrNotExist) {
		return status, service.ErrNotInstalled
	}
	return status, fmt.Errorf("OpenRC: %w; see: rc-service %s status", err, Name)
}
