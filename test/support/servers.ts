// Real servers to test against and to test: redis-server, the judge, and ours, each a process of its own.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Scope } from "./cleanup.ts";
import { Client, type ConnectOptions } from "./client.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./ports.ts";
import { type Child, run, spawn } from "./process.ts";
import { tempDir } from "./temp.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const MAIN = `${ROOT}src/main.ts`;

export type Flags = Readonly<Record<string, string | number>>;

export interface StartOptions {
  readonly port?: number;
  readonly dir?: string;
  /** Needed only to know when the server is ready: it is also passed as a flag. */
  readonly password?: string;
  /** Lines of a configuration file, given as the first argument. */
  readonly config?: readonly string[];
  /** So many files may be open at once, sockets included; it cannot raise that. */
  readonly openFiles?: number;
}

/** How long a server may take from its start to its first PONG on a busy machine. */
const START_MS = 15_000;
const ATTEMPTS = 5;

export class Server {
  constructor(
    readonly name: string,
    readonly port: number,
    readonly dir: string,
    readonly child: Child,
    private readonly scope: Scope,
    private readonly password?: string,
  ) {}

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async connect(options: ConnectOptions = {}): Promise<Client> {
    const password = options.password ?? this.password;
    const client = await Client.open(this.port, {
      ...options,
      ...(password === undefined ? {} : { password }),
    });
    this.scope.defer(() => client.close());
    return client;
  }

  /** Answers at once; a server that is not there yet is an exception. */
  async ping(): Promise<void> {
    const client = await Client.open(this.port);
    try {
      if (this.password !== undefined) await client.ok("AUTH", this.password);
      const pong = await client.ask("PING");
      if (pong !== "PONG") throw new Error(`PING: ${JSON.stringify(pong)}`);
    } finally {
      client.close();
    }
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.child.stop(signal);
  }

  /** Files it has open, sockets included. Linux only. */
  get openFileCount(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }
}

/** A redis-server on a free port of the loopback, in a directory of its own, saving nothing. */
export function startRedis(scope: Scope, flags: Flags = {}, options: StartOptions = {}): Promise<Server> {
  const base = { bind: "127.0.0.1", save: "", appendonly: "no", "enable-debug-command": "yes" };
  return start(scope, "redis-server", ["redis-server"], { ...base, ...flags }, options);
}

/** Our server, as `slotmesh server` runs it, saving nothing either. */
export function startOurs(scope: Scope, flags: Flags = {}, options: StartOptions = {}): Promise<Server> {
  const base = { bind: "127.0.0.1", save: "", "enable-debug-command": "yes" };
  const engine = process.env["SLOTMESH_TEST_ENGINE"];
  const build = engine === undefined ? {} : { engine };
  return start(
    scope,
    "slotmesh",
    [process.execPath, MAIN, "server"],
    { ...base, ...build, ...flags },
    options,
  );
}

/**
 * The server under judgement: ours, or a second redis-server when SLOTMESH_SUBJECT=redis,
 * which must show no difference at all and so proves the judge.
 */
export function startSubject(scope: Scope, flags: Flags = {}, options: StartOptions = {}): Promise<Server> {
  return subjectIsRedis() ? startRedis(scope, flags, options) : startOurs(scope, flags, options);
}

export function subjectIsRedis(): boolean {
  return process.env["SLOTMESH_SUBJECT"] === "redis";
}

async function start(
  scope: Scope,
  name: string,
  command: readonly string[],
  flags: Flags,
  options: StartOptions,
): Promise<Server> {
  const dir = options.dir ?? tempDir(scope);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const settings = {
      ...flags,
      port,
      dir,
      ...(options.password === undefined ? {} : { requirepass: options.password }),
    };
    const args = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
    const file = join(dir, "server.conf");
    if (options.config !== undefined) writeFileSync(file, `${options.config.join("\n")}\n`);
    const limit =
      options.openFiles === undefined ? [] : ["sh", "-c", `ulimit -n ${options.openFiles}; exec "$@"`, "sh"];
    const whole = [...limit, ...command, ...(options.config === undefined ? [] : [file]), ...args];
    const child = spawn(scope, whole, { cwd: dir });
    const server = new Server(name, port, dir, child, scope, options.password);
    try {
      await untilReady(server);
      return server;
    } catch (error) {
      await child.stop("SIGKILL");
      // Another process may have taken the port between the look and the bind.
      const portTaken = /in use/i.test(child.output) && options.port === undefined;
      if (!portTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

async function untilReady(server: Server): Promise<void> {
  let ready = false;
  const attempt = async (): Promise<boolean> => {
    if (!server.child.isRunning) return true;
    await server.ping();
    ready = true;
    return true;
  };
  await eventually(
    attempt,
    START_MS,
    `${server.name} answers PING on port ${server.port}:\n${server.child.output}`,
  );
  if (ready) return;
  const { code, output } = await server.child.exited;
  throw new Error(`${server.name} ended with ${code} before it was ready:\n${output}`);
}

/** Runs redis-cli to its end; throws when it fails, unless `mayFail`. */
export async function redisCli(
  args: readonly (string | number)[],
  options: { stdin?: string; mayFail?: boolean; timeoutMs?: number } = {},
): Promise<string> {
  const command = ["redis-cli", ...args.map(String)];
  const ended = await run(
    command,
    options.stdin === undefined ? {} : { stdin: options.stdin },
    options.timeoutMs ?? 60_000,
  );
  if (ended.code !== 0 && options.mayFail !== true)
    throw new Error(`${command.join(" ")} ended with ${ended.code}:\n${ended.output}`);
  return ended.output;
}

/** All 16384 slots to a cluster of one; done when it says cluster_state:ok. */
export async function ownAllSlots(server: Server): Promise<void> {
  const client = await server.connect();
  await client.ok("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
  await eventually(
    async () => (await client.text("CLUSTER", "INFO")).includes("cluster_state:ok"),
    10_000,
    "cluster_state:ok",
  );
  client.close();
}
