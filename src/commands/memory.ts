// MEMORY: what keys and the server cost.
import type { Args } from "../engine/args.ts";
import { ReplyError, SYNTAX } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { MemoryFacts } from "./administration.ts";
import { integerAt } from "./arguments.ts";
import type { Context } from "./context.ts";
import { writeHelp } from "./help.ts";

/** Blocks given back by one call into the engine. */
const PURGE_BLOCKS = 100_000;
const NOT_PURGED = new ReplyError(
  "ERR this system takes no memory back from the engine; it is used again instead",
);
/** Elements of a big value that MEMORY USAGE looks at, if not told otherwise. */
const USUAL_SAMPLES = 5;

export function usage(ctx: Context, args: Args, reply: Reply): void {
  let samples = USUAL_SAMPLES;
  for (let i = 3; i < args.count; i += 2) {
    if (!args.is(i, "SAMPLES") || i + 1 >= args.count) throw SYNTAX;
    const given = integerAt(args, i + 1);
    if (given < 0n) throw SYNTAX;
    samples = Number(given);
  }
  const bytes = ctx.keys.memoryUsage(args.at(2), samples);
  if (bytes === undefined) reply.null();
  else reply.integer(bytes);
}

export function stats(ctx: Context, _args: Args, reply: Reply): void {
  const facts = ctx.server.admin.memoryFacts();
  const databases = databasesInUse(ctx);
  const keys = databases.reduce((sum, { size }) => sum + size, 0);
  const integers = counts(facts, keys);
  const ratios = shares(facts);
  reply.map(integers.length + databases.length + ratios.length);
  for (const [name, value] of integers.slice(0, 10)) {
    reply.bulk(name);
    reply.integer(value);
  }
  for (const { index } of databases) {
    // Tables and expiries lie in the same memory as keys and values: what they cost is in overhead.total.
    reply.bulk(`db.${index}`);
    reply.map(3);
    for (const name of [
      "overhead.hashtable.main",
      "overhead.hashtable.expires",
      "overhead.hashtable.slot-to-keys",
    ]) {
      reply.bulk(name);
      reply.integer(0);
    }
  }
  for (const [name, value] of integers.slice(10)) {
    reply.bulk(name);
    reply.integer(value);
  }
  for (const [name, value] of ratios) {
    reply.bulk(name);
    reply.double(String(value));
  }
}

function databasesInUse(ctx: Context): { index: number; size: number }[] {
  const all = Array.from({ length: ctx.server.databaseCount }, (_, index) => index);
  return all.map((index) => ({ index, size: ctx.keys.size(index) })).filter(({ size }) => size > 0);
}

function counts(facts: MemoryFacts, keys: number): readonly (readonly [string, number])[] {
  const { used, startup, overhead } = facts;
  return [
    ["peak.allocated", Math.max(facts.peak, used)],
    ["total.allocated", used],
    ["startup.allocated", startup],
    ["replication.backlog", facts.backlog],
    ["clients.slaves", facts.replicaBuffers],
    ["clients.normal", facts.clientBuffers],
    ["cluster.links", facts.clusterLinks],
    ["aof.buffer", 0],
    ["lua.caches", 0],
    ["functions.caches", 0],
    ["overhead.total", overhead],
    ["keys.count", keys],
    ["keys.bytes-per-key", keys === 0 ? 0 : Math.floor(Math.max(0, used - startup) / keys)],
    ["dataset.bytes", Math.max(0, used - overhead)],
    ["allocator.allocated", facts.engineUsed],
    ["allocator.active", facts.engineActive],
    ["allocator.resident", facts.engineResident],
    ["allocator-fragmentation.bytes", facts.engineActive - facts.engineUsed],
    ["rss-overhead.bytes", facts.resident - facts.engineResident],
    ["fragmentation.bytes", facts.resident - used],
  ];
}

function shares(facts: MemoryFacts): readonly (readonly [string, number])[] {
  const { used, startup, overhead, engineActive, engineResident, engineUsed, resident } = facts;
  const divide = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return [
    ["dataset.percentage", divide(Math.max(0, used - overhead), used - startup) * 100],
    ["peak.percentage", divide(used, Math.max(facts.peak, used)) * 100],
    ["allocator-fragmentation.ratio", divide(engineActive, engineUsed)],
    ["rss-overhead.ratio", divide(resident, engineResident)],
    ["fragmentation", divide(resident, used)],
  ];
}

/** Memory is fragmented when much of it is kept from the system but not in use. */
export function doctor(ctx: Context, _args: Args, reply: Reply): void {
  const { engineUsed, engineResident, engineReserved, machine, resident } = ctx.server.admin.memoryFacts();
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  const findings: string[] = [];
  if (engineResident > 64 * 2 ** 20 && engineResident > engineUsed * 1.5) {
    const lying = megabytes(engineResident - engineUsed);
    findings.push(
      `${lying} of the engine's memory hold nothing: keys were deleted. New ones use it again, or MEMORY PURGE gives it back.`,
    );
  }
  if (resident > machine * 0.9)
    findings.push(`The process holds ${megabytes(resident)}, nearly all the machine has.`);
  if (engineReserved > 3.5 * 2 ** 30) findings.push("The keyspace nears 4 GiB, the most one node can hold.");
  reply.verbatim(
    "txt",
    findings.length === 0 ? "No memory problem was found.\n" : `${findings.join("\n")}\n`,
  );
}

export function mallocStats(ctx: Context, _args: Args, reply: Reply): void {
  const { engineUsed, engineReserved } = ctx.server.admin.memoryFacts();
  reply.verbatim("txt", `engine: ${engineUsed} bytes in use of ${engineReserved} bytes of linear memory\n`);
}

/** What was deleted is given back wholly, and then what lies idle to the system. */
export function purge(ctx: Context, _args: Args, reply: Reply): void {
  while (ctx.keys.release(PURGE_BLOCKS)) continue;
  if (!ctx.server.admin.purgeMemory()) throw NOT_PURGED;
  reply.ok();
}

export function help(_ctx: Context, _args: Args, reply: Reply): void {
  const lines = [
    ["DOCTOR", "Say what is amiss with memory, if anything."],
    ["MALLOC-STATS", "Show what the engine's allocator holds."],
    ["PURGE", "Give memory that holds nothing back to the system."],
    ["STATS", "Show where memory goes."],
    ["USAGE <key> [SAMPLES <count>]", "Tell the bytes a key takes, all of its value counted."],
  ] as const;
  writeHelp("MEMORY", lines, reply);
}
