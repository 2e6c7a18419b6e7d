// A replica's side of replication, as a machine: events in, effects out. It speaks to the master (handshake, copy,
// acknowledgements) and decides when to start over; the shell around it owns the socket, the data and the clock.
//
//   idle -> waiting -> connecting -> greeting -> introducing -> asking -> (copying -> loading) -> online
//             ^------------- anything that goes wrong -------------------------------------------'
import { byteText } from "../resp/byte-text.ts";
import { encodeRequest, type Part } from "../resp/encode.ts";
import { PayloadReader } from "./payload.ts";
import { readPsyncAnswer } from "./psync.ts";
import type { ReplicaEffect, ReplicaEvent, ReplicaSurroundings } from "./replica-events.ts";

type Phase =
  | { readonly name: "idle" }
  | { readonly name: "waiting"; readonly retryAtMs: number }
  | { readonly name: "connecting" | "greeting" | "asking" | "loading" }
  | { readonly name: "introducing"; readonly awaited: string[] }
  | {
      readonly name: "copying";
      readonly replId: string | undefined;
      readonly offset: number;
      payload: PayloadReader;
    }
  | { readonly name: "online" };

/** ROLE and INFO name the state of the link in these words. */
export type LinkState = "none" | "connect" | "connecting" | "sync" | "connected";

const RETRY_FIRST_MS = 100;
const RETRY_LONGEST_MS = 1000;
const ACK_EVERY_MS = 1000;
const LINE_LIMIT = 65536;
/** Bytes of the stream kept while the copy before it is loaded: what a master keeps for a replica that does not read. */
const HELD_LIMIT = 256 << 20;
const LF = 10;

export class ReplicaMachine {
  #phase: Phase = { name: "idle" };
  #master: { host: string; port: number } | undefined;
  #line: Uint8Array = new Uint8Array(0);
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Why the link is gone, or is to go, once the copy is loaded. */
  #lost: string | undefined;
  #retryMs = RETRY_FIRST_MS;
  #heardAtMs = 0;
  #ackAtMs = 0;
  #wentDownAtMs = 0;
  #nowMs = 0;
  #effects: ReplicaEffect[] = [];

  constructor(
    private readonly around: ReplicaSurroundings,
    private readonly heldLimit = HELD_LIMIT,
  ) {}

  get master(): { readonly host: string; readonly port: number } | undefined {
    return this.#master;
  }

  get state(): LinkState {
    switch (this.#phase.name) {
      case "idle":
        return "none";
      case "waiting":
        return "connect";
      case "copying":
      case "loading":
        return "sync";
      case "online":
        return "connected";
      default:
        return "connecting";
    }
  }

  get isOnline(): boolean {
    return this.#phase.name === "online";
  }

  /** When bytes last came from the master. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Since when there is no link; 0 when there never was one. */
  get wentDownAtMs(): number {
    return this.#wentDownAtMs;
  }

  /** How much of a full copy came, and how much is to come when the master said. */
  get copyProgress(): { readonly received: number; readonly total: number | undefined } | undefined {
    return this.#phase.name === "copying" ? this.#phase.payload.progress : undefined;
  }

