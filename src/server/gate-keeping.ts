// What the gates look at, read from the node when one of them is closed.
import type { GateFacts } from "./gates.ts";
import type { Node } from "./node.ts";

export class GateKeeping implements GateFacts {
  constructor(private readonly node: Node) {}

  get debugAllowed(): string {
    return this.node.config.text("enable-debug-command");
  }

  get memoryCeiling(): number {
    return this.node.config.number("maxmemory");
  }

  get usedMemory(): number {
    return this.node.memory.usedBytes;
  }

  readonly isReadOnlyReplica = false;
  readonly hasTooFewReplicas = false;
  readonly isStale = false;
  readonly isLoading = false;

  settleSnapshot(): void {}
}
