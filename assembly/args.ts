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
