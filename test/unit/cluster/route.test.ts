import { describe, expect, test } from "bun:test";
import { refusalText, route, type RouteRequest } from "../../../src/cluster/route.ts";
import type { ClusterOptions } from "../../../src/cluster/options.ts";
import { AS_REPLICA, B, OneNode, THREE_MASTERS } from "./one-node.ts";

const READ: RouteRequest = {
  slot: 0,
  crossSlot: false,
  multipleKeys: false,
  write: false,
  asking: false,
  readonly: false,
  migrate: false,
  shardPubsub: false,
  countKeys: () => ({ present: 1, missing: 0 }),
};

const keys = (present: number, missing: number): Partial<RouteRequest> => ({
  multipleKeys: present + missing > 1,
  countKeys: () => ({ present, missing }),
});

function up(text = THREE_MASTERS, options: Partial<ClusterOptions> = {}): OneNode {
  const node = new OneNode(text, options);
  node.wait(2200); // what a master that comes back with slots waits for nodes that do not answer
  expect(node.state.ok).toBe(true);
  return node;
}

const ask = (node: OneNode, request: Partial<RouteRequest>): string =>
  refusalText(route(node.state, { ...READ, ...request })) ?? "here";

test("a settled slot is served by its owner alone", () => {
  const node = up();
  expect(ask(node, { slot: 5460 })).toBe("here");
  expect(ask(node, { slot: 5461 })).toBe("MOVED 5461 10.0.0.2:7002");
  expect(ask(node, { slot: 1, crossSlot: true })).toBe(
    "CROSSSLOT Keys in request don't hash to the same slot",
  );
  expect(ask(node, { slot: 5461, asking: true })).toBe("MOVED 5461 10.0.0.2:7002");
});

test("a slot without owner, and a cluster that is down", () => {
  const node = new OneNode(THREE_MASTERS);
  node.cluster("delslots 9");
  node.declare(false);
  expect(ask(node, { slot: 9, crossSlot: true })).toBe("CLUSTERDOWN Hash slot not served");
  expect(ask(node, { slot: 1 })).toBe("CLUSTERDOWN The cluster is down");
  expect(ask(node, { slot: 1, shardPubsub: true })).toBe("here");
  const reading = new OneNode(THREE_MASTERS, { allowReadsWhenDown: true, allowPubsubShardWhenDown: false });
  reading.declare(false);
  expect(ask(reading, { slot: 1 })).toBe("here");
  expect(ask(reading, { slot: 1, write: true })).toBe(
    "CLUSTERDOWN The cluster is down and only accepts read commands",
  );
  expect(ask(reading, { slot: 1, shardPubsub: true })).toBe("CLUSTERDOWN The cluster is down");
});

test("a replica serves reads of its master's slots to clients that said READONLY", () => {
  const node = up(AS_REPLICA);
  expect(ask(node, { slot: 6000 })).toBe("MOVED 6000 10.0.0.2:7002");
  expect(ask(node, { slot: 6000, readonly: true })).toBe("here");
  expect(ask(node, { slot: 6000, readonly: true, write: true })).toBe("MOVED 6000 10.0.0.2:7002");
  expect(ask(node, { slot: 1, readonly: true })).toBe("MOVED 1 10.0.0.1:7001");
  expect(ask(node, { slot: 6000, shardPubsub: true })).toBe("here");
});

describe("a slot that moves", () => {
  test("away: what is here is served, what is gone is asked for there, a mixture waits", () => {
    const node = up();
    node.cluster(`setslot 7 migrating ${B}`);
    expect(ask(node, { slot: 7, ...keys(2, 0) })).toBe("here");
    expect(ask(node, { slot: 7, ...keys(0, 2) })).toBe("ASK 7 10.0.0.2:7002");
    expect(ask(node, { slot: 7, ...keys(1, 1) })).toBe(
      "TRYAGAIN Multiple keys request during rehashing of slot",
    );
    expect(ask(node, { slot: 7, ...keys(0, 1), migrate: true })).toBe("here");
    expect(ask(node, { slot: 7, ...keys(0, 1), shardPubsub: true })).toBe("here");
  });

  test("here: served to those who were sent, once all keys are here", () => {
    const node = up();
    node.cluster(`setslot 6000 importing ${B}`);
    expect(ask(node, { slot: 6000, ...keys(1, 0) })).toBe("MOVED 6000 10.0.0.2:7002");
    expect(ask(node, { slot: 6000, ...keys(0, 1), asking: true })).toBe("here");
    expect(ask(node, { slot: 6000, ...keys(1, 1), asking: true })).toBe(
      "TRYAGAIN Multiple keys request during rehashing of slot",
    );
    expect(ask(node, { slot: 6000, ...keys(2, 0), asking: true })).toBe("here");
    expect(ask(node, { slot: 6000, ...keys(0, 2), migrate: true })).toBe("here");
  });
});

test("clients are sent to the kind of endpoint that is preferred", () => {
  expect(ask(up(THREE_MASTERS, { preferredEndpoint: "hostname" }), { slot: 6000 })).toBe(
    "MOVED 6000 b.example:7002",
  );
  expect(ask(up(THREE_MASTERS, { preferredEndpoint: "hostname" }), { slot: 16_000 })).toBe(
    "MOVED 16000 ?:7003",
  );
  expect(ask(up(THREE_MASTERS, { preferredEndpoint: "unknown-endpoint" }), { slot: 6000 })).toBe(
    "MOVED 6000 :7002",
  );
});

test("serveHere agrees with route, for every slot and through every change", () => {
  const node = new OneNode(THREE_MASTERS);
  const agree = (): void => {
    for (let slot = 0; slot < 16_384; slot++) {
      const isHere = ask(node, { slot, ...keys(0, 1) }) === "here";
      if ((node.machine.serveHere[slot] === 1) !== isHere) expect(`slot ${slot}`).toBe("in agreement");
    }
  };
  const { serveHere } = node.machine;
  node.wait(2500);
  expect(node.state.ok).toBe(true);
  expect(serveHere.reduce((sum, here) => sum + here, 0)).toBe(5461);
  for (const line of [
    `setslot 7 migrating ${B}`,
    `setslot 6000 importing ${B}`,
    "delslots 100",
    "addslots 100",
  ]) {
    expect(node.cluster(line)).toBe("OK");
    expect(node.take("routesChanged").length).toBeGreaterThan(0);
    node.wait(100);
    agree();
  }
  expect(node.machine.serveHere).toBe(serveHere);
});
