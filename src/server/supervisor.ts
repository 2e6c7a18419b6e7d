// `slotmesh cluster`: one process per node, joined into a cluster and watched over from here. A node that ends is
// said to have ended and is not started again: what the others make of it is what a cluster is for. Only one that a
// defect of ours has ended is, within bounds: nobody wanted that end.
import { fileURLToPath } from "node:url";
import { BUS_OFFSET } from "../cluster/options.ts";
import { rangeText } from "../cluster/slot-bitmap.ts";
import { startChild, type Child, type Ending } from "../io/children.ts";
import { after, nowMs, pause } from "../io/clock.ts";
import {
  absolute,
  bytesInDirectory,
  directoryOf,
  DiskError,
  makeTemporaryDirectory,
  readText,
  removeDirectory,
} from "../io/disk.ts";
import { executable, exit, ignoreSignals, isIgnored, onSignal, print, printError } from "../io/process.ts";
import { codeOf, reasonOf } from "../io/reason.ts";
import { listen } from "../io/sockets.ts";
import { planCluster, type ClusterPlan } from "./cluster-plan.ts";
import { CommandLink, type LinkTarget } from "./command-link.ts";
import { CRASH_EXIT_CODE } from "./crash-report.ts";
import { provideEngine } from "./engine-build.ts";
import { makeNodeConfiguration, makeNodeDirectories } from "./node-directories.ts";
import { join, type JoinedCluster } from "./join.ts";
import type { NodeLine } from "./node-view.ts";
import { Restarts } from "./restarts.ts";
import { StartError } from "./start-error.ts";
import { untilTakenOver } from "./takeover.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
/** How long nodes may take to answer, and then to agree. */
const READY_TIMEOUT_MS = 30_000;
/** Bytes of data a node on a busy machine loads in a millisecond at least: so much longer it may take to answer. */
const LOADED_PER_MS = 5000;
/** How long a node may take to end; after that it is killed, or spoken of when it has data to save. */
const STOP_TIMEOUT_MS = 15_000;
/** A signal that follows another this soon is the same one, come by two ways: ctrl-C reaches all of a terminal. */
const SAME_SIGNAL_MS = 1000;
const POLL_MS = 10;
/** Lines of a node's log shown when it fails to start. */
const SHOWN_LINES = 8;

/** A node that crashes is started again so many times in so long. */
const MOST_RESTARTS = 3;
const RESTARTS_WITHIN_MS = 10_000;
/** How long a failover may take beyond the time in which the others miss the node. */
const FAILOVER_MS = 5000;
/** How long, and how often, a node that does not come up again is tried: its port may be somebody else's for a moment. */
const RETRY_MS = 60_000;
const RETRY_EVERY_MS = 1000;

interface RunningNode {
  readonly port: number;
  readonly logPath: string;
  readonly command: readonly string[];
  readonly restarts: Restarts;
  child: Child;
  state: "running" | "crashed" | "starting" | "ended";
  /** Until when one that crashed is tried again if it does not come up. */
  retryUntilMs: number;
}

/** Runs a cluster until it is told to stop; ends the process. */
export async function runCluster(args: readonly string[]): Promise<never> {
  try {
    const plan = planCluster(args);
    await new Supervisor(plan).run();
  } catch (error) {
    if (!(error instanceof StartError || error instanceof DiskError)) throw error;
    const where = error instanceof DiskError ? `${error.path}: ` : "";
    printError(`slotmesh cluster: ${where}${error.message}\n`);
    exit(1);
  }
  return exit(0);
}

class Supervisor {
  readonly #dir: string;
  readonly #nodes: RunningNode[] = [];
  readonly #links: CommandLink[] = [];
  #isReady = false;
  #isStopping = false;
  #wasToldToStop = false;
  #toldAtMs = 0;
  #end: () => void = () => {};
  /** Settles when there is nothing left to watch over. */
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  constructor(private readonly plan: ClusterPlan) {
    this.#dir = plan.dir === undefined ? makeTemporaryDirectory("slotmesh-") : absolute(plan.dir);
  }

