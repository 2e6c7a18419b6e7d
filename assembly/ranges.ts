// The commands of parts of a string value.
import {
  EVENT_APPEND,
  EVENT_SETRANGE,
  REFUSED_NOT_INTEGER,
  REFUSED_OFFSET,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_STRING_TOO_LONG,
  REFUSED_WRONG_TYPE,
  ENCODING_RAW,
  STRING_LIMIT,
} from "./abi";
import { Args } from "./args";
import { Entry, isString, stringBytes, stringLength } from "./entry";
import { Events } from "./events";
import { lookupRead, lookupWrite } from "./expiry";
import { parse, parsed } from "./integers";
import { LINE_ROOM, Reply, replyBulk, replyInteger } from "./reply";
import { storeArg } from "./strings";
import { DIGITS, extendString, storeEncoded } from "./stringvalue";
import { find, removeFound } from "./table";

/** APPEND key value */
export function append(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const slot = Args.slot();
  const length = Args.length(2);
  const entry = lookupWrite(slot, Args.ptr(1), Args.length(1));
  if (entry == 0) {
    if (!storeArg(slot, 1, 0)) return REFUSED_OUT_OF_MEMORY;
    Events.tell(EVENT_APPEND, Args.ptr(1), Args.length(1));
    replyInteger(length);
    return 1;
  }
  if (!isString(entry)) return REFUSED_WRONG_TYPE;
  const had = stringLength(entry);
  if (<u64>had + <u64>length > <u64>STRING_LIMIT) return REFUSED_STRING_TOO_LONG;
  const longer = extendString(slot, entry, had + length);
  if (longer == 0) return REFUSED_OUT_OF_MEMORY;
  memory.copy(Entry.value(longer) + had, Args.ptr(2), length);
  Events.tell(EVENT_APPEND, Args.ptr(1), Args.length(1));
  replyInteger(had + length);
  return 1;
}

/** SETRANGE key offset value */
export function setrange(): i32 {
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const offset = parsed;
  if (offset < 0) return REFUSED_OFFSET;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const slot = Args.slot();
  const length = Args.length(3);
  let entry = lookupWrite(slot, Args.ptr(1), Args.length(1));
  if (entry != 0 && !isString(entry)) return REFUSED_WRONG_TYPE;
  if (length == 0) {
    replyInteger(entry == 0 ? 0 : stringLength(entry));
    return 0;
  }
  if (<u64>offset + <u64>length > <u64>STRING_LIMIT) return REFUSED_STRING_TOO_LONG;
  const end = <u32>offset + length;
  if (entry == 0) entry = createZeros(slot, end);
  else entry = extendString(slot, entry, end);
  if (entry == 0) return REFUSED_OUT_OF_MEMORY;
  memory.copy(Entry.value(entry) + <u32>offset, Args.ptr(3), length);
  Events.tell(EVENT_SETRANGE, Args.ptr(1), Args.length(1));
  replyInteger(Entry.valueLength(entry));
  return 1;
}

/** GETRANGE key start end, and SUBSTR */
export function getrange(): i32 {
  if (!parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  let start = parsed;
  if (!parse(Args.ptr(3), Args.length(3))) return REFUSED_NOT_INTEGER;
  let end = parsed;
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isString(entry)) return REFUSED_WRONG_TYPE;
  const length: i64 = entry == 0 ? 0 : stringLength(entry);
  const isEmpty = start < 0 && end < 0 && start > end;
  // Negative positions count from the end.
  if (start < 0) start = max(start + length, 0);
  if (end < 0) end = max(end + length, 0);
  end = min(end, length - 1);
  if (isEmpty || start > end) start = end + 1;
  const count = <u32>(end + 1 - start);
  if (!Reply.reserve(count + LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  if (count == 0) replyBulk(0, 0);
  else replyBulk(stringBytes(entry, DIGITS) + <usize>start, count);
  return 0;
}

/** A new string of zero bytes under the request's key; 0 = no memory. */
function createZeros(slot: u32, length: u32): usize {
  const key = Args.ptr(1);
  const keyLength = Args.length(1);
  const empty = storeEncoded(slot, key, keyLength, 0, ENCODING_RAW, 0, 0, 0);
  if (!empty) return 0;
  const entry = find(slot, key, keyLength);
  const longer = extendString(slot, entry, length);
  if (longer == 0) removeFound(slot);
  return longer;
}
