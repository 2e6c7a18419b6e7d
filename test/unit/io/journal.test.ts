import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskError } from "../../../src/io/disk.ts";
import { FaultDomain } from "../../../src/io/fault-domain.ts";
import { Journal, journalOf, readJournal } from "../../../src/io/journal.ts";
import { filesOpenIn } from "../../support/open-files.ts";

let directory: string;
let path: string;
let journal: Journal;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slotmesh-journal-"));
  path = join(directory, "file");
  journal = new Journal(path);
});
afterEach(() => {
  journal.abort();
  rmSync(directory, { recursive: true });
});

test("the last text written counts beside the text it follows, and beside no other", () => {
  expect(readJournal(path, "old")).toBeUndefined();
  for (const text of ["new", "a longer text, ä", "short", ""]) {
    journal.write(text, "old");
    expect(readJournal(path, "old")).toBe(text);
    expect(readJournal(path, text)).toBeUndefined();
    expect(readJournal(path, "")).toBeUndefined();
  }
});

test("nothing counts once the file says it all", () => {
  journal.write("new", "old");
  journal.clear();
  expect(readJournal(path, "old")).toBeUndefined();
  journal.write("newer", "old");
  expect(readJournal(path, "old")).toBe("newer");
});

test("a record that is not whole is none: cut anywhere, or any byte of it another", () => {
  const text = "some lines\nof text\n";
  journal.write(text, "old");
  const whole = readFileSync(journalOf(path));
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(journalOf(path), whole);
    truncateSync(journalOf(path), length);
    expect(readJournal(path, "old")).toBeUndefined();
  }
  for (let at = 0; at < whole.length; at++) {
    const torn = Buffer.from(whole);
    torn[at]! ^= 1;
    writeFileSync(journalOf(path), torn);
    expect(readJournal(path, "old")).toBeUndefined();
  }
});

test("what the disk refuses is a DiskError", () => {
  mkdirSync(journalOf(path));
  expect(() => journal.write("new", "old")).toThrow(DiskError);
});

test("it is closed with its domain, and removed when nothing of it counts any more", () => {
  const domain = new FaultDomain(() => {});
  const owned = domain.within(() => new Journal(path));
  owned.write("new", "old");
  expect(filesOpenIn(directory)).toBe(1);
  domain.fail(new Error("a fault"));
  expect(filesOpenIn(directory)).toBe(0);
  expect(readJournal(path, "old")).toBe("new");
  owned.remove();
  expect(existsSync(journalOf(path))).toBe(false);
});
