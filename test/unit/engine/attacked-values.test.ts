// Values and files that are wrong in some place, with right checksums: each is refused, or it is a value like any other.
// test/long has many more of them.
import { expect, test } from "bun:test";
import { attacked } from "../../support/attack/attack.ts";

test("RESTORE bears what is wrong", async () => {
  expect(await attacked("restore", 5000)).toBeGreaterThan(500);
}, 300_000);

test("a file bears what is wrong", async () => {
  expect(await attacked("file", 1500)).toBeGreaterThan(100);
}, 300_000);
