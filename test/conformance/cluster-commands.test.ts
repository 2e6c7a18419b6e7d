// CLUSTER step by step on a node that knows nobody: every check of every argument and every change it accepts, in one
// fixed order, replies compared byte by byte. Random streams (cluster.test.ts) cannot change slots without parting.
import { expect, test } from "bun:test";
import { CommandLink } from "../../src/server/command-link.ts";
import { join } from "../../src/server/join.ts";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { printable, printRequest, type Argument } from "../support/resp.ts";
import { startRedis, startSubject, subjectIsRedis, type Flags, type Server } from "../support/servers.ts";
import { comparableText } from "./harness/node-text.ts";

const scope = fileScope();

/** Stands for the id of the node that is asked; in a cluster of two, `$MASTER` and `$REPLICA` for theirs. */
const ME = "$ME";
const STRANGER = "0123456789abcdef0123456789abcdef01234567";

/** A request per line; words are parted by blanks, `''` is the empty word. */
const script = `
cluster | cluster nosuch | cluster '' | CLUSTER MyId x | cluster help x
cluster info | cluster nodes | cluster slots | cluster shards | cluster links | cluster myid
cluster meet | cluster meet a | cluster meet 127.0.0.1 abc | cluster meet 127.0.0.1 7000 x
cluster meet foo 7000 | cluster meet 127.0.0.1 0 | cluster meet 127.0.0.1 -1 | cluster meet 127.0.0.1 70000
cluster meet 127.0.0.1 60000 | cluster meet 127.0.0.1 7000 0 | cluster meet 127.0.0.1 7000 70000
cluster MeeT 127.0.0.1 7000 1 2 | cluster meet foo abc x | cluster meet '' 7000 | cluster meet 127.0.0.1 07000
cluster meet 1.2.3 7000 | cluster meet 1.2.3.256 7000 | cluster meet ::g 7000 | cluster meet 127.0.0.1 +7000
cluster addslots | cluster addslots x | cluster addslots 1 x 1 | cluster addslots 16384 | cluster addslots -1
cluster addslots 5 5 | cluster addslots 5 99999 | cluster addslots 1 2 3 | cluster addslots 4 1
cluster addslots 6 6 1 | cluster addslots '' | cluster addslots 9.0 | cluster addslots 99999999999999999999
cluster delslots 1 7 | cluster delslots 1 1 | cluster delslots x | cluster delslots 1 | cluster addslots 1
cluster nodes | cluster slots | cluster shards | cluster info
cluster addslotsrange 1 | cluster addslotsrange 1 2 3 | cluster addslotsrange 1 2 | cluster addslotsrange 9 5
cluster addslotsrange 10 20 15 25 | cluster addslotsrange 10 20 x 3 | cluster addslotsrange 1 2 x 3
cluster addslotsrange 10 20 5 16384 | cluster addslotsrange 20 30 40 35 | cluster addslotsrange 2 1 x 3
cluster addslotsrange x 1 | cluster addslotsrange 10 20 | cluster addslotsrange 30 30 | cluster nodes
cluster delslotsrange 19 22 | cluster delslotsrange 10 12 12 14 | cluster delslotsrange 10 12 x y
cluster delslotsrange 10 | cluster delslotsrange 10 20 2 | cluster delslotsrange 12 14 | cluster slots
cluster setslot 1 | cluster setslot 1 x | cluster setslot x migrating aa | cluster setslot 1 migrating
cluster setslot 1 stable x | cluster setslot 1 STABLE | cluster setslot 1 migrating ${STRANGER}
cluster setslot 7 migrating ${STRANGER} | cluster setslot 1 importing ${STRANGER}
cluster setslot 7 importing ${STRANGER} | cluster setslot 7 node ${STRANGER} | cluster setslot 7 node
cluster setslot 7 foo bar baz | cluster setslot 99999 importing $ME | cluster setslot -1 stable
cluster setslot 1 migrating $ME | cluster setslot 7 importing $ME | cluster nodes | cluster setslot 7 node $ME
cluster nodes | cluster setslot 1 stable | cluster nodes
cluster countkeysinslot x | cluster countkeysinslot -1 | cluster countkeysinslot 16384
cluster countkeysinslot 5 | cluster countkeysinslot 99999999999999999999 | cluster countkeysinslot
cluster getkeysinslot x 1 | cluster getkeysinslot 1 x | cluster getkeysinslot -1 x | cluster getkeysinslot -1 1
cluster getkeysinslot 1 -1 | cluster getkeysinslot 1 0 | cluster getkeysinslot 16384 5 | cluster getkeysinslot 1 1
cluster keyslot | cluster keyslot a | cluster keyslot a b | cluster keyslot {a}b | cluster keyslot a{}b
cluster keyslot {{a}}b | cluster keyslot '' | cluster keyslot 123456789
cluster forget abc | cluster forget $ME | cluster forget ${STRANGER} | cluster forget $MEx
cluster replicate abc | cluster replicate $ME | cluster replicas abc | cluster replicas $ME | cluster slaves $ME
cluster slaves x | cluster count-failure-reports x | cluster count-failure-reports $ME
cluster failover | cluster failover x | cluster failover FORCE | cluster FAILOVER force x | cluster failover takeover
cluster set-config-epoch x | cluster set-config-epoch -1 | cluster set-config-epoch 99999999999999999999
cluster set-config-epoch 0 | cluster bumpepoch | cluster bumpepoch | cluster set-config-epoch 5 | cluster info
cluster saveconfig | cluster saveconfig x | cluster reset x | cluster ReSet hard soft | cluster flushslots x
cluster flushslots | cluster nodes | cluster reset soft | cluster nodes | cluster addslotsrange 0 16383
cluster reset | cluster nodes | cluster info | cluster addslots 1 | cluster links x | cluster nodes x
asking | asking x | readonly | readonly x | readwrite | readwrite x | cluster shards | cluster slots
`;

