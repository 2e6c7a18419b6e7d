// A client that writes keys once each, follows redirections, and remembers which of them are acknowledged and replicated:
// whatever becomes of a node, those must not be lost.
import { Client } from "../client.ts";
import { type Argument, encodeRequest } from "../resp.ts";
import type { Stage } from "./stage.ts";

/** How long a replica may take to say that it has a write, milliseconds; after that the write counts for nothing. */
const REPLICATED_MS = 500;
const ANSWER_MS = 2000;
const REDIRECTIONS = 5;

export class Writer {
  /** Keys with their values that a replica has as well. */
  readonly safe = new Map<string, string>();
  /** Replies that are neither OK nor a redirection nor a refusal that a failover explains. */
  readonly strange: string[] = [];
  #clients = new Map<number, Client>();
  #stopped = false;
  #done: Promise<void>;

  /** @param tags hash tags the keys are spread over */
  constructor(
    private readonly stage: Stage,
    private readonly tags: readonly string[],
  ) {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    for (const client of this.#clients.values()) client.close();
  }

  async #run(): Promise<void> {
    let i = 0;
    while (!this.#stopped) {
      i++;
      const key = `{${this.tags[i % this.tags.length]}}:written:${i}`;
      if (await this.#write(key, `value ${i}`)) this.safe.set(key, `value ${i}`);
    }
  }

  async #write(key: string, value: string): Promise<boolean> {
    let port = this.stage.running[0]!.port;
    let asking = false;
    for (let hops = 0; hops < REDIRECTIONS; hops++) {
      const replies = await this.#ask(port, asking, key, value);
      if (replies === undefined) return false;
      const [set = "", replicas] = replies;
      const [, word, to] = /^-(MOVED|ASK) \d+ [^ ]*:(\d+)$/.exec(set) ?? [];
      if (to === undefined) {
        if (set !== "OK" && !/^-(CLUSTERDOWN|READONLY|TRYAGAIN|LOADING|MASTERDOWN)/.test(set))
          this.strange.push(set);
        return set === "OK" && Number(replicas) >= 1;
      }
      port = Number(to);
      asking = word === "ASK";
    }
    return false;
  }

  /** @returns what SET and WAIT said; undefined = the node is gone */
  async #ask(port: number, asking: boolean, key: string, value: string): Promise<string[] | undefined> {
    try {
      const client = this.#clients.get(port) ?? (await Client.open(port));
      this.#clients.set(port, client);
      const write: Argument[][] = [
        ["SET", key, value],
        ["WAIT", 1, REPLICATED_MS],
      ];
      client.write(Buffer.concat((asking ? [["ASKING"], ...write] : write).map(encodeRequest)));
      const replies: string[] = [];
      for (let i = asking ? -1 : 0; i < write.length; i++) {
        const { value: reply } = await client.read(ANSWER_MS);
        const text = "text" in reply ? reply.text : reply.kind;
        if (i >= 0) replies.push(reply.kind === "error" ? `-${text}` : text);
      }
      return replies;
    } catch {
      this.#clients.get(port)?.close();
      this.#clients.delete(port);
      return undefined;
    }
  }
}
