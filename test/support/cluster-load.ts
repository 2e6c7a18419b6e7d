// A continuous load that checks what it reads: cluster clients, each with keys of its own, write growing versions and read
// back what they wrote. As nobody else writes these keys, every reply is known beforehand.
//
//   const load = new ClusterLoad({ ports });
//   await load.start();              // every key is written once, then the load goes on by itself
//   ...move slots...
//   const report = await load.stop(); // ends it, and reads every key a last time
//   expect(report).toMatchObject({ errors: 0, lost: 0, stale: 0, wrong: 0 });
//
// Where nodes are killed: `nodesMayDie`, `hold()` once a node is dead, `copiesAt` for what each living node holds,
// `settle(copies)` when the cluster is whole again, `resume()`. Writes nobody living held are let go, all others are due.
import { Client } from "./client.ts";
import { ABSENT, type LoadKey, makeKeys, NONSENSE, type Piece, piecesOf, shapeOf } from "./load/keys.ts";
import { Router } from "./load/router.ts";
import { tagsFor } from "./load/slots.ts";
import { type Report, Tally } from "./load/tally.ts";
import { pickSeed, Random } from "./random.ts";

export type { Report } from "./load/tally.ts";

export interface LoadOptions {
  /** Nodes the clients know from the start; they learn of others by redirections. */
  readonly ports: readonly number[];
  readonly clients?: number;
  readonly keysPerClient?: number;
  /** Half of the keys lie in these slots; the others, and without these all, are spread over all slots. */
  readonly slots?: readonly number[];
  /** Requests a second of each client; 0 = the next as soon as a reply is there. */
  readonly rate?: number;
  /** Lost connections and CLUSTERDOWN are then no errors. */
  readonly nodesMayDie?: boolean;
  readonly seed?: number;
}

/** Which version of each name a node held, ABSENT where it held none; in the order of the load's names. */
export type Copies = Int32Array;

const CLIENTS = 8;
const KEYS_PER_CLIENT = 256;
const RATE = 400;
/** A reply takes no longer, however busy the machine. */
const REPLY_LIMIT_MS = 30_000;
const WATCH_MS = 1000;

export class ClusterLoad {
  readonly #tally = new Tally();
  readonly #clients: readonly LoadClient[];
  readonly #keys: readonly LoadKey[];
  #running: Promise<unknown> = Promise.resolve();
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(options: LoadOptions) {
    const tags = tagsFor(options.slots ?? []);
    const seed = options.seed ?? pickSeed();
    const settings = { rate: RATE, nodesMayDie: false, ...options };
    const keysPerClient = options.keysPerClient ?? KEYS_PER_CLIENT;
    this.#clients = Array.from({ length: options.clients ?? CLIENTS }, (_, i) => {
      const keys = makeKeys(i, keysPerClient, tags);
      return new LoadClient(keys, new Router(settings, this.#tally), this.#tally, settings.rate, seed + i);
    });
    this.#keys = this.#clients.flatMap(({ keys }) => keys);
  }

  /** Names of everything the load keeps in the keyspace. */
  get names(): readonly string[] {
    return this.#keys.flatMap(piecesOf).map(({ name }) => name);
  }

  /** Writes every key once; done when the load runs. */
  async start(): Promise<void> {
    this.#watch = setInterval(() => {
      for (const { router } of this.#clients) router.endLate(REPLY_LIMIT_MS);
    }, WATCH_MS);
    await Promise.all(this.#clients.map((client) => client.writeAll()));
    this.#tally.beginAnew();
    this.resume();
  }

  /** Counts and times from now on; whatever was wrong stays in the report. */
  beginAnew(): void {
    this.#tally.beginAnew();
  }

  /** What was seen so far, while it goes on. */
  get report(): Report {
    return this.#tally.report();
  }

  /** Ends the load and reads every key once more. */
  async stop(): Promise<Report> {
    await this.hold();
    const report = this.#tally.report();
    await this.settle();
    this.close();
    const { errors, errorTexts, lost, stale, wrong, findings } = this.#tally.report();
    return { ...report, errors, errorTexts, lost, stale, wrong, findings };
  }

  /** Ends it where it stands, whatever it may have lost. */
  close(): void {
    clearInterval(this.#watch);
    for (const client of this.#clients) client.close();
  }

  /** Lets every request end that is under way, and starts none. */
  async hold(): Promise<void> {
    for (const client of this.#clients) client.hold();
    await this.#running;
  }

  resume(): void {
    this.#running = Promise.all(this.#clients.map((client) => client.run()));
  }

  /** Reads the versions of all keys from a server that is no cluster node: one that loaded a node's RDB file. */
  async copiesAt(port: number): Promise<Copies> {
    const client = await Client.open(port);
    try {
      const pieces = this.#keys.flatMap(piecesOf);
      const replies = await client.pipeline(pieces.map(({ read }) => read));
      return Int32Array.from(pieces, (piece, i) => {
        const reply = replies[i]?.value;
        const version = reply === undefined ? ABSENT : piece.version(reply);
        if (version === NONSENSE) this.#tally.find("wrong", `${piece.name} at port ${port}`);
        return version;
      });
    } finally {
      client.close();
    }
  }

  /**
   * Reads every key through the cluster while the load is held. What is missing then is lost, and so is what is older
   * than it must be: the last version acknowledged, or where nodes died, the newest that a living node held.
   * @param copies what the living nodes held when the other had died
   * @returns how many acknowledged writes nobody living held
   */
  async settle(copies?: readonly Copies[]): Promise<number> {
    let first = 0;
    const forgone = await Promise.all(
      this.#clients.map((client) => {
        const from = first;
        first += client.pieceCount;
        const own = copies?.map((held) => held.subarray(from, from + client.pieceCount));
        return client.settle(own);
      }),
    );
    return forgone.reduce((sum, count) => sum + count, 0);
  }
}

class LoadClient {
  readonly #random: Random;
  readonly pieceCount: number;
  #isHeld = true;
  #nextAtMs = 0;

