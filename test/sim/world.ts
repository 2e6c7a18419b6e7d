// A cluster in virtual time. Machines are driven as a real shell drives them, but from one queue of events whose
// delays, losses, crashes and clock jumps are drawn from a seed; so a failure can be run again, exactly.
import type { ClusterEffect, ClusterEvent } from "../../src/cluster/events.ts";
import { createMachine } from "../../src/cluster/machine.ts";
import type { NodeId } from "../../src/cluster/message.ts";
import { formatNodesConf, parseNodesConf, type NodesConf } from "../../src/cluster/nodes-conf.ts";
import { DEFAULT_OPTIONS, type ClusterOptions } from "../../src/cluster/options.ts";
import { unsaved, type Answer, type ClusterRequest } from "../../src/cluster/request.ts";
import { Random } from "../support/random.ts";
import { EventQueue } from "./event-queue.ts";
import { Invariants } from "./invariants.ts";
import { Ledger } from "./ledger.ts";
import { Replication } from "./replication.ts";
import type { Script } from "./script.ts";
import { SimNode } from "./sim-node.ts";
import type { Surroundings } from "./surroundings.ts";
import { Wires } from "./wires.ts";

const SLOT_COUNT = 16_384;
const TICK_MS = 100;
const START_MS = 1_700_000_000_000;
const DISK_FULL = "No space left on device";

export interface WorldOptions {
  readonly seed: number;
  readonly masters: number;
  readonly replicas?: number;
  /** Masters without slots, which joined as well. */
  readonly spares?: number;
  /** true (default) = joined and agreed at the beginning; false = strangers without slots. */
  readonly joined?: boolean;
  readonly nodeTimeoutMs?: number;
  /** One way over a link; each message draws from this range, order within a link is kept. */
  readonly delayMs?: readonly [number, number];
  readonly options?: Partial<ClusterOptions>;
}

function seeded(seed: number): () => number {
  const random = new Random(seed);
  return () => random.unit();
}

export interface Conflict {
  readonly slot: number;
  readonly keys: readonly string[];
  readonly nodes: readonly SimNode[];
}

export class World implements Surroundings {
  nowMs = 0;
  readonly nodes: SimNode[] = [];
  readonly random: () => number;
  readonly invariants = new Invariants(this);
  readonly ledger = new Ledger(this);
  readonly wires: Wires;
  readonly replication: Replication;
  /** Keys a tool found with different values at two nodes, for a person to decide. */
  readonly conflicts: Conflict[] = [];
  readonly #queue = new EventQueue();

  constructor(readonly config: WorldOptions) {
    this.random = seeded(config.seed);
    this.wires = new Wires(this, config.delayMs ?? [1, 1], (node, message) =>
      this.invariants.heard(node, message),
    );
    this.replication = new Replication(this, this.wires);
    const replicas = config.replicas ?? 0;
    for (let i = 0; i < config.masters; i++) this.#addNode(`m${i}`);
    for (let i = 0; i < replicas; i++) this.#addNode(`r${i}`);
    for (let i = 0; i < (config.spares ?? 0); i++) this.#addNode(`s${i}`);
    const saved = (config.joined ?? true) ? this.#agreedConf() : undefined;
    for (const node of this.nodes) {
      node.disk = saved?.(node) ?? "";
      this.#boot(node, parseNodesConf(node.disk));
    }
    if (saved !== undefined) this.runUntil("agreed", 10_000);
  }

  node(name: string): SimNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  get sentMessages(): number {
    return this.wires.sentMessages;
  }

  get sentBytes(): number {
    return this.wires.sentBytes;
  }

  nameOf(id: NodeId | undefined): string | undefined {
    return this.nodes.find((node) => node.running && node.id === id)?.name;
  }

  // --- Running ------------------------------------------------------------------------------------------------

  /** Runs for a stretch of virtual time. */
  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    while (this.#queue.nextAtMs <= endMs) this.#runNext();
    this.nowMs = endMs;
  }

