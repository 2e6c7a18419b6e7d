// Several connections to one server, and every byte that arrives on each of them: for what is told without being asked.
import type { Client } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { encodeRequest, printable } from "../../support/resp.ts";
import type { Server } from "../../support/servers.ts";

export type Words = readonly string[];

/** Connections to one server, by name; `$name` in a request stands for the id of that connection. */
export class Party {
  readonly #ids = new Map<string, string>();
  readonly #from = new Map<string, number>();
  readonly #counts: string[] = [];
  #blot: readonly [pattern: RegExp, by: string] = [/$^/, ""];
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
    const words = this.#named([...requests, ["PING", end]]);
    const before = client.received.length;
    client.write(Buffer.concat(words.map((request) => encodeRequest(request))));
    await eventually(() => client.received.includes(end, before), 5000, "the last reply");
  }

  /** Sends requests in one write and waits for a reply to each: within MULTI, where an ECHO would be queued. */
  async ask(name: string, ...requests: readonly Words[]): Promise<void> {
    const client = this.#client(name);
    client.forget();
    await client.pipeline(this.#named(requests));
  }

  /** Sends requests, the first of which waits, and returns when the server has it waiting. */
  async wait(name: string, ...requests: readonly Words[]): Promise<void> {
    this.#client(name).write(Buffer.concat(this.#named(requests).map((request) => encodeRequest(request))));
    const witness = await this.server.connect();
    const id = this.#ids.get(name)!;
    const isWaiting = async (): Promise<boolean> =>
      / flags=\S*b/.test(await witness.text("CLIENT", "LIST", "ID", id));
    await eventually(isWaiting, 5000, `${name} waits`);
    witness.close();
  }

  /** Waits until nobody waits any more, or just these many. */
  settled(left = 0): Promise<void> {
    return this.#until(`blocked_clients:${left}`);
  }

  /** Waits until what was deleted has been given back. */
  freed(): Promise<void> {
    return this.#until("lazyfree_pending_objects:0");
  }

  /** Subscribes, and waits until that is confirmed. */
  async subscribe(name: string, request: Words): Promise<void> {
    const client = this.#client(name);
    const before = client.received.length;
    client.write(encodeRequest(request));
    await eventually(() => client.received.includes("subscribe", before), 5000, "the subscription");
  }

  /** Waits until the server has closed a connection. */
  async closed(name: string): Promise<void> {
    await this.#client(name).untilClosed();
  }

  /** Notes lines of INFO among what was heard, but for what `blot` finds in them. */
  async count(prefix: string, blot?: RegExp): Promise<void> {
    const witness = await this.server.connect();
    const lines = (await witness.text("INFO", "everything")).split("\r\n");
    const text = lines.filter((line) => line.startsWith(prefix)).join(" ");
    this.#counts.push(blot === undefined ? text : text.replace(blot, ""));
    witness.close();
  }

  /** Notes what a pattern's groups find in a reply, in place of the reply. */
  async note(request: Words, pattern: RegExp): Promise<void> {
    const witness = await this.server.connect();
    const text = await witness.text(...this.#named([request])[0]!);
    this.#counts.push(pattern.exec(text)?.slice(1).join(" ") ?? "nothing");
    witness.close();
  }

  /** Lets time pass until a key's moment has come, without a look at the key then. */
  async outlasts(key: string): Promise<void> {
    const witness = await this.server.connect();
    const atMs = Number(await witness.ask("PEXPIRETIME", key));
    if (atMs < 0) throw new Error(`${key} has expired before it was waited for`);
    const nowMs = async (): Promise<number> => {
      const [seconds, us] = (await witness.ask("TIME")) as readonly string[];
      return Number(seconds) * 1000 + Number(us) / 1000;
    };
    await eventually(async () => (await nowMs()) > atMs + 2, 5000, `${key} expires`);
    witness.close();
  }

  /** Waits until the database holds so many keys. */
  async holds(count: number): Promise<void> {
    const witness = await this.server.connect();
    await eventually(async () => (await witness.ask("DBSIZE")) === count, 5000, `${count} keys are left`);
    witness.close();
  }

  /** Of all that is heard, what the pattern finds is replaced: it holds a time, or a port. */
  blot(pattern: RegExp, by: string): void {
    this.#blot = [pattern, by];
  }

  async leave(name: string): Promise<void> {
    const id = this.#ids.get(name)!;
    this.#client(name).close();
    const witness = await this.server.connect();
    const isGone = async (): Promise<boolean> => (await witness.text("CLIENT", "LIST", "ID", id)) === "";
    await eventually(isGone, 5000, `${name} is gone`);
    witness.close();
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  /** All that came to each connection, ids by name; closes them. */
  async heard(): Promise<Readonly<Record<string, readonly string[]>>> {
    const told: Record<string, readonly string[]> = { counts: this.#counts };
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
      // Of CLIENT INFO, what tracking shows in it.
      const line = /[$=]\d+\\r\\n(?:txt:)?id=\d+ .*?( flags=\S+) .*?( redir=\S+) resp=\d\\n/g;
      told[name] = text
        .replace(line, "$1$2")
        .replace(...this.#blot)
        .split("\\r\\n");
      client.close();
    }
    return told;
  }

  /** Waits until INFO has this line. */
  async #until(line: string): Promise<void> {
    const witness = await this.server.connect();
    const isSo = async (): Promise<boolean> =>
      (await witness.text("INFO", "everything")).includes(`\n${line}\r`);
    await eventually(isSo, 5000, line);
    witness.close();
  }

  /** The requests with ids in place of names. */
  #named(requests: readonly Words[]): Words[] {
    return requests.map((request) =>
      request.map((word) => (word.startsWith("$") ? (this.#ids.get(word.slice(1)) ?? word) : word)),
    );
  }

  #client(name: string): Client {
    const client = this.clients.get(name);
    if (client === undefined) throw new Error(`nobody is called ${name}`);
    return client;
  }
}
