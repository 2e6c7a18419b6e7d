// Keys handed to the host by reference: a block of (ptr, length, type) triples that grows. The references are good
// until the next call that may change the keyspace.
import { STATE_RESULT_LENGTH, STATE_RESULT_PTR } from "./abi";
import { Entry } from "./entry";
import { alloc, free, resize, sizeOf } from "./heap";

const TRIPLE: u32 = 12;
const KEPT_ROOM: u32 = 65536;

let list: usize = 0;
let count: u32 = 0;

export function beginList(): void {
  count = 0;
  if (list == 0 || sizeOf(list) <= KEPT_ROOM) return;
  free(list);
  list = 0;
}

/** False = no memory. */
export function addToList(entry: usize): bool {
  if (list == 0) {
    list = alloc(1024);
    if (list == 0) return false;
  }
  if ((count + 1) * TRIPLE > sizeOf(list)) {
    const moved = resize(list, count * TRIPLE, sizeOf(list) * 2);
    if (moved == 0) return false;
    list = moved;
  }
  const at = list + count * TRIPLE;
  store<u32>(at, <u32>Entry.key(entry));
  store<u32>(at, Entry.keyLength(entry), 4);
  store<u32>(at, Entry.type(entry), 8);
  count++;
  return true;
}

export abstract class List {
  @inline static count(): u32 {
    return count;
  }
}

/** Makes the list the result of the call at hand; returns its length in keys. */
export function endList(): i32 {
  store<u32>(STATE_RESULT_PTR, <u32>list);
  store<u32>(STATE_RESULT_LENGTH, count);
  return <i32>count;
}
