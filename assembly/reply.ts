// Appends RESP to the reply arena, a block of the heap that grows. A command reserves before its first change, so
// that it can still refuse when there is no memory.
import { STATE_PROTOCOL, STATE_REPLY, STATE_REPLY_END, STATE_REPLY_LIMIT } from "./abi";
import { Bytes } from "./bytes";
import { renderDouble } from "./doubletext";
import { alloc, free, resize, roundUp } from "./heap";
import { render, width } from "./integers";

const FIRST_ROOM: u32 = 65536;
const DOUBLE: usize = memory.data(24);
/** Room for a head (`$` and a length) and the ends of lines. */
export const LINE_ROOM: u32 = 32;

export abstract class Reply {
  /** Room for `length` more bytes. */
  @inline static reserve(length: u32): bool {
    return length <= load<u32>(STATE_REPLY_LIMIT) - load<u32>(STATE_REPLY_END) || reserveReply(length);
  }
  @inline static end(): usize {
    return load<u32>(STATE_REPLY_END);
  }
  @inline static setEnd(at: usize): void {
    store<u32>(STATE_REPLY_END, <u32>at);
  }
  /** Bytes in the arena. */
  @inline static written(): u32 {
    return load<u32>(STATE_REPLY_END) - load<u32>(STATE_REPLY);
  }
  /** Takes back all but the first `length` bytes. */
  @inline static truncate(length: u32): void {
    store<u32>(STATE_REPLY_END, load<u32>(STATE_REPLY) + length);
  }
}

/** Makes room for `length` more bytes in the arena, which may move; false = no memory. */
export function reserveReply(length: u32): bool {
  const start = load<u32>(STATE_REPLY);
  const written = load<u32>(STATE_REPLY_END) - start;
  const room = load<u32>(STATE_REPLY_LIMIT) - start;
  if (length <= room - written) return true;
  const need = <u64>written + <u64>length;
  if (need > 0xf0000000) return false;
  const ahead = <u32>max(max(need, min(<u64>room * 2, <u64>room + 16777216)), <u64>FIRST_ROOM);
  return moveArena(written, ahead) || moveArena(written, <u32>need);
}

/** Gives the arena `size` bytes, of which the first `written` stay what they are; false = no memory, nothing changed. */
function moveArena(written: u32, size: u32): bool {
  const start = load<u32>(STATE_REPLY);
  const moved = start == 0 ? alloc(size) : resize(start, written, size);
  if (moved == 0) return false;
  store<u32>(STATE_REPLY, <u32>moved);
  store<u32>(STATE_REPLY_END, <u32>moved + written);
  store<u32>(STATE_REPLY_LIMIT, <u32>moved + roundUp(size));
  return true;
}

/** Empties the arena; one that has grown large is given back. */
export function resetReply(): void {
  const start = load<u32>(STATE_REPLY);
  store<u32>(STATE_REPLY_END, start);
  if (load<u32>(STATE_REPLY_LIMIT) - start <= 1048576) return;
  const fresh = alloc(FIRST_ROOM);
  if (fresh == 0) return;
  free(start);
  store<u32>(STATE_REPLY, <u32>fresh);
  store<u32>(STATE_REPLY_END, <u32>fresh);
  store<u32>(STATE_REPLY_LIMIT, <u32>fresh + FIRST_ROOM);
}

/** `$length`, the bytes, the line's end. Reserved before: length + LINE_ROOM. */
export function replyBulk(ptr: usize, length: u32): void {
  const at = head(0x24, length);
  Bytes.copy(at, ptr, length);
  store<u16>(at + length, 0x0a0d);
  Reply.setEnd(at + length + 2);
}

/** `:n`. Reserved before: LINE_ROOM. */
export function replyInteger(value: i64): void {
  const at = Reply.end();
  if (<u64>value < 10) {
    store<u32>(at, 0x0a0d003a | ((<u32>value + 48) << 8));
    return Reply.setEnd(at + 4);
  }
  store<u8>(at, 0x3a);
  const end = at + 1 + render(value, at + 1);
  store<u16>(end, 0x0a0d);
  Reply.setEnd(end + 2);
}

/** `*n`: n replies follow. Reserved before: LINE_ROOM. */
export function replyArray(length: u32): void {
  Reply.setEnd(head(0x2a, length));
}

/** A map of n pairs, which follow key by value: twice as long an array in RESP2. Reserved before: LINE_ROOM. */
export function replyMap(pairs: u32): void {
  Reply.setEnd(load<u32>(STATE_PROTOCOL) == 3 ? head(0x25, pairs) : head(0x2a, pairs << 1));
}

/** A set of n members, which follow: an array in RESP2. Reserved before: LINE_ROOM. */
export function replySet(length: u32): void {
  Reply.setEnd(head(load<u32>(STATE_PROTOCOL) == 3 ? 0x7e : 0x2a, length));
}

/** An integer as a bulk string. Reserved before: LINE_ROOM + 20. */
export function replyBulkInteger(value: i64): void {
  const length = width(value);
  const at = head(0x24, length);
  render(value, at);
  store<u16>(at + length, 0x0a0d);
  Reply.setEnd(at + length + 2);
}

/** A double: a bulk string, or in RESP3 a type of its own. Reserved before: LINE_ROOM. */
export function replyDouble(value: f64): void {
  if (load<u32>(STATE_PROTOCOL) != 3) return replyBulk(DOUBLE, renderDouble(value, DOUBLE));
  const at = Reply.end();
  store<u8>(at, 0x2c);
  const end = at + 1 + renderDouble(value, at + 1);
  store<u16>(end, 0x0a0d);
  Reply.setEnd(end + 2);
}

/** No array. Reserved before: LINE_ROOM. */
export function replyNullArray(): void {
  if (load<u32>(STATE_PROTOCOL) == 3) return replyNull();
  const at = Reply.end();
  store<u32>(at, 0x0d312d2a);
  store<u8>(at + 4, 0x0a);
  Reply.setEnd(at + 5);
}

/** No value. Reserved before: LINE_ROOM. */
export function replyNull(): void {
  const at = Reply.end();
  if (load<u32>(STATE_PROTOCOL) == 3) {
    store<u8>(at, 0x5f);
    store<u16>(at + 1, 0x0a0d);
    return Reply.setEnd(at + 3);
  }
  store<u32>(at, 0x0d312d24);
  store<u8>(at + 4, 0x0a);
  Reply.setEnd(at + 5);
}

/** `+OK`. Reserved before: LINE_ROOM. */
export function replyOk(): void {
  const at = Reply.end();
  store<u32>(at, 0x0d4b4f2b);
  store<u8>(at + 4, 0x0a);
  Reply.setEnd(at + 5);
}

function head(type: u8, length: u32): usize {
  const at = Reply.end();
  store<u8>(at, type);
  if (length < 10) {
    store<u8>(at + 1, <u8>(48 + length));
    store<u16>(at + 2, 0x0a0d);
    return at + 4;
  }
  const end = at + 1 + render(length, at + 1);
  store<u16>(end, 0x0a0d);
  return end + 2;
}
