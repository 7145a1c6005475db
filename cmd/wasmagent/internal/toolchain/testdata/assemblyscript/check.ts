// check is a run: main of index.ts, with the arguments of the run. The agent
// initialises the program once and keeps what came of that, so process.argv is
// filled anew.

import { args_get, args_sizes_get } from "@assemblyscript/wasi-shim/assembly/bindings/wasi_snapshot_preview1";
import { main } from "./index";

export function check(): i32 {
  const sizes = memory.data(8);
  args_sizes_get(sizes, sizes + 4);
  const places = new ArrayBuffer(4 * load<u32>(sizes)), text = new ArrayBuffer(load<u32>(sizes, 4));
  args_get(changetype<usize>(places), changetype<usize>(text));
  const words = String.UTF8.decode(text).split("\0"); // each word ends with a NUL
  process.argv.length = 0;
  for (let i = 0; i < words.length - 1; i++) process.argv.push(words[i]);
  return main();
}
