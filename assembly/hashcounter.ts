// HINCRBY: integers in fields.
import {
  EVENT_HINCRBY,
  REFUSED_FIELD_NOT_INTEGER,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_OVERFLOW,
  REFUSED_WRONG_TYPE,
} from "./abi";
import { Args } from "./args";
import { Events } from "./events";
import { lookupWrite } from "./expiry";
import { putField } from "./hashcreate";
import { findField, isHash, readValue, textLength, textPtr } from "./hashvalue";
import { parse, parsed, render } from "./integers";
import { LINE_ROOM, Reply, replyInteger } from "./reply";

const DIGITS: usize = memory.data(24);

/** HINCRBY key field increment */
export function hincrby(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  if (!parse(Args.ptr(3), Args.length(3))) return REFUSED_NOT_INTEGER;
  const by = parsed;
  const entry = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  let value: i64 = 0;
  if (entry != 0) {
    if (!isHash(entry)) return REFUSED_WRONG_TYPE;
    const place = findField(entry, Args.ptr(2), Args.length(2));
    if (place != 0) {
      readValue(entry, place);
      if (!parse(textPtr, textLength)) return REFUSED_FIELD_NOT_INTEGER;
      value = parsed;
    }
  }
  const sum = value + by;
  if (by < 0 ? sum > value : sum < value) return REFUSED_OVERFLOW;
  if (!putSum(entry, sum)) return REFUSED_OUT_OF_MEMORY;
  Events.tell(EVENT_HINCRBY, Args.ptr(1), Args.length(1));
  replyInteger(sum);
  return 1;
}

function putSum(entry: usize, sum: i64): bool {
  const length = render(sum, DIGITS);
  return putField(
    Args.slot(),
    Args.ptr(1),
    Args.length(1),
    entry,
    Args.ptr(2),
    Args.length(2),
    DIGITS,
    length,
  );
}
