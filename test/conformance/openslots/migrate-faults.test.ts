// MIGRATE to a target that does not do what it should: it refuses, answers in part, says nothing, breaks off, or has
// died since it was last asked. What the client is told, which keys are left, and how often the target is tried must be
// what redis-server makes of the same target.
import { beforeAll, expect, test } from "bun:test";
import { fileScope } from "../../support/cleanup.ts";
import type { Client } from "../../support/client.ts";
import { type AnswerTo, FakeTarget, HANG_UP } from "../../support/fake-target.ts";
import { printable } from "../../support/resp.ts";
import { startRedis, startSubject } from "../../support/servers.ts";

const scope = fileScope();
let sources: readonly Client[] = [];

beforeAll(async () => {
  const flags = { "cluster-enabled": "no" };
  const servers = await Promise.all([startRedis(scope, flags), startSubject(scope, flags)]);
  sources = await Promise.all(servers.map((server) => server.connect()));
}, 40_000);

interface Scene {
  readonly answerTo: AnswerTo;
  /** Words after MIGRATE, for `$P` the port of the target; the keys 1 to 5 are there. */
  readonly requests: readonly string[];
  /** Between two requests. */
  between?(target: FakeTarget): void;
  /** How often it tries: a node of ours may have noticed that a kept connection is dead, and then has a try more. */
  readonly tries?: "vary";
}

const ALL = "127.0.0.1 $P '' 0 5000 KEYS 1 2 3 4 5";
const IMPATIENT = "127.0.0.1 $P '' 0 50 KEYS 1 2 3 4 5";
const ok: AnswerTo = () => "+OK\r\n";

/** Says OK but for some requests. */
function but(exceptions: Readonly<Record<string, string | typeof HANG_UP | undefined>>): AnswerTo {
  return (request) => (Object.hasOwn(exceptions, request) ? exceptions[request] : "+OK\r\n");
}

