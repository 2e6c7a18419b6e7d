// A script held with the nodes of a small cluster: who says what to which node, and all that comes back, as text that
// can be compared with what another cluster told. A script is lines:
//
//   a: set {b}1 x | get {b}1     on the connection `a`, to the node `a`, each request after the reply to the one before
//   a2: ping                     on another connection to the same node
//   a+ asking | get {b}1         in one write
//   a! blpop {b}l 0              not answered now: the script goes on once the node has the client waiting
//   a? 2                         so many more replies or messages that come by themselves (one where no number stands)
//   a- reset                     said and answered, but not noted
//
// Words are parted by blanks; '' is the empty word; $A, $B, $RA, $RB are the ids of the nodes, $AP and so on their
// ports, $self the id of the connection, and other names are values that `set` gave.
import type { Client } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { type Argument, encodeRequest, type Reply } from "../../support/resp.ts";
import type { Ends, NodeName } from "./ends.ts";
import { comparableEntries, comparableText } from "./node-text.ts";

const LINE = /^((ra|rb|a|b)\d*)([:+!?-])\s*(.*)$/;

interface Speaker {
  readonly node: NodeName;
  readonly client: Client;
  readonly id: string;
}

export class Talk {
  readonly heard: string[] = [];
  readonly #speakers = new Map<string, Speaker>();
  readonly #values = new Map<string, Argument>();

  constructor(
    readonly ends: Ends,
    private readonly protocol: 2 | 3,
  ) {}

  /** `$name` in a script stands for this from now on. */
  set(name: string, value: Argument): void {
    this.#values.set(name, value);
  }

  async play(script: string): Promise<void> {
    for (const text of script.split("\n")) {
      const line = text.trim();
      if (line !== "" && !line.startsWith("//")) await this.#line(line);
    }
  }

  note(text: string): void {
    this.heard.push(text);
  }

  /** The connection of that name, made if it is new. */
  async client(name: string): Promise<Client> {
    return (await this.#speaker(name)).client;
  }

  /** Waits until a node has so many clients waiting. */
  async waiting(node: NodeName, count: number): Promise<void> {
    const line = `\nblocked_clients:${count}\r`;
    const isSo = async (): Promise<boolean> =>
      (await this.ends.link(node).text("INFO", "clients")).includes(line);
    await eventually(isSo, 10_000, `${count} clients wait at ${node}`);
  }

  /** What came by itself to any connection and no line of the script took; closes them. */
  async end(): Promise<readonly string[]> {
    for (const [name, { client }] of this.#speakers) {
      if (!client.isClosed) await this.#flush(name, client);
      client.close();
    }
    return this.heard;
  }

  async #line(line: string): Promise<void> {
    const [, name, , how, rest] = LINE.exec(line) ?? [];
    if (name === undefined || rest === undefined) throw new Error(`not a line of a script: '${line}'`);
    const speaker = await this.#speaker(name);
    if (how === "?") {
      for (let left = Number(rest || 1); left > 0; left--) this.#note(name, await speaker.client.read());
      return;
    }
    const requests = rest.split(" | ").map((request) => this.#words(request, speaker));
    this.heard.push(`${name}${how} ${rest}`);
    if (how === "!") return this.#wait(speaker, requests);
    if (how === "+") speaker.client.write(Buffer.concat(requests.map(encodeRequest)));
    for (const request of requests) {
      if (how !== "+") speaker.client.write(encodeRequest(request));
      const isNoted = how !== "-";
      for (;;) {
        const reply = await this.#read(speaker.client);
        if (reply === undefined) return void this.heard.push(`${name} is closed`);
        if (isNoted) this.#note(name, reply, isListing(request));
        if (reply.value.kind !== "push" || isConfirmation(reply)) break;
      }
    }
  }

  async #read(client: Client): Promise<Reply | undefined> {
    try {
      return await client.read();
    } catch (error) {
      if (client.isClosed) return undefined;
      throw error;
    }
  }

  async #wait({ node, client, id }: Speaker, requests: readonly Argument[][]): Promise<void> {
    client.write(Buffer.concat(requests.map(encodeRequest)));
    const isWaiting = async (): Promise<boolean> =>
      / flags=\S*b/.test(await this.ends.link(node).text("CLIENT", "LIST", "ID", id));
    await eventually(isWaiting, 5000, `a client waits at ${node}`);
  }

  async #flush(name: string, client: Client): Promise<void> {
    const word = `the end of ${name}`;
    client.write(encodeRequest(["PING", word]));
    for (;;) {
      const reply = await this.#read(client);
      if (reply === undefined) return void this.heard.push(`${name} is closed`);
      this.#note(name, reply);
      if (reply.raw.includes(word) || reply.value.kind === "error") return;
    }
  }

  #note(name: string, reply: Reply, inNoOrder = false): void {
    const { named } = this.ends;
    const text = inNoOrder ? comparableEntries(reply, named) : comparableText(reply.raw, named);
    this.heard.push(`${name}< ${this.ends.relativeEpochs(text)}`);
  }

  async #speaker(name: string): Promise<Speaker> {
    const known = this.#speakers.get(name);
    if (known !== undefined) return known;
    const node = name.replace(/\d+$/, "") as NodeName;
    const client = await this.ends.server(node).connect({ protocol: this.protocol });
    const id = String(await client.ask("CLIENT", "ID"));
    const speaker = { node, client, id };
    this.#speakers.set(name, speaker);
    return speaker;
  }

  #words(request: string, { id }: Speaker): Argument[] {
    return request
      .trim()
      .split(/\s+/)
      .map((word) => {
        if (word === "''") return "";
        if (!word.startsWith("$")) return word;
        const name = word.slice(1);
        if (name === "self") return id;
        const [, node, isPort] = /^(RA|RB|A|B)(P?)$/.exec(name) ?? [];
        if (node !== undefined) {
          const which = node.toLowerCase() as NodeName;
          return isPort === "P" ? this.ends.server(which).port : this.ends.id(which);
        }
        return this.#values.get(name) ?? word;
      });
  }
}

/** Entries come in no order. */
function isListing(request: readonly Argument[]): boolean {
  return /^cluster (slots|shards)$/i.test(request.join(" "));
}

/** What SUBSCRIBE and its kin answer with comes as a push. */
function isConfirmation({ raw }: Reply): boolean {
  return /^>3\r\n\$\d+\r\n[ps]?(un)?subscribe\r\n/.test(raw.toString("latin1"));
}
