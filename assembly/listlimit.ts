// How much goes into one node of a list: list-max-listpack-size, read as Redis reads it, so that a list has the same
// nodes in both and DUMP gives the same bytes.
//
//   -1..-5   a node holds up to 4, 8, 16, 32 or 64 KiB
//   n >= 0   a node holds up to n elements, and no more than 8 KiB unless it is a single one
import { STATE_LIST_MAX_LISTPACK_SIZE } from "./abi";

const SAFE_BYTES: u32 = 8192;
const MOST_ELEMENTS: i32 = 32767;
/** What an element is taken to need beyond its bytes. */
const OVERHEAD: u32 = 8;
/** What two listpacks lose when they become one, as Redis reckons. */
const MERGED: u32 = 11;

/** Bytes a node is meant to reach. */
export function nodeLimit(): u32 {
  const setting = load<i32>(STATE_LIST_MAX_LISTPACK_SIZE);
  return setting < 0 ? 2048 << (<u32>-max(setting, -5)) : SAFE_BYTES;
}

/** Room to give a new node at an end whose first element needs so many bytes. */
export function firstRoom(bytes: u32): u32 {
  return load<i32>(STATE_LIST_MAX_LISTPACK_SIZE) < 0 ? max(bytes, nodeLimit() >> 2) : bytes;
}

/** Whether a node of so many bytes and elements takes another one of `length` bytes. */
export function takesOne(bytes: u32, count: u32, length: u32): bool {
  return fits(<u64>bytes + length + OVERHEAD, count + 1);
}

/** Whether two nodes may become one. */
export function mayMerge(bytes: u32, otherBytes: u32, count: u32): bool {
  return fits(<u64>bytes + otherBytes - MERGED, count);
}

function fits(bytes: u64, count: u32): bool {
  const setting = load<i32>(STATE_LIST_MAX_LISTPACK_SIZE);
  if (bytes > <u64>nodeLimit()) return false;
  return setting < 0 || <i32>count <= min(setting, MOST_ELEMENTS);
}
