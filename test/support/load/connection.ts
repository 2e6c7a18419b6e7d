// One connection to one node, one exchange at a time: requests as text in one write, their replies as trees.
import { connect, type Socket } from "node:net";
import { ReplyReader, type Value } from "../resp.ts";

/** The connection is gone, or never came about; whether what was sent was carried out is not known. */
export class ConnectionLost extends Error {}

export class LoadConnection {
  isLost = false;
  /** Nothing that was sent can have reached the node. */
  wasOpened = false;
  readonly #socket: Socket;
  readonly #reader = new ReplyReader();
  #awaited = 0;
  #last: Value | undefined;
  #done: ((reply: Value) => void) | undefined;
  #failed: ((reason: Error) => void) | undefined;

  constructor(readonly port: number) {
    this.#socket = connect({ port, host: "127.0.0.1" });
    this.#socket.setNoDelay(true);
    this.#socket.on("connect", () => (this.wasOpened = true));
    this.#socket.on("data", (chunk: Buffer) => this.#data(chunk));
    this.#socket.on("error", () => {}); // always followed by close
    this.#socket.on("close", () => this.close("the node closed the connection"));
  }

  /** Sends requests and gives the last of their replies. */
  exchange(requests: string, replies: number): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.isLost) return reject(new ConnectionLost("the connection is closed"));
      this.#awaited = replies;
      this.#done = resolve;
      this.#failed = reject;
      this.#socket.write(requests, "latin1");
    });
  }

  close(reason: string): void {
    this.isLost = true;
    this.#socket.destroy();
    const failed = this.#failed;
    this.#done = undefined;
    this.#failed = undefined;
    failed?.(new ConnectionLost(`${reason} (port ${this.port})`));
  }

  #data(chunk: Buffer): void {
    this.#reader.feed(chunk);
    for (let reply = this.#reader.next(); reply !== undefined; reply = this.#reader.next()) {
      this.#last = reply.value;
      this.#awaited--;
    }
    if (this.#awaited > 0 || this.#done === undefined || this.#last === undefined) return;
    const done = this.#done;
    this.#done = undefined;
    this.#failed = undefined;
    done(this.#last);
  }
}

/** A request of ASCII words. */
export function encodeWords(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${word.length}\r\n${word}\r\n`;
  return text;
}
