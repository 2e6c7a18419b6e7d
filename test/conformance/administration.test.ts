// Dialogues of more than one step with clients and the node: each is held with redis-server and with ours, and both
// must have been told the same.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../support/client.ts";
import { fileScope } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { encodeRequest } from "../support/resp.ts";
import { type Server, startRedis, startSubject } from "../support/servers.ts";
import { judged } from "./harness/conformance.ts";

const pair = judged("alone");
const scope = fileScope();

/** What differs between any two servers, blotted out. */
const blot = (text: string): string =>
  text
    .replace(/127\.0\.0\.1:\d+/g, "<address>")
    .replace(/\d{10}\.\d{6}/g, "<time>")
    .replace(/\bid=\d+/g, "id=<n>");

async function same(dialogue: (server: Server) => Promise<unknown>): Promise<void> {
  const { theirs, ours } = pair.servers;
  const [wanted, got] = [await dialogue(theirs), await dialogue(ours)];
  expect(got).toEqual(wanted);
}

/** Sends lines as they are, then a last PING, and gives everything that came until its reply. */
async function say(client: Client, ...requests: readonly (readonly string[])[]): Promise<string> {
  const before = client.received.length;
  client.write(
    Buffer.concat([...requests, ["PING", "the end"]].map((request) => encodeRequest([...request]))),
  );
  await eventually(() => client.received.includes("the end", before), 5000, "the last reply");
  return blot(client.received.subarray(before).toString("latin1"));
}

test("CLIENT REPLY mutes what it says it mutes", () =>
  same(async (server) => {
    const client = await server.connect();
    return say(
      client,
      ["CLIENT", "REPLY", "SKIP"],
      ["ECHO", "a"],
      ["ECHO", "b"],
      ["CLIENT", "REPLY", "OFF"],
      ["ECHO", "c"],
      ["NOSUCH"],
      ["GET"],
      ["CLIENT", "REPLY", "SKIP"],
      ["ECHO", "d"],
      ["CLIENT", "REPLY", "ON"],
      ["ECHO", "e"],
      ["CLIENT", "REPLY", "SKIP"],
      ["CLIENT", "REPLY", "ON"],
      ["SET", "k", "v"],
    );
  }));

test("a client that kills itself gets its reply and nothing after it", () =>
  same(async (server) => {
    const client = await server.connect();
    const id = String(await client.ask("CLIENT", "ID"));
    const before = client.received.length;
    client.write(
      Buffer.concat(
        [
          ["ECHO", "1"],
          ["CLIENT", "KILL", "ID", id, "SKIPME", "no"],
          ["ECHO", "2"],
        ].map(encodeRequest),
      ),
    );
    return (await client.untilClosed()).subarray(before).toString();
  }));

test("CLIENT KILL finds clients by id, address and type, and spares who asks", () =>
  same(async (server) => {
    const killer = await server.connect();
    const told: unknown[] = [];
    for (const by of ["ID", "ADDR", "old"] as const) {
      const victim = await server.connect();
      const line = String(await victim.ask("CLIENT", "INFO"));
      const id = /id=(\d+)/.exec(line)?.[1] ?? "";
      const address = / addr=(\S+)/.exec(line)?.[1] ?? "";
      const filter =
        by === "ID" ? ["ID", id] : by === "ADDR" ? ["TYPE", "normal", "ADDR", address] : [address];
      told.push(await killer.ask("CLIENT", "KILL", ...filter));
      await victim.untilClosed();
    }
    told.push(await killer.ask("CLIENT", "KILL", "TYPE", "normal", "LADDR", "127.0.0.1:1"));
    told.push(await killer.ask("PING"));
    return told;
  }));

test("CLIENT INFO and LIST have the fields redis-server's have, in its order", () =>
  same(async (server) => {
    const client = await server.connect({ protocol: 3 });
    await client.ok("CLIENT", "SETNAME", "me");
    await client.ok("CLIENT", "NO-EVICT", "ON");
    await client.ok("SELECT", "3");
    const own = String(await client.ask("CLIENT", "INFO"));
    const listed = String(await client.ask("CLIENT", "LIST", "ID", /id=(\d+)/.exec(own)?.[1] ?? ""));
    const known = /name=|flags=|db=|cmd=|user=|redir=|resp=|multi=|sub=|age=/;
    return [own, listed].map((line) =>
      line.split(" ").map((field) => (known.test(field) ? field : (field.split("=")[0] ?? ""))),
    );
  }));

test("a pause holds writes, lets reads pass, and ends when it is told to", () =>
  same(async (server) => {
    const [pauser, other] = [await server.connect(), await server.connect()];
    await pauser.ok("SET", "paused", "before");
    await pauser.ok("CLIENT", "PAUSE", "60000", "WRITE");
    other.write(
      Buffer.concat(
        [
          ["GET", "paused"],
          ["SET", "paused", "after"],
          ["GET", "paused"],
        ].map(encodeRequest),
      ),
    );
    const first = (await other.read()).raw.toString();
    const meanwhile = await pauser.ask("GET", "paused");
    await pauser.ok("CLIENT", "UNPAUSE");
    const rest = [(await other.read()).raw.toString(), (await other.read()).raw.toString()];
    return [first, meanwhile, ...rest];
  }));

test("a pause of everything ends by itself", () =>
  same(async (server) => {
    const client = await server.connect();
    await client.ok("CLIENT", "PAUSE", "50");
    const since = performance.now();
    await client.ask("PING");
    return performance.now() - since >= 40;
  }));

