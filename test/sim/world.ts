// A cluster in virtual time. Machines are driven as a real shell drives them, but from one queue of events whose
// delays, losses, crashes and clock jumps are drawn from a seed; so a failure can be run again, exactly.
// Messages go through the binary codec, as they would between processes.
import { encodeMessage } from "../../src/cluster/codec-binary.ts";
import type { ClusterEffect, ClusterEvent } from "../../src/cluster/events.ts";
import { createMachine, type ClusterMachine } from "../../src/cluster/machine.ts";
import { FrameDecoder } from "../../src/cluster/frames.ts";
import type { BusMessage, LinkId, NodeId } from "../../src/cluster/message.ts";
import { formatNodesConf, parseNodesConf, type NodesConf } from "../../src/cluster/nodes-conf.ts";
import { DEFAULT_OPTIONS, type ClusterOptions } from "../../src/cluster/options.ts";
import { Random } from "../support/random.ts";
import { unsaved, type Answer, type ClusterRequest } from "../../src/cluster/request.ts";
import { feed } from "../support/frames.ts";

const SLOT_COUNT = 16_384;
const TICK_MS = 100;
const START_MS = 1_700_000_000_000;
const DISK_FULL = "No space left on device";

export interface WorldOptions {
  readonly seed: number;
  readonly masters: number;
  readonly replicas?: number;
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

interface Wire {
  readonly from: SimNode;
  readonly to: SimNode;
  /** Ids of this connection at each end. */
  readonly fromLink: LinkId;
  readonly toLink: LinkId;
  open: boolean;
  /** Nothing overtakes: the earliest moment for the next arrival, each way. */
  readonly clearAtMs: [number, number];
}

export class SimNode {
  machine!: ClusterMachine;
  running = false;
  /** What is on its disk. */
  disk = "";
  /** The same, read. */
  parsed: { readonly text: string; readonly conf: NodesConf } | undefined;
  /** Its disk lags behind. */
  unsaved = false;
  /** Nothing can be written to its disk; what is on it stays. */
  diskFull = false;
  clockShiftMs = 0;
  readonly keys = new Map<number, number>();
  readonly wires = new Map<LinkId, Wire>();
  readonly decoders = new Map<LinkId, FrameDecoder>();
  lastInbound = 0;
  incarnation = 0;
  /** What waits for a node that stands still. */
  asleep: ClusterEvent[] | undefined;
  /** Replication, as the world pretends it. */
  offset = 0;
  following: NodeId | undefined;
  masterSeenAtMs = 0;
  writesPaused = false;
  /** For how long its link to its master had been down before it was last looked at. */
  staleMs = 0;
  /** It gets nothing more from its master. */
  stuck = false;
  readonly log: string[] = [];

  constructor(
    readonly name: string,
    public ip: string,
    public port: number,
  ) {}

  get id(): NodeId {
    return this.machine.state.myself.id;
  }
}

export class World {
  nowMs = 0;
  readonly nodes: SimNode[] = [];
  readonly random: () => number;
  sentMessages = 0;
  sentBytes = 0;
  readonly #queue = new EventQueue();
  /** "a>b": what a sends does not reach b. */
  readonly #cut = new Set<string>();
  readonly #votes = new Map<string, NodeId>();
  readonly #winners = new Map<number, NodeId>();
  readonly #epochs = new Map<string, number>();
  readonly #delayMs: readonly [number, number];

  constructor(readonly config: WorldOptions) {
    this.random = seeded(config.seed);
    this.#delayMs = config.delayMs ?? [1, 1];
    const replicas = config.replicas ?? 0;
    for (let i = 0; i < config.masters; i++) this.#addNode(`m${i}`);
    for (let i = 0; i < replicas; i++) this.#addNode(`r${i}`);
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
    for (const wire of node.wires.values()) this.#breakWire(wire, node);
    node.wires.clear();
    node.decoders.clear();
  }

  restart(name: string): void {
    const node = this.node(name);
    if (!node.running) this.#boot(node, parseNodesConf(node.disk));
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
    this.#feed(this.node(name), { type: "loaded" });
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
    for (const event of waiting) this.#feed(node, event);
  }

  jumpClock(name: string, byMs: number): void {
    this.node(name).clockShiftMs += byMs;
  }

  /** What `from` sends is lost, and it cannot connect. One way. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  partition(side: readonly string[]): void {
    for (const a of this.nodes) {
      for (const b of this.nodes)
        if (side.includes(a.name) !== side.includes(b.name)) this.cut(a.name, b.name);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Breaks a random connection; both ends are told. */
  breakLink(): void {
    const wire = this.#anyWire();
    if (wire !== undefined) this.#breakWire(wire, undefined);
  }

  /** A random connection goes dead, and nobody is told: what is sent on it is lost. */
  freezeLink(): void {
    const wire = this.#anyWire();
    if (wire !== undefined) wire.open = false;
  }

