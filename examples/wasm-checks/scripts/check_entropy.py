#!/usr/bin/env python3
"""check_entropy looks at the entropy that the kernel has (Linux).

    check_entropy.py [-w BITS] [-c BITS]

A Python script is a process of the host, outside of the sandbox: it runs only
where the operator granted "/exec/python3".
"""

import argparse
import sys

POOL = "/proc/sys/kernel/random/entropy_avail"


class Parser(argparse.ArgumentParser):
    """Ends help and usage errors as a plugin does: UNKNOWN, on standard output."""

    def error(self, message):
        print(f"ENTROPY UNKNOWN: {message}")
        self.exit()

    def exit(self, status=0, message=None):
        sys.exit(3)


def main():
    parser = Parser(description="entropy available to the kernel")
    parser.add_argument("-w", "--warning", type=int, default=128, metavar="BITS")
    parser.add_argument("-c", "--critical", type=int, default=64, metavar="BITS")
    args = parser.parse_args()
    try:
        with open(POOL, encoding="ascii") as pool:
            bits = int(pool.read())
    except OSError as err:
        print(f"ENTROPY UNKNOWN: {err}")
        return 3
    status = 2 if bits < args.critical else 1 if bits < args.warning else 0
    name = ("OK", "WARNING", "CRITICAL")[status]
    print(f"ENTROPY {name}: {bits} bits|entropy={bits};{args.warning}:;{args.critical}:;0")
    return status


sys.exit(main())
