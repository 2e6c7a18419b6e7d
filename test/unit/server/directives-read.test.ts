// A directive of the cluster or of replication that is taken is read by something, or must say that it is not built.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { DIRECTIVES } from "../../../src/server/config/directives.ts";
import { ROOT } from "../../support/servers.ts";

/** Read by nobody, and every value is served all the same. */
const SERVED_ANYHOW = new Set([
  "replica-lazy-flush", // what is big is given back by and by in any case
  "repl-diskless-sync-delay", // the longest a copy may wait: copies begin at once
]);

const IS_OURS = /^(cluster|repl|replica|min-replicas)-/;

test("every directive of the cluster and of replication that is built is read", () => {
  const files = [...new Bun.Glob("src/**/*.ts").scanSync(ROOT)];
  const code = files.map((file) => readFileSync(`${ROOT}${file}`, "utf8")).join("\n");
  const reads = new Set(
    [...code.matchAll(/\.(?:number|flag|text|path|value|watch|onChange)\(\s*"([a-z-]+)"/g)].map(
      ([, name]) => name,
    ),
  );
  const unread = Object.entries(DIRECTIVES)
    .filter(([name, { built }]) => IS_OURS.test(name) && built === true && !reads.has(name))
    .map(([name]) => name)
    .filter((name) => !SERVED_ANYHOW.has(name));
  expect(unread).toEqual([]);
});
