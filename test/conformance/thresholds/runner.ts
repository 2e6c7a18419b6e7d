// Sends scripts to redis-server and to ours, many in one write, and compares all that comes back; then each restores what
// both have dumped. Where they part, the scripts of that write run again one by one, to tell which of them it was.
import type { Scope } from "../../support/cleanup.ts";
import type { Client } from "../../support/client.ts";
import { encodeRequest, printable, printRequest, type Reply } from "../../support/resp.ts";
import { type Server, startRedis, startSubject } from "../../support/servers.ts";
import { sameBytes } from "../harness/compare.ts";
import { intended } from "../harness/differences.ts";
import type { Request } from "../harness/step.ts";
import { type Args, configSet, type Script } from "./script.ts";

const FLAGS = { "cluster-enabled": "no" };
const SCRIPTS_TOGETHER = 25;
/** How long one write may take to be answered; a server that takes longer is taken to hang. */
const PATIENCE_MS = 8000;
/** Faults after which going on teaches nothing. */
const ENOUGH = 8;

interface Side {
  readonly server: Server;
  readonly client: Client;
}

export class Runner {
  readonly faults: string[] = [];

  private constructor(
    private readonly scope: Scope,
    private theirs: Side,
    private ours: Side,
  ) {}

  static async start(scope: Scope): Promise<Runner> {
    const [theirs, ours] = await Promise.all([startRedis(scope, FLAGS), startSubject(scope, FLAGS)]);
    return new Runner(scope, await sideOf(theirs), await sideOf(ours));
  }

  /** Whether there is nothing left to learn. */
  get hasEnough(): boolean {
    return this.faults.length >= ENOUGH;
  }

  async run(scripts: readonly Script[]): Promise<void> {
    for (let at = 0; at < scripts.length && !this.hasEnough; at += SCRIPTS_TOGETHER) {
      const some = scripts.slice(at, at + SCRIPTS_TOGETHER);
      const fault = await this.#compare(some);
      if (fault !== undefined) await this.#blame(some, fault);
    }
  }

  /** Empties both servers and forgets what was at fault. */
  async begin(): Promise<void> {
    this.faults.length = 0;
    await this.#empty();
  }

  async #empty(): Promise<void> {
    await Promise.all([this.theirs, this.ours].map(({ client }) => client.ok("FLUSHALL")));
  }

  close(): void {
    this.theirs.client.close();
    this.ours.client.close();
  }

  /** Runs scripts together; tells how the servers part, if they do. */
  async #compare(scripts: readonly Script[]): Promise<string | undefined> {
    const requests = scripts.flatMap(requestsOf);
    const [theirs, ours] = await Promise.all([
      send(this.theirs.client, requests),
      send(this.ours.client, requests),
    ]);
    const fault = partingOf(requests, theirs, ours);
    return fault ?? (await this.#restore(scripts, theirs, ours));
  }

  /** Both servers restore what both have dumped. */
  async #restore(
    scripts: readonly Script[],
    theirs: readonly Reply[],
    ours: readonly Reply[],
  ): Promise<string | undefined> {
    const restores: Request[] = [];
    let at = -1;
    for (const script of scripts) {
      at += requestsOf(script).length;
      if (script.dumped === undefined) continue;
      for (const replies of [theirs, ours]) {
        const { value } = replies[at]!;
        if (value.kind !== "bulk") continue;
        restores.push(
          { args: configSet(script.settings) },
          { args: ["RESTORE", "r", 0, value.bytes, "REPLACE"] },
          { args: ["DEBUG", "DIGEST-VALUE", "r"] },
          { args: ["OBJECT", "ENCODING", "r"] },
        );
      }
    }
    if (restores.length === 0) return undefined;
    restores.push({ args: ["DEL", "r"] });
    const [restored, restoredOurs] = await Promise.all([
      send(this.theirs.client, restores),
      send(this.ours.client, restores),
    ]);
    return partingOf(restores, restored, restoredOurs);
  }

  /** Finds out which of some scripts is at fault, on a server of ours that has seen none of them. */
  async #blame(scripts: readonly Script[], together: string): Promise<void> {
    const before = this.faults.length;
    await this.#renew();
    for (const script of scripts) {
      const fault = await this.#compare([script]);
      if (fault === undefined) continue;
      await this.#renew();
      const stepwise = await this.#compareStepwise(script);
      this.faults.push(`${script.name}: ${stepwise ?? fault}`);
      if (this.hasEnough) return;
      await this.#renew();
    }
    if (this.faults.length === before)
      this.faults.push(`${scripts.map(({ name }) => name).join("; ")}, only together: ${together}`);
    await this.#renew();
  }

  /** Runs a script request by request: a server that ends takes with it what it had not sent. */
  async #compareStepwise(script: Script): Promise<string | undefined> {
    const requests = requestsOf(script);
    for (const [i, request] of requests.entries()) {
      const [theirs, ours] = await Promise.all(
        [this.theirs, this.ours].map(({ client }) => send(client, [request])),
      );
      const fault = partingOf([request], theirs!, ours!);
      if (fault !== undefined) return `${fault}\n${recent(requests, i)}`;
    }
    return undefined;
  }

  /** Another server of ours, and connections on which nothing is still to come. */
  async #renew(): Promise<void> {
    this.close();
    this.theirs = await sideOf(this.theirs.server);
    await this.ours.server.stop("SIGKILL");
    this.ours = await sideOf(await startSubject(this.scope, FLAGS));
    await this.#empty();
  }
}