  step(event: ReplicaEvent, nowMs: number): readonly ReplicaEffect[] {
    this.#nowMs = nowMs;
    this.#effects = [];
    switch (event.type) {
      case "follow":
        this.#leave();
        this.#master = { host: event.host, port: event.port };
        this.#retryMs = RETRY_FIRST_MS;
        this.#connect();
        break;
      case "stop":
        this.#leave();
        this.#master = undefined;
        this.#phase = { name: "idle" };
        break;
      case "connected":
        if (this.#phase.name !== "connecting") break;
        this.#heardAtMs = nowMs;
        this.#phase = { name: "greeting" };
        this.#send("PING");
        break;
      case "closed":
        // A copy that came whole is put in place all the same: it may be all that is left of a master that died.
        if (this.#phase.name === "loading") this.#lost ??= event.reason;
        else if (this.#hasLink()) this.#fail(event.reason, "warning");
        break;
      case "received":
        this.#heardAtMs = nowMs;
        this.#receive(event.bytes);
        break;
      case "loaded":
        this.#loaded();
        break;
      case "loadFailed":
        // A copy that was given up because the link is gone already says so too.
        if (this.state === "sync") this.#fail(`the copy cannot be loaded: ${event.reason}`, "warning");
        break;
      case "acknowledge":
        if (this.#phase.name === "online") this.#acknowledge();
        break;
      case "tick":
        this.#tick();
        break;
      default:
        event satisfies never;
    }
    return this.#effects;
  }

  #tick(): void {
    const phase = this.#phase;
    if (phase.name === "idle") return;
    if (phase.name === "waiting") {
      if (this.#nowMs >= phase.retryAtMs) this.#connect();
      return;
    }
    if (phase.name === "loading") {
      // A long load must not look like a dead replica: a line break means nothing and shows life.
      if (this.#nowMs - this.#ackAtMs >= ACK_EVERY_MS) {
        this.#ackAtMs = this.#nowMs;
        this.#effects.push({ type: "send", bytes: Uint8Array.of(LF) });
      }
      return;
    }
    if (this.#nowMs - this.#heardAtMs > this.around.timeoutMs) {
      this.#fail(`nothing heard for ${this.around.timeoutMs} ms while ${phase.name}`, "warning");
    } else if (phase.name === "online" && this.#nowMs - this.#ackAtMs >= ACK_EVERY_MS) {
      this.#acknowledge();
    }
  }

  #connect(): void {
    if (this.#master === undefined) return;
    this.#phase = { name: "connecting" };
    this.#heardAtMs = this.#nowMs;
    this.#line = new Uint8Array(0);
    this.#effects.push({ type: "connect", ...this.#master });
  }

  #receive(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      const phase = this.#phase;
      switch (phase.name) {
        case "idle":
        case "waiting":
        case "connecting":
          return;
        case "copying":
          rest = this.#copy(phase, rest);
          break;
        case "loading":
          return this.#hold(rest);
        case "online":
          this.#effects.push({ type: "stream", bytes: rest });
          return;
        default:
          rest = this.#lines(rest);
      }
    }
  }

  /** What follows the copy waits until the copy is in place; what is too much then is asked for again. */
  #hold(bytes: Uint8Array): void {
    if (this.#lost !== undefined) return;
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= this.heldLimit) this.#held.push(bytes.slice());
    else this.#lost = "more came than is kept while a copy is loaded";
  }

  #lines(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(LF);
    const part = end < 0 ? bytes : bytes.subarray(0, end);
    const line = new Uint8Array(this.#line.length + part.length);
    line.set(this.#line);
    line.set(part, this.#line.length);
    if (end < 0) {
      this.#line = line;
      if (line.length > LINE_LIMIT) this.#fail("the master's answer is no line", "warning");
      return new Uint8Array(0);
    }
    this.#line = new Uint8Array(0);
    this.#answer(byteText(line).replace(/\r$/, ""));
    return bytes.subarray(end + 1);
  }

  #answer(line: string): void {
    // An empty line keeps the link alive while the master prepares its answer.
    if (line === "") return;
    const phase = this.#phase;
    if (phase.name === "greeting") this.#greeted(line);
    else if (phase.name === "introducing") this.#introduced(phase.awaited, line);
    else if (phase.name === "asking") this.#answered(line);
  }

  #greeted(line: string): void {
    const alive = line.startsWith("+") || /^-(NOAUTH|NOPERM|ERR operation not permitted)/.test(line);
    if (!alive) return this.#fail(`PING was answered ${line}`, "warning");
    const { user, password, port, announceIp } = this.around;
    const awaited: string[] = [];
    const ask = (name: string, ...parts: Part[]): void => {
      awaited.push(name);
      this.#send(...parts);
    };
    if (password !== undefined) ask("AUTH", "AUTH", ...(user === undefined ? [] : [user]), password);
    ask("REPLCONF listening-port", "REPLCONF", "listening-port", port);
    if (announceIp !== undefined) ask("REPLCONF ip-address", "REPLCONF", "ip-address", announceIp);
    ask("REPLCONF capa", "REPLCONF", "capa", "eof", "capa", "psync2");
    this.#phase = { name: "introducing", awaited };
  }

  #introduced(awaited: string[], line: string): void {
    const asked = awaited.shift();
    if (line.startsWith("-")) {
      if (asked === "AUTH") return this.#fail(`the master refuses to authenticate us: ${line}`, "warning");
      this.#log("notice", `the master does not know ${asked}: ${line}`);
    }
    if (awaited.length > 0) return;
    this.#phase = { name: "asking" };
    const { replId, offset } = this.around;
    if (replId === undefined) this.#send("PSYNC", "?", -1);
    else this.#send("PSYNC", replId, offset + 1);
  }

