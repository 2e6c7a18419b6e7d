// The cluster machine: events in, effects out. It holds all rules of gossip, failure detection and failover, and no
// socket, clock or disk.
//
// How a shell drives it
// - Make it from what nodes.conf says (`parseNodesConf`; no nodes = a new node) and call `start` once; then `step` a
//   `tick` every 100 ms, and every other event as it happens. `nowMs` is unix milliseconds.
// - Carry the effects out in their order, all of them, before the next event goes in. A `persist` with `sync` is on
//   disk (temporary file, fsync, rename; the text is `formatNodesConf(machine.state)`) before a later effect starts. It
//   is always the first effect of its step. With `brief` it is enough that it outlives the process. Should it fail, drop
//   the effects of the step and step `saveFailed` at once; a request whose step it was is answered by `unsaved`. A
//   `persist` without `sync` may be put off to the next tick; should it fail then, step `saveFailed` too. After a failure
//   try again by and by, and step `saved` when it succeeds.
// - Links: `connect` names the id of a link to be made to ip:port (the bus port). When it is up, tell `linked`; when it
//   fails or ends, `unlinked`, once. Connections accepted on the bus port get ids of the shell's, below zero, never
//   used twice: tell `accepted` before anything received on them, and `unlinked` when they end. After `disconnect` the
//   id is dead: close the socket, forget what it still held, and tell nothing of it any more.
// - Bytes: one FrameDecoder a link; each message it gives is a `received`, in order; a `malformed` it reports goes in
//   as that event after them. When a chunk completed no message, tell `heard`. `encodeMessage` turns what `send` holds
//   into bytes; equal message objects may be encoded once for all links they go to.
// - Requests of operators go through `ask`, which answers at once; its effects are carried out before the client sees
//   the answer. What CLUSTER only reads is in replies.ts and nodes-conf.ts; routing reads `serveHere`, then `route`.
// - Replication: `replicateFrom` and `promote` say whom to follow. Tell `replication` whenever the link to the master
//   comes up or goes down, before each tick for the offset, and at once when writes are held after `pauseWrites` (with
//   the final offset and `writesPaused`) and, on a replica with a manual failover under way, when the offset moves.
// - Tell `loaded` once the data set is in memory.
import { answerRequest } from "./asks.ts";
import { SteadyClock } from "./clock.ts";
import { packetFlaw } from "./door.ts";
import type { ClusterEffect, ClusterEvent } from "./events.ts";
import { broadcastPong, tellNews } from "./gossip.ts";
import { Health } from "./health.ts";
import { greet, loseLink } from "./links.ts";
import { catchUp, pingSuccessor } from "./manual-failover.ts";
import {
  FLAG_FAIL,
  FLAG_HANDSHAKE,
  FLAG_MIGRATE_TO,
  FLAG_MYSELF,
  type BusMessage,
  type LinkId,
} from "./message.ts";
import { addFlags, hasFailed, isMaster, isReplica, setAddress } from "./node.ts";
import type { NodesConf, SavedNode } from "./nodes-conf.ts";
import type { ClusterOptions, KeyspaceView, Random } from "./options.ts";
import { hearPacket } from "./packets.ts";
import type { Answer, ClusterRequest } from "./request.ts";
import { followMaster } from "./roles.ts";
import { RouteTable } from "./route.ts";
import { isAlone, settleSlotsWithKeys, settleWhenDue } from "./solo.ts";
import { ClusterState, randomId } from "./state.ts";
import { tick } from "./tick.ts";
import { Turn, UNASKED_PER_TICK } from "./turn.ts";

export interface ClusterMachine {
  /** What replies and routing read. */
  readonly state: Readonly<ClusterState>;
  /** For each slot: 1 = any request for it is run here, 0 = ask `route`. Always this same array. */
  readonly serveHere: Uint8Array;
  /** Before all else: links to the nodes remembered. */
  start(nowMs: number): readonly ClusterEffect[];
  step(event: ClusterEvent, nowMs: number): readonly ClusterEffect[];
  ask(
    request: ClusterRequest,
    nowMs: number,
  ): { readonly answer: Answer; readonly effects: readonly ClusterEffect[] };
}

/**
 * @param saved what nodes.conf said; no nodes = a new node, which draws its id
 * @param random the machine's only source of chance
 * @param nowMs unix milliseconds
 */
export function createMachine(
  saved: NodesConf,
  random: Random,
  options: ClusterOptions,
  keyspace: KeyspaceView,
  nowMs: number,
): ClusterMachine {
  return new Machine(saved, random, options, keyspace, nowMs);
}

/**
 * An announcement is repeated once, between 100 and 200 ms later. It goes out on our links; a PONG on its way on a
 * peer's own link was written before and may be read after it, which would undo it, or may be what makes us known to
 * the peer in the first place. The order of two connections is anybody's guess.
 */
const ECHO_TICKS = 2;

