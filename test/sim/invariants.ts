// What must hold after every event, whatever went wrong.
import type { BusMessage, NodeId } from "../../src/cluster/message.ts";
import { isReplica } from "../../src/cluster/node.ts";
import { parseNodesConf } from "../../src/cluster/nodes-conf.ts";
import { route } from "../../src/cluster/route.ts";
import { hasSlot } from "../../src/cluster/slot-bitmap.ts";
import { plainRequest } from "./requests.ts";
import type { SimNode } from "./sim-node.ts";
import type { Surroundings } from "./surroundings.ts";

export class Invariants {
  /** Slots looked at after every event; the others cost too much. */
  readonly watched = new Set<number>();
  readonly #votes = new Map<string, NodeId>();
  readonly #winners = new Map<number, NodeId>();
  readonly #epochs = new Map<string, number>();

  constructor(private readonly world: Surroundings) {}

  /** A message goes out. */
  spoken(node: SimNode, message: BusMessage): void {
    this.#noteVote(node, message);
    this.#checkPromise(node, message);
  }

  /** A node's step is carried out. */
  stepped(node: SimNode): void {
    const { state } = node.machine;
    const { currentEpoch, lastVoteEpoch, myself } = state;
    if (lastVoteEpoch > currentEpoch) this.world.fail(`${node.name}: lastVoteEpoch above currentEpoch`);
    if (myself.configEpoch > currentEpoch) this.world.fail(`${node.name}: configEpoch above currentEpoch`);
    const key = `${node.name}/${node.incarnation}`;
    if ((this.#epochs.get(key) ?? 0) > currentEpoch) this.world.fail(`${node.name}: currentEpoch fell`);
    this.#epochs.set(key, currentEpoch);
    const wins = node.log.filter((text) => text.startsWith("Failover election won"));
    if (wins.length > 0) {
      node.log.length = 0;
      const other = this.#winners.get(myself.configEpoch);
      if (other !== undefined)
        this.world.fail(`${node.name} and ${other} both won epoch ${myself.configEpoch}`);
      this.#winners.set(myself.configEpoch, node.name);
    }
    this.#checkCounts(node);
    this.#checkOpen(node);
    this.#checkRoutes(node);
  }

  /**
   * Two nodes that say they own a slot under the same epoch, if there are such. An import is closed without a vote, so
   * two that close one slot's move at a time may draw the same epoch; but once they hear each other one goes higher.
   */
  collision(): string | undefined {
    const claims = new Map<string, string>();
    for (const { name, running, machine } of this.world.nodes) {
      if (!running) continue;
      const { slots, myself } = machine.state;
      for (const slot of this.watched) {
        if (slots.owner(slot) !== myself) continue;
        const claim = `slot ${slot} at epoch ${myself.configEpoch}`;
        const other = claims.get(claim);
        if (other !== undefined) return `${name} and ${other} own ${claim}`;
        claims.set(claim, name);
      }
    }
    return undefined;
  }

  /** A node took a heartbeat in: once a master claimed a slot under a greater epoch, the node does not serve it. */
  heard(node: SimNode, { header, body }: BusMessage): void {
    if (this.watched.size === 0 || header.master !== null) return;
    if (body.type !== "ping" && body.type !== "pong") return;
    const { state } = node.machine;
    const { sender, configEpoch, slots } = header;
    if (sender === state.myself.id || configEpoch <= state.myself.configEpoch) return;
    // What an old packet says of the past binds nobody.
    if (state.nodes.get(sender)?.configEpoch !== configEpoch) return;
    for (const slot of this.watched) {
      if (!hasSlot(slots, slot) || state.slots.importing.has(slot)) continue;
      if (route(state, plainRequest(node, slot)).type === "here")
        this.world.fail(`${node.name} serves slot ${slot}, which ${sender} has at epoch ${configEpoch}`);
    }
  }

  /** A vote on the wire must be on the voter's disk, and the only one it gave at that epoch, restarts included. */
  #noteVote(node: SimNode, message: BusMessage): void {
    if (message.body.type !== "authAck") return;
    const { disk } = node;
    const { state } = node.machine;
    if (!disk.includes(`lastVoteEpoch ${state.lastVoteEpoch}`))
      this.world.fail(`${node.name} spoke a vote it had not saved`);
    const key = `${node.id}@${state.lastVoteEpoch}`;
    if (this.#votes.has(key)) this.world.fail(`${node.name} voted twice at epoch ${state.lastVoteEpoch}`);
    this.#votes.set(key, node.id);
  }

  /** An epoch of a node's own making is on its disk before anybody hears of it. */
  #checkPromise(node: SimNode, { header, body }: BusMessage): void {
    if (node.parsed?.text !== node.disk) node.parsed = { text: node.disk, conf: parseNodesConf(node.disk) };
    const saved = node.parsed.conf;
    const own = saved.nodes.find(({ id }) => id === header.sender);
    if (header.master === null && header.configEpoch > (own?.configEpoch ?? 0))
      this.world.fail(`${node.name} speaks of its epoch ${header.configEpoch}, which it had not saved`);
    if (body.type === "authRequest" && header.currentEpoch > saved.currentEpoch)
      this.world.fail(`${node.name} asks for votes at epoch ${header.currentEpoch}, which it had not saved`);
  }

  /** The slot table and the nodes' own sets say the same. */
  #checkCounts(node: SimNode): void {
    let counted = 0;
    for (const seen of node.machine.state.nodes.values()) counted += seen.slotCount;
    if (counted !== node.machine.state.slots.assigned)
      this.world.fail(`${node.name}: slot counts do not add up`);
  }

  /** What is open is open to somebody known; a replica moves nothing, and nobody imports what it owns. */
  #checkOpen(node: SimNode): void {
    const { slots, myself, nodes } = node.machine.state;
    if (isReplica(myself) && slots.migrating.size + slots.importing.size > 0)
      this.world.fail(`${node.name} is a replica and has open slots`);
    for (const [slot, id] of slots.importing) {
      if (slots.owner(slot) === myself) this.world.fail(`${node.name} imports slot ${slot}, which it owns`);
      if (!nodes.has(id)) this.world.fail(`${node.name} imports slot ${slot} from a stranger`);
    }
    for (const [slot, id] of slots.migrating) {
      if ((slots.owner(slot) ?? myself) !== myself)
        this.world.fail(`${node.name} hands over slot ${slot}, which another owns`);
      if (!nodes.has(id)) this.world.fail(`${node.name} hands over slot ${slot} to a stranger`);
    }
  }

  /** The hot path's table lets nothing through that `route` would not serve; what it serves is the node's own. */
  #checkRoutes(node: SimNode): void {
    const { state, serveHere } = node.machine;
    for (const slot of this.watched) {
      const verdict = route(state, plainRequest(node, slot)).type;
      if (serveHere[slot] === 1 && verdict !== "here")
        this.world.fail(`${node.name}: slot ${slot} is served without a look, but is ${verdict}`);
      if (verdict === "here" && !state.solo && state.slots.owner(slot) !== state.myself)
        this.world.fail(`${node.name} serves slot ${slot}, which it does not own`);
    }
  }
}
