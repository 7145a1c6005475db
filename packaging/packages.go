package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/apk"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

// A format is a kind of packages.
type format struct {
	packager nfpm.Packager
	service  []file       // what makes the agent a service
	scripts  nfpm.Scripts // what is run when the package comes and goes
	depends  []string
}

// description is what package managers show.
const description = `Monitoring agent whose checks run in a WebAssembly sandbox
Answers NRPE, the REST API of NSClient++ and Prometheus. Checks travel as zip
modules, and reach what they are granted and nothing else.`

// formats are those that are built for Linux.
func (r release) formats() []format {
	systemd := []file{
		{name: "usr/lib/systemd/system/wasmagent.service", from: r.text("wasmagent.service"), mode: 0o644},
		{name: "usr/lib/sysusers.d/wasmagent.conf", from: r.text("wasmagent.sysusers"), mode: 0o644},
	}
	openrc := []file{{name: "etc/init.d/wasmagent", from: r.text("wasmagent.openrc"), mode: 0o755}}
	return []format{
		{deb.Default, systemd, r.scripts("deb", false), []string{"systemd"}},
		{rpm.DefaultRPM, systemd, r.scripts("rpm", false), []string{"systemd"}},
		{apk.Default, openrc, r.scripts("apk", true), nil},
	}
}

// text is a file that the agent also has within it, for "wasmagent service install".
func (r release) text(name string) string {
	return filepath.Join(r.source, "cmd", "wasmagent", "internal", "daemon", name)
}

// scripts are those of a format, of which some make the user before files come that
// could be its own.
func (r release) scripts(format string, before bool) nfpm.Scripts {
	script := func(name string) string {
		return filepath.Join(r.source, "packaging", "scripts", format+"."+name)
	}
	s := nfpm.Scripts{PostInstall: script("postinst"), PreRemove: script("prerm"), PostRemove: script("postrm")}
	if before {
		s.PreInstall = script("preinst")
	}
	return s
}

// packages writes the packages for a target.
func (r release) packages(t target, agent string, completions []file) (made []string, err error) {
	documents, err := r.documents("usr/share/doc/wasmagent")
	if err != nil {
		return nil, err
	}
	common := append(append(documents, completions...), file{name: "usr/bin/wasmagent", from: agent, mode: 0o755}, file{name: "etc/wasmagent/modules", mode: 0o755})
	for _, f := range r.formats() {
		name, err := r.pack(t, f, append(f.service, common...))
		if err != nil {
			return nil, err
		}
		made = append(made, name)
	}
	return made, nil
}

// pack writes one package.
func (r release) pack(t target, f format, list []file) (name string, err error) {
	info := nfpm.WithDefaults(&nfpm.Info{
		Name:            "wasmagent",
		Arch:            t.arch,
		Platform:        t.system,
		Version:         r.version,
		Release:         "1",
		Section:         "net",
		Priority:        "optional",
		Maintainer:      "The wasmagent project <wasmagent@users.noreply.github.com>",
		Description:     description,
		Homepage:        "https://github.com/wasmagent/wasmagent",
		DisableGlobbing: true,
		MTime:           r.time,
		Overridables: nfpm.Overridables{
			Contents: r.contents(list),
			Depends:  f.depends,
			Scripts:  f.scripts,
			RPM:      nfpm.RPM{BuildHost: "localhost", Summary: "Monitoring agent whose checks run in a WebAssembly sandbox"},
			APK:      nfpm.APK{Scripts: nfpm.APKScripts{PostUpgrade: filepath.Join(r.source, "packaging", "scripts", "apk.postupgrade")}},
		},
	})
	name = f.packager.ConventionalFileName(info)
	if err := nfpm.PrepareForPackager(info, filepath.Ext(name)[1:]); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return name, r.create(name, func(w io.Writer) error { return f.packager.Package(info, w) })
}

// contents are files as packages have them, with the configuration, which an
// upgrade leaves as it is.
func (r release) contents(list []file) (contents files.Contents) {
	for _, f := range sorted(list) {
		c := &files.Content{Source: f.from, Destination: "/" + f.name, FileInfo: &files.ContentFileInfo{Mode: f.mode, MTime: r.time}}
		if f.from == "" {
			c.Type = files.TypeDir
		}
		contents = append(contents, c)
	}
	return append(contents, &files.Content{
		Source: r.config(), Destination: "/etc/wasmagent/config.toml", Type: files.TypeConfigNoReplace,
		FileInfo: &files.ContentFileInfo{Mode: 0o640, MTime: r.time},
	})
}
