// Commands of one key of any type: what it is and when it expires.
import {
  EVENT_PERSIST,
  REFUSED_OUT_OF_MEMORY,
  STATE_NOW_MS,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from "./abi";
import { changeExpiry } from "./access";
import { Args } from "./args";
import { Database } from "./database";
import { Entry } from "./entry";
import { Events } from "./events";
import { lookupCounted, lookupWrite } from "./expiry";
import { LINE_ROOM, Reply, replyInteger } from "./reply";

/** DBSIZE */
export function dbsize(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  replyInteger(Database.keys(Database.selected()));
  return 0;
}

/** TYPE key */
export function type(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupCounted(Args.slot(), Args.ptr(1), Args.length(1));
  // The reply's line, as little-endian words.
  let end = Reply.end();
  const kind = entry == 0 ? 0 : Entry.type(entry);
  store<u8>(end++, 0x2b);
  if (kind == TYPE_STRING) end = word(end, 0x676e69727473, 6);
  else if (kind == TYPE_LIST) end = word(end, 0x7473696c, 4);
  else if (kind == TYPE_SET) end = word(end, 0x746573, 3);
  else if (kind == TYPE_ZSET) end = word(end, 0x7465737a, 4);
  else if (kind == TYPE_HASH) end = word(end, 0x68736168, 4);
  else end = word(end, 0x656e6f6e, 4);
  Reply.setEnd(word(end, 0x0a0d, 2));
  return 0;
}

function word(at: usize, text: u64, length: u32): usize {
  store<u64>(at, text);
  return at + length;
}

/** TTL key */
export function ttl(): i32 {
  return replyExpiry(load<f64>(STATE_NOW_MS), true);
}

/** PTTL key */
export function pttl(): i32 {
  return replyExpiry(load<f64>(STATE_NOW_MS), false);
}

/** EXPIRETIME key */
export function expiretime(): i32 {
  return replyExpiry(0, true);
}

/** PEXPIRETIME key */
export function pexpiretime(): i32 {
  return replyExpiry(0, false);
}

/** PERSIST key */
export function persist(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry == 0 || !Entry.expires(entry)) {
    replyInteger(0);
    return 0;
  }
  if (!changeExpiry(Args.slot(), entry, 0)) return REFUSED_OUT_OF_MEMORY;
  Events.tell(EVENT_PERSIST, Args.ptr(1), Args.length(1));
  replyInteger(1);
  return 1;
}

/** Milliseconds or rounded seconds until a key expires, counted from `fromMs`; -1 = never, -2 = no such key. */
function replyExpiry(fromMs: f64, inSeconds: bool): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const entry = lookupCounted(Args.slot(), Args.ptr(1), Args.length(1));
  if (entry == 0 || !Entry.expires(entry)) {
    replyInteger(entry == 0 ? -2 : -1);
    return 0;
  }
  const ms = <i64>max(Entry.expireAt(entry) - fromMs, 0);
  replyInteger(inSeconds ? (ms + 500) / 1000 : ms);
  return 0;
}
