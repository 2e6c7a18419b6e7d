// LPUSH, RPUSH, LPUSHX, RPUSHX, LPOP, RPOP and LLEN: what happens at the ends of a list.
import { REFUSED_ARITY, REFUSED_NOT_POSITIVE, REFUSED_OUT_OF_MEMORY } from "./abi";
import { Args } from "./args";
import { lookupWrite } from "./expiry";
import { hasRoom } from "./heap";
import { parse, parsed } from "./integers";
import { open, openToRead, openToWrite, replyOne, tellPop, tellPush } from "./listaccess";
import { ELEMENT_OVERHEAD } from "./listpackelement";
import { replyFromEnd } from "./listread";
import {
  List,
  createList,
  endElement,
  popElement,
  prepareRemoval,
  pushElement,
  removeElements,
} from "./listvalue";
import { LINE_ROOM, Reply, replyArray, replyInteger, replyNull, replyNullArray } from "./reply";
import { removeFound } from "./table";

/** Blocks from here on take pages of their own. */
const LARGE: u32 = 32768;

/** LPUSH key element [element ...] */
export function lpush(): i32 {
  return push(true, false);
}

/** RPUSH key element [element ...] */
export function rpush(): i32 {
  return push(false, false);
}

/** LPUSHX key element [element ...] */
export function lpushx(): i32 {
  return push(true, true);
}

/** RPUSHX key element [element ...] */
export function rpushx(): i32 {
  return push(false, true);
}

function push(atFront: bool, isForExisting: bool): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const key = Args.ptr(1);
  const keyLength = Args.length(1);
  const found = open(lookupWrite(Args.slot(), key, keyLength));
  if (found < 0) return found;
  if (found == 0 && isForExisting) {
    replyInteger(0);
    return 0;
  }
  const count = Args.count() - 2;
  const bytes = bytesToPush();
  if (count > 1 && !hasRoomToPush(bytes)) return REFUSED_OUT_OF_MEMORY;
  if (found == 0 && !createList(Args.slot(), key, keyLength, bytes)) return REFUSED_OUT_OF_MEMORY;
  for (let i: u32 = 2; i < count + 2; i++) {
    if (pushElement(Args.ptr(i), Args.length(i), atFront)) continue;
    if (List.count() == 0) removeFound(Args.slot());
    return REFUSED_OUT_OF_MEMORY;
  }
  tellPush(key, keyLength, atFront);
  replyInteger(List.count());
  return <i32>count;
}

/** Bytes the listpack of the elements in the request may take. */
function bytesToPush(): u32 {
  let bytes: u64 = ELEMENT_OVERHEAD;
  for (let i: u32 = 2; i < Args.count(); i++)
    bytes += <u64>Args.length(i) + (Args.length(i) < 64 ? 2 : ELEMENT_OVERHEAD);
  return <u32>min(bytes, <u64>0xffffffff);
}

/** Whether nodes for so many bytes of elements can be had for certain, seen before the first is pushed. */
export function hasRoomToPush(bytes: u32): bool {
  if (bytes < LARGE) return hasRoom(<f64>bytes * 3 + 16384, 65536);
  // Nodes of 64 KiB take a page more; the first becomes twice as long as needed while it grows.
  return hasRoom(<f64>bytes, <f64>bytes * 2 + 262144);
}

/** LPOP key [count] */
export function lpop(): i32 {
  return pop(true);
}

/** RPOP key [count] */
export function rpop(): i32 {
  return pop(false);
}

function pop(fromFront: bool): i32 {
  if (Args.count() > 3) return REFUSED_ARITY;
  const hasCount = Args.count() == 3;
  if (hasCount && !(parse(Args.ptr(2), Args.length(2)) && parsed >= 0)) return REFUSED_NOT_POSITIVE;
  const asked = hasCount ? parsed : 1;
  const found = openToWrite();
  if (found < 0) return found;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  if (found == 0) {
    if (hasCount) replyNullArray();
    else replyNull();
    return 0;
  }
  if (hasCount) {
    const count = <u32>min(asked, <i64>List.count());
    if (count == 0) {
      replyArray(0);
      return 0;
    }
    if (!popMany(count, fromFront)) return REFUSED_OUT_OF_MEMORY;
    tellPop(Args.slot(), Args.ptr(1), Args.length(1), fromFront);
    return <i32>count;
  }
  const at = endElement(fromFront);
  if (at == 0 || !replyOne(at)) return REFUSED_OUT_OF_MEMORY;
  popElement(fromFront);
  tellPop(Args.slot(), Args.ptr(1), Args.length(1), fromFront);
  return 1;
}

/** Replies `count` elements from one end of the list at hand and takes them out; false = no memory, nothing changed. */
export function popMany(count: u32, fromFront: bool): bool {
  const start = fromFront ? 0 : List.count() - count;
  const written = Reply.written();
  if (prepareRemoval(start, count) && replyFromEnd(count, fromFront)) {
    removeElements(start, count);
    return true;
  }
  Reply.truncate(written);
  return false;
}

/** LLEN key */
export function llen(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const found = openToRead();
  if (found < 0) return found;
  replyInteger(found == 0 ? 0 : List.count());
  return 0;
}
