// What the gates look at, read from the node when one of them is closed.
import type { ClientConnection } from "./client.ts";
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

  makeRoom(): boolean {
    return this.node.eviction.makeRoom();
  }

  get isReadOnlyReplica(): boolean {
    return this.node.replication.isReadOnly;
  }

  get hasTooFewReplicas(): boolean {
    return this.node.replication.hasTooFewReplicas;
  }

  get isStale(): boolean {
    return this.node.replication.isStale;
  }

  get isLoading(): boolean {
    return this.node.replication.isLoading;
  }

  get cannotSave(): boolean {
    return this.node.persistence.stopsWrites;
  }

  settleSnapshot(id: number): void {
    this.node.snapshots.beforeWrite(id);
  }

  waitsForArrival(id: number, client: ClientConnection): boolean {
    return this.node.waitsForArrival(id, client);
  }

  prepares(client: ClientConnection): boolean {
    return this.node.restores.begin(client);
  }

  look(id: number, client: ClientConnection): void {
    if (this.node.tracking.isOn) this.node.tracking.limit();
    this.node.feed.about(client, id);
  }
}
