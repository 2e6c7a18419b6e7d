// The listpack's functions, for its test; see listpack.test.ts.
import { Listpack } from "../../../assembly/listpack";
import { elementLength as length, elementPtr as ptr, readText } from "../../../assembly/listpackelement";

export {
  emptyListpack,
  findElement,
  listpackCount,
  replaceBytes,
  seekElement,
  skipElements,
} from "../../../assembly/listpack";
export { elementBytes, elementSize, textLength, writeElement } from "../../../assembly/listpackelement";
export { isListpack } from "../../../assembly/listpackcheck";

export function bytes(lp: usize): u32 {
  return Listpack.bytes(lp);
}

export function end(lp: usize): usize {
  return Listpack.end(lp);
}

export function previous(at: usize): usize {
  return Listpack.previous(at);
}

/** Reads an element as bytes: its address; its length is in `textLength`. */
export function text(at: usize): usize {
  readText(at);
  return length > 0 ? ptr : at;
}
