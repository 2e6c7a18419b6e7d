// As test/unit/engine/attacked-values.test.ts, for as many cases as take some minutes; SLOTMESH_CASES sets how many.
import { expect, test } from "bun:test";
import { attacked } from "../support/attack/attack.ts";

const CASES = Number(process.env["SLOTMESH_CASES"] ?? 200_000);
const HOUR_MS = 3_600_000;

test(
  "RESTORE bears what is wrong",
  async () => {
    expect(await attacked("restore", CASES)).toBeGreaterThan(CASES / 10);
  },
  HOUR_MS,
);

test(
  "a file bears what is wrong",
  async () => {
    expect(await attacked("file", CASES / 4)).toBeGreaterThan(CASES / 60);
  },
  HOUR_MS,
);
