// Masters and replicas, real and ours: who follows whom, and whether they hold the same.
import type { Client } from "./client.ts";
import { eventually } from "./eventually.ts";
import { parseInfo } from "./info.ts";
import type { Server } from "./servers.ts";

/** The fields of INFO replication, as text. */
export async function replicationInfo(client: Client): Promise<ReadonlyMap<string, string>> {
  return parseInfo(await client.text("INFO", "replication"));
}

/** REPLICAOF, and until the link is up. */
export async function follow(replica: Server, master: { readonly port: number }): Promise<Client> {
  const client = await replica.connect();
  await client.ok("REPLICAOF", "127.0.0.1", master.port);
  await untilLinked(client);
  return client;
}

export async function untilLinked(replica: Client): Promise<void> {
  await eventually(
    async () => (await replicationInfo(replica)).get("master_link_status") === "up",
    20_000,
    "the link to the master is up",
  );
}

/** Until the replica has applied everything its master has written so far. */
export async function untilCaughtUp(master: Client, replica: Client): Promise<void> {
  const wanted = Number((await replicationInfo(master)).get("master_repl_offset"));
  await eventually(
    async () => {
      const info = await replicationInfo(replica);
      return info.get("master_link_status") === "up" && Number(info.get("slave_repl_offset")) >= wanted;
    },
    20_000,
    `the replica reaches offset ${wanted}`,
  );
}

/** Every key of a database with its value and expiry, in the order of their names. */
export async function contents(client: Client): Promise<string[]> {
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, keys] = (await client.ask("SCAN", cursor, "COUNT", 1000)) as [string, string[]];
    const asked = keys.flatMap((key) => [
      ["GET", key],
      ["PEXPIRETIME", key],
    ]);
    const replies = (await client.pipeline(asked)).map(({ raw }) => Buffer.from(raw).toString("latin1"));
    for (const [i, key] of keys.entries()) found.push(`${key} ${replies[2 * i]} ${replies[2 * i + 1]}`);
    cursor = next;
  } while (cursor !== "0");
  return [...new Set(found)].toSorted();
}
