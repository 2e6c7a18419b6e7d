import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { journalOf } from "../../../src/io/journal.ts";
import { NodesFile } from "../../../src/server/nodes-file.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slotmesh-nodes-file-"));
  path = join(directory, "nodes.conf");
});
afterEach(() => rmSync(directory, { recursive: true }));

/** As after kill -9. */
const readAnew = (): { text: string; isBehind: boolean } => {
  const file = new NodesFile(path, false);
  return { text: file.read(), isBehind: file.isBehind };
};

test("what was noted is read by the next process, until the file is replaced", () => {
  const file = new NodesFile(path, false);
  expect(file.read()).toBe("");
  file.replace("one\n");
  file.note("two\n");
  file.note("three\n");
  expect(readFileSync(path, "utf8")).toBe("one\n");
  expect(readAnew()).toEqual({ text: "three\n", isBehind: true });
  file.replace("four\n");
  expect(readAnew()).toEqual({ text: "four\n", isBehind: false });
  file.close();
  expect(existsSync(journalOf(path))).toBe(false);
});

test("a file that says again what it once said has left its journal behind", () => {
  const file = new NodesFile(path, false);
  file.replace("one\n");
  file.note("two\n");
  file.replace("one\n");
  expect(readAnew()).toEqual({ text: "one\n", isBehind: false });
  file.close();
});

test("what another process left in the journal is gone once the file is replaced", () => {
  const before = new NodesFile(path, false);
  before.replace("one\n");
  before.note("two\n");
  const file = new NodesFile(path, false);
  expect(file.read()).toBe("two\n");
  file.replace("two\n");
  file.replace("one\n");
  expect(readAnew()).toEqual({ text: "one\n", isBehind: false });
  file.close();
  before.close();
});

test("a file that an operator wrote or removed counts, and not the journal", () => {
  const file = new NodesFile(path, false);
  file.replace("one\n");
  file.note("two\n");
  file.close();
  writeFileSync(path, "by hand\n");
  expect(readAnew().text).toBe("by hand\n");
  rmSync(path);
  expect(readAnew().text).toBe("");
});

test("where the journal cannot be written the file takes it", () => {
  const file = new NodesFile(path, false);
  file.replace("one\n");
  symlinkSync("/dev/full", journalOf(path));
  file.note("two\n");
  expect(file.isBehind).toBe(false);
  expect(readFileSync(path, "utf8")).toBe("two\n");
  expect(readAnew()).toEqual({ text: "two\n", isBehind: false });
  file.note("three\n");
  expect(readAnew()).toEqual({ text: "three\n", isBehind: true });
  file.close();
});

test("where neither takes any more, what was noted before still holds", () => {
  const [noted, longer] = ["two\n".repeat(900), "three\n".repeat(900)];
  const module = new URL("../../../src/server/nodes-file.ts", import.meta.url).pathname;
  const script = `
    const { NodesFile } = await import(${JSON.stringify(module)});
    const file = new NodesFile(${JSON.stringify(path)}, false);
    file.replace("one\\n");
    file.note(${JSON.stringify(noted)});
    try {
      file.note(${JSON.stringify(longer)});
    } catch (error) {
      process.stdout.write(error.constructor.name);
    }
    process.kill(process.pid, "SIGKILL");`;
  // Files of 4 KiB at most: the first record fits, and of the second one its beginning.
  const child = Bun.spawnSync([
    "bash",
    "-c",
    'trap "" XFSZ; ulimit -f 4; exec "$0" -e "$1"',
    process.execPath,
    script,
  ]);
  expect(child.stdout.toString()).toBe("DiskError");
  expect(readAnew()).toEqual({ text: noted, isBehind: true });
});
