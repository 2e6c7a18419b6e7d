import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskError, Spool } from "../../../src/io/disk.ts";

test("a spool gives back what was put into it, in pieces, and leaves no file", () => {
  const directory = mkdtempSync(join(tmpdir(), "slotmesh-spool-"));
  try {
    const spool = new Spool(directory);
    expect(readdirSync(directory)).toEqual([]);
    const all = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) & 255);
    for (let at = 0; at < all.length; at += 777) spool.write(all.subarray(at, at + 777));
    const read: number[] = [];
    for (let piece = spool.read(4096); piece !== undefined; piece = spool.read(4096)) read.push(...piece);
    expect(Buffer.from(read).equals(Buffer.from(all))).toBe(true);
    spool.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a directory that is not there is a DiskError", () => {
  expect(() => new Spool("/nowhere/at/all")).toThrow(DiskError);
});
