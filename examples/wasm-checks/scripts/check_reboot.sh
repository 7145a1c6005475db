#!/bin/sh
# check_reboot tells whether an upgrade waits for a reboot (Debian, Ubuntu).
#
# A shell script is a process of the host, outside of the sandbox: it runs only
# where the operator granted "/exec/sh".

flag=/var/run/reboot-required

if [ -e "$flag" ]; then
	echo "REBOOT WARNING: a reboot is required by $(sort -u "$flag.pkgs" 2>/dev/null | tr '\n' ' ')|required=1;0"
	exit 1
fi
echo "REBOOT OK: no reboot is required|required=0;0"
