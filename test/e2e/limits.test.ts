// What one client may take: unread replies, connections, memory. Others must not notice.
import { describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { info, untilReplicating } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { encodeRequest } from "../support/resp.ts";
import { startRedis, startSubject } from "../support/servers.ts";

const MIB = 1024 * 1024;

describe("limits", () => {
  const scope = fileScope();

  test("a client that does not read is cut off at client-output-buffer-limit", async () => {
    const server = await startSubject(scope, { "client-output-buffer-limit": "normal 8mb 0 0" });
    const witness = await server.connect();
    await witness.ok("SET", "big", Buffer.alloc(MIB, "x"));
    const glutton = await server.connect();
    glutton.pause();
    glutton.write(Buffer.concat(Array.from({ length: 200 }, () => encodeRequest(["GET", "big"]))));
    await eventually(
      async () => (await info(server.port, "clients"))["connected_clients"] === "2",
      10_000,
      "only the witness and the asker are left",
    );
    expect(await witness.ask("PING")).toBe("PONG");
    glutton.resume();
    await glutton.untilClosed();
  });

  test("a client that reads slowly gets everything", async () => {
    const server = await startSubject(scope);
    const client = await server.connect();
    await client.ok("SET", "big", Buffer.alloc(MIB, "x"));
    const witness = await server.connect();
    client.pause();
    const requests = 60;
    client.write(Buffer.concat(Array.from({ length: requests }, () => encodeRequest(["GET", "big"]))));
    for (let i = 0; i < 50; i++) expect(await witness.ask("PING")).toBe("PONG");
    client.resume();
    for (let i = 0; i < requests; i++) {
      const { value } = await client.read();
      if (value.kind !== "bulk" || value.bytes.length !== MIB) throw new Error(`reply ${i} is not the value`);
    }
    expect(await client.ask("PING")).toBe("PONG");
  });

  test("QUIT after a long reply still delivers all of it", async () => {
    const server = await startSubject(scope);
    const client = await server.connect();
    await client.ok("SET", "big", Buffer.alloc(16 * MIB, "x"));
    client.write(Buffer.concat([encodeRequest(["GET", "big"]), encodeRequest(["QUIT"])]));
    const { value } = await client.read();
    expect(value.kind === "bulk" && value.bytes.length).toBe(16 * MIB);
    expect((await client.read()).raw.toString()).toBe("+OK\r\n");
    await client.untilClosed();
  });

  test("a client that is killed still gets what was sent before", async () => {
    const server = await startSubject(scope);
    const witness = await server.connect();
    await witness.ok("SET", "big", Buffer.alloc(100_000, "x"));
    const victim = await Client.open(server.port);
    const id = String(await victim.ask("CLIENT", "ID"));
    victim.pause();
    victim.write(encodeRequest(["GET", "big"]));
    await eventually(
      async () => (await witness.text("CLIENT", "LIST", "ID", id)).includes("cmd=get"),
      10_000,
      "its request has run",
    );
    expect(await witness.ask("CLIENT", "KILL", "ID", id)).toBe(1);
    victim.resume();
    expect((await victim.read()).raw.length).toBeGreaterThan(100_000);
    await victim.untilClosed();
  });

  test("a client that ends its half still gets its replies", async () => {
    const server = await startSubject(scope);
    const witness = await server.connect();
    await witness.ok("SET", "big", Buffer.alloc(MIB, "x"));
    const client = await Client.open(server.port);
    client.write(encodeRequest(["GET", "big"]));
    client.finish();
    const first = await client.read();
    expect(first.raw.length).toBeGreaterThan(MIB);
    await client.untilClosed();
  });

  test("maxclients refuses the next one and says why", async () => {
    const server = await startSubject(scope, { maxclients: 10, "cluster-enabled": "no" });
    const clients = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
    for (const client of clients) expect(await client.ask("PING")).toBe("PONG");
    const next = await Client.open(server.port);
    expect((await next.untilClosed()).toString()).toBe("-ERR max number of clients reached\r\n");
    clients[0]?.close();
    const fits = async (): Promise<boolean> => {
      const again = await Client.open(server.port);
      const pong = await again.ask("PING").catch(() => undefined);
      again.close();
      return pong === "PONG";
    };
    await eventually(fits, 5000, "a place is free again");
  });

  test("maxmemory refuses writes with -OOM and serves on", async () => {
    const server = await startSubject(scope, { maxmemory: "48mb", "maxmemory-policy": "noeviction" });
    const client = await server.connect();
    let refusal: unknown;
    for (let i = 0; i < 200 && refusal === undefined; i++) {
      const reply = await client.ask("SET", `key:${i}`, Buffer.alloc(MIB, "x"));
      if (reply !== "OK") refusal = reply;
    }
    expect(refusal).toBe("-OOM command not allowed when used memory > 'maxmemory'.");
    expect(await client.ask("STRLEN", "key:0")).toBe(MIB);
    for (let i = 0; i < 20; i++) expect(await client.ask("DEL", `key:${i}`)).toBe(1);
    await client.ok("SET", "small", "again");
  });

  test("the limits of clients are not those of the master", async () => {
    const master = await startRedis(scope, { "repl-diskless-sync-delay": 0 });
    const limits = { "proto-max-bulk-len": "1mb", "client-query-buffer-limit": "1mb" };
    const config = ["cluster-enabled no", `replicaof 127.0.0.1 ${master.port}`];
    const replica = await startSubject(scope, limits, { config });
    await untilReplicating([replica.port]);
    const [writer, reader] = [await master.connect(), await replica.connect()];
    await reader.ok("CONFIG", "SET", "client-query-buffer-limit", "2mb", "proto-max-bulk-len", "2mb");
    await writer.ok("SET", "big", Buffer.alloc(5 * MIB, "x"));
    await eventually(async () => (await reader.ask("STRLEN", "big")) === 5 * MIB, 10_000, "it has the value");
    expect((await info(replica.port, "replication"))["master_link_status"]).toBe("up");
    expect((await info(master.port, "stats"))["sync_full"]).toBe("1");
  });

  test("two hundred connections at once are all served", async () => {
    const server = await startSubject(scope);
    const clients = await Promise.all(Array.from({ length: 200 }, () => server.connect()));
    const replies = await Promise.all(clients.map((client, i) => client.ask("ECHO", i)));
    expect(replies).toEqual(clients.map((_, i) => String(i)));
  });
});