const SCENES: Readonly<Record<string, Scene>> = {
  "all is well": { answerTo: ok, requests: [ALL] },
  "the connection is kept, and SELECT is sent when the database changes": {
    answerTo: ok,
    requests: [
      "127.0.0.1 $P 1 0 1000",
      "127.0.0.1 $P 2 0 1000",
      "127.0.0.1 $P 3 1 1000",
      "127.0.0.1 $P 4 1 1000 AUTH x",
    ],
  },
  "after an error SELECT is sent again": {
    answerTo: but({ "RESTORE 2": "-OOM no\r\n" }),
    requests: ["127.0.0.1 $P 1 0 1000", "127.0.0.1 $P 2 0 1000", "127.0.0.1 $P 3 0 1000"],
  },
  "one key is refused": { answerTo: but({ "RESTORE 3": "-BUSYKEY taken\r\n" }), requests: [ALL, ALL] },
  "two keys are refused": {
    answerTo: but({ "RESTORE 2": "-FIRST one\r\n", "RESTORE 4": "-SECOND one\r\n" }),
    requests: [ALL],
  },
  "the first and the last key are refused": {
    answerTo: but({ "RESTORE 1": "-ERR first\r\n", "RESTORE 5": "-ERR last\r\n" }),
    requests: [ALL],
  },
  "AUTH is refused": {
    answerTo: but({ "AUTH x": "-WRONGPASS\r\n" }),
    requests: [`${ALL.replace("KEYS", "AUTH x KEYS")}`],
  },
  "AUTH and SELECT and a key are refused": {
    answerTo: but({ "AUTH x": "-A\r\n", "SELECT 0": "-S\r\n", "RESTORE 1": "-R\r\n" }),
    requests: [`${ALL.replace("KEYS", "AUTH x KEYS")}`],
  },
  "SELECT is refused": { answerTo: but({ "SELECT 0": "-ERR no such\r\n" }), requests: [ALL, ALL] },
  "an empty error": { answerTo: but({ "RESTORE 2": "-\r\n" }), requests: [ALL] },
  "lines end with LF alone": { answerTo: () => "+OK\n", requests: [ALL] },
  "answers that are no status": { answerTo: () => ":1\r\n", requests: [ALL] },
  "it hangs up before it answers": { answerTo: () => HANG_UP, requests: [ALL, ALL] },
  "it hangs up amid the answers": { answerTo: but({ "RESTORE 3": HANG_UP }), requests: [ALL, ALL] },
  "it hangs up before the first key is answered": {
    answerTo: but({ "RESTORE 1": HANG_UP }),
    requests: [ALL],
  },
  "it hangs up after an error": {
    answerTo: but({ "RESTORE 1": "-ERR no\r\n", "RESTORE 3": HANG_UP }),
    requests: [ALL],
  },
  "it hangs up after the last answer": {
    answerTo: ok,
    requests: [ALL, "127.0.0.1 $P 1 0 1000"],
    between: (target) => target.hangUp(),
  },
  "it hangs up amid a line": { answerTo: but({ "RESTORE 2": "+O" }), requests: [IMPATIENT] },
  "the kept connection is dead and the next one too": {
    answerTo: (_, connection) => (connection === 0 ? "+OK\r\n" : HANG_UP),
    requests: ["127.0.0.1 $P 1 0 1000", "127.0.0.1 $P 2 0 1000", "127.0.0.1 $P 3 0 1000"],
    between: (target) => target.hangUp(),
    tries: "vary",
  },
  "the second try is answered": {
    answerTo: (_, connection) => (connection === 0 ? HANG_UP : "+OK\r\n"),
    requests: [ALL],
  },
  "it says nothing": { answerTo: () => undefined, requests: [IMPATIENT, IMPATIENT] },
  "it says nothing to the first key": { answerTo: but({ "RESTORE 1": undefined }), requests: [IMPATIENT] },
  "it falls silent amid the answers": {
    answerTo: but({ "RESTORE 3": undefined, "RESTORE 4": undefined, "RESTORE 5": undefined }),
    requests: [IMPATIENT, "127.0.0.1 $P 5 0 50"],
  },
  "it falls silent after an error": {
    answerTo: but({
      "RESTORE 1": "-ERR no\r\n",
      "RESTORE 3": undefined,
      "RESTORE 4": undefined,
      "RESTORE 5": undefined,
    }),
    requests: [IMPATIENT],
  },
  "a copy of which a part arrives": {
    answerTo: but({ "RESTORE 3": HANG_UP }),
    requests: [ALL.replace("KEYS", "COPY KEYS"), ALL.replace("KEYS", "REPLACE KEYS")],
  },
};

for (const [name, scene] of Object.entries(SCENES)) {
  test(name, async () => {
    const [theirs, ours] = [await play(sources[0]!, scene), await play(sources[1]!, scene)];
    const comparable = (lines: readonly string[]): readonly string[] =>
      scene.tries === "vary" ? lines.filter((line) => !/^(requests|connections): /.test(line)) : lines;
    expect(comparable(ours)).toEqual([...comparable(theirs)]);
  });
}

async function play(source: Client, { answerTo, requests, between }: Scene): Promise<readonly string[]> {
  const target = await FakeTarget.start(scope, answerTo);
  const heard: string[] = [];
  await source.ok("FLUSHALL");
  await source.text("CONFIG", "RESETSTAT");
  await source.ok("MSET", ..."1a2b3c4d5e");
  const changes = await changesOf(source);
  for (const [i, request] of requests.entries()) {
    if (i > 0) between?.(target);
    const words = request
      .split(" ")
      .map((word) => (word === "''" ? "" : word.replace("$P", `${target.port}`)));
    const { raw } = await source.reply("MIGRATE", ...words);
    heard.push(`${request}: ${printable(raw)}`);
    heard.push(`left: ${JSON.stringify(await source.ask("MGET", ..."12345"))}`);
  }
  heard.push(`requests: ${target.requests.join(", ")}`, `connections: ${target.sockets.length}`);
  const info = await source.text("INFO", "errorstats");
  heard.push(...info.split("\r\n").slice(1), `changes: ${(await changesOf(source)) - changes}`);
  return heard;
}

async function changesOf(source: Client): Promise<number> {
  const info = await source.text("INFO", "persistence");
  return Number(/^rdb_changes_since_last_save:(\d+)/m.exec(info)?.[1]);
}