  async run(): Promise<void> {
    for (const signal of ["SIGINT", "SIGTERM"] as const) onSignal(signal, () => this.#tellToStop());
    // The cluster goes with its terminal, unless `nohup` was said.
    if (!isIgnored("SIGHUP")) onSignal("SIGHUP", () => this.#tellToStop());
    ignoreSignals("SIGALRM");
    const startedAtMs = nowMs();
    try {
      this.#checkPorts();
      provideEngine(this.plan.engine);
      this.#startNodes();
      const joined = await this.#untilReady();
      if (joined !== undefined) {
        this.#announce(joined, nowMs() - startedAtMs);
        await this.#ended;
      }
    } finally {
      await this.#stopNodes();
      if (this.plan.dir === undefined) removeDirectory(this.#dir);
    }
    if (!this.#wasToldToStop) throw new StartError("no node is left");
  }

  #tellToStop(): void {
    if (this.#wasToldToStop) return this.#insist();
    this.#wasToldToStop = true;
    this.#toldAtMs = nowMs();
    this.#isStopping = true;
    print("stopping all nodes\n");
    for (const link of this.#links) link.close();
    this.#end();
  }

  /** Told to stop again: nodes that still save, or cannot, are ended as they are. */
  #insist(): void {
    if (nowMs() - this.#toldAtMs < SAME_SIGNAL_MS) return;
    for (const { child } of this.#nodes) child.signal("SIGKILL");
  }

  /** Throws a StartError when a port of the cluster is taken, before anything is started. */
  #checkPorts(): void {
    const { ports, host } = this.plan;
    for (const port of [...ports, ...ports.map((each) => each + BUS_OFFSET)]) {
      try {
        listen(host, port, () => undefined).stop();
      } catch (error) {
        const what = ports.includes(port)
          ? `port ${port}`
          : `port ${port}, the bus port of node ${port - BUS_OFFSET},`;
        if (codeOf(error) === "EADDRINUSE") throw new StartError(`${what} is in use`);
        throw new StartError(`cannot listen on ${host}, ${what}: ${reasonOf(error)}`);
      }
    }
  }

  #startNodes(): void {
    const { ports, directives, file } = this.plan;
    const dirs = makeNodeDirectories(this.#dir, ports.length);
    for (const [i, port] of ports.entries()) {
      const dir = dirs[i]!;
      const logPath = `${dir}/node.log`;
      const flags = [...directives, "--port", String(port), "--dir", dir];
      const configuration = makeNodeConfiguration(dir, file);
      const command = [executable, MAIN, "server", configuration, ...flags];
      const restarts = new Restarts(MOST_RESTARTS, RESTARTS_WITHIN_MS);
      const child = startChild(command, logPath);
      const node: RunningNode = {
        port,
        logPath,
        command,
        restarts,
        child,
        state: "running",
        retryUntilMs: 0,
      };
      this.#nodes.push(node);
      this.#watch(node);
    }
  }

  #watch(node: RunningNode): void {
    void node.child.ended.then((ending) => this.#nodeEnded(node, ending));
  }

  #nodeEnded(node: RunningNode, ending: Ending): void {
    const wasStarting = node.state === "starting";
    node.state = "ended";
    if (this.#isStopping || !this.#isReady) return;
    const isCrash = "code" in ending && ending.code === CRASH_EXIT_CODE;
    if (isCrash && node.restarts.take(nowMs())) return void this.#startAgain(node);
    if (!isCrash && wasStarting && nowMs() < node.retryUntilMs) {
      node.state = "crashed";
      after(RETRY_EVERY_MS, () => this.#startProcess(node));
      return;
    }
    const again = isCrash ? `, more than ${MOST_RESTARTS} times in ${RESTARTS_WITHIN_MS / 1000} s` : "";
    printError(
      `node ${node.port} (process ${node.child.pid}) ${describeEnding(ending)}${again}. ${this.#whatIsLeft()}\n`,
    );
    printError(`its log: ${node.logPath}\n`);
  }

  /** What a node's end means for the others; that of the last one ends the run. */
  #whatIsLeft(): string {
    if (this.#nodes.some(({ state }) => state !== "ended")) return "The others go on without it.";
    this.#end();
    return "No node is left.";
  }

  /** A node that a defect has ended, once its replica, if it has one, has taken its place. */
  async #startAgain(node: RunningNode): Promise<void> {
    node.state = "crashed";
    const { port, child, logPath } = node;
    const ending = describeEnding({ code: CRASH_EXIT_CODE });
    printError(`node ${port} (process ${child.pid}) ${ending}; see ${logPath}\n`);
    const { host, password, nodeTimeoutMs } = this.plan;
    const others = (): LinkTarget[] =>
      this.#isStopping
        ? []
        : this.#nodes
            .filter(({ state }) => state === "running")
            .map((each) => ({ host, port: each.port, password }));
    const mayReturn = await untilTakenOver(port, others, nowMs() + 2 * nodeTimeoutMs + FAILOVER_MS);
    if (!mayReturn && !this.#isStopping) {
      node.state = "ended";
      const why = "its replica has its data and has not taken its place: tell it CLUSTER FAILOVER TAKEOVER";
      return printError(`node ${port} is not started again, as ${why}. ${this.#whatIsLeft()}\n`);
    }
    node.retryUntilMs = nowMs() + RETRY_MS;
    this.#startProcess(node);
  }

  /** Starts a node that crashed, and says so once it answers. */
  #startProcess(node: RunningNode): void {
    if (this.#isStopping) return;
    const { port, logPath } = node;
    try {
      node.child = startChild(node.command, logPath);
    } catch (error) {
      node.state = "ended";
      const reason = `${logPath}: ${reasonOf(error)}`;
      return printError(`node ${port} cannot be started again: ${reason}. ${this.#whatIsLeft()}\n`);
    }
    node.state = "starting";
    this.#watch(node);
    const { child } = node;
    const answered = async (): Promise<void> => {
      const link = await this.#connectTo(port);
      await link.ask("PING");
      link.close();
      if (node.child !== child || node.state !== "starting") return;
      node.state = "running";
      printError(`node ${port} was started again, as process ${child.pid}\n`);
    };
    answered().catch(() => {}); // its process ends, which is seen to there
  }

  /** The cluster, whole; undefined when told to stop before. Throws a StartError when a node ends first. */
  async #untilReady(): Promise<JoinedCluster | undefined> {
    const { masters, replicas } = this.plan;
    const failure = Promise.race(this.#nodes.map(async (node) => ({ node, ending: await node.child.ended })));
    const ready = this.#connect().then((links) =>
      join(links, { masters, replicas, timeoutMs: this.#readyTimeoutMs() }),
    );
    try {
      const first = await Promise.race([ready, failure]);
      if (this.#isStopping) return undefined;
      if ("node" in first) throw new StartError(describeFailure(first.node, first.ending));
      this.#isReady = true;
      return first;
    } catch (error) {
      if (this.#wasToldToStop) return undefined;
      this.#isStopping = true;
      if (error instanceof StartError || !(error instanceof Error)) throw error;
      throw new StartError(error.message);
    } finally {
      ready.catch(() => {}); // told already, or given up
      for (const link of this.#links) link.close();
    }
  }

  /** Nodes load what they kept before they answer. */
  #readyTimeoutMs(): number {
    const dirs = this.#nodes.map(({ logPath }) => directoryOf(logPath));
    const bytes = dirs.reduce((sum, dir) => sum + bytesInDirectory(dir, ".rdb"), 0);
    return READY_TIMEOUT_MS + bytes / LOADED_PER_MS;
  }

  /** Links to all nodes, in the order of their ports. */
  async #connect(): Promise<readonly CommandLink[]> {
    const attempts = this.plan.ports.map(async (port) => {
      const link = await this.#connectTo(port);
      this.#links.push(link);
      return link;
    });
    return await Promise.all(attempts);
  }

  /** Tries until the node listens. */
  async #connectTo(port: number): Promise<CommandLink> {
    const { host, password } = this.plan;
    const timeoutMs = this.#readyTimeoutMs();
    const deadlineMs = nowMs() + timeoutMs;
    for (;;) {
      try {
        return await CommandLink.open({ host, port, password }, timeoutMs);
      } catch (error) {
        if (this.#isStopping || nowMs() > deadlineMs) throw error;
        await pause(POLL_MS);
      }
    }
  }

  #announce({ view, created }: JoinedCluster, tookMs: number): void {
    const { host, ports, password, dir } = this.plan;
    const lines = ports.map((port) => {
      const line = view.nodes.find((node) => node.port === port);
      const pid = this.#nodes.find((node) => node.port === port)?.child.pid ?? 0;
      return tableLine(port, pid, line, view.nodes);
    });
    const kept = dir === undefined ? "removed when it ends" : "kept for the next start";
    const auth = password === undefined ? "" : " --askpass";
    print(
      [
        created ? "a new cluster:" : "the cluster as it was:",
        "  port   process  role     serves",
        ...lines,
        `ready in ${(tookMs / 1000).toFixed(2)} s, all 16384 slots served; files in ${this.#dir}, ${kept}`,
        `next: redis-cli -c${host === "127.0.0.1" ? "" : ` -h ${host}`} -p ${ports[0]}${auth}   (ctrl-C stops all nodes)`,
        "",
      ].join("\n"),
    );
  }

  async #stopNodes(): Promise<void> {
    this.#isStopping = true;
    const ending = this.#nodes.map(async (node) => {
      node.child.signal("SIGTERM");
      const timer = after(STOP_TIMEOUT_MS, () => {
        if (this.plan.dir !== undefined) {
          const where = `node ${node.port} has not ended: it saves its data, or cannot. Its log: ${node.logPath}`;
          return printError(`${where}\nctrl-C once more ends it as it is\n`);
        }
        printError(`node ${node.port} does not end: killing process ${node.child.pid}\n`);
        node.child.signal("SIGKILL");
      });
      await node.child.ended;
      timer.stop();
    });
    await Promise.all(ending);
  }
}

function tableLine(
  port: number,
  pid: number,
  line: NodeLine | undefined,
  nodes: readonly NodeLine[],
): string {
  const master = nodes.find(({ id }) => id === line?.masterId);
  const slots = line?.slots.map(rangeText) ?? [];
  const role = line?.masterId === undefined ? "master" : "replica";
  const serves = role === "master" ? `slots ${slots.join(" ")}` : `copies ${master?.port ?? line?.masterId}`;
  return `  ${String(port).padEnd(5)}  ${String(pid).padEnd(7)}  ${role.padEnd(7)}  ${serves}`;
}

function describeEnding(ending: Ending): string {
  if ("code" in ending && ending.code === CRASH_EXIT_CODE)
    return `was ended by an engine trap or another defect, code ${CRASH_EXIT_CODE}`;
  if ("signal" in ending) return `was ended by ${ending.signal}`;
  return "code" in ending ? `ended with code ${ending.code}` : `could not run: ${ending.reason}`;
}

function describeFailure(node: RunningNode, ending: Ending): string {
  const tail = readText(node.logPath).trimEnd().split("\n").slice(-SHOWN_LINES);
  return [
    `node ${node.port} ${describeEnding(ending)} before it was ready; the end of its log:`,
    ...tail,
  ].join("\n  ");
}