const requests = parse(script);

function parse(text: string): readonly (readonly string[])[] {
  return text
    .split(/[|\n]/)
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => line.split(/\s+/).map((word) => (word === "''" ? "" : word)));
}

async function startBoth(flags: Flags): Promise<readonly [theirs: Server, ours: Server]> {
  const strict = subjectIsRedis() ? {} : { "cluster-solo": "no" };
  return await Promise.all([startRedis(scope, flags), startSubject(scope, { ...flags, ...strict })]);
}

/** A node's reply with what differs between any two nodes replaced: id, port, bus port. */
async function told(client: Client, server: Server, id: string, request: readonly string[]): Promise<string> {
  const args: Argument[] = request.map((word) => word.replace(ME, id));
  const { raw } = await client.reply(...args);
  // State and size are worked out anew from time to time, by timers of each node's own.
  const text = printable(raw, 100_000)
    .replaceAll(id, ME)
    .replace(/^([$=])\d+(.*)cluster_state:[a-z]+/, "$1N$2cluster_state:…")
    .replace(/cluster_size:\d+/, "cluster_size:…");
  const ports = text.replaceAll(`${server.port + 10_000}`, "BUS").replaceAll(`${server.port}`, "PORT");
  // Lengths of bulks count digits of ports, and those of the nodes differ.
  return ports.replaceAll(/([$=])\d+(?=\\r\\n(txt:)?[^$*]*PORT)/g, "$1N");
}

for (const mode of ["yes", "no"] as const) {
  for (const protocol of [2, 3] as const) {
    test(`cluster-enabled ${mode}, RESP${protocol}: step by step as redis-server`, async () => {
      const servers = await startBoth({ "cluster-enabled": mode });
      const [theirs, ours] = await Promise.all(
        servers.map(async (server) => {
          const client = await server.connect({ protocol });
          const id = mode === "yes" ? String(await client.ask("CLUSTER", "MYID")) : STRANGER;
          return { client, server, id };
        }),
      );
      const ask = ({ client, server, id }: NonNullable<typeof theirs>, request: readonly string[]) =>
        told(client, server, id, request);
      for (const [i, request] of requests.entries()) {
        const expected = await ask(theirs!, request);
        expect(await ask(ours!, request), `step ${i}: ${printRequest(request)}`).toBe(expected);
      }
    }, 60_000);
  }
}

// --- A master and its replica ---------------------------------------------------------------------------------

