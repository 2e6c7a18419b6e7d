// The configuration from outside: command line, files, bytes, what is set and taken back; redis-server and ours, started
// alike, must answer alike.
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "../support/client.ts";
import { fileScope } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { run, spawn } from "../support/process.ts";
import {
  type Flags,
  MAIN,
  type Server,
  startOurs,
  startRedis,
  type StartOptions,
} from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";

const scope = fileScope();
const OURS = [process.execPath, MAIN, "server"];
const PASSWORD = Buffer.from([0xff, 0xfe, 0x22, 0x00, 0x5c]);
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

async function both(
  flags: Flags = { "repl-diskless-sync-delay": 0 },
  options: StartOptions = {},
): Promise<Server[]> {
  return [
    await startRedis(scope, flags, options),
    await startOurs(scope, { "cluster-enabled": "no", ...flags }, options),
  ];
}

/** Holds a dialogue with each; what both were told. */
async function same<T>(servers: readonly Server[], dialogue: (server: Server) => Promise<T>): Promise<T> {
  const [wanted, got] = [await dialogue(servers[0]!), await dialogue(servers[1]!)];
  expect(got).toEqual(wanted);
  return wanted;
}

const raw = async (client: Client, ...args: Parameters<Client["reply"]>): Promise<string> =>
  (await client.reply(...args)).raw.toString("latin1");

describe("a refused command line", () => {
  const last = (output: string): string[] =>
    output
      .trimEnd()
      .split("\n")
      .slice(-2)
      .map((line) => line.replace(/: did you mean .*/, ""));

  test.each([
    [["--port=7000"]],
    [["--hz", "--port", "7000"]],
    [["--port", "7000", "extra"]],
    [['--requirepass "a b']],
    [["--save", "", " 1"]],
    [["--list-max-ziplist-entries", "1", "2"]],
    [["--replicaof", ""]],
    [["-p", "7000"]],
    [["--hz", "20", "--help"]],
  ])("%p", async (args) => {
    const cwd = tempDir(scope);
    const [theirs, ours] = [
      await run(["redis-server", ...args], { cwd }),
      await run([...OURS, ...args], { cwd }),
    ];
    expect([ours.code, last(ours.output)]).toEqual([theirs.code, last(theirs.output)]);
    expect(ours.code).toBe(1);
  });
});

test("names that were directives once, aliases and bytes in a file", async () => {
  const config = [
    "list-max-ziplist-entries 512", "list-max-ziplist-value 64", "lua-replicate-commands yes", "slave-priority 7",
    "hash-max-ziplist-entries 9", "list-max-ziplist-size -3", "lua-time-limit 99", "min-slaves-max-lag 3",
    'masterauth "\\xff\\x00\\xfe"', "masteruser \u00e9",
  ]; // prettier-ignore
  const names = [
    "slave-priority", "replica-priority", "hash-max-listpack-entries", "hash-max-ziplist-entries", "list-max-ziplist-size",
    "busy-reply-threshold", "min-replicas-max-lag", "masterauth", "masteruser", "list-max-ziplist-entries",
  ]; // prettier-ignore
  await same(await both({}, { config }), async (server) => {
    const client = await server.connect();
    return Promise.all(names.map((name) => raw(client, "CONFIG", "GET", name)));
  });
});

describe("a password of any bytes", () => {
  /** Starts a server that asks for PASSWORD from its first moment on; a client that gave it. */
  async function guarded(
    command: readonly string[],
  ): Promise<{ file: string; port: number; client: Client }> {
    const dir = tempDir(scope);
    const file = join(dir, "server.conf");
    writeFileSync(file, bytes('requirepass "\xff\\xfe\\"\\x00\\\\"\nsave ""\n'));
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const flags = ["--port", String(port), "--dir", dir, "--bind", "127.0.0.1"];
      const child = spawn(scope, [...command, file, ...flags], { cwd: dir });
      let client: Client | undefined;
      const opens = async (): Promise<boolean> => {
        if (!child.isRunning) return true;
        client = await Client.open(port);
        scope.defer(() => client?.close());
        return true;
      };
      await eventually(opens, 15_000, `${command[0]} listens`);
      if (client !== undefined) return { file, port, client };
      if (attempt === 3) throw new Error(child.output);
    }
  }

  test("in a file, on the wire, shown and rewritten", async () => {
    const told = [];
    for (const command of [["redis-server"], OURS]) {
      const { file, client } = await guarded(command);
      told.push([
        await client.ask("PING"),
        await client.ask("AUTH", bytes('\xff\xfe"\0')),
        await client.ask("AUTH", '\u00ff\u00fe"\0\\'),
        await client.ask("AUTH", PASSWORD),
        await raw(client, "CONFIG", "GET", "requirepass"),
        await client.ask("CONFIG", "SET", "masterauth", bytes("\xe9 '\r\n"), "masteruser", "\u00e9"),
        await raw(client, "CONFIG", "GET", "masteruser"),
        await client.ask("CONFIG", "REWRITE"),
        readFileSync(file, "latin1")
          .split("\n")
          .filter((line) => /^(requirepass|master)/.test(line))
          .toSorted(),
        await client.ask("CONFIG", "SET", "requirepass", ""),
        await client.ask("AUTH", PASSWORD),
      ]);
    }
    expect(told[1]).toEqual(told[0]);
    expect(told[0]?.[3]).toBe("OK");
  });

  test("set by CONFIG SET it opens what it closed", async () => {
    await same(await both(), async (server) => {
      const client = await server.connect();
      const set = await client.ask("CONFIG", "SET", "requirepass", PASSWORD);
      const stranger = await server.connect();
      return [
        set,
        await stranger.ask("PING"),
        await stranger.ask("HELLO", 2, "AUTH", "default", bytes("\xff")),
        await stranger.ask("AUTH", "default", PASSWORD),
        await stranger.ask("PING"),
      ];
    });
  });

  test.each([
    [0, 1],
    [1, 0],
    [1, 1],
  ])("is what a replica tells its master (%p follows %p; 0 = redis-server)", async (replica, master) => {
    const servers = await both();
    const more = await both();
    const [follower, leader] = [servers[replica]!, more[master]!];
    const boss = await leader.connect();
    await boss.ok("CONFIG", "SET", "requirepass", PASSWORD);
    const client = await follower.connect();
    await client.ok("CONFIG", "SET", "masterauth", PASSWORD);
    await client.ok("REPLICAOF", "127.0.0.1", leader.port);
    const isUp = async (): Promise<boolean> =>
      (await client.text("INFO", "replication")).includes("master_link_status:up");
    await eventually(isUp, 15_000, "the link is up");
  });
});

