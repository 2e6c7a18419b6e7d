// A node in this process without its ports: clients are connections of the test's making, so that the test says where
// chunks end, what a socket takes and when it closes.
import type { Connection, ConnectionUser } from "../../src/io/sockets.ts";
import { Config } from "../../src/server/config/config.ts";
import { applyLines } from "../../src/server/config/parse.ts";
import { Node } from "../../src/server/node.ts";
import type { Scope } from "./cleanup.ts";
import { type Argument, encodeRequest } from "./resp.ts";
import { tempDir } from "./temp.ts";

/** A node that listens nowhere and does nothing by itself. */
export function bareNode(scope: Scope, directives: Readonly<Record<string, string>> = {}): Node {
  const config = new Config();
  const settings = { "cluster-enabled": "no", ...directives, dir: tempDir(scope), logfile: "node.log" };
  const lines = Object.entries(settings).map(([name, value]) => {
    const words = [name, ...value.split(" ")];
    return { text: words.join(" "), words, where: "the test" };
  });
  applyLines(config, lines, { read: () => "", expand: () => [] });
  const node = new Node(config, false);
  scope.defer(() => node.stop());
  return node;
}

/** One end of a connection to a bare node; the other end is the test. */
export class Peer {
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort: number;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 1;
  queuedBytes = 0;
  isClosed = false;
  isFinished = false;
  /** False = whatever is sent from now on waits. */
  reads = true;
  readonly #user: ConnectionUser;
  /** How often it was sent something, and how much in all. */
  sendCount = 0;
  sentBytes = 0;
  #sent: Buffer[] = [];
  static #lastPort = 1000;

  constructor(node: Node) {
    this.remotePort = ++Peer.#lastPort;
    const user = node.clients.accept(this as unknown as Connection);
    if (user === undefined) throw new Error("the node refuses the connection");
    this.#user = user;
  }

  /** Hands bytes to the node as one chunk and takes what it sent in return, one character per byte. */
  chunk(bytes: Uint8Array | string): string {
    this.#give(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this.taken();
  }

  #give(bytes: Uint8Array): void {
    if (!this.isClosed) this.#user.received(bytes);
  }

  /** As `ask`, and what comes in return stays to be taken. */
  say(...args: readonly Argument[]): void {
    this.#give(encodeRequest(args));
  }

  ask(...args: readonly Argument[]): string {
    return this.chunk(encodeRequest(args));
  }

  /** What came since it was last asked. */
  taken(): string {
    const text = this.peek();
    this.#sent = [];
    return text;
  }

  /** As `taken`, and it stays to be taken. */
  peek(): string {
    return Buffer.concat(this.#sent).toString("latin1");
  }

  send(all: Uint8Array, from = 0, to = all.length): void {
    const bytes = all.subarray(from, to);
    if (this.isClosed || this.isFinished) return;
    this.sendCount++;
    this.sentBytes += bytes.length;
    this.#sent.push(Buffer.from(bytes));
    if (!this.reads) this.queuedBytes += bytes.length;
  }

  /** Reads what waited for it; more may be sent at once. */
  drain(): void {
    if (this.queuedBytes === 0) return;
    this.queuedBytes = 0;
    this.#user.drained?.();
  }

  finish(): void {
    this.isFinished = true;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#user.closed();
  }

  keepAlive(): void {}
}
