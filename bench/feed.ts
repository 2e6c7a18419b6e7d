// Fills servers fast: requests that answer with one line each, sent in batches, their replies counted and not parsed.
import { connect, type Socket } from "node:net";
import { type Argument, encodeRequest } from "../test/support/resp.ts";

const BATCH = 1000;
const NEWLINE = 10;
const MINUS = 45;

/** Sends all requests; throws when one is answered with an error. */
export async function feed(port: number, requests: Iterable<readonly Argument[]>): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  const lines = new LineCounter(socket);
  try {
    let batch: Buffer[] = [];
    for (const request of requests) {
      batch.push(encodeRequest(request));
      if (batch.length < BATCH) continue;
      await lines.answer(batch);
      batch = [];
    }
    if (batch.length > 0) await lines.answer(batch);
  } finally {
    socket.destroy();
  }
}

class LineCounter {
  #awaited = 0;
  #atStart = true;
  #done: () => void = () => {};
  #failed: (error: Error) => void = () => {};

  constructor(private readonly socket: Socket) {
    socket.on("data", (chunk) => this.#data(Buffer.from(chunk)));
    socket.on("error", (error) => this.#failed(error));
    socket.on("close", () => this.#failed(new Error("the server closed the connection")));
  }

  async answer(batch: readonly Buffer[]): Promise<void> {
    this.#awaited += batch.length;
    const answered = new Promise<void>((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
    });
    this.socket.write(Buffer.concat(batch));
    await answered;
  }

  #data(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#atStart && chunk[at] === MINUS) return this.#failed(new Error(chunk.toString("latin1", at)));
      const end = chunk.indexOf(NEWLINE, at);
      this.#atStart = end >= 0;
      if (end < 0) return;
      this.#awaited--;
      at = end + 1;
    }
    if (this.#awaited === 0) this.#done();
  }
}
