// Chance, from the system's generator.
import { randomBytes } from "node:crypto";

/** `byteCount` random bytes as lower-case hexadecimal digits. */
export function randomHex(byteCount: number): string {
  return randomBytes(byteCount).toString("hex");
}

/** Four random 32-bit words, for the keyspace's hash seed. */
export function randomWords(): [number, number, number, number] {
  const bytes = randomBytes(16);
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
}

/** A number in [0, 1). */
export function randomFraction(): number {
  return randomBytes(4).readUInt32LE(0) / 4294967296;
}
