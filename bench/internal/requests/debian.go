//go:build linux

package requests

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// A debian is Debian's nrpe, which serves.
type debian struct {
	*process
	nrpeAddress string
}

// nrpeConfig is what Debian's package has, but for the certificate, without which only
// anonymous suites are offered, and the queue, which has 5 places by default and drops
// connections of 64 clients.
const nrpeConfig = `
log_facility=daemon
debug=0
pid_file=%s
server_address=127.0.0.1
server_port=%s
nrpe_user=%s
nrpe_group=%s
allowed_hosts=127.0.0.1
dont_blame_nrpe=0
allow_bash_command_substitution=0
command_timeout=60
connection_timeout=300
listen_queue_size=1024
ssl_cert_file=%s
ssl_privatekey_file=%s
`

// debian starts one with commands, and waits until it answers one of them.
func (l *lab) debian(ctx context.Context, commands map[string]string, command string) (*debian, error) {
	address, err := free()
	if err != nil {
		return nil, err
	}
	name, group, err := l.hire()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	text := &strings.Builder{}
	fmt.Fprintf(text, nrpeConfig, l.file("nrpe.pid"), port, name, group, l.certificate.file, l.certificate.key)
	for command, line := range commands {
		fmt.Fprintf(text, "command[%s]=%s\n", command, line)
	}
	file := l.file("nrpe.cfg")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		return nil, err
	}
	d := &debian{nrpeAddress: address}
	if d.process, err = launch(l.file("nrpe.log"), l.nrpe, "-f", "-c", file); err != nil {
		return nil, err
	}
	if err := d.answers(ctx, nrpe(address, command)); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

// hire returns the user that nrpe becomes, who has to read the key: it refuses to be
// root.
func (l *lab) hire() (name, group string, err error) {
	if os.Getuid() != 0 {
		me, err := user.Current()
		if err != nil {
			return "", "", err
		}
		mine, err := user.LookupGroupId(me.Gid)
		if err != nil {
			return "", "", err
		}
		return me.Username, mine.Name, nil
	}
	nagios, err := user.Lookup("nagios")
	if err != nil {
		return "", "", err
	}
	uid, err := strconv.Atoi(nagios.Uid)
	if err != nil {
		return "", "", err
	}
	return "nagios", "nagios", os.Chown(l.certificate.key, uid, 0)
}
