// GET, SET and the other commands of one whole string value.
//
// Every command here reads the argv table, writes its reply into the arena and returns how many changes it made, or a
// REFUSED_ code before the first.
import { EVENT_SET, REFUSED_OUT_OF_MEMORY, REFUSED_WRONG_TYPE } from "./abi";
import { Args } from "./args";
import { isString, stringBytes, stringLength } from "./entry";
import { Events } from "./events";
import { lookupRead, lookupWrite } from "./expiry";
import { LINE_ROOM, Reply, replyBulk, replyInteger, replyNull, replyOk } from "./reply";
import { DIGITS, storeString } from "./stringvalue";

/** GET key */
export function get(): i32 {
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  return replyString(entry);
}

/** SET key value, without options. */
export function set(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (!storeArg(Args.slot(), 1, entry)) return REFUSED_OUT_OF_MEMORY;
  Events.tell(EVENT_SET, Args.ptr(1), Args.length(1));
  replyOk();
  return 1;
}

/** SETNX key value */
export function setnx(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  if (lookupWrite(Args.slot(), Args.ptr(1), Args.length(1)) != 0) {
    replyInteger(0);
    return 0;
  }
  if (!storeArg(Args.slot(), 1, 0)) return REFUSED_OUT_OF_MEMORY;
  Events.tell(EVENT_SET, Args.ptr(1), Args.length(1));
  replyInteger(1);
  return 1;
}

/** STRLEN key */
export function strlen(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isString(entry)) return REFUSED_WRONG_TYPE;
  replyInteger(entry == 0 ? 0 : stringLength(entry));
  return 0;
}

/** Stores argument `key + 1` under argument `key`, without expiry. */
export function storeArg(slot: u32, key: u32, entry: usize): bool {
  return storeString(
    slot,
    Args.ptr(key),
    Args.length(key),
    entry,
    Args.ptr(key + 1),
    Args.length(key + 1),
    0,
  );
}

/** Replies a string's bytes, null where there is none. */
export function replyString(entry: usize): i32 {
  if (entry == 0) {
    if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
    replyNull();
    return 0;
  }
  if (!isString(entry)) return REFUSED_WRONG_TYPE;
  const length = stringLength(entry);
  if (!Reply.reserve(length + LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  replyBulk(stringBytes(entry, DIGITS), length);
  return 0;
}
