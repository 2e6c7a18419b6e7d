import { expect, test } from "bun:test";
import { residentBytes } from "../../../src/io/process.ts";
import { givePages } from "../../../src/io/pages.ts";

const MIB = 1 << 20;

test.skipIf(process.platform !== "linux")(
  "what is given back reads as zeros and is not resident any more",
  () => {
    const { buffer } = new WebAssembly.Memory({ initial: 1024 });
    const bytes = new Uint8Array(buffer);
    bytes.fill(7);
    const before = residentBytes();
    expect(givePages(bytes, MIB, 62 * MIB)).toBe(true);
    expect(before - residentBytes()).toBeGreaterThan(48 * MIB);
    expect([bytes[0], bytes[MIB - 1], bytes[63 * MIB], bytes[64 * MIB - 1]]).toEqual([7, 7, 7, 7]);
    expect(bytes.subarray(MIB, 63 * MIB).every((byte) => byte === 0)).toBe(true);
    bytes[2 * MIB] = 9;
    expect(bytes[2 * MIB]).toBe(9);
  },
);

test.skipIf(process.platform !== "linux")("less than a page of the system is left as it is", () => {
  const bytes = new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer).fill(7);
  expect(givePages(bytes, 100, 3000)).toBe(true);
  expect(bytes.every((byte) => byte === 7)).toBe(true);
});
