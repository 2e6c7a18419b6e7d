// Who connects to the bus is a stranger until a node we know has spoken on the connection, and may be anybody. Strangers
// are few and hold little: the oldest goes when another comes, so that a node that introduces itself has its turn.
import { openSockets } from "../io/sockets.ts";

/** Strangers at a time, where the limit of open files is no hindrance: a large cluster introduces itself at once. */
const MOST = 256;
/** One in so many sockets may be a stranger's. */
const SHARE = 8;
/** Strangers when all sockets are taken. */
const FEWEST = 4;
/** What a stranger may have us keep: of a message that has not come whole, and of replies it does not read, bytes. */
const KEPT_BYTES = 131_072;

/** A connection of the bus. */
export interface StrangerLink {
  readonly frames: { readonly pendingBytes: number };
  readonly connection: { readonly queuedBytes: number };
}

export class Strangers<L extends StrangerLink> {
  readonly #links = new Set<L>();

  get count(): number {
    return this.#links.size;
  }

  /** @returns those that must go for it */
  add(link: L): readonly L[] {
    this.#links.add(link);
    const most = openSockets.areAllTaken
      ? FEWEST
      : Math.max(FEWEST, Math.min(MOST, Math.floor(openSockets.limit / SHARE)));
    return [...this.#links].slice(0, Math.max(0, this.#links.size - most));
  }

  has(link: L): boolean {
    return this.#links.has(link);
  }

  /** It is known now, or gone. */
  delete(link: L): void {
    this.#links.delete(link);
  }

  /** Whether it is a stranger that wants more kept than one may. */
  isGreedy(link: L): boolean {
    const { frames, connection } = link;
    return this.#links.has(link) && Math.max(frames.pendingBytes, connection.queuedBytes) > KEPT_BYTES;
  }
}
