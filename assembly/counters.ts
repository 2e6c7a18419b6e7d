// INCR and its kin: integers kept as such, in place.
import {
  ENCODING_INT,
  EVENT_INCRBY,
  REFUSED_DECREMENT_OVERFLOW,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_OVERFLOW,
  REFUSED_WRONG_TYPE,
} from "./abi";
import { Args } from "./args";
import { Entry, isString } from "./entry";
import { Events } from "./events";
import { lookupWrite } from "./expiry";
import { parse, parsed } from "./integers";
import { LINE_ROOM, Reply, replyInteger } from "./reply";
import { KEEP_EXPIRY, storeInteger } from "./stringvalue";

/** INCR key */
export function incr(): i32 {
  return add(1);
}

/** DECR key */
export function decr(): i32 {
  return add(-1);
}

/** INCRBY key increment */
export function incrby(): i32 {
  return parse(Args.ptr(2), Args.length(2)) ? add(parsed) : REFUSED_NOT_INTEGER;
}

/** DECRBY key decrement */
export function decrby(): i32 {
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  // The lowest number has no opposite.
  return parsed == i64.MIN_VALUE ? REFUSED_DECREMENT_OVERFLOW : add(-parsed);
}

function add(by: i64): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const slot = Args.slot();
  const entry = lookupWrite(slot, Args.ptr(1), Args.length(1));
  let value: i64 = 0;
  if (entry != 0) {
    if (!isString(entry)) return REFUSED_WRONG_TYPE;
    if (Entry.encoding(entry) == ENCODING_INT) value = Entry.integer(entry);
    else if (parse(Entry.value(entry), Entry.valueLength(entry))) value = parsed;
    else return REFUSED_NOT_INTEGER;
  }
  const sum = value + by;
  if (by < 0 ? sum > value : sum < value) return REFUSED_OVERFLOW;
  if (entry != 0 && Entry.encoding(entry) == ENCODING_INT) store<i64>(Entry.value(entry), sum);
  else if (!storeInteger(slot, Args.ptr(1), Args.length(1), entry, sum, KEEP_EXPIRY))
    return REFUSED_OUT_OF_MEMORY;
  Events.tell(EVENT_INCRBY, Args.ptr(1), Args.length(1));
  replyInteger(sum);
  return 1;
}
