// Does what its first argument says, as the programs beside it do.

import { errno, fd, lookupflags, oflags, path_open, rights } from "@assemblyscript/wasi-shim/assembly/bindings/wasi_snapshot_preview1";

let calls = 0;

export function main(): i32 {
  calls++;
  const words = process.argv;
  if (words[1] == "words") {
    console.log(calls.toString() + ": " + words.slice(2).join("|"));
  } else if (words[1] == "exit") {
    console.log("exits");
    return i32(parseInt(words[2]));
  } else if (words[1] == "input") {
    const buffer = new ArrayBuffer(100);
    const n = process.stdin.read(buffer);
    process.stdout.write(buffer.slice(0, n));
  } else if (words[1] == "complain") {
    process.stderr.write("something is wrong\n");
    process.exit(3);
  } else if (words[1] == "open") {
    const name = String.UTF8.encode("absent");
    const error = path_open(3 as fd, 0 as lookupflags, changetype<usize>(name), name.byteLength, 0 as oflags, rights.FD_READ, 0 as rights, 0, memory.data(4));
    console.log("open: " + (error == errno.NOENT).toString());
  } else if (words[1] == "give-up") {
    console.log("before");
    assert(false, "deliberate");
  }
  return 0;
}
