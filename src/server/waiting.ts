// Clients whose request waits for something: for what others write, for replicas, for the end of the node. Their reply
// comes when it comes, or when their time is over, or when somebody ends their wait (CLIENT UNBLOCK); until then what
// they sent after it waits too.
import type { ReplyArena } from "../engine/arena.ts";
import { after, soon, type Timer } from "../io/clock.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { ClientConnection } from "./client.ts";
import type { Pushes } from "./pushes.ts";
import type { Stats } from "./stats.ts";

const UNBLOCKED = new ReplyError("UNBLOCKED client unblocked via CLIENT UNBLOCK");
const ROLE_CHANGED = new ReplyError(
  "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
);

export interface Wait {
  /** Writes what the client is answered when its time is over; undefined = only what it waits for ends the wait. */
  readonly timedOut?: (reply: Reply) => void;
  /** The wait is over, however it ended. */
  readonly ended?: () => void;
}

interface Waiter {
  readonly wait: Wait;
  /** CLIENT REPLY mutes the reply. */
  readonly isMute: boolean;
  readonly timer: Timer | undefined;
}

export interface WaitingParts {
  readonly replies: ReplyArena;
  readonly reply: Reply;
  readonly pushes: Pushes;
  readonly stats: Stats;
}

export class Waiting {
  readonly #waiters = new Map<ClientConnection, Waiter>();

  constructor(private readonly parts: WaitingParts) {}

  has(client: ClientConnection): boolean {
    return this.#waiters.has(client);
  }

  /** The request at hand is answered later. @param timeoutMs 0 = it waits for ever */
  begin(client: ClientConnection, timeoutMs: number, wait: Wait): void {
    const { timedOut } = wait;
    const timer =
      timeoutMs > 0 && timedOut !== undefined
        ? after(timeoutMs, () => this.answer(client, timedOut))
        : undefined;
    this.#waiters.set(client, { wait, isMute: client.replyMode !== "on", timer });
    client.block();
  }

  /**
   * Ends a wait with a reply; what the client sent meanwhile runs soon.
   * @param write may throw a ReplyError, which is the reply then
   * @param goOn what happens soon
   */
  answer(client: ClientConnection, write: (reply: Reply) => void, goOn = () => client.resume()): void {
    const waiter = this.#forget(client);
    if (waiter === undefined) return;
    const { replies, pushes } = this.parts;
    const from = replies.length;
    this.#write(client, write, from);
    const bytes = replies.written().slice(from);
    replies.truncate(from);
    if (!waiter.isMute) pushes.send(client, bytes);
    client.unblock();
    soon(goOn);
  }

  /** Ends a wait for what it cannot end by itself; false = there is none that could. */
  unblock(client: ClientConnection, how: "timeout" | "error"): boolean {
    const timedOut = this.#waiters.get(client)?.wait.timedOut;
    if (timedOut === undefined) return false;
    if (how === "timeout") this.answer(client, timedOut);
    else this.refuse(client, UNBLOCKED);
    return true;
  }

  refuse(client: ClientConnection, error: ReplyError): void {
    this.answer(client, refusing(error));
  }

  /** The node has become a replica: nothing that could end their waits is to happen here any more. */
  disconnect(): void {
    for (const [client, { wait }] of this.#waiters) {
      if (wait.timedOut !== undefined) this.refuseForRole(client);
    }
  }

  /** The node is a replica now, and what the client waits for was a master's to do. */
  refuseForRole(client: ClientConnection): void {
    this.answer(client, refusing(ROLE_CHANGED), () => client.end());
  }

  /** A client is gone. */
  left(client: ClientConnection): void {
    this.#forget(client);
  }

  #forget(client: ClientConnection): Waiter | undefined {
    const waiter = this.#waiters.get(client);
    if (waiter === undefined) return undefined;
    this.#waiters.delete(client);
    waiter.timer?.stop();
    waiter.wait.ended?.();
    return waiter;
  }

  #write(client: ClientConnection, write: (reply: Reply) => void, from: number): void {
    const { reply, replies, stats } = this.parts;
    const { protocol } = reply; // another request may be about to go on with its own
    reply.protocol = client.protocol;
    try {
      write(reply);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      replies.truncate(from);
      reply.error(error);
      stats.failedWith(client.lastCommand, error.message);
    }
    reply.protocol = protocol;
  }
}

function refusing(error: ReplyError): () => void {
  return () => {
    throw error;
  };
}