  #anyWire(): Wire | undefined {
    const wires = this.nodes.flatMap((node) => [...node.wires.values()]);
    return wires[Math.floor(this.random() * wires.length)];
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
      countKeysInSlot: (slot: number) => node.keys.get(slot) ?? 0,
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
      this.#feed(node, { type: "tick" });
      this.#tick(node, incarnation, TICK_MS);
    });
  }

  /** What was put off, or could not be saved before. */
  #saveLate(node: SimNode): void {
    if (node.diskFull) return this.#feed(node, { type: "saveFailed", reason: DISK_FULL, ofStep: false });
    node.disk = formatNodesConf(node.machine.state);
    node.unsaved = false;
    this.#feed(node, { type: "saved" });
  }

  #reportReplication(node: SimNode): void {
    const master = this.nodes.find((other) => other.running && other.id === node.following);
    const masterLinkUp = master !== undefined && this.#reaches(node, master) && this.#reaches(master, node);
    if (masterLinkUp && !node.stuck) node.offset = master.offset;
    if (masterLinkUp) node.masterSeenAtMs = this.nowMs;
    const masterLastSeenAtMs = this.#clockOf(node) - (this.nowMs - node.masterSeenAtMs) - node.staleMs;
    const facts = { offset: node.offset, masterLinkUp, masterLastSeenAtMs, writesPaused: node.writesPaused };
    this.#feed(node, { type: "replication", facts });
  }

  #clockOf(node: SimNode): number {
    return Math.floor(START_MS + this.nowMs + node.clockShiftMs);
  }

  #feed(node: SimNode, event: ClusterEvent): void {
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
    this.#checkInvariants(node);
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
            this.#queue.add(this.nowMs, () => this.#feed(node, { type: "saved" }));
        }
        return;
      case "send":
        return this.#send(node, effect.link, effect.message);
      case "connect":
        return this.#connect(node, effect.link, effect.ip, effect.port);
      case "disconnect": {
        const wire = node.wires.get(effect.link);
        node.wires.delete(effect.link);
        if (wire !== undefined) this.#breakWire(wire, node);
        return;
      }
      case "replicateFrom":
        node.following = effect.node;
        return;
      case "promote":
        node.following = undefined;
        return;
      case "emptyKeyspace":
        node.keys.clear();
        return;
      case "deleteSlotKeys":
        for (const slot of effect.slots) node.keys.delete(slot);
        return;
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

  #reaches(from: SimNode, to: SimNode): boolean {
    return !this.#cut.has(`${from.name}>${to.name}`);
  }

  #delay(): number {
    const [least, most] = this.#delayMs;
    return least + this.random() * (most - least);
  }

  #connect(node: SimNode, link: LinkId, ip: string, port: number): void {
    const peer = this.nodes.find((other) => other.ip === ip && other.port + 10_000 === port);
    const { incarnation } = node;
    const isUp = () => node.running && node.incarnation === incarnation;
    if (peer === undefined || !this.#reaches(node, peer) || !this.#reaches(peer, node)) {
      // Nobody answers: the attempt hangs for a while.
      this.#queue.add(this.nowMs + 1000, () => isUp() && this.#feed(node, { type: "unlinked", link }));
      return;
    }
    this.#queue.add(this.nowMs + this.#delay() + this.#delay(), () => {
      if (!isUp()) return;
      if (!peer.running) return this.#feed(node, { type: "unlinked", link });
      const wire: Wire = {
        from: node,
        to: peer,
        fromLink: link,
        toLink: --peer.lastInbound,
        open: true,
        clearAtMs: [0, 0],
      };
      node.wires.set(link, wire);
      peer.wires.set(wire.toLink, wire);
      node.decoders.set(link, new FrameDecoder());
      peer.decoders.set(wire.toLink, new FrameDecoder());
      this.#feed(peer, { type: "accepted", link: wire.toLink, localIp: peer.ip, remoteIp: node.ip });
      this.#feed(node, { type: "linked", link, localIp: node.ip, remoteIp: peer.ip });
    });
  }

  #send(node: SimNode, link: LinkId, message: BusMessage): void {
    const bytes = encodeMessage(message);
    this.sentMessages++;
    this.sentBytes += bytes.length;
    this.#noteVote(node, message);
    this.#checkPromise(node, message);
    const wire = node.wires.get(link);
    if (wire === undefined || !wire.open) return;
    const outward = link === wire.fromLink; // a node may be linked to itself
    const peer = outward ? wire.to : wire.from;
    if (!this.#reaches(node, peer)) return;
    const way = outward ? 0 : 1;
    const atMs = Math.max(wire.clearAtMs[way], this.nowMs + this.#delay());
    wire.clearAtMs[way] = atMs;
    const { incarnation } = peer;
    this.#queue.add(atMs, () => {
      if (!wire.open || peer.incarnation !== incarnation) return;
      this.#arrive(peer, outward ? wire.toLink : wire.fromLink, bytes);
    });
  }

  #arrive(node: SimNode, link: LinkId, bytes: Uint8Array): void {
    const { messages, malformed } = feed(node.decoders.get(link)!, bytes);
    for (const message of messages) this.#feed(node, { type: "received", link, message });
    if (malformed !== undefined) throw new Error(`seed ${this.config.seed}: malformed: ${malformed}`);
  }

  /** Both ends learn of it, except the one that did it. */
  #breakWire(wire: Wire, by: SimNode | undefined): void {
    if (!wire.open) return;
    wire.open = false;
    for (const [node, link] of [
      [wire.from, wire.fromLink],
      [wire.to, wire.toLink],
    ] as const) {
      if (node === by) continue;
      const { incarnation } = node;
      this.#queue.add(this.nowMs + this.#delay(), () => {
        if (node.incarnation !== incarnation || !node.wires.delete(link)) return;
        this.#feed(node, { type: "unlinked", link });
      });
    }
  }

  /** nodes.conf of a cluster that agreed long ago. */
  #agreedConf(): (node: SimNode) => string {
    const ids = this.nodes.map((_, i) => (i + 1).toString(16).padStart(40, "0"));
    const { masters } = this.config;
    const share = SLOT_COUNT / masters;
    const line = (node: SimNode, i: number, self: SimNode): string => {
      const isMaster = i < masters;
      const slots = isMaster ? ` ${Math.round(i * share)}-${Math.round((i + 1) * share) - 1}` : "";
      const role = isMaster ? "master -" : `slave ${ids[i % masters]}`;
      const epoch = (i % masters) + 1;
      const flags = node === self ? `myself,${role}` : role;
      return `${ids[i]} ${node.ip}:${node.port}@${node.port + 10_000} ${flags} 0 0 ${epoch} connected${slots}\n`;
    };
    return (self) => {
      const text = this.nodes.map((node, i) => line(node, i, self)).join("");
      return `${text}vars currentEpoch ${masters} lastVoteEpoch 0\n`;
    };
  }

  // --- Invariants ---------------------------------------------------------------------------------------------

  #fail(what: string): never {
    throw new Error(`seed ${this.config.seed}, at ${Math.round(this.nowMs)} ms: ${what}`);
  }

  /** A vote on the wire must be on the voter's disk, and the only one it gave at that epoch, restarts included. */
  #noteVote(node: SimNode, message: BusMessage): void {
    if (message.body.type !== "authAck") return;
    const { disk } = node;
    const { state } = node.machine;
    if (!disk.includes(`lastVoteEpoch ${state.lastVoteEpoch}`))
      this.#fail(`${node.name} spoke a vote it had not saved`);
    const key = `${node.id}@${state.lastVoteEpoch}`;
    if (this.#votes.has(key)) this.#fail(`${node.name} voted twice at epoch ${state.lastVoteEpoch}`);
    this.#votes.set(key, node.id);
  }

  /** An epoch of a node's own making is on its disk before anybody hears of it. */
  #checkPromise(node: SimNode, { header, body }: BusMessage): void {
    if (node.parsed?.text !== node.disk) node.parsed = { text: node.disk, conf: parseNodesConf(node.disk) };
    const saved = node.parsed.conf;
    const own = saved.nodes.find(({ id }) => id === header.sender);
    if (header.master === null && header.configEpoch > (own?.configEpoch ?? 0))
      this.#fail(`${node.name} speaks of its epoch ${header.configEpoch}, which it had not saved`);
    if (body.type === "authRequest" && header.currentEpoch > saved.currentEpoch)
      this.#fail(`${node.name} asks for votes at epoch ${header.currentEpoch}, which it had not saved`);
  }

  #checkInvariants(node: SimNode): void {
    const { state } = node.machine;
    const { currentEpoch, lastVoteEpoch, myself } = state;
    if (lastVoteEpoch > currentEpoch) this.#fail(`${node.name}: lastVoteEpoch above currentEpoch`);
    if (myself.configEpoch > currentEpoch) this.#fail(`${node.name}: configEpoch above currentEpoch`);
    const key = `${node.name}/${node.incarnation}`;
    if ((this.#epochs.get(key) ?? 0) > currentEpoch) this.#fail(`${node.name}: currentEpoch fell`);
    this.#epochs.set(key, currentEpoch);
    const wins = node.log.filter((text) => text.startsWith("Failover election won"));
    if (wins.length > 0) {
      node.log.length = 0;
      const other = this.#winners.get(myself.configEpoch);
      if (other !== undefined) this.#fail(`${node.name} and ${other} both won epoch ${myself.configEpoch}`);
      this.#winners.set(myself.configEpoch, node.name);
    }
    this.#checkSlots(node);
  }

  /** The slot table and the nodes' own sets say the same. */
  #checkSlots(node: SimNode): void {
    let counted = 0;
    for (const seen of node.machine.state.nodes.values()) counted += seen.slotCount;
    if (counted !== node.machine.state.slots.assigned) this.#fail(`${node.name}: slot counts do not add up`);
  }
}

interface Work {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A binary heap by time, then by order of adding. */
class EventQueue {
  readonly #heap: Work[] = [];
  #order = 0;

  get nextAtMs(): number {
    return this.#heap[0]?.atMs ?? Infinity;
  }

  add(atMs: number, run: () => void): void {
    const work = { atMs, order: this.#order++, run };
    const heap = this.#heap;
    let at = heap.push(work) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(work, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = work;
  }

  take(): Work {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) throw new Error("nothing left to happen");
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Work, b: Work): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}
