// Lists, sets and sorted sets as a row of elements, for the host: copies, one behind the other in a block, so that it
// does not matter how they are kept; and a list made of such a block.
//
//   | length u32 | bytes | up to 3 unused | length u32 | ...
import {
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_WRONG_TYPE,
  STATE_RESULT_NUMBER,
  STATE_RESULT_PTR,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_NONE,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from "./abi";
import { Bytes } from "./bytes";
import { slotOf } from "./crc16";
import { beginElements, elementText, elementTextLength, nextElement } from "./elements";
import { Events } from "./events";
import { Entry } from "./entry";
import { lookup, lookupRead, lookupWrite } from "./expiry";
import { alloc, free, resize, sizeOf } from "./heap";
import { Intset } from "./intset";
import { hasRoomToPush } from "./lists";
import { List, createList, openList, pushElement } from "./listvalue";
import { countMembers } from "./members";
import { find, removeFound } from "./table";
import { Zset } from "./zset";
import { unpack } from "./zsetchange";

const HEAD: u32 = 4;
const FIRST_ROOM: u32 = 4096;

let block: usize = 0;
let length: u32 = 0;

/**
 * Looks at a key for SORT, before which a small sorted set becomes a big one, as it does in Redis.
 * @returns TYPE_ constant, the number of elements in STATE_RESULT_NUMBER; or REFUSED_WRONG_TYPE of what cannot be sorted
 */
export function collectionOf(key: usize, keyLength: u32): i32 {
  const entry = lookupRead(slotOf(key, keyLength), key, keyLength);
  const type = entry == 0 ? <u32>TYPE_NONE : Entry.type(entry);
  if (type == TYPE_STRING || type == TYPE_HASH) return REFUSED_WRONG_TYPE;
  store<f64>(STATE_RESULT_NUMBER, entry == 0 ? 0 : <f64>countElements(entry));
  // Without memory it stays as it is; it is read either way.
  if (type == TYPE_ZSET && Entry.encoding(entry) == ENCODING_LISTPACK) unpack(entry);
  return <i32>type;
}

function countElements(entry: usize): u32 {
  const value = Entry.value(entry);
  if (Entry.type(entry) == TYPE_SET)
    return Entry.encoding(entry) == ENCODING_INTSET ? Intset.count(value) : countMembers(value);
  if (Entry.type(entry) == TYPE_LIST) {
    openList(entry);
    return List.count();
  }
  Zset.open(entry);
  return Zset.count();
}

/**
 * Copies `count` elements of a collection from number `from` on, all there; their block is the result. `freeElements`
 * must follow.
 * @returns 0 or a REFUSED_ code
 */
export function listElements(key: usize, keyLength: u32, from: u32, count: u32): i32 {
  length = 0;
  block = alloc(FIRST_ROOM);
  if (block == 0) return REFUSED_OUT_OF_MEMORY;
  if (count > 0 && !copyElements(lookup(slotOf(key, keyLength), key, keyLength), from, count))
    return REFUSED_OUT_OF_MEMORY;
  store<u32>(STATE_RESULT_PTR, <u32>block);
  return 0;
}

export function freeElements(): void {
  if (block != 0) free(block);
  block = 0;
}

function copyElements(entry: usize, from: u32, count: u32): bool {
  beginElements(entry);
  for (let left = from; left > 0; left--) {
    // A walk that ends too early had no memory to go on.
    if (!nextElement()) return false;
  }
  for (let left = count; left > 0; left--) {
    if (!nextElement() || !add(elementText, elementTextLength)) return false;
  }
  return true;
}

function add(ptr: usize, size: u32): bool {
  const need = (HEAD + size + 3) & ~3;
  if (need > sizeOf(block) - length) {
    const room = <u64>length + max<u64>(need, length);
    if (room > 0xf0000000) return false;
    const moved = resize(block, length, <u32>room);
    if (moved == 0) return false;
    block = moved;
  }
  store<u32>(block + length, size);
  Bytes.copy(block + length + HEAD, ptr, size);
  length += need;
  return true;
}

/**
 * Sets a key to a list, whatever it held.
 * @param elements a block as above
 * @param bytes all of it, one element at least
 * @returns 1 or a REFUSED_ code
 */
export function setList(key: usize, keyLength: u32, elements: usize, bytes: u32): i32 {
  if (!hasRoomToPush(bytes)) return REFUSED_OUT_OF_MEMORY;
  const slot = slotOf(key, keyLength);
  const isThere = lookupWrite(slot, key, keyLength) != 0;
  if (isThere) {
    removeFound(slot);
    find(slot, key, keyLength);
  }
  const wanted = isThere ? Events.unhearNew() : 0; // what is overwritten is not new
  const isCreated = createList(slot, key, keyLength, bytes);
  if (isThere) Events.hear(wanted);
  if (!isCreated) return REFUSED_OUT_OF_MEMORY;
  for (let at = elements; at < elements + bytes;) {
    const size = load<u32>(at);
    if (!pushElement(at + HEAD, size, false)) return REFUSED_OUT_OF_MEMORY;
    at += (HEAD + size + 3) & ~3;
  }
  return 1;
}
