// A client of a whole cluster: it goes where MOVED and ASK send it, and any other reply is the answer.
import { Client } from "./client.ts";
import { type Argument, plain, type Plain, type Reply } from "./resp.ts";

/** More than a key meets on its way through a cluster whose slots move one after another. */
const MOST_HOPS = 16;

export class RoutedClient {
  readonly #connections = new Map<number, Promise<Client>>();
  /** Where a key was found last. */
  readonly #places = new Map<string, number>();

  /** @param port of the node that is asked for what was asked nowhere yet */
  constructor(private readonly port: number) {}

  /** Sends a request to the node that serves its key: the second word, where none is named. */
  async reply(args: readonly Argument[], key = String(args[1])): Promise<Reply> {
    let port = this.#places.get(key) ?? this.port;
    let isAsked = false;
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const client = await this.#at(port);
      const replies = await client.pipeline(isAsked ? [["ASKING"], args] : [args]);
      const reply = replies.at(-1) as Reply;
      const sent = /^-(MOVED|ASK) \d+ .*:(\d+)\r\n$/.exec(reply.raw.toString("latin1", 0, 100));
      if (sent === null) return reply;
      port = Number(sent[2]);
      isAsked = sent[1] === "ASK";
      if (!isAsked) this.#places.set(key, port);
    }
    throw new Error(`${String(args[0])} ${key} was redirected ${MOST_HOPS} times`);
  }

  /** As `reply`, as plain JavaScript. */
  async ask(...args: Argument[]): Promise<Plain> {
    return plain((await this.reply(args)).value);
  }

  /** The connection to one node, made when it is first needed. */
  #at(port: number): Promise<Client> {
    let opening = this.#connections.get(port);
    if (opening === undefined) {
      opening = Client.open(port);
      this.#connections.set(port, opening);
    }
    return opening;
  }

  async close(): Promise<void> {
    for (const opening of this.#connections.values()) (await opening).close();
    this.#connections.clear();
  }
}
