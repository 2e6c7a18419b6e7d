// Two clusters of one shape, one of redis-servers and one of the nodes under judgement. Whatever redis-cli is told to
// do, it does to both, and both must come to the same: its words, its exit status, what all nodes tell of the cluster.
import { expect } from "bun:test";
import type { Scope } from "./cleanup.ts";
import { type Answer, manage, type ManageOptions, type Named, statements } from "./cluster-cli.ts";
import { changes, type Held, held } from "./cluster-data.ts";
import { nodesOf, untilAgreed, untilReplicating } from "./cluster.ts";
import { type Flags, type Server, type StartOptions, startRedis, startSubject } from "./servers.ts";
import { tempDir } from "./temp.ts";

/** What one of the two clusters makes of a request to redis-cli. */
interface Outcome {
  readonly code: number;
  readonly said: readonly string[];
}

/** One of the two clusters: its nodes by name. */
export class Twin {
  /** A directory for whatever redis-cli writes. */
  readonly dir: string;
  readonly servers = new Map<string, Server>();
  readonly #ids = new Map<string, string>();

  constructor(
    private readonly scope: Scope,
    private readonly startNode: typeof startRedis,
  ) {
    this.dir = tempDir(scope);
  }

  async start(name: string, flags: Flags, options: StartOptions = {}): Promise<void> {
    this.servers.set(name, await this.startNode(this.scope, flags, options));
  }

  /** Starts a redis-server, whatever the nodes of this cluster are. */
  async startRedis(name: string, flags: Flags): Promise<void> {
    this.servers.set(name, await startRedis(this.scope, flags));
  }

  server(name: string): Server {
    const server = this.servers.get(name);
    if (server === undefined) throw new Error(`there is no node ${name}`);
    return server;
  }

  ports(names: readonly string[]): number[] {
    return names.map((name) => this.server(name).port);
  }

  /** Learns the ids of nodes, which RESET HARD and nothing else changes. */
  async learn(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const client = await this.server(name).connect();
      this.#ids.set(name, await client.text("CLUSTER", "MYID"));
      client.close();
    }
  }

  get named(): Named[] {
    return Array.from(this.servers, ([name, { port }]): Named => {
      const id = this.#ids.get(name);
      return id === undefined ? { name, port } : { name, port, id };
    });
  }

  /** `@a` is the address of a, `#a` its id, `~` the directory. */
  words(text: string): string {
    return text
      .replaceAll("~", this.dir)
      .replaceAll(/@([a-z]+)/g, (_, name: string) => this.server(name).address)
      .replaceAll(/#([a-z]+)/g, (_, name: string) => this.#ids.get(name) ?? "");
  }

  async run(line: string, options: ManageOptions): Promise<Outcome> {
    const answers = (options.answers ?? []).map(([asked, typed]): Answer => [asked, this.words(typed)]);
    const args = line.split(" ").map((word) => this.words(word));
    const { code, output } = await manage(this.scope, args, { ...options, answers });
    return { code, said: this.statements(output) };
  }

  /** See `statements`; for files that redis-cli wrote, too. */
  statements(text: string): string[] {
    return statements(text.replaceAll(this.dir, "~"), this.named);
  }

  /** Lines of CLUSTER NODES by name, once all of them tell the same. */
  async table(names: readonly string[]): Promise<string[]> {
    const nodes = await untilAgreed(this.ports(names));
    await untilReplicating(nodes.filter(({ flags }) => flags.includes("slave")).map(({ port }) => port));
    const nameOf = new Map(this.named.map(({ name, port }) => [port, name]));
    const idOf = new Map(nodes.map(({ id, port }) => [id, nameOf.get(port)]));
    return nodes
      .map(({ port, flags, master, configEpoch, slots }) =>
        [nameOf.get(port), flags.join(), idOf.get(master) ?? "-", configEpoch, ...slots].join(" "),
      )
      .toSorted();
  }

  /** What those hold that are masters, as the first of them says. */
  async held(names: readonly string[], password?: string): Promise<Held> {
    const nodes = await nodesOf(this.ports(names)[0] ?? 0, password);
    const masters = nodes.filter(({ flags }) => flags.includes("master")).map(({ port }) => port);
    return held(masters, password);
  }
}

export class Twins {
  readonly judge: Twin;
  readonly subject: Twin;

  constructor(scope: Scope) {
    this.judge = new Twin(scope, startRedis);
    this.subject = new Twin(scope, startSubject);
  }

  async both<T>(run: (twin: Twin) => Promise<T>): Promise<[judge: T, subject: T]> {
    return Promise.all([run(this.judge), run(this.subject)]);
  }

  /**
   * Runs `redis-cli --cluster` with the words of a line on both; both must say the same and end alike.
   * @returns what was said; throws nothing when redis-cli failed: the exit status is part of what is compared
   */
  async same(line: string, options: ManageOptions = {}): Promise<string> {
    const [judge, subject] = await this.both((twin) => twin.run(line, options));
    expect(subject).toEqual(judge);
    return `${judge.said.join("\n")}\n(${judge.code})`;
  }

  /** What all nodes of either tell of the cluster, which must be alike. */
  async table(names: readonly string[]): Promise<string[]> {
    const [judge, subject] = await this.both((twin) => twin.table(names));
    expect(subject).toEqual(judge);
    return judge;
  }

  /** Keys of either cluster that are not as they were. */
  async changes(
    before: readonly [Held, Held],
    names: readonly string[],
    password?: string,
  ): Promise<string[]> {
    const [judge, subject] = await this.both((twin) => twin.held(names, password));
    return [...changes(before[0], judge), ...changes(before[1], subject)];
  }
}
