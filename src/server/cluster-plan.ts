// What `slotmesh cluster` was asked for: its own four flags, and directives every node is started with.
import { BUS_OFFSET } from "../cluster/options.ts";
import type { EngineBuild } from "../engine/binary.ts";
import { DiskError } from "../io/disk.ts";
import { bytesOf, toUnicode } from "../resp/byte-text.ts";
import { argumentOf, readArguments } from "./config/arguments.ts";
import type { Config } from "./config/config.ts";
import { findDirective } from "./config/directives.ts";
import { FatalConfigError } from "./config/lines.ts";
import { quoteIfNeeded } from "./config/words.ts";
import { configure } from "./config/start.ts";
import { StartError } from "./start-error.ts";

export interface ClusterPlan {
  readonly masters: number;
  /** Per master. */
  readonly replicas: number;
  /** Of all nodes, ascending, the masters' first. */
  readonly ports: readonly number[];
  /** Where the nodes keep their files; undefined = nowhere for longer than this run. */
  readonly dir: string | undefined;
  /** Absolute path of the configuration file all nodes share, if there is one. */
  readonly file: string | undefined;
  /** Flags of `server` for every node, without port and dir: each a word with its values, in ASCII. */
  readonly directives: readonly string[];
  readonly engine: EngineBuild;
  /** Where a node is reached. */
  readonly host: string;
  readonly password: Uint8Array | undefined;
  /** After so long without a word from a node the others look for a successor. */
  readonly nodeTimeoutMs: number;
}

const OWN = ["masters", "replicas", "port", "dir"] as const;
type Own = (typeof OWN)[number];

/** Directives that would give all nodes the same of what each needs for itself. */
const PER_NODE = [
  "cluster-port",
  "cluster-announce-port",
  "cluster-announce-bus-port",
  "pidfile",
  "unixsocket",
] as const;

const USAGE =
  "usage: slotmesh cluster [redis.conf] [--masters 3] [--replicas 1] [--port 8001] [--dir path] [--directive value]...";

/**
 * @param args the words after `cluster` on the command line, as text that stands for bytes
 * @returns what to start; throws StartError with a message for the operator.
 */
export function planCluster(args: readonly string[]): ClusterPlan {
  const { own, rest } = separate(args);
  const masters = count(own, "masters", 3, 1);
  const replicas = count(own, "replicas", 1, 0);
  const firstPort = count(own, "port", 8001, 1);
  const nodes = masters * (1 + replicas);
  const lastPort = firstPort + nodes - 1;
  if (lastPort + BUS_OFFSET > 65535) {
    throw new StartError(
      `${nodes} nodes from port ${firstPort} on need bus ports up to ${lastPort + BUS_OFFSET}; the highest is 65535`,
    );
  }
  const { config, directives, engine } = readDirectives(rest, firstPort);
  const password = config.text("requirepass");
  directives.push("--cluster-enabled yes");
  // What is removed at the end need not be written before it.
  if (own.get("dir") === undefined && config.isDefault("save")) directives.push('--save ""');
  // A replica has to tell its master the password that masters ask of everybody.
  if (password !== "" && config.text("masterauth") === "")
    directives.push(`--masterauth ${quoteIfNeeded(password)}`);
  return {
    masters,
    replicas,
    ports: Array.from({ length: nodes }, (_, i) => firstPort + i),
    dir: toDirectory(own.get("dir")),
    file: config.file,
    directives,
    engine,
    host: reachableHost(config),
    password: passwordOf(config),
    nodeTimeoutMs: config.number("cluster-node-timeout"),
  };
}

/** The flags of `cluster` itself, as `--name value` in one word or two, or `--name=value`, and everything else in its order. */
function separate(args: readonly string[]): { own: ReadonlyMap<Own, string>; rest: readonly string[] } {
  const own = new Map<Own, string>();
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const [, name, value] = /^--([a-z]+)(?:[= ](.*))?$/s.exec(arg) ?? [];
    const flag = OWN.find((known) => known === name);
    if (flag === undefined) {
      const isOfNodes = name === undefined || name === "engine" || findDirective(name) !== undefined;
      if (!isOfNodes && rest.length === 0) throw unknown(arg);
      rest.push(arg);
      continue;
    }
    const said = value ?? args[++i];
    if (said === undefined || said === "") throw new StartError(`--${flag} needs a value\n${USAGE}`);
    own.set(flag, said);
  }
  return { own, rest };
}

function unknown(arg: string): StartError {
  return new StartError(`${arg} is neither a flag of cluster nor a directive of its nodes\n${USAGE}`);
}

function count(own: ReadonlyMap<Own, string>, flag: Own, initial: number, least: number): number {
  const text = own.get(flag);
  if (text === undefined) return initial;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (value < least || value > 65535) {
    throw new StartError(`--${flag} wants a number from ${least} on, not '${text}'\n${USAGE}`);
  }
  return value;
}

/**
 * Reads the nodes' directives as each node will, so that a mistake is told once and nothing is started.
 * @returns what a node will hold, and the directives of the command line
 */
function readDirectives(
  args: readonly string[],
  port: number,
): { config: Config; directives: string[]; engine: EngineBuild } {
  try {
    const { stdin, lines, engine = "release" } = readArguments(args);
    if (stdin) throw new StartError("the nodes of a cluster read no directives from standard input");
    const config = configure([...args, "--port", String(port)]);
    if (!config.flag("cluster-enabled"))
      throw new StartError("the nodes of a cluster need cluster-enabled yes");
    for (const name of PER_NODE) {
      if (config.text(name) !== "" && config.text(name) !== "0") {
        throw new StartError(`${name} would be the same for all nodes: leave it out`);
      }
    }
    const directives = lines.map(argumentOf);
    if (engine !== "release") directives.push(`--engine ${engine}`);
    return { config, directives, engine };
  } catch (error) {
    if (error instanceof FatalConfigError || error instanceof DiskError) throw new StartError(error.message);
    throw error;
  }
}

const toDirectory = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : toUnicode(text);

/** The password a node asks for. */
export function passwordOf(config: Config): Uint8Array | undefined {
  const text = config.text("requirepass");
  return text === "" ? undefined : bytesOf(text);
}

/** The address a node is reached at, by us and by its peers. */
export function reachableHost(config: Config): string {
  const announced = config.text("cluster-announce-ip");
  if (announced !== "") return announced;
  const [first = "127.0.0.1"] = config.text("bind").split(" ");
  const host = first.replace(/^-/, "");
  if (host === "*" || host === "0.0.0.0") return "127.0.0.1";
  return host === "::" || host === "::*" ? "::1" : host;
}
