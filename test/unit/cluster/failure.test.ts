// Single decisions about who is down, taken by one machine that hears what the test says.
import { describe, expect, test } from "bun:test";
import type { ClusterEffect } from "../../../src/cluster/events.ts";
import {
  FLAG_MASTER,
  FLAG_PFAIL,
  FLAG_REPLICA,
  type Body,
  type GossipEntry,
  type Header,
} from "../../../src/cluster/message.ts";
import { hasFailed, isSuspected } from "../../../src/cluster/node.ts";
import { A, AS_REPLICA, B, C, D, OneNode, THREE_MASTERS } from "./one-node.ts";

const TIMEOUT_MS = 1000;

/** A machine with links both ways to all it knows, and a voice for each of the others. */
class Heard extends OneNode {
  readonly #inbound = new Map<string, number>();

  constructor(text: string) {
    super(text, { nodeTimeoutMs: TIMEOUT_MS });
    const outbound = this.effects.filter((effect) => effect.type === "connect");
    this.linkAll();
    for (const [i, { node, link }] of outbound.entries()) {
      this.feed({ type: "accepted", link: -1 - i, localIp: "10.0.0.1", remoteIp: "10.0.0.9" });
      this.#inbound.set(node, -1 - i);
      this.feed({ type: "received", link, message: { header: this.header(node), body: pong([]) } });
    }
  }

  feed(event: Parameters<OneNode["machine"]["step"]>[0]): readonly ClusterEffect[] {
    const effects = this.machine.step(event, this.nowMs);
    this.effects.push(...effects);
    return effects;
  }

  header(id: string, change: Partial<Header> = {}): Header {
    const node = this.state.nodes.get(id)!;
    const seat = this.state.mastersSeat(node) ?? node;
    return {
      sender: id,
      master: node.masterId,
      slots: seat.slots.slice(),
      currentEpoch: this.state.currentEpoch,
      configEpoch: seat.configEpoch,
      offset: 0,
      ip: node.ip,
      port: node.port,
      otherPort: 0,
      busPort: node.busPort,
      flags: node.flags,
      clusterOk: true,
      paused: false,
      forceAck: false,
      ...change,
    };
  }

