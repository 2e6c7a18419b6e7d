// Clusters of real processes, made and looked at as an operator would: with redis-cli, node by node.
import type { Scope } from "./cleanup.ts";
import { Client } from "./client.ts";
import { eventually } from "./eventually.ts";
import { parseInfo } from "./info.ts";
import { freePorts } from "./ports.ts";
import { redisCli, type Server, startSubject, startRedis, type Flags } from "./servers.ts";

/** One line of CLUSTER NODES. */
export interface NodeLine {
  readonly id: string;
  readonly port: number;
  readonly busPort: number;
  readonly flags: readonly string[];
  readonly master: string;
  readonly configEpoch: number;
  readonly linkState: string;
  readonly slots: readonly string[];
}

/** Long enough for redis-servers, which greet each other once a second. */
const AGREE_MS = 30_000;

function parseNodes(text: string): NodeLine[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [id, address, flags, master, , , epoch, linkState, ...slots] = line.split(" ");
      const ports = /:(\d+)@(\d+)/.exec(address ?? "");
      if (
        id === undefined ||
        ports === null ||
        flags === undefined ||
        master === undefined ||
        linkState === undefined
      ) {
        throw new Error(`not a line of CLUSTER NODES: '${line}'`);
      }
      return {
        id,
        port: Number(ports[1]),
        busPort: Number(ports[2]),
        flags: flags.split(",").filter((flag) => flag !== "myself"),
        master,
        configEpoch: Number(epoch),
        linkState,
        slots,
      };
    });
}

/** What all nodes must say alike: who there is, in which role, under whom, with which slots and epoch. */
export function viewOf(nodes: readonly NodeLine[]): string {
  return nodes
    .map(
      ({ id, port, flags, master, configEpoch, slots }) =>
        `${id} ${port} ${flags.join(",")} ${master} ${configEpoch} ${slots.join(" ")}`,
    )
    .toSorted()
    .join("\n");
}

export async function nodesOf(port: number, password?: string): Promise<NodeLine[]> {
  const client = await Client.open(port, password === undefined ? {} : { password });
  try {
    return parseNodes(await client.text("CLUSTER", "NODES"));
  } finally {
    client.close();
  }
}

/** Waits until all nodes know `ports.length` nodes, are linked to them, and tell the same; gives what they tell. */
export async function untilAgreed(ports: readonly number[], timeoutMs = AGREE_MS): Promise<NodeLine[]> {
  let last = "";
  const agreed = async (): Promise<NodeLine[] | false> => {
    const views = await Promise.all(ports.map((port) => nodesOf(port)));
    const texts = views.map(viewOf);
    last = texts.join("\n--\n");
    const isWhole = views.every(
      (nodes) => nodes.length === ports.length && nodes.every(({ linkState }) => linkState === "connected"),
    );
    const first = views[0];
    return isWhole && first !== undefined && new Set(texts).size === 1 ? first : false;
  };
  try {
    return await eventually(agreed, timeoutMs, "every node tells the same");
  } catch (error) {
    throw new Error(`${String(error)}\n${last}`, { cause: error });
  }
}

export async function untilOk(ports: readonly number[], timeoutMs = AGREE_MS): Promise<void> {
  const isOk = async (): Promise<boolean> => {
    const infos = await Promise.all(ports.map(clusterInfo));
    return infos.every((found) => found["cluster_state"] === "ok");
  };
  await eventually(isOk, timeoutMs, "cluster_state:ok everywhere");
}

export async function clusterInfo(port: number): Promise<Record<string, string>> {
  return fields(port, "CLUSTER", "INFO");
}

export async function info(port: number, section: string): Promise<Record<string, string>> {
  return fields(port, "INFO", section);
}

async function fields(port: number, ...command: readonly string[]): Promise<Record<string, string>> {
  const client = await Client.open(port);
  try {
    return Object.fromEntries(parseInfo(await client.text(...command)));
  } finally {
    client.close();
  }
}

/** Replicas whose link to their master is up, seen from the replicas. */
export async function untilReplicating(replicaPorts: readonly number[], timeoutMs = AGREE_MS): Promise<void> {
  const isUp = async (): Promise<boolean> => {
    const infos = await Promise.all(replicaPorts.map((port) => info(port, "replication")));
    return infos.every((found) => found["role"] === "slave" && found["master_link_status"] === "up");
  };
  await eventually(isUp, timeoutMs, `replicas ${replicaPorts.join(", ")} follow their masters`);
}

export interface Kinds {
  readonly ours?: number;
  readonly redis?: number;
}

/** Starts nodes in cluster mode from configuration files, ours first, none knowing another. */
export async function startNodes(scope: Scope, kinds: Kinds, flags: Flags = {}): Promise<Server[]> {
  const config = ["cluster-enabled yes", "cluster-node-timeout 5000"];
  const ports = await freePorts((kinds.ours ?? 0) + (kinds.redis ?? 0));
  return Promise.all(
    ports.map((port, i) =>
      (i < (kinds.ours ?? 0) ? startSubject : startRedis)(scope, flags, { port, config }),
    ),
  );
}

/** `redis-cli --cluster create`; gives all it printed. */
export function createWithCli(servers: readonly Server[], replicas: number): Promise<string> {
  const addresses = servers.map(({ address }) => address);
  return redisCli(["--cluster", "create", ...addresses, "--cluster-replicas", replicas, "--cluster-yes"], {
    timeoutMs: 90_000,
  });
}

/** Nodes joined by redis-cli, in agreement, serving, replicas in step. */
export async function startCluster(
  scope: Scope,
  kinds: Kinds,
  replicas: number,
): Promise<{ servers: Server[]; nodes: NodeLine[] }> {
  const servers = await startNodes(scope, kinds);
  await createWithCli(servers, replicas);
  const ports = servers.map(({ port }) => port);
  const nodes = await untilAgreed(ports);
  await untilOk(ports);
  await untilReplicating(nodes.filter(({ flags }) => flags.includes("slave")).map(({ port }) => port));
  return { servers, nodes };
}
