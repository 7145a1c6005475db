"""check.py prints an answer. With an argument it then stays for some time."""
import sys
import time

print("OK: module 0000 is well|time=1s;2;3", flush=True)
if len(sys.argv) > 1:
    time.sleep(2)
