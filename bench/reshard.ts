// How fast do slots with keys move from three masters to a fourth, driven by redis-cli; what do clients notice meanwhile;
// and how long does one huge value hold everybody else?
import { Scope } from "../test/support/cleanup.ts";
import { ClusterLoad, type Report } from "../test/support/cluster-load.ts";
import { Client } from "../test/support/client.ts";
import { tagsFor } from "../test/support/load/slots.ts";
import type { Argument } from "../test/support/resp.ts";
import { feed } from "./feed.ts";
import { keysHeld } from "./load.ts";
import { KINDS, Masters, processorMs, type Start } from "./masters.ts";
import { waitsDuring } from "./probe.ts";
import { compact, type Findings, median, type Options, pairedRatio, type Table, times } from "./report.ts";
import { type StepCosts, stepCosts, STEPS } from "./slot-steps.ts";

const SLOTS = 4000;
const KEYS_PER_SLOT = 250;
const VALUE_BYTES = 200;
/** --cluster-pipeline: redis-cli's own, and one at which its round trips weigh less. */
const PIPELINES = [10, 100] as const;
/** Keys in each slot that moves under load; the load's own come on top. */
const LOADED_KEYS_PER_SLOT = 50;
const ELEMENTS = 1_000_000;
const STEP_SLOTS = 1000;
/** A smaller move is over before anything could be seen. */
const QUICK = 20;

interface Move {
  readonly seconds: number;
  readonly keys: number;
  /** Processor microseconds a key: the three sources together, and the target. */
  readonly sourceUs: number;
  readonly targetUs: number;
}

async function moveKeys(start: Start, slots: number, pipeline: number): Promise<Move> {
  const scope = new Scope();
  try {
    const masters = await Masters.start(scope, start);
    await masters.fill(masters.slotsToMove(slots), KEYS_PER_SLOT, VALUE_BYTES);
    const usedMs = (): number[] => masters.servers.map(({ child }) => processorMs(child.pid));
    const before = usedMs();
    const beginMs = performance.now();
    await masters.move(slots, pipeline);
    const seconds = (performance.now() - beginMs) / 1000;
    const used = usedMs().map((ms, i) => ms - before[i]!);
    const keys = await keysHeld(masters.target.port);
    const perKey = (ms: number): number => (ms * 1000) / keys;
    const sourceUs = perKey(used.slice(0, 3).reduce((sum, ms) => sum + ms, 0));
    return { seconds, keys, sourceUs, targetUs: perKey(used[3]!) };
  } finally {
    await scope.close();
  }
}

async function speed(slots: number, rounds: number, figures: Record<string, number>): Promise<Table> {
  const rows: string[][] = [];
  for (const pipeline of PIPELINES) {
    const moves: Move[][] = [[], []];
    for (let round = 0; round < rounds; round++)
      for (const [i, [, start]] of KINDS.entries()) moves[i]!.push(await moveKeys(start, slots, pipeline));
    const rates = moves.map((all) => all.map(({ keys, seconds }) => keys / seconds));
    const faster = pairedRatio(rates[1]!, rates[0]!);
    figures[`keys per second, pipeline ${pipeline}: ratio`] = faster;
    for (const [i, [name]] of KINDS.entries()) {
      const of = (read: (move: Move) => number): number => median(moves[i]!.map(read));
      rows.push([
        `${name}, pipeline ${pipeline}`,
        compact(of(({ keys }) => keys)),
        of(({ seconds }) => seconds).toFixed(1),
        compact(median(rates[i]!)),
        i === 0 ? "" : times(faster),
        of(({ sourceUs }) => sourceUs).toFixed(1),
        of(({ targetUs }) => targetUs).toFixed(1),
      ]);
    }
  }
  return {
    title: `${slots} slots moved from three masters to a fourth by redis-cli`,
    note: `${KEYS_PER_SLOT} strings of ${VALUE_BYTES} bytes a slot; processor time of the three sources together and of the target, microseconds a key; medians of ${rounds}, fresh servers each`,
    columns: ["", "keys", "seconds", "keys/s", "ratio", "source µs/key", "target µs/key"],
    rows,
  };
}