async function sideOf(server: Server): Promise<Side> {
  return { server, client: await server.connect() };
}

function requestsOf({ settings, requests, dumped }: Script): readonly Request[] {
  return [
    { args: configSet(settings) },
    ...requests,
    // Bytes need not be the same: a table has no order, and a list keeps to the settings it was made under.
    ...(dumped === undefined ? [] : [{ args: ["DUMP", dumped], compare: () => undefined }]),
  ];
}

/** Replies until the connection fails or is silent, which leaves the list short. */
async function send(client: Client, requests: readonly Request[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  const endAtMs = performance.now() + PATIENCE_MS;
  try {
    client.write(Buffer.concat(requests.map(({ args }) => encodeRequest(args))));
    while (replies.length < requests.length)
      replies.push(await client.read(Math.max(1, endAtMs - performance.now())));
  } catch {
    return replies;
  }
  return replies;
}

function partingOf(
  requests: readonly Request[],
  theirs: readonly Reply[],
  ours: readonly Reply[],
): string | undefined {
  for (const [i, request] of requests.entries()) {
    const [a, b] = [theirs[i], ours[i]];
    if (a === undefined || b === undefined) {
      const who = a === undefined ? "theirs" : "ours";
      return `${who} did not answer\n${recent(requests, i)}`;
    }
    const why = (request.compare ?? sameBytes)(a, b);
    if (why === undefined || intended(request, a, b, "alone") !== undefined) continue;
    return `${why}\n    theirs "${printable(a.raw)}"\n    ours   "${printable(b.raw)}"\n${recent(requests, i)}`;
  }
  return undefined;
}

/** How many requests before a difference are shown. */
const SHOWN = 25;

function recent(requests: readonly Request[], at: number): string {
  const shown = requests.slice(Math.max(0, at - SHOWN), at + 1);
  return shown.map(({ args }) => `      ${show(args)}`).join("\n");
}

/** A request with long arguments told by their beginnings and lengths, and many of them by how many they are. */
function show(args: Args): string {
  const shown = args.slice(0, 14).map((arg) => {
    const word = String(arg);
    return word.length > 40 ? `${word.slice(0, 12)}…(${word.length})` : word;
  });
  return `${printRequest(shown)}${args.length > 14 ? ` … (${args.length})` : ""}`;
}
