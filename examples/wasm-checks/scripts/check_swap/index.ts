// check_swap compares the swap space in use with two thresholds.
//
//   check_swap [-w PERCENT] [-c PERCENT]     50 and 80 unless told
//
// AssemblyScript has no file API of its own: reading a file is two WASI calls.

import {
  errno, fd, fd_read, iovec, lookupflags, oflags, path_open, rights,
} from "@assemblyscript/wasi-shim/assembly/bindings/wasi_snapshot_preview1";

const ROOT: fd = 3; // the only descriptor that a script starts with: "/"

function fail(message: string): void {
  console.log("SWAP UNKNOWN: " + message);
  process.exit(3);
}

function read(path: string): string {
  const name = String.UTF8.encode(path);
  const file = memory.data(4);
  let err = path_open(ROOT, lookupflags.SYMLINK_FOLLOW, changetype<usize>(name), name.byteLength,
    0 as oflags, rights.FD_READ, 0 as rights, 0, file);
  if (err != errno.SUCCESS) fail("/" + path + " cannot be opened (errno " + err.toString() + "): is it granted?");
  const buffer = new ArrayBuffer(4096);
  const vector = memory.data(8), count = memory.data(4);
  store<usize>(vector, changetype<usize>(buffer));
  store<u32>(vector, buffer.byteLength, sizeof<usize>());
  err = fd_read(load<u32>(file), vector, 1, count);
  if (err != errno.SUCCESS) fail("/" + path + " cannot be read (errno " + err.toString() + ")");
  return String.UTF8.decode(buffer.slice(0, load<u32>(count)));
}

// number finds the number of a key in a flat JSON document.
function number(json: string, key: string): f64 {
  const at = json.indexOf('"' + key + '":');
  if (at < 0) fail("no " + key + " in /host/swap");
  return parseFloat(json.substring(at + key.length + 3).trim());
}

export function main(): i32 {
  let warn = 50.0, crit = 80.0;
  const args = process.argv;
  for (let i = 1; i < args.length; i += 2) {
    const value = i + 1 < args.length ? parseFloat(args[i + 1]) : NaN;
    if (isNaN(value) || (args[i] != "-w" && args[i] != "-c")) fail("usage: check_swap [-w PERCENT] [-c PERCENT]");
    if (args[i] == "-w") warn = value;
    else crit = value;
  }

  const swap = read("host/swap");
  const total = number(swap, "total_bytes");
  const used = number(swap, "used_bytes");
  const percent = total > 0 ? Math.round(used / total * 1000) / 10 : 0;

  let status = percent > crit ? 2 : percent > warn ? 1 : 0;
  const names = ["OK", "WARNING", "CRITICAL"];
  console.log("SWAP " + names[status] + ": " + percent.toString() + "% in use|swap=" + percent.toString() +
    "%;" + warn.toString() + ";" + crit.toString() + ";0;100");
  return status;
}
