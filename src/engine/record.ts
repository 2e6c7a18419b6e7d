// What the engine tells replicas in place of a request: whole requests in RESP, in a block of linear memory.
import { STATE_RECORD_LENGTH, STATE_RECORD_PTR } from "../../assembly/abi.ts";
import type { Slice } from "../resp/reply.ts";
import type { Memory } from "./memory.ts";

const CR = 13;

/** All that was told, as a view that dies with the next call into the engine. */
export function recordBytes(memory: Memory): Uint8Array {
  const ptr = memory.getU32(STATE_RECORD_PTR);
  return memory.bytes.subarray(ptr, ptr + memory.getU32(STATE_RECORD_LENGTH));
}

/** Visits the arguments of each request. `visit` must not call the engine. */
export function eachRecord(memory: Memory, visit: (parts: readonly Slice[]) => void): void {
  const { bytes } = memory;
  let at = memory.getU32(STATE_RECORD_PTR);
  const end = at + memory.getU32(STATE_RECORD_LENGTH);
  /** The number after a type byte; `at` is then behind its line. */
  const number = (): number => {
    let value = 0;
    for (at++; bytes[at] !== CR; at++) value = value * 10 + bytes[at]! - 48;
    at += 2;
    return value;
  };
  while (at < end) {
    const parts: Slice[] = [];
    for (let count = number(); count > 0; count--) {
      const length = number();
      parts.push({ ptr: at, length });
      at += length + 2;
    }
    visit(parts);
  }
}
