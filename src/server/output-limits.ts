// Clients that are sent more than they take: what waits for one may not outgrow client-output-buffer-limit.
// Replicas have a limit of their own, on how far they lag behind the log; the replication master watches that.
import type { ClientConnection } from "./client.ts";
import type { Config } from "./config/config.ts";
import type { OutputLimit, OutputLimits as Limits } from "./config/lists.ts";

const NO_LIMIT: OutputLimit = { hardBytes: 0, softBytes: 0, softSeconds: 0 };

export class OutputLimits {
  #limits: Pick<Limits, "normal" | "pubsub"> = { normal: NO_LIMIT, pubsub: NO_LIMIT };
  readonly #overSoftSinceMs = new WeakMap<ClientConnection, number>();

  constructor(config: Config) {
    config.watch("client-output-buffer-limit", (limits) => (this.#limits = limits));
  }

  /** Closes a client that is over the hard limit, or has been over the soft one for too long. */
  check(client: ClientConnection, nowMs: number): void {
    const { kind } = client;
    if (kind !== "normal" && kind !== "pubsub") return;
    const { hardBytes, softBytes, softSeconds } = this.#limits[kind];
    if (hardBytes === 0 && softBytes === 0) return;
    const { outputBytes } = client;
    if (hardBytes > 0 && outputBytes >= hardBytes) return client.close("output buffer limit");
    if (softBytes === 0 || outputBytes < softBytes) {
      this.#overSoftSinceMs.delete(client);
      return;
    }
    const since = this.#overSoftSinceMs.get(client);
    if (since === undefined) this.#overSoftSinceMs.set(client, nowMs);
    else if (nowMs - since > softSeconds * 1000) client.close("output buffer limit");
  }
}