  /** Runs until the condition holds after some event. @returns how long it took. Throws when it takes too long */
  runUntil(condition: "agreed" | (() => boolean), withinMs: number): number {
    const startMs = this.nowMs;
    const holds = condition === "agreed" ? () => this.disagreement() === undefined : condition;
    let checkedAtMs = -Infinity;
    for (;;) {
      if (this.nowMs - checkedAtMs >= 1) {
        if (holds()) break;
        checkedAtMs = this.nowMs;
      }
      if (this.#queue.nextAtMs > startMs + withinMs) {
        const why = condition === "agreed" ? this.disagreement() : condition.toString();
        throw new Error(`seed ${this.config.seed}: not within ${withinMs} ms: ${why}`);
      }
      this.#runNext();
    }
    return this.nowMs - startMs;
  }

  /** Runs something that takes its time beside everything else. @returns ends it where it stands */
  spawn(script: Script): () => void {
    let stopped = false;
    const go = (): void => {
      if (stopped) return;
      const { value, done } = script.next();
      if (done !== true) this.later(value, go);
    };
    this.later(0, go);
    return () => {
      stopped = true;
    };
  }

  later(delayMs: number, run: () => void): void {
    this.#queue.add(this.nowMs + delayMs, run);
  }

  fail(what: string): never {
    throw new Error(`seed ${this.config.seed}, at ${Math.round(this.nowMs)} ms: ${what}`);
  }

