// check_memory says how much memory is in use. It alerts when that is more
// than a percentage of all the memory:
//
//     check_memory [-w PERCENT] [-c PERCENT]
//
// AssemblyScript has no functions for files: reading one is two calls of WASI.

import {
  errno, fd, fd_read, lookupflags, oflags, path_open, rights,
} from "@assemblyscript/wasi-shim/assembly/bindings/wasi_snapshot_preview1";

const ROOT: fd = 3; // the directory "/"

function unknown(reason: string): void {
  console.log("UNKNOWN: " + reason);
  process.exit(3);
}

// read returns the beginning of a file, 8 KiB of it. The path has no leading "/".
function read(path: string): string {
  const name = String.UTF8.encode(path);
  const file = memory.data(4);
  let error = path_open(ROOT, lookupflags.SYMLINK_FOLLOW, changetype<usize>(name), name.byteLength,
    0 as oflags, rights.FD_READ, 0 as rights, 0, file);
  if (error != errno.SUCCESS) unknown("/" + path + " cannot be opened, errno " + error.toString());
  const buffer = new ArrayBuffer(8192);
  const vector = memory.data(8), count = memory.data(4);
  store<usize>(vector, changetype<usize>(buffer));
  store<u32>(vector, buffer.byteLength, sizeof<usize>());
  error = fd_read(load<u32>(file), vector, 1, count);
  if (error != errno.SUCCESS) unknown("/" + path + " cannot be read, errno " + error.toString());
  return String.UTF8.decode(buffer.slice(0, load<u32>(count)));
}

// number finds the number of a key in a flat JSON document.
function number(json: string, key: string): f64 {
  const at = json.indexOf('"' + key + '":');
  if (at < 0) unknown("/host/memory lacks " + key);
  return parseFloat(json.substring(at + key.length + 3).trim());
}

export function main(): i32 {
  let warn: f64 = 80, crit: f64 = 90;
  for (let i = 1; i < process.argv.length; i += 2) {
    const value = i + 1 < process.argv.length ? parseFloat(process.argv[i + 1]) : NaN;
    if (process.argv[i] == "-w" && !isNaN(value)) warn = value;
    else if (process.argv[i] == "-c" && !isNaN(value)) crit = value;
    else unknown("usage: check_memory [-w PERCENT] [-c PERCENT]");
  }

  const json = read("host/memory");
  const percent = Math.round(number(json, "used_bytes") / number(json, "total_bytes") * 1000) / 10;
  const status = percent > crit ? 2 : percent > warn ? 1 : 0;
  const states = ["OK", "WARNING", "CRITICAL"];
  console.log(states[status] + ": " + percent.toString() + " % of memory is in use|used=" + percent.toString() +
    "%;" + warn.toString() + ";" + crit.toString() + ";0;100");
  return status;
}
