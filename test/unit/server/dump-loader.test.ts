// Files at the edge of what can be loaded.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { loadFile, type Loaded } from "../../../src/server/dump-loader.ts";
import { StartError } from "../../../src/server/start-error.ts";
import { fileScope } from "../../support/cleanup.ts";
import { InProcess } from "../../support/inprocess.ts";
import { text } from "../../support/rdbforms.ts";
import { plainCrc64 } from "../../support/rdbcodec.ts";
import { tempDir } from "../../support/temp.ts";

const scope = fileScope();

function load(body: readonly number[], expired: (database: number) => void = () => {}): Loaded | undefined {
  const path = `${tempDir(scope)}/dump.rdb`;
  const file = Buffer.concat([Buffer.from("REDIS0010"), Uint8Array.from([...body, 255]), Buffer.alloc(8)]);
  file.writeBigUInt64LE(plainCrc64(0n, file.subarray(0, -8)), file.length - 8);
  writeFileSync(path, file);
  const { memory, keys, rdb } = new InProcess();
  const options = { isMaster: true, verifies: true, begun: () => {}, expired, notice: () => {} };
  return loadFile(path, { memory, keys, rdb, databaseCount: 16 }, options);
}

const EXPIRED = [252, 1, 0, 0, 0, 0, 0, 0, 0];
const STRING = [0, ...text("key"), ...text("value")];
const LIST = [1, ...text("key"), 1, ...text("element")];

test.each([
  ["a string", STRING],
  ["a list", LIST],
])("a key that has expired tells its database: %s", (_, key) => {
  const told: number[] = [];
  expect(load([254, 15, ...EXPIRED, ...key], (database) => told.push(database))).toEqual({
    keys: 0,
    expired: 1,
  });
  expect(told).toEqual([15]);
});

test.each([
  ["a string", STRING],
  ["a list", LIST],
])("a database that is not there is refused, though its key has expired: %s", (_, key) => {
  const told: number[] = [];
  expect(() => load([254, 16, ...EXPIRED, ...key], (database) => told.push(database))).toThrow(StartError);
  expect(told).toEqual([]);
});
