// What the commands on lists share: finding the list of a key, writing its elements into the reply, and what is told
// when it changes.
import {
  EVENT_DEL,
  EVENT_LPOP,
  EVENT_LPUSH,
  EVENT_RPOP,
  EVENT_RPUSH,
  REFUSED_WRONG_TYPE,
  TYPE_LIST,
} from "./abi";
import { Args } from "./args";
import { Events } from "./events";
import { Entry } from "./entry";
import { lookupRead, lookupWrite } from "./expiry";
import { Listpack } from "./listpack";
import { elementInteger, elementLength, elementPtr, readElement } from "./listpackelement";
import { List, openList } from "./listvalue";
import { Reply, replyBulk, replyBulkInteger } from "./reply";
import { removeFound } from "./table";

/** What a reply of one element takes beyond the element's bytes in its listpack. */
export const ELEMENT_REPLY_ROOM: u32 = 32;

/** Opens the list of argument 1: 1 = done, 0 = there is no such key, REFUSED_WRONG_TYPE. */
export function openToRead(): i32 {
  return open(lookupRead(Args.slot(), Args.ptr(1), Args.length(1)));
}

/** As `openToRead`, for a command that is about to change the list. */
export function openToWrite(): i32 {
  return open(lookupWrite(Args.slot(), Args.ptr(1), Args.length(1)));
}

/** As `openToRead`, of what a look-up has found. */
export function open(entry: usize): i32 {
  if (entry == 0) return 0;
  if (Entry.type(entry) != TYPE_LIST) return REFUSED_WRONG_TYPE;
  openList(entry);
  return 1;
}

/** Replies the element at `at`. Reserved before: its bytes in the listpack and ELEMENT_REPLY_ROOM. */
export function replyElement(at: usize): void {
  if (readElement(at)) replyBulkInteger(elementInteger);
  else replyBulk(elementPtr, elementLength);
}

/** Replies one element; false = no memory, nothing written. */
export function replyOne(at: usize): bool {
  if (!Reply.reserve(<u32>(Listpack.next(at) - at) + ELEMENT_REPLY_ROOM)) return false;
  replyElement(at);
  return true;
}

/** Tells that elements were pushed. */
export function tellPush(key: usize, keyLength: u32, atFront: bool): void {
  Events.tell(atFront ? EVENT_LPUSH : EVENT_RPUSH, key, keyLength);
}

/** Tells that elements were taken from an end of the list at hand, whose key was just found. */
export function tellPop(slot: u32, key: usize, keyLength: u32, fromFront: bool): void {
  Events.tell(fromFront ? EVENT_LPOP : EVENT_RPOP, key, keyLength);
  removeIfEmpty(slot, key, keyLength);
}

/** Removes the key that was just found when the list at hand, which is its value, has lost its last element. */
export function removeIfEmpty(slot: u32, key: usize, keyLength: u32): void {
  if (List.count() != 0) return;
  removeFound(slot);
  Events.tell(EVENT_DEL, key, keyLength);
}
