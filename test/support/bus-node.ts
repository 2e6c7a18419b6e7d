// A node that has a bus and nothing else: the cluster machine on real sockets, as small as can be. For tests that
// put the machine beside real servers without the rest of a server around it.
import type { Socket, TCPSocketListener } from "bun";
import { encodeMessage } from "../../src/cluster/codec-binary.ts";
import type { ClusterEffect, ClusterEvent } from "../../src/cluster/events.ts";
import { FrameDecoder } from "../../src/cluster/frames.ts";
import { createMachine, type ClusterMachine } from "../../src/cluster/machine.ts";
import type { LinkId } from "../../src/cluster/message.ts";
import { DEFAULT_OPTIONS, type ClusterOptions } from "../../src/cluster/options.ts";
import type { Answer, ClusterRequest } from "../../src/cluster/request.ts";
import { feed } from "./frames.ts";

interface Connection {
  link: LinkId;
  readonly decoder: FrameDecoder;
  unsent: Uint8Array[];
}

export class BusNode {
  readonly machine: ClusterMachine;
  readonly faults: string[] = [];
  readonly #sockets = new Map<LinkId, Socket<Connection>>();
  readonly #dead = new Set<LinkId>();
  readonly #server: TCPSocketListener<Connection>;
  readonly #timer: Timer;
  #lastInbound = 0;

  constructor(options: Partial<ClusterOptions> & Pick<ClusterOptions, "port" | "busPort">) {
    const keyspace = { countKeysInSlot: () => 0, isEmpty: () => true };
    const saved = { nodes: [], currentEpoch: 0, lastVoteEpoch: 0 };
    this.machine = createMachine(
      saved,
      Math.random,
      { ...DEFAULT_OPTIONS, ...options },
      keyspace,
      Date.now(),
    );
    this.#server = Bun.listen<Connection>({
      hostname: "127.0.0.1",
      port: options.busPort,
      socket: {
        ...this.#handlers,
        open: (socket) => {
          const link = --this.#lastInbound;
          socket.data = { link, decoder: new FrameDecoder(), unsent: [] };
          this.#sockets.set(link, socket);
          this.step({ type: "accepted", link, localIp: socket.localAddress, remoteIp: socket.remoteAddress });
        },
      },
    });
    this.#carryOut(this.machine.start(Date.now()));
    this.#timer = setInterval(() => this.step({ type: "tick" }), 100);
  }

  ask(request: ClusterRequest): Answer {
    const { answer, effects } = this.machine.ask(request, Date.now());
    this.#carryOut(effects);
    return answer;
  }

  step(event: ClusterEvent): void {
    this.#carryOut(this.machine.step(event, Date.now()));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#server.stop(true);
    for (const socket of this.#sockets.values()) socket.terminate();
    this.#sockets.clear();
  }

  readonly #handlers = {
    data: (socket: Socket<Connection>, chunk: Buffer): void => {
      const { link, decoder } = socket.data;
      const { messages, malformed } = feed(decoder, chunk);
      for (const message of messages) this.step({ type: "received", link, message });
      if (messages.length === 0) this.step({ type: "heard", link });
      if (malformed === undefined) return;
      this.faults.push(malformed);
      this.step({ type: "malformed", link, reason: malformed });
    },
    drain: (socket: Socket<Connection>): void => {
      const { unsent } = socket.data;
      socket.data.unsent = [];
      for (const bytes of unsent) this.#write(socket, bytes);
    },
    close: (socket: Socket<Connection>): void => {
      if (this.#sockets.delete(socket.data.link)) this.step({ type: "unlinked", link: socket.data.link });
    },
  };

  #carryOut(effects: readonly ClusterEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "send") this.#send(effect.link, encodeMessage(effect.message));
      else if (effect.type === "connect") void this.#connect(effect.link, effect.ip, effect.port);
      else if (effect.type === "disconnect") {
        const socket = this.#sockets.get(effect.link);
        if (socket === undefined) this.#dead.add(effect.link);
        this.#sockets.delete(effect.link);
        socket?.terminate();
      }
    }
  }

  async #connect(link: LinkId, hostname: string, port: number): Promise<void> {
    const data: Connection = { link, decoder: new FrameDecoder(), unsent: [] };
    try {
      const socket = await Bun.connect<Connection>({ hostname, port, data, socket: this.#handlers });
      if (this.#dead.delete(link)) return void socket.terminate();
      this.#sockets.set(link, socket);
      this.step({ type: "linked", link, localIp: socket.localAddress, remoteIp: hostname });
    } catch {
      this.step({ type: "unlinked", link });
    }
  }

  #send(link: LinkId, bytes: Uint8Array): void {
    const socket = this.#sockets.get(link);
    if (socket !== undefined) this.#write(socket, bytes);
  }

  #write(socket: Socket<Connection>, bytes: Uint8Array): void {
    const { unsent } = socket.data;
    if (unsent.length > 0) return void unsent.push(bytes);
    const written = Math.max(0, socket.write(bytes));
    if (written < bytes.length) unsent.push(bytes.subarray(written));
  }
}
