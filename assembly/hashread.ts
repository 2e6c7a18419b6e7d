// Commands that read single fields of hashes.
import { REFUSED_OUT_OF_MEMORY, REFUSED_WRONG_TYPE } from "./abi";
import { Args } from "./args";
import { lookupRead } from "./expiry";
import { countFields, findField, isHash, readValue, textLength, textPtr } from "./hashvalue";
import { LINE_ROOM, Reply, replyArray, replyBulk, replyInteger, replyNull } from "./reply";
import { Members } from "./warmmembers";

/** HGET key field */
export function hget(): i32 {
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  return replyFieldOf(entry, 2) ? 0 : REFUSED_OUT_OF_MEMORY;
}

/** HMGET key field … */
export function hmget(): i32 {
  const start = Reply.written();
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  replyArray(Args.count() - 2);
  for (let i: u32 = 2; i < Args.count(); i++) {
    Members.warm(entry, 2, i, 1);
    if (replyFieldOf(entry, i)) continue;
    Reply.truncate(start);
    return REFUSED_OUT_OF_MEMORY;
  }
  return 0;
}

/** HEXISTS key field */
export function hexists(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  replyInteger(i64(entry != 0 && findField(entry, Args.ptr(2), Args.length(2)) != 0));
  return 0;
}

/** HSTRLEN key field */
export function hstrlen(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  const place: usize = entry == 0 ? 0 : findField(entry, Args.ptr(2), Args.length(2));
  if (place != 0) readValue(entry, place);
  replyInteger(place == 0 ? 0 : textLength);
  return 0;
}

/** HLEN key */
export function hlen(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry != 0 && !isHash(entry)) return REFUSED_WRONG_TYPE;
  replyInteger(entry == 0 ? 0 : countFields(entry));
  return 0;
}

/** Replies the value of the field that argument `index` names, null where there is none. False = no memory. */
function replyFieldOf(entry: usize, index: u32): bool {
  const place: usize = entry == 0 ? 0 : findField(entry, Args.ptr(index), Args.length(index));
  if (place == 0) {
    if (!Reply.reserve(LINE_ROOM)) return false;
    replyNull();
    return true;
  }
  readValue(entry, place);
  if (!Reply.reserve(textLength + LINE_ROOM)) return false;
  replyBulk(textPtr, textLength);
  return true;
}
