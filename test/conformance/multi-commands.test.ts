// Every command after MULTI: whether it waits, what it is told when not, and what EXEC makes of it.
import { describe, expect, test } from "bun:test";
import { commandTable } from "../../src/commands/families.ts";
import type { Row } from "../../src/commands/table.ts";
import { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { encodeRequest, printable, type Reply, type Value } from "../support/resp.ts";
import type { Server } from "../support/servers.ts";
import { type Judged, judged } from "./harness/conformance.ts";

const pairs = { alone: judged("alone"), cluster: judged("cluster") };

/** Forms in which commands do something to the connection, the server or the transaction; compared to the byte. */
const FORMS = [
  "BLPOP k 0", "BRPOP k 0", "BLMOVE k k LEFT LEFT 0", "BRPOPLPUSH k k 0", "BLMPOP 0 1 k LEFT", "BZPOPMIN k 0",
  "BZPOPMAX k 0", "BZMPOP 0 1 k MIN", "WAIT 1 0", "WAIT 0 0", "CLIENT REPLY OFF", "CLIENT REPLY SKIP",
  "CLIENT REPLY ON", "CLIENT UNPAUSE", "CLIENT TRACKING ON", "CLIENT TRACKING ON BCAST", "CLIENT CACHING YES",
  "CLIENT GETNAME", "CLIENT SETNAME x", "CLIENT NO-EVICT ON", "CLIENT KILL ID 99999", "CLIENT UNBLOCK 99999", "HELLO 4",
  "HELLO 3 SETNAME", "HELLO 3 AUTH default", "AUTH x", "AUTH default x", "AUTH a b c", "RESET", "RESET x", "QUIT",
  "QUIT x", "SUBSCRIBE x", "SUBSCRIBE x y", "SUBSCRIBE", "PSUBSCRIBE x", "PSUBSCRIBE", "SSUBSCRIBE x",
  "SSUBSCRIBE x x", "SSUBSCRIBE", "UNSUBSCRIBE", "UNSUBSCRIBE x", "PUNSUBSCRIBE", "PUNSUBSCRIBE x", "SUNSUBSCRIBE",
  "SUNSUBSCRIBE x", "PUBLISH x y", "SPUBLISH x y", "MONITOR", "MONITOR x", "SYNC", "SYNC x", "PSYNC", "PSYNC ? -1",
  "REPLCONF ACK 0", "REPLCONF listening-port 1", "EXEC x", "EXEC", "MULTI", "MULTI x", "DISCARD", "DISCARD x", "WATCH",
  "WATCH k", "UNWATCH", "UNWATCH x", "SELECT 0", "SELECT 1", "SELECT x", "SWAPDB 0 1", "SWAPDB 0", "READONLY",
  "READWRITE", "ASKING", "SAVE", "SAVE x", "SHUTDOWN", "SHUTDOWN NOSAVE", "SHUTDOWN ABORT", "SHUTDOWN x",
  "DEBUG SLEEP 0", "CONFIG GET maxmemory", "CONFIG SET maxmemory 0", "CONFIG SET nosuch 0", "CONFIG RESETSTAT",
  "CONFIG REWRITE", "CONFIG NOSUCH", "CONFIG", "REPLICAOF NO ONE", "SLAVEOF NO ONE", "REPLICAOF x", "CLUSTER NOSUCH",
  "CLUSTER RESET x", "NOSUCH", "NOSUCH x", "GET", "SET k", "PING", "PING x", "PING x y", "FLUSHALL", "FLUSHDB ASYNC",
  "SORT k", "RESTORE-ASKING k 0 x", "BGSAVE x",
]; // prettier-ignore

/** What would change the servers for the tests that follow, or end them; the forms above cover what can be tried. */
const LEFT_OUT =
  /^(debug|replicaof|slaveof|shutdown|bgsave|cluster\|.*|client\|(pause|kill)|config\|set|flushall)$/;

/** What is sent: the request within a transaction, and what shows how that left the connection. */
function dialogue(request: readonly string[], protocol: 2 | 3): Buffer {
  const all = [["HELLO", String(protocol)], ["MULTI"], request, ["PING", "p"], ["EXEC"], ["PING", "q"]];
  return Buffer.concat([...all, ["RESET"], ["PING", "the end"]].map((words) => encodeRequest(words)));
}

/** All that comes behind the reply to HELLO, which may hold an id, byte for byte. */
async function heard(server: Server, request: readonly string[], protocol: 2 | 3): Promise<string> {
  const client = await Client.open(server.port);
  try {
    client.write(dialogue(request, protocol));
    await eventually(() => client.isClosed || client.received.includes("the end"), 5000, "the last reply");
    const hello = await client.read();
    return printable(client.received.subarray(hello.raw.length), Infinity);
  } finally {
    client.close();
  }
}

const LAST = printable(Buffer.from("$7\r\nthe end\r\n"), Infinity);

/** The replies behind that to HELLO, over one connection as long as it lives. */
class Asker {
  #client: Client | undefined;

  constructor(
    private readonly server: Server,
    private readonly protocol: 2 | 3,
  ) {}

  async ask(request: readonly string[]): Promise<readonly Reply[]> {
    const client = (this.#client ??= await Client.open(this.server.port));
    client.write(dialogue(request, this.protocol));
    const replies: Reply[] = [];
    try {
      await client.read();
      while (replies.length === 0 || printable(replies.at(-1)!.raw, Infinity) !== LAST)
        replies.push(await client.read());
    } catch (error) {
      if (!client.isClosed) throw error;
      this.#client = undefined;
    }
    return replies;
  }

  close(): void {
    this.#client?.close();
  }
}

/** What kinds of values a reply is made of, and the text of its errors: what they hold may be the server's own. */
function shapeOf(value: Value): unknown {
  if (value.kind === "error") return value.text;
  return value.kind === "bulk" || value.kind === "verbatim" ? "text" : value.kind;
}

function resultsOf({ value }: Reply): unknown {
  return value.kind === "array" ? value.items.map(shapeOf) : shapeOf(value);
}

/** As many arguments as it takes at least, and one too few or too many. */
function requestsOf({ id, fullName }: Row): string[][] {
  const name = fullName.split("|");
  const arity = commandTable.arity[id]!;
  const most = Math.abs(arity) - name.length;
  const fill = (count: number, word: string): string[] => [...name, ...Array<string>(count).fill(word)];
  const wrong = arity > 0 ? fill(most + 1, "k") : fill(Math.max(0, most - 1), "k");
  return [fill(most, "k"), fill(most, "1"), wrong];
}

const rows = commandTable.rows.filter(
  ({ fullName, command }) => command.run !== undefined && !LEFT_OUT.test(fullName),
);

async function sameBytes({ theirs, ours }: Judged, protocol: 2 | 3): Promise<void> {
  for (const form of FORMS) {
    const [expected, found] = await Promise.all(
      [theirs, ours].map((server) => heard(server, form.split(" "), protocol)),
    );
    expect({ form, heard: found }).toEqual({ form, heard: expected });
  }
}

async function sameKinds({ theirs, ours }: Judged, protocol: 2 | 3): Promise<void> {
  const askers = [theirs, ours].map((server) => new Asker(server, protocol));
  try {
    for (const request of rows.flatMap(requestsOf)) {
      const [expected, found] = await Promise.all(askers.map((asker) => asker.ask(request)));
      expect({ request, replies: found!.map(resultsOf) }).toEqual({
        request,
        replies: expected!.map(resultsOf),
      });
    }
  } finally {
    for (const asker of askers) asker.close();
  }
}

for (const mode of ["alone", "cluster"] as const) {
  for (const protocol of [2, 3] as const) {
    describe(`${mode}, RESP${protocol}`, () => {
      test(
        "what does something to a connection or a transaction, to the byte",
        () => sameBytes(pairs[mode].servers, protocol),
        60_000,
      );

      test("every row of the table, in kind", () => sameKinds(pairs[mode].servers, protocol), 60_000);
    });
  }
}

test("BGSAVE of a transaction begins when that is over", async () => {
  const { theirs, ours } = pairs.alone.servers;
  for (const server of [theirs, ours]) {
    const client = await server.connect();
    await client.ok("MULTI");
    for (const request of ["SET a 1", "BGSAVE", "BGSAVE SCHEDULE", "SET b 1"])
      expect(await client.ask(...request.split(" "))).toBe("QUEUED");
    const scheduled = "Background saving scheduled";
    expect(await client.ask("EXEC")).toEqual(["OK", scheduled, scheduled, "OK"]);
    // What came behind BGSAVE is in the file too.
    const isSaved = async (): Promise<boolean> =>
      (await client.text("INFO", "persistence")).includes("rdb_changes_since_last_save:0\r");
    await eventually(isSaved, 10_000, `${server.name} has saved`);
  }
});