class Machine implements ClusterMachine {
  readonly state: ClusterState;
  readonly #turn: Turn;
  readonly #routes = new RouteTable();
  readonly #clock: SteadyClock;
  readonly #health: Health;
  #ticks = 0;
  #healthPending = false;
  /** The last step, when its effects hang on a `persist`: what it did, should that fail. */
  #unsaved: { readonly effects: readonly ClusterEffect[]; readonly venture: Turn["venture"] } | undefined;
  /** The tick at which what was announced last is said once more; 0 = it was. */
  #echoAtTick = 0;

  constructor(
    saved: NodesConf,
    random: Random,
    options: ClusterOptions,
    keyspace: KeyspaceView,
    nowMs: number,
  ) {
    const self = saved.nodes.find((node) => (node.flags & FLAG_MYSELF) !== 0);
    this.state = recall(saved, self, random, options, nowMs);
    this.#clock = new SteadyClock(nowMs);
    this.#turn = new Turn(this.state, keyspace, this.#clock);
    const wasServing = isMaster(this.state.myself) && this.state.myself.slotCount > 0;
    this.#health = new Health(nowMs, wasServing && this.state.nodes.size > 1);
    this.state.configure(options);
    this.state.solo = isAlone(this.state);
    this.#routes.refresh(this.state);
    if (self === undefined) this.#turn.saveNow();
  }

  get serveHere(): Uint8Array {
    return this.#routes.serveHere;
  }

  start(nowMs: number): readonly ClusterEffect[] {
    return this.#run(nowMs, () => {
      for (const node of this.state.nodes.values()) this.#turn.openLink(node);
      followMaster(this.#turn);
    });
  }

  step(event: ClusterEvent, nowMs: number): readonly ClusterEffect[] {
    return this.#run(nowMs, () => this.#handle(event));
  }

  ask(request: ClusterRequest, nowMs: number): { answer: Answer; effects: readonly ClusterEffect[] } {
    let answer: Answer = { error: "ERR" };
    const effects = this.#run(nowMs, () => {
      answer = answerRequest(this.#turn, request);
    });
    return { answer, effects };
  }

  #handle(event: ClusterEvent): void {
    const turn = this.#turn;
    const { state } = this;
    switch (event.type) {
      case "tick":
        turn.allowance = UNASKED_PER_TICK;
        if (this.#healthPending) turn.notes.health = true;
        return tick(turn, ++this.#ticks);
      case "linked":
        return greet(turn, event.link, event.localIp);
      case "accepted":
        return this.#accept(event.link, event.localIp, event.remoteIp);
      case "unlinked":
        return loseLink(turn, event.link);
      case "heard": {
        const node = state.links.get(event.link)?.node;
        if (node !== undefined) node.dataReceivedAtMs = turn.nowMs;
        return;
      }
      case "received":
        return this.#receive(event.link, event.message);
      case "malformed":
        return this.#refuseLink(event.link, event.reason);
      case "configured":
        state.configure(event.options);
        turn.saveSoon();
        turn.noteTopology();
        turn.notes.announce = true;
        return;
      case "saveFailed":
        return this.#hearSaveFailed(event.reason, event.ofStep);
      case "saved":
        if (state.saveFault === undefined) return;
        state.saveFault = undefined;
        return turn.log("notice", "The cluster configuration file can be saved again.");
      case "replication": {
        const masterLastSeenAtMs = this.#clock.inner(event.facts.masterLastSeenAtMs);
        // A replica without data is in no CLUSTER SLOTS: others should hear at once that it has some.
        const hasData = event.facts.offset > 0;
        if (isReplica(state.myself) && hasData !== state.replication.offset > 0) turn.notes.announce = true;
        state.replication = { ...event.facts, masterLastSeenAtMs };
        catchUp(turn);
        if (event.facts.writesPaused) pingSuccessor(turn);
        return;
      }
      case "loaded":
        return settleSlotsWithKeys(turn);
      default:
        event satisfies never;
    }
  }

  #accept(id: LinkId, localIp: string, remoteIp: string): void {
    const { nowMs } = this.#turn;
    const times = { createdAtMs: nowMs, heardAtMs: nowMs };
    this.state.links.set(id, { id, inbound: true, node: undefined, ...times, remoteIp, localIp });
  }

  #receive(link: LinkId, message: BusMessage): void {
    if (!this.state.links.has(link)) return; // it was closed before this came in
    const flaw = packetFlaw(this.state, message);
    if (flaw === undefined) hearPacket(this.#turn, link, message);
    else this.#refuseLink(link, flaw);
  }

  /** What was learned holds. A promise is taken back with all that came of it. */
  #hearSaveFailed(reason: string, ofStep: boolean): void {
    const turn = this.#turn;
    const { state } = this;
    const last = ofStep ? this.#unsaved : undefined;
    last?.venture?.undo();
    turn.effects.push(...(last?.effects.slice(0, last.venture?.effectsBefore) ?? []));
    turn.saveSoon();
    if (state.saveFault === undefined) {
      const meanwhile = "until it can be, this node gives no vote and takes no change of the cluster";
      turn.log("warning", `Cannot save the cluster configuration file: ${reason}; ${meanwhile}.`);
    }
    state.saveFault = reason;
  }

  #refuseLink(link: LinkId, reason: string): void {
    if (!this.state.links.has(link)) return;
    this.state.malformed++;
    this.#turn.log("warning", `Closing a bus link that does not speak the protocol: ${reason}`);
    loseLink(this.#turn, link);
    this.#turn.do({ type: "disconnect", link });
  }

  // --- The end of a step: notes become effects -----------------------------------------------------------------

  #run(outerMs: number, work: () => void): readonly ClusterEffect[] {
    const turn = this.#turn;
    turn.nowMs = this.#clock.advance(outerMs);
    turn.effects = [];
    turn.venture = undefined;
    if (this.#clock.sleptMs > this.state.options.nodeTimeoutMs) this.#health.wake(turn);
    work();
    settleWhenDue(turn);
    this.#updateHealth();
    this.#speak();
    this.#updateRoutes();
    return this.#save();
  }

  #updateHealth(): void {
    const { notes } = this.#turn;
    if (!notes.health) return;
    notes.health = false;
    this.#healthPending = this.#health.update(this.#turn);
  }

  /** A broadcast tells the news too, so there is one PONG a peer and step at most. */
  #speak(): void {
    const turn = this.#turn;
    if (turn.allowance <= 0) return;
    if (turn.notes.announce) {
      turn.notes.announce = false;
      this.#echoAtTick = this.#ticks + ECHO_TICKS;
      broadcastPong(turn);
    } else if (this.#echoAtTick !== 0 && this.#ticks >= this.#echoAtTick) {
      this.#echoAtTick = 0;
      broadcastPong(turn);
    } else if (turn.notes.news) tellNews(turn);
    turn.notes.news = false;
  }

  #updateRoutes(): void {
    const turn = this.#turn;
    if (!turn.notes.routes) return;
    turn.notes.routes = false;
    this.#routes.refresh(this.state);
    turn.do({ type: "routesChanged" });
  }

  #save(): readonly ClusterEffect[] {
    const { notes, effects, venture } = this.#turn;
    const { save } = notes;
    notes.save = "no";
    const sync = save === "sync" || save === "brief";
    this.#unsaved = sync ? { effects, venture } : undefined;
    if (save === "no") return effects;
    return [
      save === "brief" ? { type: "persist", sync, brief: true } : { type: "persist", sync },
      ...effects,
    ];
  }
}

