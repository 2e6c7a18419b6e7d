// The arguments of the request at hand, from the argv table.
import { STATE_ARGC, STATE_ARGV, STATE_SLOT } from "./abi";

export abstract class Args {
  @inline static count(): u32 {
    return load<u32>(STATE_ARGC);
  }
  @inline static ptr(index: u32): usize {
    return load<u32>(load<u32>(STATE_ARGV) + (index << 3));
  }
  @inline static length(index: u32): u32 {
    return load<u32>(load<u32>(STATE_ARGV) + (index << 3), 4);
  }
  /** Slot of the first key, which the host had to know before it called. */
  @inline static slot(): u32 {
    return load<u32>(STATE_SLOT);
  }
}

/** Whether an argument is this word, whatever its case. `word` is ASCII in capitals, and like all literals static. */
export function isWord(index: u32, word: string): bool {
  const length = <u32>word.length;
  if (index >= Args.count() || Args.length(index) != length) return false;
  const ptr = Args.ptr(index);
  const capitals = changetype<usize>(word);
  for (let i: u32 = 0; i < length; i++) {
    let byte = <u32>load<u8>(ptr + i);
    if (byte - 97 < 26) byte -= 32;
    if (byte != load<u16>(capitals + (i << 1))) return false;
  }
  return true;
}
