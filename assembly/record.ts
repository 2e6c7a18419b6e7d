// What replicas are told in place of a request: whole requests in RESP, one after the other, in a block that grows.
//
// A command that tells a record reserves room for it before its first change, and returns its changes with RECORDED.
import { STATE_RECORD_LENGTH, STATE_RECORD_PTR } from "./abi";
import { Bytes } from "./bytes";
import { alloc, free, resize, sizeOf } from "./heap";
import { render, width } from "./integers";

const FIRST_ROOM: u32 = 1024;
const KEPT_ROOM: u32 = 65536;
/** The most the head of a request or of an argument takes, with the ends of lines. */
export const RECORD_HEAD: u32 = 24;

let block: usize = 0;

abstract class At {
  @inline static end(): usize {
    return block + load<u32>(STATE_RECORD_LENGTH);
  }
  @inline static setEnd(at: usize): void {
    store<u32>(STATE_RECORD_LENGTH, <u32>(at - block));
  }
}

export abstract class Record {
  /** Forgets what was told; a block that has grown large is given back. */
  static begin(): void {
    store<u32>(STATE_RECORD_LENGTH, 0);
    if (block == 0 || sizeOf(block) <= KEPT_ROOM) return;
    free(block);
    block = 0;
  }
  /** Room for `length` more bytes; RECORD_HEAD for each request and each argument, besides their bytes. */
  static reserve(length: u32): bool {
    const written = load<u32>(STATE_RECORD_LENGTH);
    const need = max(written + length, FIRST_ROOM);
    if (block != 0 && need <= sizeOf(block)) return true;
    const moved = block == 0 ? alloc(need) : resize(block, written, max(need, sizeOf(block) * 2));
    if (moved == 0) return false;
    block = moved;
    store<u32>(STATE_RECORD_PTR, <u32>moved);
    return true;
  }
  /** A request of `argc` arguments, its name included, which follow. */
  static request(argc: u32): void {
    At.setEnd(head(0x2a, argc));
  }
  static bytes(ptr: usize, length: u32): void {
    const at = head(0x24, length);
    Bytes.copy(at, ptr, length);
    store<u16>(at + length, 0x0a0d);
    At.setEnd(at + length + 2);
  }
  /** A word of up to eight characters, the first in the lowest byte. */
  static word(text: u64): void {
    const length: u32 = 8 - <u32>(clz(text) >> 3);
    const at = head(0x24, length);
    store<u64>(at, text);
    store<u16>(at + length, 0x0a0d);
    At.setEnd(at + length + 2);
  }
  static integer(value: i64): void {
    const length = width(value);
    const at = head(0x24, length);
    render(value, at);
    store<u16>(at + length, 0x0a0d);
    At.setEnd(at + length + 2);
  }
}

function head(type: u8, length: u32): usize {
  const at = At.end();
  store<u8>(at, type);
  const end = at + 1 + render(length, at + 1);
  store<u16>(end, 0x0a0d);
  return end + 2;
}
