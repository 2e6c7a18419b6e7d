// Client-side caching: the same dialogues of several connections with redis-server and with ours, and every byte that
// arrives on any of them, pushes among replies, must be the same.
import { describe, expect, test } from "bun:test";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { encodeRequest, printable } from "../support/resp.ts";
import type { Server } from "../support/servers.ts";
import { judged } from "./harness/conformance.ts";

const pair = judged("alone");

type Words = readonly string[];

/** Connections to one server, by name; `$name` in a request stands for the id of that connection. */
class Party {
  readonly #ids = new Map<string, string>();
  readonly #from = new Map<string, number>();
  #said = 0;

  private constructor(
    private readonly server: Server,
    private readonly clients: Map<string, Client>,
  ) {}

  /** @param protocols by name: the RESP version each speaks */
  static async of(server: Server, protocols: Readonly<Record<string, 2 | 3>>): Promise<Party> {
    const party = new Party(server, new Map());
    for (const [name, protocol] of Object.entries(protocols)) await party.join(name, protocol);
    await party.say(Object.keys(protocols)[0]!, ["FLUSHALL"]);
    return party;
  }

  async join(name: string, protocol: 2 | 3): Promise<void> {
    const client = await this.server.connect();
    this.#ids.set(name, String(await client.ask("CLIENT", "ID")));
    this.#from.set(name, client.received.length);
    if (protocol === 3) await client.reply("HELLO", "3");
    this.clients.set(name, client);
  }

