// Sends one stream of steps to the judge and to the subject and collects where they part.
import { Client } from "../../support/client.ts";
import { type Argument, encodeRequest, printable, printRequest, type Reply } from "../../support/resp.ts";
import { sameBytes } from "./compare.ts";
import { intended } from "./differences.ts";
import { isProbe, type Mode, type Probe, type Request, type Step } from "./step.ts";

export interface Difference {
  readonly index: number;
  /** The command's name, or the probe's. */
  readonly name: string;
  readonly text: string;
}

export interface Pair {
  readonly theirs: Client;
  readonly ours: Client;
}

/** Requests sent together; replies then also prove that pipelines keep their order. */
const BATCH = 40;
/** Differences after which going on teaches nothing. */
const ENOUGH = 25;

export async function compareStream(pair: Pair, steps: readonly Step[], mode: Mode): Promise<Difference[]> {
  const differences: Difference[] = [];
  const recent: Request[] = [];
  for (let at = 0; at < steps.length && differences.length < ENOUGH;) {
    const step = steps[at];
    if (step === undefined) break;
    if (isProbe(step)) {
      differences.push(...(await compareProbe(pair, step, at)));
      at++;
      continue;
    }
    const batch = takeBatch(steps, at);
    const [theirs, ours] = await Promise.all([
      sendBatch("theirs", pair.theirs, batch),
      sendBatch("ours", pair.ours, batch),
    ]);
    for (const [i, request] of batch.entries()) {
      const difference = compareReplies(request, theirs[i], ours[i], mode);
      if (difference !== undefined) {
        const text = `${describe(request, theirs[i], ours[i], difference)}${history(recent, request)}`;
        differences.push({ index: at + i, name: String(request.args[0]).toUpperCase(), text });
        // Once a connection is gone, nothing that follows is answered.
        if (theirs[i] === undefined || ours[i] === undefined) break;
      }
      recent.push(request);
    }
    if (theirs.length < batch.length || ours.length < batch.length) break;
    at += batch.length;
  }
  return differences;
}

function takeBatch(steps: readonly Step[], from: number): Request[] {
  const batch: Request[] = [];
  for (let i = from; i < steps.length && batch.length < BATCH; i++) {
    const step = steps[i];
    if (step === undefined || isProbe(step)) break;
    batch.push(step);
  }
  return batch;
}

/** Replies until the connection fails, which leaves the list short. */
async function sendBatch(who: string, client: Client, batch: readonly Request[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  try {
    client.write(Buffer.concat(batch.map(({ args }) => encodeRequest(args))));
    while (replies.length < batch.length) replies.push(await client.read());
  } catch (error) {
    const late = batch[replies.length]!;
    if (!client.isClosed)
      throw new Error(`${who}, ${printRequest(late.args)}: ${String(error)}`, { cause: error });
  }
  return replies;
}

function compareReplies(
  request: Request,
  theirs: Reply | undefined,
  ours: Reply | undefined,
  mode: Mode,
): string | undefined {
  if (theirs === undefined || ours === undefined)
    return theirs === ours ? undefined : "the connection was closed";
  const verdict = (request.compare ?? sameBytes)(theirs, ours);
  if (verdict === undefined || intended(request, theirs, ours, mode) !== undefined) return undefined;
  return verdict;
}

async function compareProbe(pair: Pair, probe: Probe, index: number): Promise<Difference[]> {
  const [theirs, ours] = await Promise.all([probe.find(pair.theirs), probe.find(pair.ours)]);
  if (theirs === ours) return [];
  return [{ index, name: probe.name, text: `${probe.name}\n    theirs ${theirs}\n    ours   ${ours}` }];
}

function describe(request: Request, theirs: Reply | undefined, ours: Reply | undefined, why: string): string {
  const show = (reply: Reply | undefined): string =>
    reply === undefined ? "nothing" : `"${printable(reply.raw)}"`;
  return `${printRequest(request.args)}: ${why}\n    theirs ${show(theirs)}\n    ours   ${show(ours)}`;
}

/** The last requests that named the same first key, which is mostly where a difference was sown. */
function history(recent: readonly Request[], request: Request): string {
  const first = request.args[1];
  if (first === undefined) return "";
  const sameKey = recent.filter(({ args }) => args.slice(1).some((arg) => isSame(arg, first))).slice(-5);
  return sameKey.map(({ args }) => `\n    after  ${printRequest(args)}`).join("");
}

function isSame(a: Argument, b: Argument): boolean {
  return Buffer.from(String(a)).equals(Buffer.from(String(b)));
}

/** The report of a failed stream: counts by name, then the first differences in full. */
export function report(differences: readonly Difference[]): string {
  const counts = new Map<string, number>();
  for (const { name } of differences) counts.set(name, (counts.get(name) ?? 0) + 1);
  const summary = [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
  const details = differences.slice(0, 12).map(({ index, text }) => `#${index} ${text}`);
  return `${differences.length} differences (${summary})\n${details.join("\n")}`;
}
