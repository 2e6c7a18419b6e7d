// Sets of slots as bits. Slot n is bit n & 7 of byte n >> 3, the order the bus uses.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import type { SlotBitmap } from "./message.ts";

export const BITMAP_BYTES = SLOT_COUNT >> 3;

export function emptyBitmap(): SlotBitmap {
  return new Uint8Array(BITMAP_BYTES);
}

export function hasSlot(bitmap: SlotBitmap, slot: number): boolean {
  return ((bitmap[slot >> 3] ?? 0) & (1 << (slot & 7))) !== 0;
}

export function addSlot(bitmap: SlotBitmap, slot: number): void {
  bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | (1 << (slot & 7));
}

export function removeSlot(bitmap: SlotBitmap, slot: number): void {
  bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) & ~(1 << (slot & 7));
}

export function bitmapsEqual(a: SlotBitmap, b: SlotBitmap): boolean {
  for (let i = 0; i < BITMAP_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether all slots of `part` are in `whole`. */
export function isSubset(part: SlotBitmap, whole: SlotBitmap): boolean {
  for (let i = 0; i < BITMAP_BYTES; i++) if (((part[i] ?? 0) & ~(whole[i] ?? 0)) !== 0) return false;
  return true;
}

/** Calls `visit` for each slot of the set, ascending, until it returns false. */
export function forEachSlot(bitmap: SlotBitmap, visit: (slot: number) => boolean | void): void {
  for (let byte = 0; byte < BITMAP_BYTES; byte++) {
    let bits = bitmap[byte] ?? 0;
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      if (visit(byte * 8 + bit) === false) return;
      bits &= bits - 1;
    }
  }
}

/** An inclusive run of slots. */
export interface SlotRange {
  readonly start: number;
  readonly end: number;
}

/** `0-5460`, or `7` for a run of one. */
export function rangeText({ start, end }: SlotRange): string {
  return start === end ? `${start}` : `${start}-${end}`;
}

export function slotRanges(bitmap: SlotBitmap): SlotRange[] {
  const ranges: SlotRange[] = [];
  let start = -1; // of the run at hand; -1 = none
  for (let byte = 0; byte < BITMAP_BYTES; byte++) {
    const bits = bitmap[byte] ?? 0;
    if (bits === (start < 0 ? 0 : 255)) continue; // eight more of the same
    for (let bit = 0; bit < 8; bit++) {
      const isIn = (bits & (1 << bit)) !== 0;
      if (isIn === start >= 0) continue;
      const slot = byte * 8 + bit;
      if (!isIn) ranges.push({ start, end: slot - 1 });
      start = isIn ? slot : -1;
    }
  }
  if (start >= 0) ranges.push({ start, end: BITMAP_BYTES * 8 - 1 });
  return ranges;
}
