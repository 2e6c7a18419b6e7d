// Whom `timeout` closes: clients that are silent and could speak. The same dialogue with redis-server and with ours.
import { expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { type Client } from "../support/client.ts";
import { encodeRequest } from "../support/resp.ts";
import { type Server, startRedis, startSubject } from "../support/servers.ts";

const scope = fileScope();

/** What each client says before it falls silent. */
const SILENT: Readonly<Record<string, readonly (readonly (string | number)[])[]>> = {
  nothing: [],
  "a request": [["PING"]],
  "a transaction": [["MULTI"]],
  introduced: [["REPLCONF", "listening-port", 1]],
  "no longer subscribed": [
    ["SUBSCRIBE", "c"],
    ["UNSUBSCRIBE", "c"],
  ],
  tracking: [
    ["HELLO", 3],
    ["CLIENT", "TRACKING", "ON"],
  ],
  subscribed: [["SUBSCRIBE", "c"]],
  "subscribed to a pattern": [["PSUBSCRIBE", "c*"]],
  "subscribed to a shard": [["SSUBSCRIBE", "c"]],
  monitor: [["MONITOR"]],
  blocked: [["BLPOP", "k", 0]],
  "waiting for replicas": [["WAIT", 3, 0]],
  replica: [["SYNC"]],
};

/** Who is still there once a client that came after all of them has been silent for too long, twice. */
async function survivors(server: Server): Promise<string[]> {
  const clients = new Map<string, Client>();
  for (const [who, requests] of Object.entries(SILENT)) {
    const client = await server.connect();
    for (const request of requests) client.write(encodeRequest(request));
    clients.set(who, client);
  }
  for (let i = 0; i < 2; i++) await (await server.connect()).untilClosed();
  return [...clients].filter(([, client]) => !client.isClosed).map(([who]) => who);
}

test("those who wait for others, watch, or replicate may be silent", async () => {
  const flags = { timeout: 1, "cluster-enabled": "no", "repl-diskless-sync-delay": 0 };
  const [judge, subject] = await Promise.all([startRedis(scope, flags), startSubject(scope, flags)]);
  const [expected, found] = await Promise.all([survivors(judge), survivors(subject)]);
  expect(expected).toContain("monitor");
  expect(found).toEqual(expected);
});
