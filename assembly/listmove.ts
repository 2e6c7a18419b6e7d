// LMOVE, RPOPLPUSH and LMPOP: elements taken from one of several lists.
import {
  RECORDED,
  REFUSED_COUNT_NOT_POSITIVE,
  REFUSED_NUMKEYS_NOT_POSITIVE,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
} from "./abi";
import { Args, isWord } from "./args";
import { equal } from "./bytes";
import { slotOf } from "./crc16";
import { lookupWrite } from "./expiry";
import { parse, parsed } from "./integers";
import { open, replyOne, tellPop, tellPush } from "./listaccess";
import { elementLength, readText } from "./listpackelement";
import { hasRoomToPush, popMany } from "./lists";
import { List, createList, endElement, openList, popElement, pushElement } from "./listvalue";
import { RECORD_HEAD, Record } from "./record";
import { LINE_ROOM, Reply, replyArray, replyBulk, replyNull, replyNullArray } from "./reply";
import { find, removeFound } from "./table";

/** LMOVE source destination LEFT|RIGHT LEFT|RIGHT */
export function lmove(): i32 {
  const fromFront = isWord(3, "LEFT");
  if (!fromFront && !isWord(3, "RIGHT")) return REFUSED_SYNTAX;
  const toFront = isWord(4, "LEFT");
  if (!toFront && !isWord(4, "RIGHT")) return REFUSED_SYNTAX;
  return move(fromFront, toFront);
}

/** RPOPLPUSH source destination */
export function rpoplpush(): i32 {
  return move(false, true);
}

function move(fromFront: bool, toFront: bool): i32 {
  const from = Args.slot();
  const found = open(lookupWrite(from, Args.ptr(1), Args.length(1)));
  if (found < 0) return found;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  if (found == 0) {
    replyNull();
    return 0;
  }
  const written = Reply.written();
  const at = endElement(fromFront);
  if (at == 0 || !replyOne(at)) return REFUSED_OUT_OF_MEMORY;
  // The reply's copy is what is pushed: it stays where it is.
  readText(at);
  const length = elementLength;
  const ptr = Reply.end() - 2 - length;
  const refused = isSameKey()
    ? rotate(ptr, length, fromFront, toFront)
    : moveTo(from, ptr, length, fromFront, toFront);
  if (refused < 0) {
    Reply.truncate(written);
    return refused;
  }
  tellPush(Args.ptr(2), Args.length(2), toFront);
  tellPop(from, Args.ptr(1), Args.length(1), fromFront);
  return 1;
}

function isSameKey(): bool {
  return Args.length(1) == Args.length(2) && equal(Args.ptr(1), Args.ptr(2), Args.length(1));
}

/** Within one list, the element is taken out first, as Redis does it: another node may have room for it then. */
function rotate(ptr: usize, length: u32, fromFront: bool, toFront: bool): i32 {
  if (!hasRoomToPush(length + LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  popElement(fromFront);
  assert(pushElement(ptr, length, toFront));
  return 0;
}

/** The destination gets the element before the source loses it: only the first can fail for want of memory. */
function moveTo(from: u32, ptr: usize, length: u32, fromFront: bool, toFront: bool): i32 {
  const refused = pushMoved(slotOf(Args.ptr(2), Args.length(2)), ptr, length, toFront);
  if (refused < 0) return refused;
  openList(find(from, Args.ptr(1), Args.length(1)));
  assert(endElement(fromFront) != 0);
  popElement(fromFront);
  return 0;
}

/** Pushes onto the list of argument 2: 0 or a REFUSED_ code. */
function pushMoved(slot: u32, ptr: usize, length: u32, atFront: bool): i32 {
  const key = Args.ptr(2);
  const keyLength = Args.length(2);
  const found = open(lookupWrite(slot, key, keyLength));
  if (found < 0) return found;
  if (found == 0 && !createList(slot, key, keyLength, length + LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  if (pushElement(ptr, length, atFront)) return 0;
  if (List.count() == 0) removeFound(slot);
  return REFUSED_OUT_OF_MEMORY;
}

/** LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count] */
export function lmpop(): i32 {
  if (!parse(Args.ptr(1), Args.length(1)) || parsed <= 0) return REFUSED_NUMKEYS_NOT_POSITIVE;
  if (parsed >= <i64>Args.count() - 2) return REFUSED_SYNTAX;
  const keys = <u32>parsed;
  const fromFront = isWord(keys + 2, "LEFT");
  if (!fromFront && !isWord(keys + 2, "RIGHT")) return REFUSED_SYNTAX;
  let count: i64 = 1;
  if (Args.count() > keys + 3) {
    if (Args.count() == keys + 4 || !isWord(keys + 3, "COUNT")) return REFUSED_SYNTAX;
    if (!parse(Args.ptr(keys + 4), Args.length(keys + 4)) || parsed <= 0) return REFUSED_COUNT_NOT_POSITIVE;
    if (Args.count() > keys + 5) return REFUSED_SYNTAX;
    count = parsed;
  }
  return popFromFirst(keys, count, fromFront);
}

/** Takes up to `count` elements from the first list of the request's keys that there is. */
function popFromFirst(keys: u32, count: i64, fromFront: bool): i32 {
  for (let i: u32 = 2; i < keys + 2; i++) {
    const slot = slotOf(Args.ptr(i), Args.length(i));
    const found = open(lookupWrite(slot, Args.ptr(i), Args.length(i)));
    if (found < 0) return found;
    if (found != 0) return popFromKey(slot, i, <u32>min(count, <i64>List.count()), fromFront);
  }
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  replyNullArray();
  return 0;
}

/** Replicas are told an LPOP or RPOP of the list it was. */
function popFromKey(slot: u32, key: u32, count: u32, fromFront: bool): i32 {
  const ptr = Args.ptr(key);
  const length = Args.length(key);
  Record.begin();
  if (!Record.reserve(RECORD_HEAD * 5 + length)) return REFUSED_OUT_OF_MEMORY;
  if (!Reply.reserve(LINE_ROOM * 2 + length)) return REFUSED_OUT_OF_MEMORY;
  const written = Reply.written();
  replyArray(2);
  replyBulk(ptr, length);
  if (!popMany(count, fromFront)) {
    Reply.truncate(written);
    return REFUSED_OUT_OF_MEMORY;
  }
  Record.request(3);
  Record.word(fromFront ? 0x504f504c : 0x504f5052); // LPOP, RPOP
  Record.bytes(ptr, length);
  Record.integer(count);
  tellPop(slot, ptr, length, fromFront);
  return (<i32>count) | RECORDED;
}
