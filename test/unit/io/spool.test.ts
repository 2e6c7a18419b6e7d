import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskError, Spool } from "../../../src/io/disk.ts";
import { FaultDomain } from "../../../src/io/fault-domain.ts";
import { filesOpenIn } from "../../support/open-files.ts";

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

test("a spool is closed with the domain it was made in, and once", () => {
  const directory = mkdtempSync(join(tmpdir(), "slotmesh-spool-"));
  try {
    const domain = new FaultDomain(() => {});
    const make = (): Spool => domain.within(() => new Spool(directory));
    make().close();
    const spool = make();
    spool.write(Uint8Array.of(1));
    expect(filesOpenIn(directory)).toBe(1);
    domain.fail("why");
    expect(filesOpenIn(directory)).toBe(0);
    const another = new Spool(directory); // with the number that is free now
    expect(() => spool.write(Uint8Array.of(2))).toThrow(DiskError);
    spool.close();
    expect(filesOpenIn(directory)).toBe(1);
    another.close();
    make();
    expect(filesOpenIn(directory)).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a directory that is not there is a DiskError", () => {
  expect(() => new Spool("/nowhere/at/all")).toThrow(DiskError);
});
