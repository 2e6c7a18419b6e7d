// A connection that hides nothing: bytes out as they are given, replies in as raw bytes and as trees.
import { connect, type Socket } from "node:net";
import {
  type Argument,
  encodeRequest,
  plain,
  type Plain,
  printable,
  type Reply,
  ReplyReader,
  type Value,
} from "./resp.ts";

export interface ConnectOptions {
  readonly host?: string;
  readonly protocol?: 2 | 3;
  readonly password?: string;
}

/** How long a reply may take before a test gives up on it. */
const PATIENCE_MS = 15_000;

/** What `received` keeps at most, give or take a chunk. */
const RECORD_LIMIT = 1024 * 1024;

/** The connection ended; `rest` is what came after the last whole reply. */
export class Closed extends Error {
  constructor(readonly rest: Buffer) {
    super(`the server closed the connection${rest.length > 0 ? ` amid "${printable(rest)}"` : ""}`);
  }
}

interface Waiter {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export class Client {
  readonly closed: Promise<void>;
  isClosed = false;
  #reader = new ReplyReader();
  #replies: Reply[] = [];
  #waiting: Waiter[] = [];
  #failure: Error | undefined;
  #received: Buffer[] = [];
  #receivedLength = 0;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#data(Buffer.from(chunk)));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.isClosed = true;
        this.#fail(new Closed(this.#reader.rest));
        resolve();
      });
    });
    socket.on("error", () => {}); // always followed by close
  }

  static async open(port: number, options: ConnectOptions = {}): Promise<Client> {
    const socket = connect({ port, host: options.host ?? "127.0.0.1" });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const client = new Client(socket);
    if (options.password !== undefined) await client.ok("AUTH", options.password);
    if (options.protocol === 3) await client.reply("HELLO", 3);
    return client;
  }

  /** Every byte that came, replies and all, up to RECORD_LIMIT. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Sends bytes as they are. */
  write(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Sends bytes in pieces that end at the given positions, each in a packet of its own as far as TCP allows. */
  async writeSplit(bytes: Uint8Array, positions: readonly number[]): Promise<void> {
    let from = 0;
    for (const to of [...positions.toSorted((a, b) => a - b), bytes.length]) {
      if (to <= from) continue;
      const piece = bytes.subarray(from, to);
      await new Promise<void>((resolve) => this.socket.write(piece, () => resolve()));
      await new Promise<void>((resolve) => setImmediate(resolve));
      from = to;
    }
  }

  /** Says that nothing more will be sent; the server's replies still arrive. */
  finish(): void {
    this.socket.end();
  }

  /** Takes nothing from the connection until `resume`: what the server sends piles up on its side. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** The next reply. */
  async read(timeoutMs = PATIENCE_MS): Promise<Reply> {
    const ready = this.#replies.shift();
    if (ready !== undefined) return ready;
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(new Error(`no reply within ${timeoutMs} ms; so far "${printable(this.#reader.rest)}"`));
      }, timeoutMs);
      const waiter: Waiter = {
        resolve: (reply) => {
          clearTimeout(late);
          resolve(reply);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      };
      this.#waiting.push(waiter);
    });
  }

  /** Lets go of replies that came and that nobody read. */
  forget(): void {
    this.#replies = [];
  }

  /** Sends one request and waits for its reply. */
  async reply(...args: Argument[]): Promise<Reply> {
    this.write(encodeRequest(args));
    return this.read();
  }

  /** Sends requests in one write and waits for all their replies. */
  async pipeline(requests: readonly (readonly Argument[])[]): Promise<Reply[]> {
    this.write(Buffer.concat(requests.map(encodeRequest)));
    const replies: Reply[] = [];
    for (let i = 0; i < requests.length; i++) replies.push(await this.read());
    return replies;
  }

  /** The reply as plain JavaScript; an error reply is a value here: text beginning with `-`. */
  async ask(...args: Argument[]): Promise<Plain> {
    const { value } = await this.reply(...args);
    return plain(value);
  }

  /** The reply as text; throws when it is an error or not text. */
  async text(...args: Argument[]): Promise<string> {
    const { value } = await this.reply(...args);
    const text = plain(value);
    if (isError(value) || typeof text !== "string")
      throw new Error(`${String(args[0])}: ${JSON.stringify(text)}`);
    return text;
  }

  /** Insists on +OK. */
  async ok(...args: Argument[]): Promise<void> {
    const text = await this.ask(...args);
    if (text !== "OK") throw new Error(`${args.map(String).join(" ")}: ${JSON.stringify(text)}`);
  }

  /** Waits until the server has closed the connection; gives every byte that came. */
  async untilClosed(timeoutMs = PATIENCE_MS): Promise<Buffer> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`still open after ${timeoutMs} ms`)), timeoutMs);
    try {
      await Promise.race([this.closed, late.promise]);
    } finally {
      clearTimeout(timer);
    }
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }

  #data(chunk: Buffer): void {
    if (this.#receivedLength < RECORD_LIMIT) this.#received.push(chunk);
    this.#receivedLength += chunk.length;
    if (this.#failure !== undefined) return;
    this.#reader.feed(chunk);
    try {
      for (let reply = this.#reader.next(); reply !== undefined; reply = this.#reader.next()) {
        const waiter = this.#waiting.shift();
        if (waiter === undefined) this.#replies.push(reply);
        else waiter.resolve(reply);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiter of this.#waiting) waiter.reject(this.#failure);
    this.#waiting = [];
  }
}

function isError(value: Value): boolean {
  return value.kind === "error" || value.kind === "bulkError";
}
