// Commands that take any number of keys. Each key's slot is computed here: the host knows that of the first alone.
import { EVENT_DEL, EVENT_SET, REFUSED_ARITY, REFUSED_OUT_OF_MEMORY } from "./abi";
import { Args } from "./args";
import { slotOf } from "./crc16";
import { Database, slotForInsert } from "./database";
import { entrySize, isString, stringLength } from "./entry";
import { Events } from "./events";
import { lookup, lookupCounted, lookupRead, lookupWrite } from "./expiry";
import { hasRoom, roundUp } from "./heap";
import { LINE_ROOM, Reply, replyArray, replyInteger, replyNull, replyOk } from "./reply";
import { replyString, storeArg } from "./strings";
import { removeFound } from "./table";

/** What a new key may cost beside its entry: a further line and its part of a growing table. */
export const TABLE_SHARE: f64 = 256;
const LARGE: u32 = 32768;

/** MGET key … */
export function mget(): i32 {
  const start = Reply.written();
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  replyArray(Args.count() - 1);
  for (let i: u32 = 1; i < Args.count(); i++) {
    const entry = lookupRead(slotOf(Args.ptr(i), Args.length(i)), Args.ptr(i), Args.length(i));
    const isShown = entry != 0 && isString(entry);
    if (!Reply.reserve((isShown ? stringLength(entry) : 0) + LINE_ROOM)) {
      Reply.truncate(start);
      return REFUSED_OUT_OF_MEMORY;
    }
    if (isShown) assert(replyString(entry) == 0);
    else replyNull();
  }
  return 0;
}

/** MSET key value … */
export function mset(): i32 {
  const refused = checkPairs();
  if (refused < 0) return refused;
  storePairs();
  replyOk();
  return (<i32>Args.count() - 1) >> 1;
}

/** MSETNX key value … */
export function msetnx(): i32 {
  const refused = checkPairs();
  if (refused < 0) return refused;
  for (let i: u32 = 1; i < Args.count(); i += 2) {
    if (lookupWrite(slotOf(Args.ptr(i), Args.length(i)), Args.ptr(i), Args.length(i)) == 0) continue;
    replyInteger(0);
    return 0;
  }
  storePairs();
  replyInteger(1);
  return (<i32>Args.count() - 1) >> 1;
}

/** DEL key …, and UNLINK */
export function del(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  let deleted: i32 = 0;
  for (let i: u32 = 1; i < Args.count(); i++) {
    const slot = i == 1 ? Args.slot() : slotOf(Args.ptr(i), Args.length(i));
    if (lookup(slot, Args.ptr(i), Args.length(i)) == 0) continue;
    removeFound(slot);
    Events.tell(EVENT_DEL, Args.ptr(i), Args.length(i));
    deleted++;
  }
  replyInteger(deleted);
  return deleted;
}

/** EXISTS key … */
export function exists(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  let found: i64 = 0;
  for (let i: u32 = 1; i < Args.count(); i++) {
    const slot = i == 1 ? Args.slot() : slotOf(Args.ptr(i), Args.length(i));
    if (lookupCounted(slot, Args.ptr(i), Args.length(i)) != 0) found++;
  }
  replyInteger(found);
  return 0;
}

/** TOUCH key … */
export function touch(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  let found: i64 = 0;
  for (let i: u32 = 1; i < Args.count(); i++) {
    const slot = i == 1 ? Args.slot() : slotOf(Args.ptr(i), Args.length(i));
    if (lookupRead(slot, Args.ptr(i), Args.length(i)) != 0) found++;
  }
  replyInteger(found);
  return 0;
}

/** Whether all pairs of the request can be stored, seen before the first is. */
function checkPairs(): i32 {
  if ((Args.count() & 1) == 0) return REFUSED_ARITY;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  let small: f64 = 0;
  let large: f64 = 0;
  for (let i: u32 = 1; i < Args.count(); i += 2) {
    const size = roundUp(entrySize(Args.length(i), Args.length(i + 1), false));
    if (size > LARGE) large += size;
    else small += size;
    small += TABLE_SHARE;
  }
  // The first key of a database needs its directory of slots, pages side by side.
  if (slotForInsert(Database.selected(), Args.slot()) == 0) return REFUSED_OUT_OF_MEMORY;
  return hasRoom(small, large) ? 0 : REFUSED_OUT_OF_MEMORY;
}

function storePairs(): void {
  for (let i: u32 = 1; i < Args.count(); i += 2) {
    const slot = i == 1 ? Args.slot() : slotOf(Args.ptr(i), Args.length(i));
    assert(storeArg(slot, i, lookupWrite(slot, Args.ptr(i), Args.length(i))));
    Events.tell(EVENT_SET, Args.ptr(i), Args.length(i));
  }
}
