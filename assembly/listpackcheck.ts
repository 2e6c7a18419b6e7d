// Whether bytes from outside are a listpack: nothing is read beyond them, and afterwards they can be walked both ways.
import { LISTPACK_EMPTY, LISTPACK_HEAD, Listpack } from "./listpack";
import { backlenBytes, elementBytes } from "./listpackelement";

/** Whether these bytes are a whole listpack: its length, every element with its backlen, the count, the end. */
export function isListpack(lp: usize, bytes: u32): bool {
  if (bytes < LISTPACK_EMPTY || Listpack.bytes(lp) != bytes) return false;
  const end = lp + bytes - 1;
  if (!Listpack.isEnd(end)) return false;
  let at = lp + LISTPACK_HEAD;
  let count: u32 = 0;
  while (at < end) {
    const left = <u32>(end - at);
    if (!isElement(at, left)) return false;
    at += elementBytes(at);
    count++;
  }
  const word = Listpack.countWord(lp);
  return word == 65535 || word == count;
}

/** Whether an element begins at `at` and ends within `left` bytes. */
function isElement(at: usize, left: u32): bool {
  const head = <u32>load<u8>(at);
  if (head > 0xf4) return false;
  // What tells the length must be there before it is read.
  const said: u32 = head < 0xe0 ? 1 : head < 0xf0 ? 2 : head == 0xf0 ? 5 : 1;
  if (said > left || (head == 0xf0 && load<u32>(at, 1) > left)) return false;
  const size = elementBytes(at);
  return size <= left && hasBacklen(at, size);
}

/** Whether the last bytes of the element say how long its body is, in as many bytes as such a length takes. */
function hasBacklen(at: usize, size: u32): bool {
  const end = at + size;
  let bytes: u32 = 1;
  while (bytes < 5 && load<u8>(end - bytes) >= 128) bytes++;
  if (load<u8>(end - bytes) >= 128 || backlenBytes(size - bytes) != bytes) return false;
  return Listpack.previous(end) == at;
}
