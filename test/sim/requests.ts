// Requests as routing sees them.
import type { RouteRequest } from "../../src/cluster/route.ts";
import type { SimNode } from "./sim-node.ts";

export interface Asked {
  readonly keys?: readonly string[];
  readonly asking?: boolean;
  readonly migrate?: boolean;
}

/** A write of some keys of a slot, at a node; without keys: of one it holds. */
export function plainRequest(node: SimNode, slot: number, asked: Asked = {}): RouteRequest {
  const { keys, asking = false, migrate = false } = asked;
  return {
    slot,
    crossSlot: false,
    multipleKeys: (keys?.length ?? 1) > 1,
    write: true,
    asking,
    readonly: false,
    migrate,
    shardPubsub: false,
    countKeys: () => {
      if (keys === undefined) return { present: 1, missing: 0 };
      const present = keys.filter((key) => node.keys.has(slot, key)).length;
      return { present, missing: keys.length - present };
    },
  };
}
