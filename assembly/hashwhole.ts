// Commands that read whole hashes.
import { REFUSED_OUT_OF_MEMORY, REFUSED_WRONG_TYPE } from "./abi";
import { Args } from "./args";
import { Entry } from "./entry";
import { lookupRead } from "./expiry";
import { countFields, isHash, isListpack } from "./hashvalue";
import { Item } from "./item";
import { Listpack } from "./listpack";
import { elementInteger, elementLength, elementPtr, readElement } from "./listpackelement";
import { Walk } from "./memberwalk";
import { LINE_ROOM, Reply, replyArray, replyBulk, replyBulkInteger, replyMap } from "./reply";

/** What of each pair is wanted. */
const FIELDS: u32 = 1;
const VALUES: u32 = 2;

/** The most an integer's bulk string takes. */
const INTEGER_ROOM: u32 = 32;

/** HGETALL key */
export function hgetall(): i32 {
  return replyWhole(FIELDS | VALUES);
}

/** HKEYS key */
export function hkeys(): i32 {
  return replyWhole(FIELDS);
}

/** HVALS key */
export function hvals(): i32 {
  return replyWhole(VALUES);
}

function replyWhole(parts: u32): i32 {
  const start = Reply.written();
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const count: u32 = entry == 0 ? 0 : countFields(entry);
  if (parts == (FIELDS | VALUES)) replyMap(count);
  else replyArray(count);
  if (count == 0) return 0;
  if (
    isListpack(entry)
      ? replyListpack(Entry.value(entry), count, parts)
      : replyTable(Entry.value(entry), parts)
  )
    return 0;
  Reply.truncate(start);
  return REFUSED_OUT_OF_MEMORY;
}

function replyListpack(lp: usize, count: u32, parts: u32): bool {
  if (!Reply.reserve(Listpack.bytes(lp) + (count << 1) * INTEGER_ROOM)) return false;
  for (let at = Listpack.first(lp); !Listpack.isEnd(at);) {
    if ((parts & FIELDS) != 0) replyElement(at);
    at = Listpack.next(at);
    if ((parts & VALUES) != 0) replyElement(at);
    at = Listpack.next(at);
  }
  return true;
}

function replyElement(at: usize): void {
  if (readElement(at)) replyBulkInteger(elementInteger);
  else replyBulk(elementPtr, elementLength);
}

function replyTable(record: usize, parts: u32): bool {
  for (let place = Walk.first(record); place != 0; place = Walk.next(record, place)) {
    const item = Walk.item(place);
    if ((parts & FIELDS) != 0) {
      const length = Item.keyLength(item);
      if (!Reply.reserve(length + LINE_ROOM)) return false;
      replyBulk(Item.key(item), length);
    }
    if ((parts & VALUES) != 0) {
      const length = Item.valueLength(item);
      if (!Reply.reserve(length + LINE_ROOM)) return false;
      replyBulk(Item.value(item), length);
    }
  }
  return true;
}
