// Client-side caching on nodes that are not alone: what a master sends, a copy of its data, and a slot that moves away
// change what clients of this node have cached.
import { expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { plain } from "../support/resp.ts";
import { type Flags, type Server, startOurs, startRedis, startSubject } from "../support/servers.ts";
import { Party } from "./harness/party.ts";

const scope = fileScope();

/** The dialogue with two servers of each kind; both kinds must have told the same. */
async function same(flags: Flags, dialogue: (a: Server, b: Server) => Promise<unknown>): Promise<void> {
  const heard: unknown[] = [];
  for (const start of [startRedis, startSubject]) {
    const [a, b] = await Promise.all([start(scope, flags), start(scope, flags)]);
    heard.push(await dialogue(a, b));
    await Promise.all([a.stop(), b.stop()]);
  }
  expect(heard[1]).toEqual(heard[0]);
}

test("clients of a replica are told of a new copy, of its master's writes and of keys that die there", () =>
  same({ "cluster-enabled": "no", "repl-diskless-sync-delay": 0 }, async (master, replica) => {
    const writer = await master.connect();
    await writer.ok("SET", "k", "theirs");
    const party = await Party.of(replica, { reader: 3, listener: 3 });
    await party.say("reader", ["CLIENT", "TRACKING", "ON"], ["SET", "k", "own"], ["MGET", "k", "l", "e"]);
    await party.say("listener", ["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "k"]);
    await party.say("reader", ["REPLICAOF", "127.0.0.1", String(master.port)]);
    const witness = await replica.connect();
    await eventually(async () => (await witness.ask("GET", "k")) === "theirs", 20_000, "the copy is there");
    await party.say("reader", ["MGET", "k", "l", "e"]);
    // Each write has arrived before the next is made: where they arrive together is not the point here.
    const writes = [
      [["SET", "k", "2"], ["GET", "k"], "2"],
      [["MSET", "l", "3", "k", "3"], ["GET", "l"], "3"],
      [["SET", "e", "x", "PX", "30"], ["GET", "e"], null],
      [["FLUSHALL"], ["DBSIZE"], 0],
      [["SET", "k", "4"], ["GET", "k"], "4"],
    ] as const;
    for (const [write, look, arrived] of writes) {
      await party.say("reader", ["MGET", "k", "l", "e"]);
      await writer.ok(...write);
      await eventually(async () => (await witness.ask(...look)) === arrived, 5000, write.join(" "));
      if (write[1] === "e") await party.holds(2);
    }
    witness.close();
    return party.heard();
  }));

// redis-server 7.0 says nothing of these, and its clients go on reading what they have cached; later versions tell.
test("clients are told of the keys of a slot that moves away", async () => {
  const flags = { "cluster-enabled": "yes" };
  const [loser, winner] = await Promise.all([startOurs(scope, flags), startOurs(scope, flags)]);
  const [old, fresh] = [await loser.connect(), await winner.connect()];
  await old.ok("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await old.ok("CLUSTER", "MEET", "127.0.0.1", String(winner.port));
  const isOk = async (client: typeof old): Promise<boolean> =>
    /cluster_state:ok[^]*cluster_known_nodes:2/.test(await client.text("CLUSTER", "INFO"));
  await eventually(async () => (await isOk(old)) && (await isOk(fresh)), 20_000, "both know each other");
  const [reader, listener] = [await loser.connect({ protocol: 3 }), await loser.connect({ protocol: 3 })];
  for (const key of ["{k}b", "{k}a", "stays"]) await old.ok("SET", key, "1");
  await reader.ok("CLIENT", "TRACKING", "ON");
  await reader.ask("MGET", "{k}b", "{k}none");
  await reader.ask("GET", "stays");
  await listener.ok("CLIENT", "TRACKING", "ON", "BCAST");
  const slot = String(await old.ask("CLUSTER", "KEYSLOT", "{k}"));
  const [from, to] = [await old.text("CLUSTER", "MYID"), await fresh.text("CLUSTER", "MYID")];
  await fresh.ok("CLUSTER", "SETSLOT", slot, "IMPORTING", from);
  await fresh.ok("CLUSTER", "SETSLOT", slot, "NODE", to);
  expect(plain((await reader.read()).value)).toEqual(["invalidate", ["{k}b"]]);
  expect(plain((await listener.read()).value)).toEqual(["invalidate", ["{k}a", "{k}b"]]);
  expect(await reader.ask("ECHO", "nothing else")).toBe("nothing else");
});
