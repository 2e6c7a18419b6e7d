// The library: a server, or a whole cluster, inside the caller's process.
//
//   const cluster = await startCluster({ masters: 3, replicas: 1 });
//   const redis = new Redis.Cluster(cluster.ports.map((port) => ({ host: cluster.host, port })));
//   ...
//   await cluster.stop();
import type { SlotRange } from "../cluster/slot-bitmap.ts";
import { makeTemporaryDirectory, removeDirectory } from "../io/disk.ts";
import { CommandLink } from "../server/command-link.ts";
import { join } from "../server/join.ts";
import { makeNodeDirectories } from "../server/node-directories.ts";
import type { NodeView } from "../server/node-view.ts";
import { StartError } from "../server/start-error.ts";
import { EmbeddedNode, startNode, type Directives, type NodeOptions, type OnCrash } from "./node.ts";

export { StartError } from "../server/start-error.ts";
export type { Directives, DirectiveValue, OnCrash } from "./node.ts";

/** How long a node may take to answer and a cluster to agree, unless said. */
const READY_TIMEOUT_MS = 30_000;

export type ServerOptions = Omit<NodeOptions, "isTemporary">;

export interface EmbeddedServer {
  readonly host: string;
  readonly port: number;
  /** The port, for what works on servers and clusters alike. */
  readonly ports: readonly [number];
  readonly dir: string;
  /** Saves its data as `save` says and ends it; a temporary directory goes with it. Rejects when it could not save. */
  stop(): Promise<void>;
}

/** Starts one server: a node alone that serves every key. Rejects with a StartError when it cannot. */
export async function startServer(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const node = startNode(options);
  try {
    const link = await CommandLink.open(node.target, READY_TIMEOUT_MS);
    link.close();
  } catch (error) {
    node.stop();
    throw error;
  }
  const { host, port, dir } = node;
  return { host, port, ports: [port], dir, stop: async () => rejectOn([node.stop()]) };
}

export interface ClusterOptions {
  readonly masters?: number;
  /** Per master. */
  readonly replicas?: number;
  /** Of the first node; the others' follow. Any free ones unless said. */
  readonly port?: number;
  /** Where the nodes' files are kept, for the next start as well; a temporary directory unless said. */
  readonly dir?: string;
  /** Directives for every node. */
  readonly config?: Directives;
  /** How long the nodes may take to agree. */
  readonly timeoutMs?: number;
  /** Told of each node that a defect of slotmesh has ended; the others go on without it. As a server's. */
  readonly onCrash?: OnCrash;
}

export interface ClusterMember {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly dir: string;
  /** As the cluster stood when it was ready. */
  readonly role: "master" | "replica";
  /** Port of a replica's master. */
  readonly masterPort: number | undefined;
  /** Of a master. */
  readonly slots: readonly SlotRange[];
}

export interface EmbeddedCluster {
  readonly host: string;
  /** Of all nodes, those made masters first. */
  readonly ports: readonly number[];
  readonly nodes: readonly ClusterMember[];
  /** Ends all nodes as a server's `stop` does; a temporary directory goes with them. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster: slots shared out, every node agreeing, every replica in step with its master when it resolves.
 * Rejects with an Error that says what was missing, and leaves nothing behind.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<EmbeddedCluster> {
  const { masters = 3, replicas = 1, timeoutMs = READY_TIMEOUT_MS } = options;
  requireCount("masters", masters, 1);
  requireCount("replicas", replicas, 0);
  const isTemporary = options.dir === undefined;
  const dir = options.dir ?? makeTemporaryDirectory("slotmesh-");
  const nodes: EmbeddedNode[] = [];
  const stop = (): readonly (string | undefined)[] => {
    const problems = nodes.map((node) => node.stop());
    if (isTemporary) removeDirectory(dir);
    return problems;
  };
  try {
    startAll(nodes, makeNodeDirectories(dir, masters * (1 + replicas)), options);
    const view = await joined(nodes, { masters, replicas, timeoutMs });
    const members = nodes.map((node) => memberOf(node, view));
    const [first] = members;
    return {
      host: first?.host ?? "",
      ports: members.map(({ port }) => port),
      nodes: members,
      stop: async () => rejectOn(stop()),
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** What the nodes said at their end. Throws when one of them lost data. */
function rejectOn(problems: readonly (string | undefined)[]): void {
  const told = problems.filter((problem) => problem !== undefined);
  if (told.length > 0) throw new Error(told.join("; "));
}

function requireCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= 1000) return;
  throw new StartError(`${name} is to be a whole number from ${least} to 1000, not ${value}`);
}

function startAll(nodes: EmbeddedNode[], dirs: readonly string[], options: ClusterOptions): void {
  const { port, config = {}, onCrash } = options;
  const isTemporary = options.dir === undefined;
  const password = config["requirepass"];
  // A replica has to tell its master the password that masters ask of everybody.
  const shared = password === undefined ? config : { masterauth: String(password), ...config };
  for (const [i, dir] of dirs.entries()) {
    const own = port === undefined ? undefined : port + i;
    const directives = { ...shared, "cluster-enabled": true };
    nodes.push(startNode({ port: own, dir, isTemporary, config: directives, onCrash }));
  }
}

async function joined(
  nodes: readonly EmbeddedNode[],
  shape: { masters: number; replicas: number; timeoutMs: number },
): Promise<NodeView> {
  const opened: CommandLink[] = [];
  try {
    const links = await Promise.all(
      nodes.map(async ({ target }) => {
        const link = await CommandLink.open(target, shape.timeoutMs);
        opened.push(link);
        return link;
      }),
    );
    const { view } = await join(links, shape);
    return view;
  } finally {
    for (const link of opened) link.close();
  }
}

function memberOf({ host, port, dir }: EmbeddedNode, view: NodeView): ClusterMember {
  const line = view.nodes.find((node) => node.port === port);
  if (line === undefined) throw new Error(`the cluster does not know the node on port ${port}`);
  const master = view.nodes.find(({ id }) => id === line.masterId);
  return {
    id: line.id,
    host,
    port,
    dir,
    role: line.masterId === undefined ? "master" : "replica",
    masterPort: master?.port,
    slots: line.slots,
  };
}