  constructor(
    readonly keys: readonly LoadKey[],
    readonly router: Router,
    private readonly tally: Tally,
    private readonly rate: number,
    seed: number,
  ) {
    this.#random = new Random(seed);
    this.pieceCount = keys.flatMap(piecesOf).length;
  }

  hold(): void {
    this.#isHeld = true;
    this.router.isGivingUp = true;
  }

  close(): void {
    this.hold();
    this.router.close();
  }

  async writeAll(): Promise<void> {
    for (const key of this.keys) {
      const words = shapeOf(key).begin?.(key.name);
      if (words !== undefined) await this.router.request(key.slot, words, true);
    }
    for (const key of this.keys) await this.#write(key);
  }

  /** A write, a look at what was written, and one at a key written some time before. */
  async run(): Promise<void> {
    this.#isHeld = false;
    this.router.isGivingUp = false;
    this.#nextAtMs = performance.now();
    while (!this.#isHeld) {
      const key = this.#random.pick(this.keys);
      await this.#write(key);
      await this.#pace();
      await this.#read(key);
      await this.#pace();
      await this.#read(this.#random.pick(this.keys));
      await this.#pace();
    }
  }

  async settle(copies: readonly Copies[] | undefined): Promise<number> {
    this.router.isGivingUp = false;
    let forgone = 0;
    let at = 0;
    for (const key of this.keys) {
      let [oldest, newest] = [Infinity, 0];
      for (const piece of piecesOf(key)) {
        const held = copies?.map((versions) => versions[at] ?? ABSENT);
        at++;
        const due = held === undefined ? key.acked : Math.max(...held);
        const version = await this.#versionOf(key.slot, piece);
        if (version === undefined) continue;
        if (version === NONSENSE || version > key.attempted) this.#judge(key, version);
        else if (version < due)
          this.tally.find("lost", `${piece.name} is at version ${version} and must be at ${due}`);
        else if (version < key.acked) forgone++;
        [oldest, newest] = [Math.min(oldest, version), Math.max(newest, version)];
      }
      key.acked = newest;
      key.attempted = newest;
      // A group of which a part was let go is whole again with its next version.
      if (oldest < newest) await this.#write(key);
    }
    return forgone;
  }

  /** The next request of this client waits for its turn; turns that were missed are not made up for. */
  async #pace(): Promise<void> {
    if (this.rate === 0) return;
    const nowMs = performance.now();
    this.#nextAtMs = Math.max(this.#nextAtMs + 1000 / this.rate, nowMs);
    if (this.#nextAtMs > nowMs) await Bun.sleep(this.#nextAtMs - nowMs);
  }

  async #write(key: LoadKey): Promise<void> {
    // Whether the last one was written must be known first.
    if (key.attempted > key.acked) await this.#read(key);
    if (this.#isHeldUp(key)) return;
    const { write, isRepeatable, trim } = shapeOf(key);
    const version = key.acked + 1;
    key.attempted = version;
    const outcome = await this.router.request(key.slot, write(key.name, version), isRepeatable);
    this.tally.writes++;
    if (outcome.type !== "reply") return;
    key.acked = version;
    const words = trim?.(key.name, version);
    if (words === undefined) return;
    await this.router.request(key.slot, words, true);
    this.tally.writes++;
  }

  /** A write that came to no end, because the load is held or the node cannot be reached, leaves its key alone. */
  #isHeldUp(key: LoadKey): boolean {
    return key.attempted > key.acked && this.#isHeld;
  }

  async #read(key: LoadKey): Promise<void> {
    const version = await this.#version(key);
    if (version !== undefined) this.#judge(key, version);
  }

  /** undefined = no node said. */
  async #version(key: LoadKey): Promise<number | undefined> {
    const { read, version } = shapeOf(key);
    return this.#versionOf(key.slot, {
      read: read(key.name),
      version: (reply) => version(key.name, reply),
    });
  }

  async #versionOf(slot: number, { read, version }: Omit<Piece, "name">): Promise<number | undefined> {
    const outcome = await this.router.request(slot, read, true);
    this.tally.reads++;
    return outcome.type === "reply" ? version(outcome.reply) : undefined;
  }

  #judge(key: LoadKey, version: number): void {
    const { name, acked, attempted } = key;
    if (version === NONSENSE) this.tally.find("wrong", `${name} holds what was never written`);
    else if (version === ABSENT && acked > 0) this.tally.find("lost", `${name} is gone, version ${acked}`);
    else if (version < acked) this.tally.find("stale", `${name} is at ${version} instead of ${acked}`);
    else if (version > attempted) this.tally.find("wrong", `${name} is at ${version}, beyond ${attempted}`);
    else {
      key.acked = version;
      // It was written if it shows; if not, it never comes: the connection it was sent on is gone.
      key.attempted = version;
    }
  }
}
