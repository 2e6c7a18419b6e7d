// Keyspace notifications: what happens to keys, published to whoever subscribed to the key's channel or the event's.
// notify-keyspace-events says which; the engine tells only the kinds that are wanted.
import { Buffer } from "node:buffer";
import { EVENT_EXPIRED, EVENT_KEYMISS, EVENT_NEW } from "../../assembly/abi.ts";
import { KEY_EVENTS } from "../engine/events.ts";
import type { Memory } from "../engine/memory.ts";
import type { Config } from "./config/config.ts";
import type { NodePubSub } from "./pubsub.ts";
import type { Place, Pushes } from "./pushes.ts";

/** Told by the engine the moment a key is looked for or made; a command tells the rest when it has made its change. */
const LOOKED: ReadonlySet<number> = new Set([EVENT_EXPIRED, EVENT_KEYMISS, EVENT_NEW]);

export class Notifications {
  /** The classes wanted, and `K` or `E` or both for the kinds of channels; empty = none. */
  #classes = "";
  /** Where notifications stand for the client whose request runs: where its command made the change. */
  place: Place = "here";
  /** A transaction runs: its own client is told in the order of its changes, behind the replies to all of it. */
  isTogether = false;

  constructor(
    private readonly memory: Memory,
    private readonly pubsub: NodePubSub,
    private readonly pushes: Pushes,
    config: Config,
  ) {
    config.watch("notify-keyspace-events", (classes) => this.#choose(classes));
  }

  /**
   * @param kind an EVENT_ constant
   * @param answeredBytes how far the reply arena reached then, if it was told in the engine
   */
  tell(kind: number, database: number, key: Uint8Array, answeredBytes: number | undefined): void {
    const event = KEY_EVENTS.get(kind);
    if (event === undefined || !this.#isWanted(event.class)) return;
    const place = this.#placeOf(kind, answeredBytes);
    const name = Buffer.from(event.name, "latin1");
    if (this.#classes.includes("K")) {
      const head = Buffer.from(`__keyspace@${database}__:`, "latin1");
      this.pubsub.publish("channel", Buffer.concat([head, key]), name, place);
    }
    if (this.#classes.includes("E")) {
      const channel = Buffer.from(`__keyevent@${database}__:${event.name}`, "latin1");
      this.pubsub.publish("channel", channel, key, place);
    }
  }

  #placeOf(kind: number, answeredBytes: number | undefined): Place {
    if (this.isTogether) return "after";
    if (answeredBytes === undefined || !LOOKED.has(kind)) return this.place;
    return this.pushes.placeAt(answeredBytes);
  }

  #choose(classes: string): void {
    this.#classes = /[KE]/.test(classes) ? classes : "";
    for (const [kind, event] of KEY_EVENTS) this.memory.want(kind, this.#isWanted(event.class));
  }

  #isWanted(eventClass: string): boolean {
    return this.#classes.includes(eventClass);
  }
}
