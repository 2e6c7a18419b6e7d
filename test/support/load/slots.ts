// Which slot a key is in, and keys for given slots: by the definition of the cluster's specification, apart from the
// engine's own, which is among what is judged.
import { SLOT_COUNT } from "../../../assembly/abi.ts";

const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

/** The slot of a key of ASCII letters: of what stands between the first `{` and the next `}`, if anything does. */
export function slotOf(key: string): number {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  const [from, to] = close > open + 1 ? [open + 1, close] : [0, key.length];
  let crc = 0;
  for (let i = from; i < to; i++)
    crc = ((crc << 8) & 0xffff) ^ (CRC16[((crc >> 8) ^ key.charCodeAt(i)) & 0xff] ?? 0);
  return crc % SLOT_COUNT;
}

/** A hash tag, without its braces, for each of the slots. */
export function tagsFor(slots: readonly number[]): readonly string[] {
  const wanted = new Set(slots);
  const tags = new Map<number, string>();
  for (let n = 0; tags.size < wanted.size; n++) {
    const tag = n.toString(36);
    const slot = slotOf(tag);
    if (wanted.has(slot) && !tags.has(slot)) tags.set(slot, tag);
  }
  return slots.map((slot) => tags.get(slot) ?? "");
}
