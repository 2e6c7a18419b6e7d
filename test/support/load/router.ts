// A small cluster client that hides nothing from whoever judges: it learns slots from MOVED, follows ASK with ASKING,
// sends again after TRYAGAIN, and everything else is an error, unless nodes may die.
import { SLOT_COUNT } from "../../../assembly/abi.ts";
import type { Value } from "../resp.ts";
import { ConnectionLost, encodeWords, LoadConnection } from "./connection.ts";
import type { Tally } from "./tally.ts";

export interface RouterOptions {
  /** Nodes that are known from the start. */
  readonly ports: readonly number[];
  readonly nodesMayDie: boolean;
}

export type Outcome =
  | { readonly type: "reply"; readonly reply: Value }
  /** An error reply that nothing excuses; it is counted. */
  | { readonly type: "refused" }
  /** The connection was lost before the reply, and the request may not be sent twice. */
  | { readonly type: "unknown" }
  /** The load was told to stop while a node was down. */
  | { readonly type: "givenUp" };

const ASKING = encodeWords(["ASKING"]);
/** More redirections than that in a row lead nowhere. */
const REDIRECTIONS_LIMIT = 16;
const TRY_AGAIN_MS = 1;
const OUTAGE_PAUSE_MS = 20;
/** No request takes as long, not even one that meets a dead node. */
const PATIENCE_MS = 60_000;
/** What nodes say while another takes the place of a dead one. */
const OUTAGES: ReadonlySet<string> = new Set(["CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY"]);

export class Router {
  /** By slot, the port to try first; 0 = not known. */
  readonly #owners = new Uint16Array(SLOT_COUNT);
  readonly #connections = new Map<number, LoadConnection>();
  readonly #ports: number[];
  #turn = 0;
  /** When the exchange at hand began; 0 = none is under way. */
  #sinceMs = 0;
  #current: LoadConnection | undefined;
  isGivingUp = false;

  constructor(
    private readonly options: RouterOptions,
    private readonly tally: Tally,
  ) {
    this.#ports = [...options.ports];
  }

  /** Sends a request to wherever its slot is, as often as redirections want it. */
  async request(slot: number, words: readonly string[], isRepeatable: boolean): Promise<Outcome> {
    const text = encodeWords(words);
    const { tally } = this;
    const beginMs = performance.now();
    let port = this.#owners[slot] || this.#anyPort();
    let asking = false;
    let redirections = 0;
    for (;;) {
      if (this.isGivingUp && performance.now() - beginMs > OUTAGE_PAUSE_MS) return { type: "givenUp" };
      const connection = this.#connection(port);
      let reply: Value;
      try {
        this.#sinceMs = performance.now();
        this.#current = connection;
        reply = await connection.exchange(asking ? ASKING + text : text, asking ? 2 : 1);
      } catch (reason) {
        if (!(reason instanceof ConnectionLost)) throw reason;
        this.#connections.delete(port);
        if (!this.options.nodesMayDie) return this.#refused(words, reason.message);
        tally.outages++;
        if (!isRepeatable && connection.wasOpened) return { type: "unknown" };
        if (performance.now() - beginMs > PATIENCE_MS) return this.#refused(words, "no way to any node");
        await Bun.sleep(OUTAGE_PAUSE_MS);
        [port, asking, redirections] = [this.#anyPort(), false, 0];
        continue;
      } finally {
        this.#sinceMs = 0;
      }
      if (reply.kind !== "error") {
        tally.waits.add(performance.now() - beginMs);
        return { type: "reply", reply };
      }
      const [code = "", , address = ""] = reply.text.split(" ");
      if (code === "MOVED" || code === "ASK") {
        if (++redirections > REDIRECTIONS_LIMIT)
          return this.#refused(words, `sent on ${redirections} times, at last by ${code}`);
        port = Number(address.slice(address.lastIndexOf(":") + 1));
        asking = code === "ASK";
        if (asking) tally.asked++;
        else {
          tally.moved++;
          this.#owners[slot] = port;
        }
        if (!this.#ports.includes(port)) this.#ports.push(port);
        // Once a node is dead, those that live may send back and forth for some time.
        if (this.options.nodesMayDie && redirections > 2) await Bun.sleep(TRY_AGAIN_MS);
        continue;
      }
      if (performance.now() - beginMs > PATIENCE_MS) return this.#refused(words, reply.text);
      if (code === "TRYAGAIN") {
        tally.tryAgain++;
        await Bun.sleep(TRY_AGAIN_MS);
      } else if (this.options.nodesMayDie && OUTAGES.has(code)) {
        tally.outages++;
        await Bun.sleep(OUTAGE_PAUSE_MS);
      } else return this.#refused(words, reply.text);
      [port, asking, redirections] = [this.#owners[slot] || this.#anyPort(), false, 0];
    }
  }

  /** Ends an exchange that has taken too long; it then counts as a lost connection. */
  endLate(limitMs: number): void {
    if (this.#sinceMs === 0 || performance.now() - this.#sinceMs < limitMs) return;
    this.#current?.close(`no reply within ${limitMs} ms`);
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close("the load has ended");
    this.#connections.clear();
  }

  #refused(words: readonly string[], text: string): Outcome {
    this.tally.error(`${words[0] ?? ""}: ${text}`);
    return { type: "refused" };
  }

  #anyPort(): number {
    return this.#ports[this.#turn++ % this.#ports.length] ?? 0;
  }

  #connection(port: number): LoadConnection {
    const known = this.#connections.get(port);
    if (known !== undefined && !known.isLost) return known;
    const made = new LoadConnection(port);
    this.#connections.set(port, made);
    return made;
  }
}
