import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskError } from "../../../src/io/disk.ts";
import { FaultDomain } from "../../../src/io/fault-domain.ts";
import { NewFile } from "../../../src/io/new-file.ts";
import { eventually } from "../../support/eventually.ts";
import { filesOpenIn } from "../../support/open-files.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slotmesh-new-file-"));
  path = join(directory, "file");
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Pieces of many sizes, below and above what is gathered for one write. */
function fill(file: NewFile): Buffer {
  const pieces = [1, 1000, 262_143, 262_144, 262_145, 3, 700_000, 5].map((length, i) =>
    Uint8Array.from({ length }, (_, at) => (at * 31 + i) & 255),
  );
  for (const piece of pieces) {
    const lent = piece.slice();
    file.write(lent);
    lent.fill(0); // it is the writer's again
  }
  return Buffer.concat(pieces);
}

const later = (file: NewFile): Promise<DiskError | undefined> =>
  new Promise((done) => file.finishLater(done));

describe.each([true, false])("a new file, lasting: %p", (isLasting) => {
  test("is whole in its place when finished, and not seen before", () => {
    writeFileSync(path, "old");
    const file = new NewFile(path, isLasting);
    const all = fill(file);
    expect(file.sizeBytes).toBe(all.length);
    expect(readFileSync(path, "utf8")).toBe("old");
    file.finish();
    expect(readFileSync(path).equals(all)).toBe(true);
    expect(readdirSync(directory)).toEqual(["file"]);
  });

  test("the same without waiting", async () => {
    writeFileSync(path, "old");
    const file = new NewFile(path, isLasting);
    const all = fill(file);
    expect(await later(file)).toBeUndefined();
    expect(readFileSync(path).equals(all)).toBe(true);
    expect(readdirSync(directory)).toEqual(["file"]);
  });

  test("the disk may begin ahead, and the end still covers everything", async () => {
    const file = new NewFile(path, isLasting);
    const piece = new Uint8Array(1 << 20).fill(7);
    for (let i = 0; i < 40; i++) {
      file.write(piece);
      file.syncAhead();
    }
    expect(await later(file)).toBeUndefined();
    expect(readFileSync(path).length).toBe(40 << 20);
  });

  test("given up, it leaves the old file and nothing else", () => {
    writeFileSync(path, "old");
    const file = new NewFile(path, isLasting);
    fill(file);
    file.abandon();
    expect(readdirSync(directory)).toEqual(["file"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  test("given up while the disk is at it, nobody is told of its end", async () => {
    const file = new NewFile(path, isLasting);
    fill(file);
    let told = 0;
    if (isLasting) file.finishLater(() => told++);
    file.abandon();
    const other = new NewFile(join(directory, "other"), true);
    expect(await later(other)).toBeUndefined();
    expect(told).toBe(0);
    expect(readdirSync(directory)).toEqual(["other"]);
  });

  test.each([false, true])("ends with the domain it was begun in, at its end: %p", async (isFinishing) => {
    writeFileSync(path, "old");
    const domain = new FaultDomain(() => {});
    let told = 0;
    const file = domain.within(() => {
      const begun = new NewFile(path, isLasting);
      fill(begun);
      if (isFinishing && isLasting) begun.finishLater(() => told++);
      return begun;
    });
    expect(filesOpenIn(directory)).toBe(1);
    domain.fail("why");
    expect(readdirSync(directory)).toEqual(["file"]);
    await eventually(() => filesOpenIn(directory) === 0, 5000, "it is closed");
    writeFileSync(`${path}.tmp-${process.pid}`, "of the next");
    file.abandon();
    expect(readdirSync(directory).length).toBe(2);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(told).toBe(0);
  });

  test("once finished it is no longer its domain's", async () => {
    const domain = new FaultDomain(() => {});
    const file = domain.within(() => new NewFile(path, isLasting));
    const all = fill(file);
    expect(await domain.within(() => later(file))).toBeUndefined();
    writeFileSync(`${path}.tmp-${process.pid}`, "of the next");
    domain.fail("why");
    expect(readFileSync(path).equals(all)).toBe(true);
    expect(readdirSync(directory).length).toBe(2);
    expect(filesOpenIn(directory)).toBe(0);
  });

  test("what cannot take its place says so", async () => {
    mkdirSync(join(path, "x"), { recursive: true });
    const first = new NewFile(path, isLasting);
    expect(() => first.finish()).toThrow(DiskError);
    first.abandon();
    const second = new NewFile(path, isLasting);
    const problem = await later(second);
    expect(problem).toBeInstanceOf(DiskError);
    expect(problem!.path).toBe(path);
    second.abandon();
    expect(readdirSync(directory)).toEqual(["file"]);
  });
});

test("a directory that is not there", () => {
  expect(() => new NewFile(join(directory, "none", "file"), true)).toThrow(/No such file or directory/);
});