async function moveUnderLoad(start: Start, slots: number): Promise<Report> {
  const scope = new Scope();
  try {
    const masters = await Masters.start(scope, start);
    const moving = masters.slotsToMove(slots);
    await masters.fill(moving, LOADED_KEYS_PER_SLOT, VALUE_BYTES);
    const load = new ClusterLoad({ ports: masters.ports.slice(0, 3), slots: moving, seed: 1 });
    scope.defer(() => load.close());
    await load.start();
    await masters.move(slots, PIPELINES[0]);
    return await load.stop();
  } finally {
    await scope.close();
  }
}

async function underLoad(slots: number, rounds: number, figures: Record<string, number>): Promise<Table> {
  const rows: (string | number)[][] = [];
  const reports: Report[][] = [[], []];
  for (let round = 0; round < rounds; round++)
    for (const [i, [, start]] of KINDS.entries()) reports[i]!.push(await moveUnderLoad(start, slots));
  for (const [i, [name]] of KINDS.entries()) {
    const all = reports[i]!;
    const sum = (read: (report: Report) => number): number =>
      all.reduce((total, one) => total + read(one), 0);
    const of = (read: (report: Report) => number): number => median(all.map(read));
    const wrong = sum(({ lost, stale, wrong: nonsense }) => lost + stale + nonsense);
    const longest = Math.max(...all.map(({ longestMs }) => longestMs));
    figures[`under load, ${name}: errors`] = sum(({ errors }) => errors);
    figures[`under load, ${name}: lost, stale or wrong`] = wrong;
    figures[`under load, ${name}: longest ms`] = longest;
    rows.push([
      name,
      compact(of(({ requests }) => requests)),
      of(({ seconds }) => seconds).toFixed(1),
      sum(({ errors }) => errors),
      sum(({ lost }) => lost),
      sum(({ stale, wrong: nonsense }) => stale + nonsense),
      `${sum(({ moved }) => moved)} ${sum(({ asked }) => asked)} ${sum(({ tryAgain }) => tryAgain)}`,
      of(({ p50Ms }) => p50Ms).toFixed(2),
      of(({ p999Ms }) => p999Ms).toFixed(1),
      longest.toFixed(1),
    ]);
  }
  return {
    title: `the same while 8 cluster clients write and read back`,
    note: `milliseconds of one request, its redirections included; ${LOADED_KEYS_PER_SLOT} keys a slot; sums and the longest of ${rounds} moves, medians of the rest`,
    columns: [
      "",
      "requests",
      "seconds",
      "errors",
      "lost",
      "stale",
      "MOVED ASK TRYAGAIN",
      "p50",
      "p99.9",
      "longest",
    ],
    rows,
  };
}

interface Value {
  readonly name: string;
  requests(key: string, elements: number): Iterable<readonly Argument[]>;
}

const elementOf = (i: number): string => `element:${String(i).padStart(9, "0")}`;

function each(make: (key: string, i: number) => readonly Argument[]): Value["requests"] {
  return function* (key, elements) {
    for (let i = 0; i < elements; i++) yield make(key, i);
  };
}

const VALUES: readonly Value[] = [
  { name: "list", requests: each((key, i) => ["RPUSH", key, elementOf(i)]) },
  { name: "hash", requests: each((key, i) => ["HSET", key, elementOf(i), i]) },
  { name: "sorted set", requests: each((key, i) => ["ZADD", key, i, elementOf(i)]) },
];

interface Holdup {
  readonly seconds: number;
  readonly sourceMs: number;
  readonly targetMs: number;
}

