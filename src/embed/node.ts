// One node inside the caller's process, on a port that was free.
import {
  absolute,
  expand,
  makeDirectory,
  makeTemporaryDirectory,
  readByteText,
  removeDirectory,
} from "../io/disk.ts";
import { printError } from "../io/process.ts";
import { randomFraction } from "../io/random.ts";
import { fromUnicode } from "../resp/byte-text.ts";
import { passwordOf, reachableHost } from "../server/cluster-plan.ts";
import type { LinkTarget } from "../server/command-link.ts";
import { Config } from "../server/config/config.ts";
import { FatalConfigError, type Line } from "../server/config/lines.ts";
import { applyLines } from "../server/config/parse.ts";
import { Node } from "../server/node.ts";
import { PortTaken, StartError } from "../server/start-error.ts";

/** A directive's value: `yes` or `no` for a boolean, several words for an array. */
export type DirectiveValue = string | number | boolean | readonly (string | number)[];

/** Directives of redis.conf by name: `{ maxmemory: "1gb", "cluster-node-timeout": 2000 }`. */
export type Directives = Readonly<Record<string, DirectiveValue>>;

export interface NodeOptions {
  /** Any free one, unless said. */
  readonly port?: number | undefined;
  /** Where its files are kept; a temporary directory, removed by `stop`, unless said. */
  readonly dir?: string | undefined;
  /** True when the caller removes `dir` after the node's end: nothing in it needs to survive a crash. */
  readonly isTemporary?: boolean | undefined;
  /** The log goes to `node.log` in the directory unless `logfile` says otherwise (`""` = standard output). */
  readonly config?: Directives | undefined;
  /**
   * Told when a defect of slotmesh has ended the node: its clients and peers see what `kill -9` would show them, nothing
   * is saved, and this process goes on. Unless it is given, standard error says so. The node's log has more.
   */
  readonly onCrash?: OnCrash | undefined;
}

export type OnCrash = (error: Error, port: number) => void;

/** Ports looked for lie below those the system gives to outgoing connections, and so do their bus ports. */
const LOWEST_PORT = 10_001;
const PORT_COUNT = 12_000;
const ATTEMPTS = 100;

/** A node that serves. */
export class EmbeddedNode {
  #isStopped = false;
  #hasCrashed = false;

  constructor(
    private readonly node: Node,
    readonly dir: string,
    private readonly ownsDir: boolean,
    onCrash: OnCrash = tellOperator,
  ) {
    node.crashed = (cause) => {
      this.#hasCrashed = true;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      queueMicrotask(() => onCrash(error, node.port)); // in nobody's middle, and what it throws is its own affair
    };
  }

  get host(): string {
    return reachableHost(this.node.config);
  }

  get port(): number {
    return this.node.port;
  }

  /** How a client reaches it. */
  get target(): LinkTarget {
    const { host, port } = this;
    return { host, port, password: passwordOf(this.node.config) };
  }

  /**
   * Saves what is to be saved and ends it, come what may. Stopping twice is stopping once; of a node that has crashed
   * only its temporary directory is left to be removed.
   * @returns what went wrong, if anything
   */
  stop(): string | undefined {
    if (this.#isStopped) return undefined;
    this.#isStopped = true;
    let isSaved = this.#hasCrashed; // nobody may save what it left
    const end = (): void => {
      isSaved = this.node.ending.prepare({ save: undefined, now: true, force: false }) === undefined;
      this.node.stop();
    };
    if (!this.#hasCrashed) this.node.domain.run(end, undefined, undefined);
    if (this.ownsDir) removeDirectory(this.dir);
    return isSaved ? undefined : `the data of ${this.dir} could not be saved: see its log`;
  }
}

function tellOperator(error: Error, port: number): void {
  printError(`slotmesh: node ${port} has crashed: ${error.message}; see its log\n`);
}

/** Starts a node. Throws StartError when it cannot: a directive is wrong, the port is taken, the directory is not usable. */
export function startNode(options: NodeOptions): EmbeddedNode {
  const ownsDir = options.dir === undefined;
  const dir = ownsDir ? makeTemporaryDirectory("slotmesh-") : absolute(options.dir);
  try {
    if (!ownsDir) makeDirectory(dir);
    const isLasting = !ownsDir && options.isTemporary !== true;
    return new EmbeddedNode(startOnFreePort(options, dir, isLasting), dir, ownsDir, options.onCrash);
  } catch (error) {
    if (ownsDir) removeDirectory(dir);
    throw error;
  }
}

function startOnFreePort({ port, config = {} }: NodeOptions, dir: string, isLasting: boolean): Node {
  for (let attempt = 1; ; attempt++) {
    try {
      return startOn(port ?? LOWEST_PORT + Math.floor(randomFraction() * PORT_COUNT), dir, config, isLasting);
    } catch (error) {
      // Somebody else's port, or its bus port is: with none asked for, the next may do.
      if (!(error instanceof PortTaken) || port !== undefined || attempt === ATTEMPTS) throw error;
    }
  }
}

function startOn(port: number, dir: string, directives: Directives, isLasting: boolean): Node {
  // What is removed at the end need not be written before it.
  const kept: Directives = isLasting ? {} : { save: "" };
  const config = configOf({ logfile: "node.log", ...kept, ...directives, port, dir });
  const node = new Node(config, isLasting);
  node.start();
  return node;
}

function configOf(directives: Directives): Config {
  const config = new Config();
  const lines = Object.entries(directives).map(([name, value]): Line => {
    const words = [name, ...wordsOf(value)].map(fromUnicode);
    return { text: words.join(" "), words, where: "the options" };
  });
  try {
    applyLines(config, lines, { read: readByteText, expand });
  } catch (error) {
    if (error instanceof FatalConfigError) throw new StartError(error.message);
    throw error;
  }
  const conflict = config.conflict();
  if (conflict !== undefined) throw new StartError(conflict);
  return config;
}

function wordsOf(value: DirectiveValue): readonly string[] {
  if (typeof value === "boolean") return [value ? "yes" : "no"];
  return typeof value === "object" ? value.map(String) : [String(value)];
}