/** What each of the two is asked; the master holds one key, of slot 15495. */
const pairScript = {
  replica: `
cluster slots | cluster shards | cluster nodes | cluster myid | cluster replicas $MASTER | cluster replicas $REPLICA
cluster slaves $MASTER | cluster count-failure-reports $MASTER | cluster links
cluster setslot x foo | cluster setslot 1 stable | cluster setslot 99999 migrating $MASTER
cluster forget $MASTER | cluster replicate $REPLICA | cluster addslots 1 | cluster addslots 16384
cluster delslots 1 1 | cluster set-config-epoch 5 | cluster set-config-epoch x | cluster flushslots
get a | readonly | get a | set a b | mget a c | readwrite | get a | asking | get a
cluster getkeysinslot 15495 10 | cluster countkeysinslot 15495 | cluster keyslot a
cluster failover x | cluster failover takeover x | cluster reset foo | cluster saveconfig`,
  master: `
cluster slots | cluster shards | cluster nodes | cluster myid | cluster replicas $MASTER | cluster slaves $REPLICA
cluster replicate $REPLICA | cluster replicate $MASTER | cluster forget $MASTER | cluster forget $REPLICA$REPLICA
cluster setslot 1 migrating $REPLICA | cluster setslot 1 importing $REPLICA | cluster setslot 1 node $REPLICA
cluster setslot 15495 node $REPLICA | cluster failover | cluster failover force | cluster reset | cluster reset hard
cluster flushslots | cluster addslotsrange 1 5 | cluster set-config-epoch 9 | cluster links | cluster bumpepoch
get a | asking | get a | mget a c | cluster setslot 7 migrating $MASTER | cluster nodes | cluster setslot 7 stable
cluster delslots 7 | cluster slots | cluster nodes | cluster addslots 7 | cluster nodes`,
} as const;

interface Pair {
  readonly servers: Readonly<Record<"master" | "replica", Server>>;
  readonly ids: Readonly<Record<"master" | "replica", string>>;
}

async function startPair(start: (flags: Flags) => Promise<Server>): Promise<Pair> {
  const flags = { "cluster-enabled": "yes", "repl-diskless-sync-delay": 0 };
  const [master, replica] = await Promise.all([start(flags), start(flags)]);
  if (master === undefined || replica === undefined) throw new Error("a server did not start");
  const target = ({ port }: Server) => ({ host: "127.0.0.1", port });
  const links = await Promise.all([master, replica].map((server) => CommandLink.open(target(server), 5000)));
  try {
    await join(links, { masters: 1, replicas: 1, timeoutMs: 30_000 });
    await links[0]!.ask("SET", "a", "b");
    await links[0]!.ask("WAIT", 1, 10_000);
    const knowsReplica = async (link: CommandLink): Promise<boolean> =>
      (JSON.stringify(await link.ask("CLUSTER", "SLOTS")).match(/"127\.0\.0\.1"/g)?.length ?? 0) === 2;
    for (const link of links) {
      // The bus tells how far the replica has come; before that it is left out of CLUSTER SLOTS.
      await eventually(() => knowsReplica(link), 10_000, "CLUSTER SLOTS names the replica");
    }
    const [masterId, replicaId] = await Promise.all(links.map((link) => link.text("CLUSTER", "MYID")));
    return { servers: { master, replica }, ids: { master: masterId!, replica: replicaId! } };
  } finally {
    for (const link of links) link.close();
  }
}

function comparable(raw: Uint8Array, { servers, ids }: Pair): string {
  const nodes = (["master", "replica"] as const).map(
    (role) => [role, { id: ids[role], port: servers[role].port }] as const,
  );
  return comparableText(raw, nodes);
}

async function tellAll(pair: Pair, role: "master" | "replica", protocol: 2 | 3): Promise<readonly string[]> {
  const client = await pair.servers[role].connect({ protocol });
  const replies: string[] = [];
  for (const request of parse(pairScript[role])) {
    const args = request.map((word) =>
      word.replaceAll("$MASTER", pair.ids.master).replaceAll("$REPLICA", pair.ids.replica),
    );
    const { raw } = await client.reply(...args);
    replies.push(`${printRequest(request)}\n${comparable(raw, pair)}`);
  }
  client.close();
  return replies;
}

test("a master and its replica tell and refuse what redis-servers do", async () => {
  const [theirs, ours] = await Promise.all([
    startPair((flags) => startRedis(scope, flags)),
    startPair((flags) => startSubject(scope, flags)),
  ]);
  // The replica first: it learns what the master's part changes when the bus tells, sooner or later.
  for (const role of ["replica", "master"] as const) {
    for (const protocol of [2, 3] as const) {
      const expected = await tellAll(theirs, role, protocol);
      expect(await tellAll(ours, role, protocol), `${role}, RESP${protocol}`).toEqual([...expected]);
    }
  }
}, 60_000);