  #runNext(): void {
    const work = this.#queue.take();
    this.nowMs = work.atMs;
    work.run();
  }

  /** Why the running nodes do not see the same cluster, if they do not: members, roles, owners, health. */
  disagreement(): string | undefined {
    const running = this.nodes.filter((node) => node.running);
    let reference: string | undefined;
    for (const node of running) {
      const { state } = node.machine;
      if (!state.ok && state.slots.assigned === SLOT_COUNT) return `${node.name} is not ok`;
      const lost = [...state.nodes.values()].find(
        (seen) => seen.slotCount > 0 && this.nameOf(seen.id) === undefined,
      );
      if (lost !== undefined) return `${node.name} sees slots at ${lost.id}, which is gone`;
      const view = [...state.nodes.values()]
        .filter((seen) => this.nameOf(seen.id) !== undefined)
        .map((seen) => {
          const slots = Buffer.from(seen.slots).toString("base64");
          return `${seen.id} ${(seen.flags & 3) | (seen.flags & 0b1101100)} ${seen.masterId} ${slots}`;
        })
        .toSorted()
        .join("\n");
      if (view.split("\n").length !== running.length)
        return `${node.name} sees ${view.split("\n").length} nodes`;
      reference ??= view;
      if (view !== reference) return `${node.name} and ${running[0]?.name} differ`;
    }
    return undefined;
  }

  ownerOf(slot: number): string | undefined {
    const owners = new Set(
      this.nodes.filter((n) => n.running).map((n) => this.nameOf(n.machine.state.slots.owner(slot)?.id)),
    );
    return owners.size === 1 ? [...owners][0] : undefined;
  }

  // --- What tests do to it ------------------------------------------------------------------------------------

  ask(name: string, request: ClusterRequest): Answer {
    const node = this.node(name);
    if (node.unsaved) this.#saveLate(node);
    const { answer, effects } = node.machine.ask(request, this.#clockOf(node));
    return this.#carryOut(node, effects) ? answer : unsaved(DISK_FULL);
  }

  /** All but the first node meet the first, in the same instant. */
  meetAll(): void {
    const first = this.nodes[0]!;
    for (const node of this.nodes.slice(1)) {
      this.ask(node.name, { type: "meet", ip: first.ip, port: first.port, busPort: first.port + 10_000 });
    }
  }

  /** Dies at once, forgetting all but its disk. */
  crash(name: string): void {
    const node = this.node(name);
    node.running = false;
    node.asleep = undefined;
    node.incarnation++;
    node.sending.clear();
    node.writesPaused = false;
    this.wires.dropAll(node);
    this.replication.unlink(node);
  }

  restart(name: string): void {
    const node = this.node(name);
    if (node.running) return;
    this.#boot(node, parseNodesConf(node.disk));
    this.feed(node, { type: "loaded" });
  }

  /** A node that does not run gets another address; what it saved of its own is replaced at its next start. */
  move(name: string, ip: string, port: number): void {
    const node = this.node(name);
    node.disk = node.disk.replace(`${node.ip}:${node.port}@`, `${ip}:${node.port}@`);
    node.ip = ip;
    node.port = port;
  }

  /** Its data set is in memory. */
  tellLoaded(name: string): void {
    this.feed(this.node(name), { type: "loaded" });
  }

  /** From now on nothing can be written to its disk. */
  fillDisk(name: string): void {
    this.node(name).diskFull = true;
  }

  freeDisk(name: string): void {
    this.node(name).diskFull = false;
  }

  /** Stands still, as a stopped process does; its connections stay, and what comes in waits. */
  pause(name: string): void {
    this.node(name).asleep ??= [];
  }

  resume(name: string): void {
    const node = this.node(name);
    const waiting = node.asleep ?? [];
    node.asleep = undefined;
    for (const event of waiting) this.feed(node, event);
  }

  jumpClock(name: string, byMs: number): void {
    this.node(name).clockShiftMs += byMs;
  }

  /** What `from` sends is lost, and it cannot connect. One way. */
  cut(from: string, to: string): void {
    this.wires.cut(from, to);
  }

  partition(side: readonly string[]): void {
    for (const a of this.nodes) {
      for (const b of this.nodes)
        if (side.includes(a.name) !== side.includes(b.name)) this.cut(a.name, b.name);
    }
  }

  heal(): void {
    this.wires.heal();
  }

  /** Breaks a random connection; both ends are told. */
  breakLink(): void {
    const wire = this.wires.any();
    if (wire !== undefined) this.wires.break(wire, undefined);
  }

  /** A random connection goes dead, and nobody is told: what is sent on it is lost. */
  freezeLink(): void {
    const wire = this.wires.any();
    if (wire !== undefined) wire.open = false;
  }

  // --- The shell ----------------------------------------------------------------------------------------------

  #addNode(name: string): void {
    const n = this.nodes.length + 1;
    this.nodes.push(new SimNode(name, `10.0.${n >> 8}.${n & 255}`, 7000 + n));
  }

  #options(node: SimNode): ClusterOptions {
    return {
      ...DEFAULT_OPTIONS,
      port: node.port,
      busPort: node.port + 10_000,
      nodeTimeoutMs: this.config.nodeTimeoutMs ?? 2000,
      ...this.config.options,
    };
  }

  #boot(node: SimNode, saved: NodesConf): void {
    node.running = true;
    node.incarnation++;
    node.following = undefined;
    const view = {
      countKeysInSlot: (slot: number) => node.keys.countIn(slot),
      isEmpty: () => node.keys.size === 0,
    };
    const random = seeded(Math.floor(this.random() * 2 ** 32));
    const nowMs = this.#clockOf(node);
    node.machine = createMachine(saved, random, this.#options(node), view, nowMs);
    this.#carryOut(node, node.machine.start(nowMs));
    this.#tick(node, node.incarnation, this.random() * TICK_MS);
  }

  #tick(node: SimNode, incarnation: number, afterMs: number): void {
    this.#queue.add(this.nowMs + afterMs, () => {
      if (!node.running || node.incarnation !== incarnation) return;
      if (node.unsaved) this.#saveLate(node);
      this.#reportReplication(node);
      this.feed(node, { type: "tick" });
      this.#tick(node, incarnation, TICK_MS);
    });
  }

  /** What was put off, or could not be saved before. */
  #saveLate(node: SimNode): void {
    if (node.diskFull) return this.feed(node, { type: "saveFailed", reason: DISK_FULL, ofStep: false });
    node.disk = formatNodesConf(node.machine.state);
    node.unsaved = false;
    this.feed(node, { type: "saved" });
  }

  #reportReplication(node: SimNode): void {
    if (!node.awake) return;
    this.feed(node, { type: "replication", facts: this.replication.report(node, this.#clockOf(node)) });
  }

  #clockOf(node: SimNode): number {
    return Math.floor(START_MS + this.nowMs + node.clockShiftMs);
  }

  feed(node: SimNode, event: ClusterEvent): void {
    if (!node.running) return;
    if (node.asleep !== undefined) {
      if (event.type !== "tick" && event.type !== "replication") node.asleep.push(event);
      return;
    }
    this.#carryOut(node, node.machine.step(event, this.#clockOf(node)));
  }

  /** @returns false when they hung on a save that failed */
  #carryOut(node: SimNode, effects: readonly ClusterEffect[]): boolean {
    const [first] = effects;
    if (first?.type === "persist" && first.sync && node.diskFull) {
      node.unsaved = true;
      const failed = { type: "saveFailed", reason: DISK_FULL, ofStep: true } as const;
      this.#carryOut(node, node.machine.step(failed, this.#clockOf(node)));
      return false;
    }
    for (const effect of effects) this.#carryOutOne(node, effect);
    this.invariants.stepped(node);
    return true;
  }

  #carryOutOne(node: SimNode, effect: ClusterEffect): void {
    switch (effect.type) {
      case "persist":
        // What need not be synced is put off to the next tick, and so lost in a crash before it.
        node.unsaved ||= !effect.sync;
        if (effect.sync) {
          node.disk = formatNodesConf(node.machine.state);
          node.unsaved = false;
          if (node.machine.state.saveFault !== undefined)
            this.#queue.add(this.nowMs, () => this.feed(node, { type: "saved" }));
        }
        return;
      case "send":
        this.invariants.spoken(node, effect.message);
        return this.wires.send(node, effect.link, effect.message);
      case "connect":
        return this.wires.connect(node, effect.link, effect.ip, effect.port);
      case "disconnect":
        return this.wires.disconnect(node, effect.link);
      case "replicateFrom":
        this.ledger.follows(node);
        return this.replication.follow(node, effect.node);
      case "promote":
        this.ledger.tookOver(node, node.following);
        return this.replication.promote(node);
      case "emptyKeyspace":
        return this.replication.empty(node);
      case "deleteSlotKeys":
        for (const slot of effect.slots) {
          for (const key of node.keys.in(slot))
            this.replication.write(node, { slot, key, version: undefined });
        }
        return;
      case "disownSlotKeys":
        return; // nobody caches
      case "pauseWrites":
        node.writesPaused = true;
        this.#queue.add(this.nowMs, () => this.#reportReplication(node));
        return;
      case "resumeWrites":
        node.writesPaused = false;
        return;
      case "log":
        node.log.push(effect.text);
        return;
      case "deliver":
      case "routesChanged":
        return;
      default:
        effect satisfies never;
    }
  }

  /** nodes.conf of a cluster that agreed long ago. */
  #agreedConf(): (node: SimNode) => string {
    const ids = this.nodes.map((_, i) => (i + 1).toString(16).padStart(40, "0"));
    const { masters } = this.config;
    const share = SLOT_COUNT / masters;
    const line = (node: SimNode, i: number, self: SimNode): string => {
      const isSpare = i >= masters + (this.config.replicas ?? 0);
      const isMaster = i < masters || isSpare;
      const slots = i < masters ? ` ${Math.round(i * share)}-${Math.round((i + 1) * share) - 1}` : "";
      const role = isMaster ? "master -" : `slave ${ids[i % masters]}`;
      const epoch = isSpare ? 0 : (i % masters) + 1;
      const flags = node === self ? `myself,${role}` : role;
      return `${ids[i]} ${node.ip}:${node.port}@${node.port + 10_000} ${flags} 0 0 ${epoch} connected${slots}\n`;
    };
    return (self) => {
      const text = this.nodes.map((node, i) => line(node, i, self)).join("");
      return `${text}vars currentEpoch ${masters} lastVoteEpoch 0\n`;
    };
  }
}
