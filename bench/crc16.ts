// Is hashing a key to its slot cheaper in WASM, call included, than in TypeScript?
import { Memory } from "../src/engine/memory.ts";
import { type MicroCase, merge, runMicro } from "./micro.ts";
import type { Findings, Options } from "./report.ts";

const KEYS = 1000;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

/** The usual form: one table, one byte at a time. */
function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ TABLE[((crc >> 8) ^ bytes[i]!) & 0xff]!;
  return crc;
}

function slotCase(length: number): MicroCase {
  const memory = new Memory({ seed: [1, 2, 3, 4] });
  const ptr = memory.alloc(KEYS * length);
  for (let i = 0; i < KEYS; i++) {
    const key = Buffer.from(`key:${i}`.padEnd(length, "x"));
    memory.bytes.set(key, ptr + i * length);
  }
  const { wasm, bytes } = memory;
  const inScript = (): number => {
    let sum = 0;
    for (let i = 0; i < KEYS; i++) sum += crc16(bytes, ptr + i * length, ptr + (i + 1) * length);
    return sum;
  };
  const inWasm = (): number => {
    let sum = 0;
    for (let i = 0; i < KEYS; i++) sum += wasm.crc16(ptr + i * length, length);
    return sum;
  };
  if (inScript() !== inWasm()) throw new Error("the two do not agree on CRC16");
  return {
    title: `CRC16 of ${length}-byte keys`,
    note: "one call per key; slot = CRC16 of the key, the scan for a hash tag included",
    operations: KEYS,
    unit: "key",
    contenders: [
      { name: "TypeScript", run: inScript },
      { name: "WASM", run: inWasm },
      {
        name: "WASM, with hash tag",
        run: () => {
          let sum = 0;
          for (let i = 0; i < KEYS; i++) sum += wasm.slotOf(ptr + i * length, length);
          return sum;
        },
      },
    ],
  };
}

export async function run(options: Options): Promise<Findings> {
  const all: Findings[] = [];
  for (const length of [16, 64, 256]) all.push(await runMicro(slotCase(length), options));
  return merge(all);
}
