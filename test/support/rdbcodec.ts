// CRC-64 and LZF in the plainest form, to hold the engine's and the readers' against.
import type { RdbCodec } from "../../src/replication/rdb-reader.ts";

const POLYNOMIAL = 0x95ac9329ac4bc9b5n;
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
  return crc;
});

export function plainCrc64(start: bigint, bytes: Uint8Array): bigint {
  let crc = start;
  for (const byte of bytes) crc = (crc >> 8n) ^ (TABLE[Number((crc ^ BigInt(byte)) & 255n)] as bigint);
  return crc;
}

export function plainDecompress(packed: Uint8Array, length: number): Uint8Array | undefined {
  const out: number[] = [];
  for (let at = 0; at < packed.length;) {
    const control = packed[at++] as number;
    if (control < 32) {
      out.push(...packed.subarray(at, at + control + 1));
      at += control + 1;
      continue;
    }
    let count = (control >> 5) + 2;
    if (count === 9) count += packed[at++] as number;
    const from = out.length - (((control & 31) << 8) | (packed[at++] as number)) - 1;
    if (from < 0) return undefined;
    for (let i = 0; i < count; i++) out.push(out[from + i] as number);
  }
  return out.length === length ? Uint8Array.from(out) : undefined;
}

export const plainCodec: RdbCodec = {
  longestString: 536_870_912,
  crc64: plainCrc64,
  decompress: plainDecompress,
};
