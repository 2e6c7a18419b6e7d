// What is not there, and what cannot be told: only the first may be taken for absent.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DiskError, exists, listDirectory } from "../../../src/io/disk.ts";
import { Scope } from "../../support/cleanup.ts";
import { tempDir } from "../../support/temp.ts";

const scope = new Scope();
afterAll(() => scope.close());

test("a file or directory is there, or the system says that it is not", () => {
  const dir = tempDir(scope);
  writeFileSync(join(dir, "file"), "");
  mkdirSync(join(dir, "inner"));
  symlinkSync("nothing", join(dir, "dangling"));
  expect(["file", "inner", "absent", "dangling"].map((name) => exists(join(dir, name)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(listDirectory(join(dir, "absent"))).toEqual([]);
  expect(listDirectory(dir)).toEqual(["dangling", "file", "inner"]);
});

test("what cannot be reached is neither there nor absent", () => {
  const dir = tempDir(scope);
  symlinkSync("loop", join(dir, "loop"));
  writeFileSync(join(dir, "file"), "");
  for (const [path, reason] of [
    ["loop", "Too many levels of symbolic links"],
    ["loop/inner", "Too many levels of symbolic links"],
    ["file/inner", "Not a directory"],
    ["x".repeat(300), "File name too long"],
  ] as const) {
    expect(() => exists(join(dir, path))).toThrow(new DiskError(join(dir, path), reason));
    expect(() => listDirectory(join(dir, path))).toThrow(reason);
  }
});