// --- Recalling nodes.conf -------------------------------------------------------------------------------------

function recall(
  saved: NodesConf,
  self: SavedNode | undefined,
  random: Random,
  options: ClusterOptions,
  nowMs: number,
): ClusterState {
  const id = self?.id ?? randomId(random);
  const state = new ClusterState(id, options, random, nowMs);
  for (const node of saved.nodes) recallNode(state, node, node === self, nowMs);
  for (const node of saved.nodes) {
    const master = node.masterId === null ? undefined : state.nodes.get(node.masterId);
    if (master !== undefined) addFlags(master, FLAG_MIGRATE_TO);
  }
  if (self !== undefined) {
    const { slots, myself } = state;
    // A redis-server's file may still have slots open that another node owns by now.
    for (const [slot, other] of self.migrating)
      if ((slots.owner(slot) ?? myself) === myself) slots.migrating.set(slot, other);
    for (const [slot, other] of self.importing)
      if (slots.owner(slot) !== myself) slots.importing.set(slot, other);
  }
  state.lastVoteEpoch = saved.lastVoteEpoch;
  state.currentEpoch = saved.currentEpoch;
  for (const node of saved.nodes) state.currentEpoch = Math.max(state.currentEpoch, node.configEpoch);
  return state;
}

function recallNode(state: ClusterState, saved: SavedNode, isSelf: boolean, nowMs: number): void {
  if ((saved.flags & FLAG_HANDSHAKE) !== 0) return;
  const node = isSelf ? state.myself : state.addNode(saved.id, 0, nowMs);
  node.flags = isSelf ? FLAG_MYSELF | (saved.flags & ~FLAG_FAIL) : saved.flags;
  setAddress(node, { ...saved, otherPort: 0 });
  node.hostname = saved.hostname;
  node.masterId = isReplica(node) ? saved.masterId : null;
  node.configEpoch = saved.configEpoch;
  node.pongReceivedAtMs = Math.min(saved.pongReceivedAtMs, nowMs - 1);
  if (hasFailed(node)) node.failedAtMs = nowMs;
  for (const { start, end } of saved.slots)
    for (let slot = start; slot <= end; slot++) state.slots.assign(slot, node);
}