test("MONITOR shows what ran, without secrets and administration", () =>
  same(async (server) => {
    const [monitor, client] = [await server.connect(), await server.connect()];
    await monitor.ok("MONITOR");
    await say(
      client,
      ["AUTH", "hidden"],
      ["SET", 'a"b\\\x80\n\t', "v"],
      ["CONFIG", "GET", "hz"],
      ["SELECT", "3"],
      ["GET", "x"],
      ["NOSUCH"],
      ["GET"],
      ["HELLO", "3", "AUTH", "default", "hidden"],
      ["CLIENT", "ID"],
    );
    await eventually(() => monitor.received.includes("the end"), 5000, "the last line");
    return blot(monitor.received.toString("latin1"));
  }));

test("the slow log keeps requests short and secrets out", () =>
  same(async (server) => {
    const client = await server.connect();
    await client.ok("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "6");
    await client.ok("SLOWLOG", "RESET");
    await client.ask("EXISTS", ...Array.from({ length: 40 }, (_, i) => `k${i}`));
    await client.ok("SET", "k", "x".repeat(200));
    await client.ask("AUTH", "hidden");
    await client.ok("CONFIG", "SET", "masterauth", "hidden", "hz", "10");
    await client.ok("CLIENT", "SETNAME", "me");
    await client.ask("GET", "k");
    const entries = await client.ask("SLOWLOG", "GET", "10");
    await client.ok("CONFIG", "SET", "slowlog-log-slower-than", "10000", "masterauth", "");
    if (!Array.isArray(entries)) throw new Error("no list");
    return entries.map((entry: unknown[]) => [entry[3], blot(String(entry[4])), entry[5]]);
  }));

test("a password set while clients are connected concerns those that come later", () =>
  same(async (server) => {
    const old = await server.connect();
    await old.ok("CONFIG", "SET", "requirepass", "sesame");
    const fresh = await server.connect();
    const told = [
      await fresh.ask("PING"),
      await fresh.ask("HELLO", "3"),
      await fresh.ask("HELLO", "3", "SETNAME", "kept", "AUTH", "default", "wrong"),
      await fresh.ask("AUTH", "nobody", "sesame"),
      await fresh.ask("AUTH", "sesame"),
      await fresh.ask("CLIENT", "GETNAME"),
      await fresh.ask("RESET"),
      await fresh.ask("GET", "k"),
      await old.ask("PING"),
      await old.ask("CONFIG", "SET", "requirepass", ""),
      await fresh.ask("PING"),
    ];
    return told;
  }));

test("CONFIG REWRITE changes lines where they stand, and both servers start with what it wrote", async () => {
  const lines = ["# mine", "maxclients 100", "", "slave-priority 7", "# last"];
  const found: string[][] = [];
  for (const begin of [startRedis, startSubject]) {
    const server = await begin(scope, { "cluster-enabled": "no" }, { config: lines });
    const client = await server.connect();
    await client.ok("CONFIG", "SET", "maxclients", "200", "masterauth", 'a "b"', "repl-timeout", "61");
    await client.ok("CONFIG", "REWRITE");
    const file = String((await client.ask("INFO", "server")) ?? "").match(/config_file:(.*)\r/)?.[1] ?? "";
    const written = readFileSync(join(server.dir, file.split("/").at(-1) ?? ""), "utf8").split("\n");
    expect(written.slice(0, 5)).toEqual(["# mine", "maxclients 200", "", "replica-priority 7", "# last"]);
    found.push(written.filter((line) => /^(masterauth|repl-timeout)/.test(line)).toSorted());
    await server.stop();
  }
  expect(found[1]).toEqual(found[0]!);
  expect(found[0]).toEqual(['masterauth "a \\"b\\""', "repl-timeout 61"]);
});

test("LATENCY HISTOGRAM names the commands that were called, subcommands apart", () =>
  same(async (server) => {
    const client = await server.connect({ protocol: 3 });
    await client.ok("CONFIG", "RESETSTAT");
    await client.pipeline(Array.from({ length: 20 }, () => ["GET", "k"]));
    await client.ask("CLIENT", "ID");
    const told = await client.ask(
      "LATENCY",
      "HISTOGRAM",
      "client",
      "GET",
      "nosuch",
      "SET",
      "config|resetstat",
    );
    // How long they took is the machine's: names and counts of calls are compared.
    const text = JSON.stringify(told);
    const calls = [...text.matchAll(/"([a-z|]+)"[,:][[{]+"calls"[,:](\d+)/g)].map(
      ([, name, count]) => `${name} ${count}`,
    );
    expect(calls.length).toBeGreaterThan(1);
    return calls.toSorted();
  }));

test("CLIENT UNBLOCK ends a WAIT, as its timeout or with an error", () =>
  same(async (server) => {
    const [other, waiting] = [await server.connect(), await server.connect()];
    const id = String(await waiting.ask("CLIENT", "ID"));
    const told: unknown[] = [];
    for (const how of [[], ["TIMEOUT"], ["ERROR"]]) {
      waiting.write(encodeRequest(["WAIT", "3", "0"]));
      let unblocked: unknown = 0;
      const tries = async (): Promise<boolean> => {
        unblocked = await other.ask("CLIENT", "UNBLOCK", id, ...how);
        return unblocked === 1;
      };
      await eventually(tries, 5000, "the client waits");
      told.push(unblocked, (await waiting.read()).raw.toString());
    }
    told.push(await other.ask("CLIENT", "UNBLOCK", id), await waiting.ask("PING"));
    return told;
  }));
