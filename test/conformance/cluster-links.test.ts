// cluster-link-sendbuf-limit: a peer that does not read costs no more memory than that, here and at redis-server.
import { expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { parseInfo } from "../support/info.ts";
import { startOurs, startRedis, type Flags, type Server } from "../support/servers.ts";

const scope = fileScope();
const LIMIT = 1 << 20;
const MESSAGE = "m".repeat(400_000);

async function pair(start: (flags: Flags) => Promise<Server>): Promise<readonly [Server, Server]> {
  const flags = { "cluster-enabled": "yes", "cluster-node-timeout": 30_000 };
  const [talker, sleeper] = await Promise.all([start(flags), start(flags)]);
  const client = await talker!.connect();
  await client.ok("CLUSTER", "MEET", "127.0.0.1", sleeper!.port);
  const linked = async (): Promise<boolean> =>
    ((await client.ask("CLUSTER", "LINKS")) as unknown[]).length === 2;
  await eventually(linked, 20_000, "links both ways");
  return [talker!, sleeper!];
}

/** Bytes waiting on the links of a node, as CLUSTER LINKS tells. */
async function waiting(client: Client): Promise<number> {
  const links = (await client.ask("CLUSTER", "LINKS")) as (string | number)[][];
  return links.reduce((sum, link) => sum + Number(link[link.indexOf("send-buffer-used") + 1]), 0);
}

const overLimit = async (client: Client): Promise<number> =>
  Number(parseInfo(await client.text("CLUSTER", "INFO")).get("total_cluster_links_buffer_limit_exceeded"));

test.each([
  ["redis-server", (flags: Flags) => startRedis(scope, flags)],
  ["ours", (flags: Flags) => startOurs(scope, flags)],
])(
  "%s closes the link of a peer that does not read",
  async (_, start) => {
    const [talker, sleeper] = await pair(start);
    const client = await talker.connect();
    sleeper.child.kill("SIGSTOP");
    const publish = async (): Promise<void> => {
      await client.ask("PUBLISH", "news", MESSAGE);
    };

    // Without a limit what waits is kept, and told.
    await eventually(
      async () => {
        await publish();
        return (await waiting(client)) > 2 * LIMIT;
      },
      20_000,
      "more than the limit waits",
    );
    expect(await overLimit(client)).toBe(0);

    // A limit set at run time holds for what waits already.
    await client.ok("CONFIG", "SET", "cluster-link-sendbuf-limit", "1mb");
    await eventually(async () => (await overLimit(client)) === 1, 20_000, "the link was closed");
    expect(await waiting(client)).toBeLessThan(LIMIT);

    // It is made anew, and closed anew.
    await eventually(
      async () => {
        await publish();
        return (await overLimit(client)) > 1;
      },
      30_000,
      "it was closed again",
    );
    expect(await waiting(client)).toBeLessThan(LIMIT + MESSAGE.length * 2);
    expect(String(await client.ask("PING"))).toBe("PONG");
    sleeper.child.kill("SIGCONT");
  },
  90_000,
);
