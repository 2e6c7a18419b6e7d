// Commands that set fields of hashes and remove them.
import {
  EVENT_DEL,
  EVENT_HDEL,
  EVENT_HSET,
  REFUSED_ARITY,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_WRONG_TYPE,
} from "./abi";
import { Args } from "./args";
import { Entry } from "./entry";
import { Events } from "./events";
import { lookupWrite } from "./expiry";
import { createHash, putField } from "./hashcreate";
import { payloadSize } from "./hashitem";
import {
  countFields,
  fieldIsNew,
  findField,
  isHash,
  isListpack,
  isSmallPair,
  removeField,
  setField,
  settleHash,
} from "./hashvalue";
import { classes, hasRoom, roundUp } from "./heap";
import { itemSize } from "./item";
import { LISTPACK_EMPTY } from "./listpack";
import { elementSize } from "./listpackelement";
import { LINE_ROOM, Reply, replyInteger, replyOk } from "./reply";
import { find, removeFound } from "./table";
import { Members } from "./warmmembers";

/** What a new item may cost beside itself: a further line and its part of a growing table. */
const TABLE_SHARE: u32 = 256;
/** Blocks beyond this are runs of pages of their own; a growing one comes through all size classes at most before. */
const LARGE: u32 = 32768;
const PAGE: u32 = 65536;

/** HSET key field value … */
export function hset(): i32 {
  const added = setPairs();
  if (added < 0) return added;
  replyInteger(added);
  return pairCount();
}

/** HMSET key field value … */
export function hmset(): i32 {
  const added = setPairs();
  if (added < 0) return added;
  replyOk();
  return pairCount();
}

/** HSETNX key field value */
export function hsetnx(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0) {
    if (!isHash(entry)) return REFUSED_WRONG_TYPE;
    if (findField(entry, Args.ptr(2), Args.length(2)) != 0) {
      replyInteger(0);
      return 0;
    }
  }
  if (!putPair(entry)) return REFUSED_OUT_OF_MEMORY;
  Events.tell(EVENT_HSET, Args.ptr(1), Args.length(1));
  replyInteger(1);
  return 1;
}

/** HDEL key field … */
export function hdel(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  let removed: i32 = 0;
  let left: u32 = entry == 0 ? 0 : countFields(entry);
  for (let i: u32 = 2; i < Args.count() && left > 0; i++) {
    Members.warm(entry, 2, i, 1);
    const place = findField(entry, Args.ptr(i), Args.length(i));
    if (place == 0) continue;
    removeField(entry, place);
    removed++;
    left--;
  }
  replyInteger(removed);
  if (removed == 0) return 0;
  Events.tell(EVENT_HDEL, Args.ptr(1), Args.length(1));
  if (left > 0) {
    settleHash(entry);
  } else {
    removeFound(Args.slot());
    Events.tell(EVENT_DEL, Args.ptr(1), Args.length(1));
  }
  return removed;
}

function pairCount(): i32 {
  return (<i32>Args.count() - 2) >> 1;
}

/** Sets all pairs of the request; how many fields are new, or a REFUSED_ code. */
function setPairs(): i32 {
  if ((Args.count() & 1) != 0) return REFUSED_ARITY;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  let entry = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  let added: i32 = 0;
  if (Args.count() == 4) {
    if (!putPair(entry)) return REFUSED_OUT_OF_MEMORY;
    added = i32(fieldIsNew);
  } else {
    if (!hasRoomForPairs(entry)) return REFUSED_OUT_OF_MEMORY;
    if (entry == 0) entry = createForPairs();
    for (let i: u32 = 2; i < Args.count() && entry != 0; i += 2) {
      Members.warm(entry, 2, i, 2);
      entry = setField(entry, Args.ptr(i), Args.length(i), Args.ptr(i + 1), Args.length(i + 1));
      added += i32(fieldIsNew);
    }
    if (entry == 0) return REFUSED_OUT_OF_MEMORY;
  }
  Events.tell(EVENT_HSET, Args.ptr(1), Args.length(1));
  return added;
}

/** Sets the field of arguments 2 and 3. */
function putPair(entry: usize): bool {
  return putField(
    Args.slot(),
    Args.ptr(1),
    Args.length(1),
    entry,
    Args.ptr(2),
    Args.length(2),
    Args.ptr(3),
    Args.length(3),
  );
}

/** A hash without fields, with room for all pairs of the request; just found. */
function createForPairs(): usize {
  let room = LISTPACK_EMPTY;
  let isSmall = true;
  for (let i: u32 = 2; i < Args.count() && isSmall; i += 2) {
    isSmall = isSmallPair(Args.length(i), Args.length(i + 1), 1);
    room += elementSize(Args.ptr(i), Args.length(i)) + elementSize(Args.ptr(i + 1), Args.length(i + 1));
  }
  if (createHash(Args.slot(), Args.ptr(1), Args.length(1), isSmall, room) == 0) return 0;
  return find(Args.slot(), Args.ptr(1), Args.length(1));
}

/** Whether all pairs of the request can be set for certain, seen before the first is. */
function hasRoomForPairs(entry: usize): bool {
  let small: f64 = 0;
  let large: f64 = 0;
  // A listpack grows with every pair, and in the end each of its elements may become part of an item.
  let listpack: f64 = 0;
  if (entry == 0 || isListpack(entry)) {
    listpack = entry == 0 ? 0 : <f64>Entry.valueLength(entry);
    if (entry != 0) small += 3 * listpack + <f64>countFields(entry) * TABLE_SHARE;
    small += <f64>min(<u32>pairCount(), classes) * PAGE;
  }
  for (let i: u32 = 2; i < Args.count(); i += 2) {
    const payload = payloadSize(Args.length(i + 1));
    const size = roundUp(itemSize(Args.length(i), payload));
    if (size > LARGE) large += size;
    else small += size;
    small += TABLE_SHARE;
    if (listpack != 0 || entry == 0) listpack += Args.length(i) + Args.length(i + 1) + 20;
  }
  if (listpack > LARGE) large += 2 * listpack;
  return hasRoom(small, large);
}
