// A server that keys are sent to, which plays a part: it notes every request, and answers when the test says so.
import { Buffer } from "node:buffer";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { Scope } from "./cleanup.ts";
import { eventually } from "./eventually.ts";

/** Longest wait for what comes over a socket of this machine. */
export const WAIT_MS = 10_000;

/** An answer that ends the connection. */
export const HANG_UP = Symbol("hang up");

/**
 * What is said to a request at once, if anything.
 * @param request its name and first argument
 * @param connection counted from 0
 */
export type AnswerTo = (request: string, connection: number) => string | typeof HANG_UP | undefined;

export class FakeTarget {
  /** The requests in order, over all connections; one character per byte. */
  readonly words: string[][] = [];
  /** Every connection there was, open or not. */
  readonly sockets: Socket[] = [];
  port = 0;

  private constructor(private readonly answerTo: AnswerTo) {}

  static async start(scope: Scope, answerTo: AnswerTo = () => undefined): Promise<FakeTarget> {
    const target = new FakeTarget(answerTo);
    const server = createServer((socket) => target.#accept(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    target.port = (server.address() as AddressInfo).port;
    scope.defer(() => {
      for (const socket of target.sockets) socket.destroy();
      server.close();
    });
    return target;
  }

  /** Names and first arguments of the requests. */
  get requests(): string[] {
    return this.words.map((words) => words.slice(0, 2).join(" "));
  }

  /** Waits until so many requests have come in all. */
  async got(count: number): Promise<void> {
    await eventually(() => this.words.length >= count, WAIT_MS, `${count} requests`);
  }

  /** Says something over the connection made last. */
  say(text: string): void {
    this.sockets.at(-1)!.write(text);
  }

  /** Closes the connection made last. */
  hangUp(): void {
    this.sockets.at(-1)!.destroy();
  }

  #accept(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1;
    socket.on("error", () => {}); // always followed by close
    let input = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      input = Buffer.concat([input, chunk]); // a request of megabytes is rare here
      for (let end = this.#take(input); end > 0; end = this.#take(input)) {
        input = input.subarray(end);
        const answer = this.answerTo(this.requests.at(-1)!, connection);
        if (answer === HANG_UP) return void socket.destroy();
        if (answer !== undefined) socket.write(answer);
      }
    });
  }

  /** Notes the request at the beginning of what came. @returns its length; 0 = it is not whole */
  #take(input: Buffer): number {
    const head = /^\*(\d+)\r\n/.exec(input.toString("latin1", 0, 32));
    if (head === null) return 0;
    let at = head[0].length;
    const words: string[] = [];
    for (let i = 0; i < Number(head[1]); i++) {
      const bulk = /^\$(\d+)\r\n/.exec(input.toString("latin1", at, at + 32));
      if (bulk === null) return 0;
      const from = at + bulk[0].length;
      at = from + Number(bulk[1]) + 2;
      if (at > input.length) return 0;
      words.push(input.toString("latin1", from, at - 2));
    }
    this.words.push(words);
    return at;
  }
}
