// Random streams over all types, written to a master of one kind and read from a replica of the other, which begins with
// a full copy half-way: in the end both hold the same values, to expire at the same moments.
import { expect, test } from "bun:test";
import { genericStep } from "../conformance/generic.stream.ts";
import { hashStep } from "../conformance/hashes.stream.ts";
import { listStep } from "../conformance/lists.stream.ts";
import { setStep } from "../conformance/sets.stream.ts";
import { sortedSetStep } from "../conformance/sortedsets.stream.ts";
import { isProbe } from "../conformance/harness/step.ts";
import { stringStep } from "../conformance/strings.stream.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { type Random, seeded } from "../support/random.ts";
import type { Reply } from "../support/resp.ts";
import { type Server, startOurs, startRedis } from "../support/servers.ts";

/** Before the replica comes, and after. */
const STEPS = 4000;
const STREAMS = [stringStep, genericStep, hashStep, listStep, setStep, sortedSetStep];
/** So low that values change their encodings. */
const LIMITS = [
  ["list-max-listpack-size", 5],
  ["hash-max-listpack-entries", 6],
  ["set-max-intset-entries", 6],
  ["zset-max-listpack-entries", 6],
] as const;
/** Those the streams may write to. */
const DATABASES = [0, 1, 2, 15];
const scope = fileScope();
const ALONE = { "cluster-enabled": "no" };
const AT_ONCE = { "repl-diskless-sync-delay": 0 };

test("redis-server follows ours", async () => {
  const [ours, redis] = await Promise.all([startOurs(scope, ALONE), startRedis(scope, AT_ONCE)]);
  await seeded((random) => follow(ours, redis, random));
}, 120_000);

test("ours follows redis-server", async () => {
  const [ours, redis] = await Promise.all([startOurs(scope, ALONE), startRedis(scope, AT_ONCE)]);
  await seeded((random) => follow(redis, ours, random));
}, 120_000);

async function follow(masterServer: Server, replicaServer: Server, random: Random): Promise<void> {
  const [master, replica] = [await masterServer.connect(), await replicaServer.connect()];
  for (const client of [master, replica]) {
    for (const [name, limit] of LIMITS) await client.ok("CONFIG", "SET", name, limit);
  }
  await write(master, random);
  await replica.ok("REPLICAOF", "127.0.0.1", masterServer.port);
  await eventually(
    async () => (await replica.text("INFO", "replication")).includes("master_link_status:up"),
    20_000,
    "the link to the master is up",
  );
  await write(master, random);
  await eventually(
    async () => (await offsetOf(master)) === (await offsetOf(replica)),
    20_000,
    "the replica has heard all",
  );
  for (const database of DATABASES) {
    await master.ok("SELECT", database);
    await replica.ok("SELECT", database);
    expect({ database, held: await held(replica) }).toEqual({ database, held: await held(master) });
  }
}

async function write(master: Client, random: Random): Promise<void> {
  let inside = false;
  for (let i = 0; i < STEPS; i++) {
    if (random.chance(0.1)) inside = await turn(master, inside);
    const step = random.pick(STREAMS)(random, "alone");
    if (!isProbe(step)) await master.reply(...step.args);
    else if (!inside) await step.find(master);
  }
  if (inside) await turn(master, inside);
}

/** Begins a transaction, or ends it. @returns whether one is begun */
async function turn(master: Client, inside: boolean): Promise<boolean> {
  await master.reply(inside ? "EXEC" : "MULTI");
  return !inside;
}

async function offsetOf(client: Client): Promise<string | undefined> {
  return /master_repl_offset:(\d+)/.exec(await client.text("INFO", "replication"))?.[1];
}

/** Keys with what they hold and moments of expiry; encodings may differ, as a replica is sent what INCRBYFLOAT made. */
async function held(client: Client): Promise<string[]> {
  const { value } = await client.reply("KEYS", "*");
  const keys =
    value.kind === "array" ? value.items.flatMap((item) => (item.kind === "bulk" ? [item.bytes] : [])) : [];
  const replies = await client.pipeline(
    keys.flatMap((key) => [
      ["DEBUG", "DIGEST-VALUE", key],
      ["PEXPIRETIME", key],
      ["ZRANGE", key, 0, -1, "WITHSCORES"],
    ]),
  );
  const told = keys.map((key, i) => {
    const [digest, expiry, scores] = replies.slice(i * 3, i * 3 + 3);
    const holds = scores?.value.kind === "error" ? digest?.raw.toString("latin1") : scoresOf(scores);
    return `${key.toString("latin1")} ${holds} ${momentOf(expiry)}`;
  });
  return told.toSorted();
}

/**
 * Members and scores, zeros without a sign: a listpack loses it, and the replica of a redis-server, too, may hold as a
 * listpack what its master holds as a skiplist.
 */
function scoresOf(reply: Reply | undefined): string | undefined {
  return reply?.raw.toString("latin1").replaceAll("$2\r\n-0\r\n", "$1\r\n0\r\n");
}

/** Ours keeps moments as doubles: beyond 2^53 ms, in the year 287396, they are not told apart. */
function momentOf(reply: Reply | undefined): string {
  const text = reply?.value.kind === "integer" ? reply.value.text : "?";
  return Number(text) > Number.MAX_SAFE_INTEGER ? "beyond 2^53" : text;
}
