// A client of one node's command port, for what drives a cluster from outside its nodes: requests go out at once,
// replies come back in order.
import { connect, type Connection } from "../io/sockets.ts";
import { encodeRequest, type Part } from "../resp/encode.ts";
import { ReplyError } from "../resp/errors.ts";
import { ReplyReader, type ReplyValue } from "../resp/reply-reader.ts";

interface Waiting {
  readonly resolve: (value: ReplyValue) => void;
  readonly reject: (reason: Error) => void;
}

export interface LinkTarget {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: Part | undefined;
}

export class CommandLink {
  readonly #reader = new ReplyReader();
  readonly #waiting: Waiting[] = [];

  private constructor(
    private readonly connection: Connection,
    readonly target: LinkTarget,
  ) {
    connection.user = {
      received: (chunk) => this.#received(chunk),
      closed: () => this.#fail(new Error(`${target.host}:${target.port} closed the connection`)),
    };
  }

  /** Connects, and authenticates if there is a password. Rejects when the node refuses. */
  static async open(target: LinkTarget, timeoutMs: number): Promise<CommandLink> {
    const link = new CommandLink(await connect(target.host, target.port, timeoutMs), target);
    const { username, password } = target;
    if (password === undefined) return link;
    try {
      await link.ask("AUTH", ...(username === undefined ? [] : [username]), password);
      return link;
    } catch (reason) {
      link.close();
      throw reason;
    }
  }

  /** Sends a request. Rejects with a ReplyError when the node refuses it, with an Error when the link breaks. */
  ask(...request: readonly Part[]): Promise<ReplyValue> {
    return new Promise((resolve, reject) => {
      if (this.connection.isClosed) {
        reject(new Error(`no connection to ${this.target.host}:${this.target.port}`));
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.connection.send(encodeRequest(request));
    });
  }

  /** As `ask`, for replies that are text. */
  async text(...request: readonly Part[]): Promise<string> {
    const value = await this.ask(...request);
    if (typeof value !== "string") throw new Error(`${request.join(" ")}: a reply that is no text`);
    return value;
  }

  close(): void {
    this.connection.close();
  }

  #received(chunk: Uint8Array): void {
    this.#reader.feed(chunk);
    try {
      for (let value = this.#reader.next(); value !== undefined; value = this.#reader.next()) {
        const waiting = this.#waiting.shift();
        if (value instanceof ReplyError) waiting?.reject(value);
        else waiting?.resolve(value);
      }
    } catch (reason) {
      this.#fail(reason instanceof Error ? reason : new Error(String(reason)));
      this.connection.close();
    }
  }

  #fail(reason: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }
}