test("what is set and taken back has no effect any more", async () => {
  await same(await both(), async (server) => {
    const client = await server.connect();
    const told: unknown[] = [];
    const set = async (name: string, ...values: string[]): Promise<void> => {
      for (const value of values) told.push(await client.ask("CONFIG", "SET", name, value));
    };
    await set("maxmemory", "1");
    told.push(await client.ask("SET", "k", "v"));
    await set("maxmemory", "0");
    told.push(await client.ask("SET", "k", "v"));
    await set("min-replicas-to-write", "1");
    told.push(await client.ask("SET", "k", "v"));
    await set("min-replicas-to-write", "0");
    told.push(await client.ask("SET", "k", "v"));
    const listener = await server.connect();
    await listener.reply("PSUBSCRIBE", "__key*");
    await set("notify-keyspace-events", "KEA", "");
    told.push(await client.ask("SET", "k", "v"));
    await set("notify-keyspace-events", "KAn", "AK"); // reads the same as "KAn", and is not
    told.push(await client.ask("SET", "new", "v"));
    told.push(await listener.read().then(({ raw: bytesRead }) => bytesRead.toString()));
    await set("replica-announce-ip", "10.0.0.9", "");
    await set("replica-announce-port", "7", "0");
    await set("client-output-buffer-limit", "normal 1 0 0", "normal 0 0 0");
    told.push(await client.ask("GET", "k"));
    await set("requirepass", "x", "");
    told.push(await (await server.connect()).ask("GET", "k"));
    await set("timeout", "1", "0");
    await set("slowlog-log-slower-than", "0", "-1");
    told.push(
      await client.ask("SLOWLOG", "RESET"),
      await client.ask("GET", "k"),
      await client.ask("SLOWLOG", "LEN"),
    );
    await set("replica-read-only", "no", "yes");
    await set("save", "1 1", "");
    told.push(await client.ask("CONFIG", "GET", "save"));
    return told;
  });
});

test("whom REPLICAOF has it follow is shown, rewritten and followed again at the next start", async () => {
  const servers = await both({}, { config: ["# mine", "slaveof 127.0.0.1 9", "# last"] });
  await same(servers, async (server) => {
    const client = await server.connect();
    const lines = (): string[] =>
      readFileSync(join(server.dir, "server.conf"), "utf8")
        .split("\n")
        .filter((line) => /^#|replicaof|slaveof/.test(line));
    const told: unknown[] = [await client.ask("CONFIG", "GET", "replicaof")];
    for (const [host, port] of [
      ["127.0.0.1", "7"],
      ["127.0.0.1", "7"],
      ["no", "one"],
      ["localhost", "8"],
    ] as const) {
      told.push(await client.ask("REPLICAOF", host, port), await client.ask("CONFIG", "GET", "slaveof"));
      told.push(await client.ask("CONFIG", "REWRITE"), lines());
    }
    return told;
  });
});

test("an unknown directive is echoed byte by byte", async () => {
  await same(await both(), async (server) => {
    const client = await server.connect();
    return [
      await raw(client, "CONFIG", "SET", bytes("n\xffpe"), "1"),
      await raw(client, "CONFIG", "GET", bytes("\xff*")),
    ];
  });
});

test.each(["SIGHUP", "SIGALRM", "SIGPIPE", "SIGCONT", "SIGWINCH"] as const)(
  "%s ends neither",
  async (signal) => {
    await same(await both(), async (server) => {
      const client = await server.connect();
      for (let i = 0; i < 3; i++) server.child.kill(signal);
      // The signal has come when the system has shown the process to us as without it.
      const isTaken = (): boolean =>
        /^ShdPnd:\s*0+$/m.test(readFileSync(`/proc/${server.child.pid}/status`, "utf8"));
      await eventually(isTaken, 5000, "the signal was taken");
      return [
        await client.ask("SET", "k", "v"),
        await (await server.connect()).ask("GET", "k"),
        server.child.isRunning,
      ];
    });
  },
);
