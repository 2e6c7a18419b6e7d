// Random streams of strings and keys, written to a master of one kind and read from a replica of the other: in the end
// both hold the same values, to expire at the same moments.
import { expect, test } from "bun:test";
import { genericStep } from "../conformance/generic.stream.ts";
import { isProbe } from "../conformance/harness/step.ts";
import { stringStep } from "../conformance/strings.stream.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { type Random, seeded } from "../support/random.ts";
import type { Reply } from "../support/resp.ts";
import { type Server, startOurs, startRedis } from "../support/servers.ts";

const STEPS = 4000;
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
  await replica.ok("REPLICAOF", "127.0.0.1", masterServer.port);
  await eventually(
    async () => (await replica.text("INFO", "replication")).includes("master_link_status:up"),
    20_000,
    "the link to the master is up",
  );
  let inside = false;
  for (let i = 0; i < STEPS; i++) {
    if (random.chance(0.1)) inside = await turn(master, inside);
    const step = (random.chance(0.5) ? stringStep : genericStep)(random, "alone");
    if (!isProbe(step)) await master.reply(...step.args);
    else if (!inside) await step.find(master);
  }
  if (inside) await turn(master, inside);
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

/** Begins a transaction, or ends it. @returns whether one is begun */
async function turn(master: Client, inside: boolean): Promise<boolean> {
  await master.reply(inside ? "EXEC" : "MULTI");
  return !inside;
}

async function offsetOf(client: Client): Promise<string | undefined> {
  return /master_repl_offset:(\d+)/.exec(await client.text("INFO", "replication"))?.[1];
}

/** Keys with their bytes and moments of expiry; encodings may differ, as a replica is sent what INCRBYFLOAT made. */
async function held(client: Client): Promise<string[]> {
  const { value } = await client.reply("KEYS", "*");
  const keys =
    value.kind === "array" ? value.items.flatMap((item) => (item.kind === "bulk" ? [item.bytes] : [])) : [];
  const replies = await client.pipeline(
    keys.flatMap((key) => [
      ["GET", key],
      ["PEXPIRETIME", key],
    ]),
  );
  const told = keys.map((key, i) => {
    const [bytes, expiry] = [replies[i * 2], replies[i * 2 + 1]];
    return `${key.toString("latin1")} ${String(Bun.hash(bytes?.raw ?? ""))} ${momentOf(expiry)}`;
  });
  return told.toSorted();
}

/** Ours keeps moments as doubles: beyond 2^53 ms, in the year 287396, they are not told apart. */
function momentOf(reply: Reply | undefined): string {
  const text = reply?.value.kind === "integer" ? reply.value.text : "?";
  return Number(text) > Number.MAX_SAFE_INTEGER ? "beyond 2^53" : text;
}