/** The longest waits of clients of other keys at both ends while one value moves. */
async function moveValue(start: Start, value: Value, elements: number): Promise<Holdup> {
  const scope = new Scope();
  try {
    const masters = await Masters.start(scope, start);
    const [slot] = masters.slotsToMove(1, 1);
    const [tag] = tagsFor([slot!]);
    await feed(masters.source.port, value.requests(`{${tag}}`, elements));
    let seconds = 0;
    let targetMs = 0;
    const move = async (): Promise<void> => {
      const beginMs = performance.now();
      await masters.move(1, PIPELINES[0], 1);
      seconds = (performance.now() - beginMs) / 1000;
    };
    const atTarget = async (): Promise<void> => {
      targetMs = (await waitsDuring(masters.target.port, move)).worstMs;
    };
    const { worstMs: sourceMs } = await waitsDuring(masters.source.port, atTarget);
    const client = await Client.open(masters.target.port);
    const type = await client.ask("EXISTS", `{${tag}}`);
    client.close();
    if (type !== 1) throw new Error(`the ${value.name} did not arrive`);
    return { seconds, sourceMs, targetMs };
  } finally {
    await scope.close();
  }
}

async function hugeValues(elements: number, rounds: number, figures: Record<string, number>): Promise<Table> {
  const rows: string[][] = [];
  for (const value of VALUES) {
    const found: Holdup[][] = [[], []];
    for (let round = 0; round < rounds; round++)
      for (const [i, [, start]] of KINDS.entries()) found[i]!.push(await moveValue(start, value, elements));
    for (const [i, [name]] of KINDS.entries()) {
      const worst = (read: (holdup: Holdup) => number): number => Math.max(...found[i]!.map(read));
      const [sourceMs, targetMs] = [worst(({ sourceMs: ms }) => ms), worst(({ targetMs: ms }) => ms)];
      figures[`${value.name}, ${name}: longest ms at the source`] = sourceMs;
      figures[`${value.name}, ${name}: longest ms at the target`] = targetMs;
      const seconds = median(found[i]!.map((one) => one.seconds));
      rows.push([`${value.name}, ${name}`, seconds.toFixed(2), sourceMs.toFixed(1), targetMs.toFixed(1)]);
    }
  }
  return {
    title: `one value of ${elements} elements moves`,
    note: `longest wait of a client that sends PING to the source and of one that does to the target, milliseconds, of ${rounds}`,
    columns: ["", "seconds", "at the source", "at the target"],
    rows,
  };
}

async function steps(slots: number, rounds: number, figures: Record<string, number>): Promise<Table> {
  const rows: string[][] = [];
  for (const [name, start] of KINDS) {
    const costs: StepCosts[] = [];
    for (let round = 0; round < rounds; round++) costs.push(await stepCosts(start, slots));
    const took = STEPS.map((_, i) => median(costs.map(({ microseconds }) => microseconds[i]!)));
    const used = [0, 1, 2].map((i) => median(costs.map(({ processor }) => processor[i]!)));
    figures[`an empty slot, ${name}: µs`] = took.reduce((sum, us) => sum + us, 0);
    rows.push([name, ...[...took, ...used].map((us) => us.toFixed(0))]);
  }
  return {
    title: "what a slot costs beside its keys",
    note: `microseconds from request to reply, one after the other, and of processor time for a slot; ${slots} empty slots, medians of ${rounds}`,
    columns: ["", ...STEPS, "source cpu", "target cpu", "others cpu"],
    rows,
  };
}

export async function run({ isQuick, rounds }: Options): Promise<Findings> {
  const slots = isQuick ? SLOTS / QUICK : SLOTS;
  const elements = isQuick ? ELEMENTS / QUICK : ELEMENTS;
  const figures: Record<string, number> = {};
  const tables = [
    await steps(isQuick ? STEP_SLOTS / QUICK : STEP_SLOTS, rounds, figures),
    await speed(slots, rounds, figures),
    await underLoad(slots, rounds, figures),
    await hugeValues(elements, rounds, figures),
  ];
  return { tables, figures };
}