  #answered(line: string): void {
    const answer = readPsyncAnswer(line, this.around.replId !== undefined);
    switch (answer.type) {
      case "full":
        this.#log("notice", `full copy from the master, ${answer.replId}:${answer.offset}`);
        return this.#expectCopy(answer.replId, answer.offset);
      case "partial":
        this.#log("notice", "the master goes on where we were");
        this.#effects.push({ type: "continues", replId: answer.replId });
        return this.#goOnline();
      case "notNow":
        return this.#fail(`the master cannot serve us now: ${line}`, "notice");
      case "wrong":
        return this.#fail(`PSYNC was answered ${line}`, "warning");
      case "unknown":
        // A master from before PSYNC: its copy comes without an id, so that nobody can follow us from an offset.
        this.#log("notice", `the master does not know PSYNC: ${line}`);
        this.#expectCopy(undefined, 0);
        return this.#send("SYNC");
      default:
        answer satisfies never;
    }
  }

  #expectCopy(replId: string | undefined, offset: number): void {
    this.#phase = { name: "copying", replId, offset, payload: new PayloadReader() };
  }

  #copy(phase: Phase & { name: "copying" }, bytes: Uint8Array): Uint8Array {
    const begun = phase.payload.begun;
    const found = phase.payload.take(bytes);
    if (found.problem !== undefined) {
      this.#fail(found.problem, "warning");
      return new Uint8Array(0);
    }
    if (!begun && phase.payload.begun) {
      const { replId, offset } = phase;
      this.#effects.push({ type: "copyBegins", replId, offset, size: phase.payload.progress.total });
    }
    for (const piece of found.pieces) this.#effects.push({ type: "copy", bytes: piece });
    if (found.ended) {
      this.#phase = { name: "loading" };
      this.#effects.push({ type: "copyEnds" });
    }
    return found.rest;
  }

  #loaded(): void {
    if (this.#phase.name !== "loading") return;
    this.#log("notice", "the copy is in place");
    this.#goOnline();
    for (const bytes of this.#held) this.#effects.push({ type: "stream", bytes });
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#lost !== undefined) this.#fail(this.#lost, "warning");
  }

  #goOnline(): void {
    this.#phase = { name: "online" };
    this.#retryMs = RETRY_FIRST_MS;
    // At once: a master that streamed its copy holds back all else until it hears this.
    this.#acknowledge();
  }

  #acknowledge(): void {
    this.#ackAtMs = this.#nowMs;
    this.#send("REPLCONF", "ACK", this.around.offset);
  }

  #fail(reason: string, level: "notice" | "warning"): void {
    if (this.#phase.name === "idle") return;
    this.#log(level, `link to the master: ${reason}`);
    this.#leave();
    this.#phase = { name: "waiting", retryAtMs: this.#nowMs + this.#retryMs };
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_LONGEST_MS);
  }

  #leave(): void {
    if (this.#phase.name === "online") this.#wentDownAtMs = this.#nowMs;
    this.#held = [];
    this.#heldBytes = 0;
    this.#lost = undefined;
    if (this.#hasLink()) this.#effects.push({ type: "disconnect" });
  }

  #hasLink(): boolean {
    return this.#phase.name !== "idle" && this.#phase.name !== "waiting";
  }

  #send(...parts: Part[]): void {
    this.#effects.push({ type: "send", bytes: encodeRequest(parts) });
  }

  #log(level: "notice" | "warning", text: string): void {
    this.#effects.push({ type: "log", level, text });
  }
}