  /** Sends requests in one write and waits until all have been answered. */
  async say(name: string, ...requests: readonly Words[]): Promise<void> {
    const client = this.#client(name);
    const end = `the end ${++this.#said}`;
    const words = [...requests, ["ECHO", end]].map((request) =>
      request.map((word) => (word.startsWith("$") ? (this.#ids.get(word.slice(1)) ?? word) : word)),
    );
    const before = client.received.length;
    client.write(Buffer.concat(words.map((request) => encodeRequest(request))));
    await eventually(() => client.received.includes(end, before), 5000, "the last reply");
  }

  /** Waits until a text has come to a connection by itself. */
  async hears(name: string, text: string): Promise<void> {
    await eventually(() => this.#client(name).received.includes(text), 5000, `${text} at ${name}`);
  }

  async leave(name: string): Promise<void> {
    const id = this.#ids.get(name)!;
    this.#client(name).close();
    const witness = await this.server.connect();
    const isGone = async (): Promise<boolean> => (await witness.text("CLIENT", "LIST", "ID", id)) === "";
    await eventually(isGone, 5000, `${name} is gone`);
    witness.close();
  }

  /** All that came to each connection, ids by name; closes them. */
  async heard(): Promise<Readonly<Record<string, readonly string[]>>> {
    const told: Record<string, readonly string[]> = {};
    for (const [name, client] of this.clients) {
      if (!client.isClosed) await this.say(name);
      let text = printable(client.received.subarray(this.#from.get(name)), Infinity);
      for (const [other, id] of this.#ids) {
        text = text.replace(
          new RegExp(String.raw`(id|redirect|tracking-redir-broken)\\r\\n:${id}\\r`, "g"),
          `$1\\r\\n:<${other}>\\r`,
        );
        text = text.replaceAll(`redir=${id} `, `redir=<${other}> `);
      }
      told[name] = text
        .replace(/\$\d+\\r\\nid=[^$>*]*?flags=(\S+) .*? (redir=\S+)[^$>*]*?\\n/g, "$1 $2")
        .split("\\r\\n");
      client.close();
    }
    return told;
  }

  #client(name: string): Client {
    const client = this.clients.get(name);
    if (client === undefined) throw new Error(`nobody is called ${name}`);
    return client;
  }
}

/** The same dialogue with both servers; whatever was heard must be equal. */
async function same(
  protocols: Readonly<Record<string, 2 | 3>>,
  dialogue: (party: Party) => Promise<void>,
): Promise<void> {
  const heard: unknown[] = [];
  for (const server of [pair.servers.theirs, pair.servers.ours]) {
    const party = await Party.of(server, protocols);
    await dialogue(party);
    heard.push(await party.heard());
  }
  expect(heard[1]).toEqual(heard[0]);
}

const WRITES: readonly Words[] = [
  ["SET", "k", "2"],
  ["SET", "k", "2", "KEEPTTL"],
  ["SET", "nope", "2", "XX"],
  ["SET", "k", "3", "NX"],
  ["GETSET", "k", "3"],
  ["SET", "k", "4", "GET"],
  ["SET", "k", "4", "EX", "100"],
  ["APPEND", "k", "4"],
  ["APPEND", "k", ""],
  ["INCR", "k"],
  ["DECRBY", "k", "7"],
  ["INCRBYFLOAT", "k", "1.5"],
  ["EXPIRE", "k", "100"],
  ["EXPIRE", "k", "100", "NX"],
  ["PEXPIREAT", "k", "99999999999999"],
  ["PERSIST", "k"],
  ["PERSIST", "k"],
  ["GETEX", "k"],
  ["GETEX", "k", "EX", "100"],
  ["GETEX", "k", "PERSIST"],
  ["RENAME", "k", "k2"],
  ["RENAMENX", "k2", "k"],
  ["RENAME", "k", "k"],
  ["COPY", "k", "k3"],
  ["COPY", "k", "k3"],
  ["COPY", "k", "k3", "REPLACE"],
  ["SETRANGE", "k", "0", ""],
  ["SETRANGE", "k", "1", "0"],
  ["TOUCH", "k", "k2", "k3"],
  ["DEL", "nope", "k", "k", "k2", "k3"],
  ["MSET", "k", "1", "k2", "2", "k3", "3", "k", "4"],
  ["UNLINK", "k", "nope", "k2"],
  ["MSETNX", "k", "1", "k3", "2"],
  ["MSETNX", "k", "1", "q", "2"],
  ["SETEX", "k", "10", "1"],
  ["PSETEX", "k", "10000", "1"],
  ["SETNX", "k", "1"],
  ["GETDEL", "k"],
  ["GETDEL", "k"],
  ["SETNX", "k", "1"],
  ["EXPIRE", "k", "-1"],
  ["RESTORE", "k", "0", "\0\xc0\x01\n\0"],
  ["SETRANGE", "k"],
  ["MOVE", "k3", "1"],
  ["SWAPDB", "0", "2"],
  ["SWAPDB", "0", "2"],
  ["INCR", "q", "x"],
  ["SET", "k", "a"],
  ["INCR", "k"],
  ["FLUSHDB"],
  ["FLUSHALL", "ASYNC"],
];
const READ: Words = ["MGET", "k", "k2", "k3", "nope", "q"];

describe("what a write tells", () => {
  for (const [name, options] of [
    ["readers", []],
    ["readers that do not want their own", ["NOLOOP"]],
    ["listeners to everything", ["BCAST"]],
    ["listeners to some prefixes", ["BCAST", "PREFIX", "k2", "PREFIX", "no", "PREFIX", "q"]],
    ["listeners that do not want their own", ["BCAST", "NOLOOP"]],
  ] as const) {
    test(`${name}: one that writes itself, and one that does not`, () =>
      same({ writer: 3, other: 3, old: 2 }, async (party) => {
        for (const who of ["writer", "other", "old"])
          await party.say(who, ["CLIENT", "TRACKING", "ON", ...options]);
        for (const write of WRITES) {
          for (const who of ["other", "writer", "old"]) await party.say(who, READ);
          await party.say("writer", write);
        }
      }));
  }

  test("one who is told for another: before the reply to its own write, at once otherwise", () =>
    same({ reader: 3, old: 2, teller: 3, other: 2 }, async (party) => {
      for (const who of ["reader", "old"])
        await party.say(who, ["CLIENT", "TRACKING", "ON", "REDIRECT", "$teller"]);
      for (const write of WRITES) {
        // An expiry in the past deletes, and redis-server answers that after it has pushed, we before.
        if (write.join(" ") === "EXPIRE k -1") continue;
        await party.say("reader", READ);
        await party.say("teller", write);
        await party.say("old", READ);
        await party.say("other", write);
      }
    }));

  test("a pipeline of reads and writes is answered and told in order", () =>
    same({ both: 3, teller: 3, reader: 3 }, async (party) => {
      await party.say("both", ["CLIENT", "TRACKING", "ON"]);
      await party.say(
        "reader",
        ["CLIENT", "TRACKING", "ON", "REDIRECT", "$teller"],
        ...[1, 2, 3].map((n) => ["GET", `k${n}`]),
      );
      await party.say(
        "both",
        ["GET", "k1"],
        ["SET", "k1", "1"],
        ["GET", "k1"],
        ["GET", "k1"],
        ["DEL", "k1", "k2"],
        ["PING"],
      );
      await party.say("reader", ...[1, 2, 3].map((n) => ["GET", `k${n}`]));
      await party.say(
        "teller",
        ["PING"],
        ["SET", "k1", "2"],
        ["ECHO", "x"],
        ["MSET", "k2", "2", "k3", "3"],
        ["GET", "k1"],
      );
      await party.say("both", ["CLIENT", "TRACKING", "OFF"], ["CLIENT", "TRACKING", "ON", "BCAST"]);
      await party.say(
        "both",
        ["SET", "b", "1"],
        ["SET", "a", "1"],
        ["GET", "a"],
        ["SET", "b", "2"],
        ["SET", "\xff", "3"],
      );
    }));
});