  hear(id: string, body: Body, change: Partial<Header> = {}): readonly ClusterEffect[] {
    const message = { header: this.header(id, change), body };
    return this.feed({ type: "received", link: this.#inbound.get(id)!, message });
  }

  /** Everybody but `silent` answers all PINGs for a while. */
  live(forMs: number, silent: readonly string[]): void {
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs;) {
      this.wait(100);
      for (const node of this.state.peers()) {
        if (silent.includes(node.id) || node.link === undefined || !node.linkUp) continue;
        const message = { header: this.header(node.id), body: pong([]) };
        this.feed({ type: "received", link: node.link, message });
      }
    }
  }

  saw(id: string): "fail" | "pfail" | "well" {
    const node = this.state.nodes.get(id)!;
    return hasFailed(node) ? "fail" : isSuspected(node) ? "pfail" : "well";
  }
}

function pong(gossip: readonly GossipEntry[]): Body {
  return { type: "pong", gossip, extensions: {} };
}

function report(id: string, flags: number): Body {
  const entry = {
    id,
    pingSentAtSec: 0,
    pongReceivedAtSec: 0,
    ip: "10.0.0.3",
    port: 7003,
    otherPort: 0,
    busPort: 17_003,
  };
  return pong([{ ...entry, flags }]);
}

const SUSPECTED = FLAG_MASTER | FLAG_PFAIL;

test("silence beyond the timeout makes a suspect, and a majority with it a failure that all are told of", () => {
  const node = new Heard(THREE_MASTERS);
  node.live(800, [C]);
  expect(node.saw(C)).toBe("well");
  node.live(1000, [C]);
  expect(node.saw(C)).toBe("pfail");
  node.effects = [];
  node.hear(B, report(C, SUSPECTED));
  expect(node.saw(C)).toBe("fail");
  const told = node.take("send").filter(({ message }) => message.body.type === "fail");
  expect(told.length).toBeGreaterThanOrEqual(2);
  expect(told[0]?.message.body).toEqual({ type: "fail", node: C });
});

test("reports alone do not suffice, nor do those of replicas, nor old ones", () => {
  const node = new Heard(THREE_MASTERS);
  node.hear(B, report(C, SUSPECTED));
  node.hear(D, report(C, SUSPECTED));
  expect(node.saw(C)).toBe("well");
  node.live(1800, [C]);
  expect(node.saw(C)).toBe("fail"); // B's report is younger than two timeouts

  const late = new Heard(THREE_MASTERS);
  late.live(1800, [C]);
  late.hear(D, report(C, SUSPECTED));
  expect(late.saw(C)).toBe("pfail");
  const old = new Heard(THREE_MASTERS);
  old.hear(B, report(C, SUSPECTED));
  old.live(2100, []);
  old.live(1800, [C]);
  expect(old.saw(C)).toBe("pfail");
});

test("a report is taken back by the one who made it", () => {
  const node = new Heard(THREE_MASTERS);
  node.hear(B, report(C, SUSPECTED));
  node.hear(B, report(C, FLAG_MASTER));
  node.live(1800, [C]);
  expect(node.saw(C)).toBe("pfail");
});

test("bytes that are no whole message yet are a sign of life", () => {
  const node = new Heard(THREE_MASTERS);
  const { link } = node.state.nodes.get(C)!;
  for (let i = 0; i < 10; i++) {
    node.live(200, [C]);
    node.feed({ type: "heard", link: link! });
  }
  expect(node.saw(C)).toBe("well");
});

describe("FAIL is undone", () => {
  const fails = (id: string): Heard => {
    const node = new Heard(THREE_MASTERS);
    node.live(200, [id]);
    node.hear(B === id ? C : B, { type: "fail", node: id });
    expect(node.saw(id)).toBe("fail");
    return node;
  };
  test("at once for a replica that answers", () => {
    const node = fails(D);
    node.live(700, []);
    expect(node.saw(D)).toBe("well");
  });
  test("for a master with slots only after two timeouts", () => {
    const node = fails(C);
    node.live(1900, []);
    expect(node.saw(C)).toBe("fail");
    node.live(1000, []);
    expect(node.saw(C)).toBe("well");
  });
});

test("a FAIL from a stranger, or about us, is ignored", () => {
  const node = new Heard(THREE_MASTERS);
  node.hear(B, { type: "fail", node: C }, { sender: "e".repeat(40) });
  node.hear(B, { type: "fail", node: A });
  expect([node.saw(C), node.saw(A)]).toEqual(["well", "well"]);
});

describe("a vote", () => {
  const FAILED_B = THREE_MASTERS.replace(/(b{40} 10.*) master /, "$1 master,fail ");
  const REQUEST: Body = { type: "authRequest" };
  const voter = (): Heard => {
    const node = new Heard(FAILED_B);
    node.hear(C, { type: "fail", node: B });
    node.effects = [];
    return node;
  };
  const votes = (node: Heard): number =>
    node.take("send").filter(({ message }) => message.body.type === "authAck").length;

  test("is saved before it is sent, and given once an epoch", () => {
    const node = voter();
    node.hear(D, REQUEST, { currentEpoch: 4 });
    const at = node.effects.findIndex(
      (effect) => effect.type === "send" && effect.message.body.type === "authAck",
    );
    expect(node.effects[0]).toEqual({ type: "persist", sync: true });
    expect(at).toBeGreaterThan(0);
    expect(node.state.lastVoteEpoch).toBe(4);
    expect(votes(node)).toBe(1);
    node.hear(D, REQUEST, { currentEpoch: 4 });
    expect(votes(node)).toBe(0);
  });

  test("for the same master is not given again before two timeouts", () => {
    const node = voter();
    node.hear(D, REQUEST, { currentEpoch: 4 });
    expect(votes(node)).toBe(1);
    node.live(1500, [B]);
    node.hear(D, REQUEST, { currentEpoch: 5 });
    expect(votes(node)).toBe(0);
    node.live(700, [B]);
    node.hear(D, REQUEST, { currentEpoch: 6 });
    expect(votes(node)).toBe(1);
  });

  test("is refused for an old epoch, to a master, for a master that is up, and for slots others won", () => {
    const old = voter();
    old.hear(D, REQUEST, { currentEpoch: 2 });
    expect(votes(old)).toBe(0);
    const master = voter();
    master.hear(C, REQUEST, { currentEpoch: 4 });
    expect(votes(master)).toBe(0);
    const up = new Heard(THREE_MASTERS);
    up.hear(D, REQUEST, { currentEpoch: 4 });
    expect(votes(up)).toBe(0);
    up.hear(D, REQUEST, { currentEpoch: 5, forceAck: true });
    expect(votes(up)).toBe(1);
    const outdated = voter();
    const slots = new Uint8Array(2048).fill(255);
    outdated.hear(D, REQUEST, { currentEpoch: 4, slots });
    expect(votes(outdated)).toBe(0);
  });

  test("is not given by a replica, nor by a master without slots", () => {
    const replica = new Heard(AS_REPLICA);
    replica.hear(C, { type: "fail", node: B });
    replica.hear(C, REQUEST, { currentEpoch: 4, flags: FLAG_REPLICA, forceAck: true });
    expect(votes(replica)).toBe(0);
    const slotless = voter();
    slotless.cluster("delslotsrange 0 5460");
    slotless.effects = [];
    slotless.hear(D, REQUEST, { currentEpoch: 4 });
    expect(votes(slotless)).toBe(0);
  });
});

test("a candidate counts each voter once, and only votes of masters with slots at its epoch", () => {
  const node = new Heard(AS_REPLICA);
  const facts = { offset: 1, masterLinkUp: true, masterLastSeenAtMs: node.nowMs, writesPaused: false };
  node.feed({ type: "replication", facts });
  node.live(100, [B]);
  node.hear(C, { type: "fail", node: B });
  node.live(1200, [B]);
  expect(node.state.election).toMatchObject({ phase: "voting", epoch: 4 });
  node.hear(A, { type: "authAck" }, { currentEpoch: 3 });
  expect(node.state.election).toMatchObject({ votes: new Set() });
  node.hear(A, { type: "authAck" }, { currentEpoch: 4 });
  node.hear(A, { type: "authAck" }, { currentEpoch: 4 });
  expect(node.state.election).toMatchObject({ phase: "voting", votes: new Set([A]) });
  node.effects = [];
  node.hear(C, { type: "authAck" }, { currentEpoch: 4 });
  expect(node.take("promote").length).toBe(1);
  expect(node.state.myself).toMatchObject({ configEpoch: 4, slotCount: 5462 });
  expect(node.state.slots.owner(6000)?.id).toBe(D);
});
