// The server family: directives, the data as a whole, memory, the slow log, what INFO shows.
import type { Client } from "../support/client.ts";
import { Random } from "../support/random.ts";
import { plain, type Argument, type Reply } from "../support/resp.ts";
import { conformance } from "./harness/conformance.ts";
import { sameBytes, sameShape } from "./harness/compare.ts";
import type { Compare, Step } from "./harness/step.ts";
import { integer, key, mangle, mixCase, value } from "./harness/values.ts";

/** Directives whose defaults, ranges and texts are Redis's, and which may be set while the stream runs. Not cluster-announce-ip:
 * of its values we refuse those nodes.conf cannot hold. */
const DIRECTIVES = [
  "timeout", "tcp-keepalive", "hz", "active-expire-effort", "slowlog-max-len", "slowlog-log-slower-than", "loglevel",
  "latency-tracking", "latency-tracking-info-percentiles", "repl-backlog-ttl", "repl-timeout", "repl-backlog-size",
  "repl-ping-replica-period", "repl-ping-slave-period", "repl-diskless-sync-delay", "replica-priority",
  "slave-priority", "replica-announced", "replica-announce-ip", "replica-announce-port", "slave-announce-ip",
  "cluster-node-timeout", "cluster-migration-barrier", "cluster-require-full-coverage",
  "cluster-announce-hostname", "cluster-announce-port", "cluster-preferred-endpoint-type", "masterauth",
  "cluster-allow-reads-when-down", "cluster-replica-validity-factor", "cluster-link-sendbuf-limit",
  "client-output-buffer-limit", "client-query-buffer-limit", "proto-max-bulk-len", "maxclients", "protected-mode",
] as const; // prettier-ignore

/** Values that are wrong, or right, for some directive. */
const VALUES = [
  "", "yes", "NO", "maybe", "0", "1", "10", "-1", "500", "65536", "99999", "1.5", "0x10", "010", " 1", "1kb", "2MB",
  "1 gb", "3k", "5%", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "notice", "DEBUG", "ip",
  "hostname", "50 99.9", "101", "a b", "normal 0 0 0", "replica 1mb 1kb 10", "slave 2gb 1gb 60 pubsub 1 2 3",
  "normal 1", "master 1 1 1", "normal -1 0 0", "a_b", "node-1.example",
] as const; // prettier-ignore

/** maxclients, timeouts and limits so low that they would end the connection that asks. */
const DANGEROUS = new Set([
  "timeout",
  "maxclients",
  "client-query-buffer-limit",
  "proto-max-bulk-len",
  "protected-mode",
]);
const SAFE_FOR_DANGEROUS = ["maybe", "-1", "1.5", "x", "9223372036854775808"] as const;

/** What is neither where the value lies nor when it was used. */
const sameObject: Compare = (theirs, ours) => {
  const [a, b] = [theirs, ours].map(({ raw }) =>
    raw.toString().replace(/(at:0x|lru:|idle:)[0-9a-f]+/g, "$1"),
  );
  return a === b ? undefined : "the values are kept differently";
};

/** The same pairs in any order, in a map or in a flat list. */
const samePairs: Compare = (theirs, ours) => {
  const [a, b] = [pairsOf(theirs), pairsOf(ours)];
  if (a === undefined || b === undefined) return sameBytes(theirs, ours);
  return theirs.value.kind === ours.value.kind && a === b ? undefined : "other pairs";
};

function pairsOf({ value: reply }: Reply): string | undefined {
  const pairs: unknown[][] = [];
  if (reply.kind === "map") for (const [name, item] of reply.pairs) pairs.push([plain(name), plain(item)]);
  else if (reply.kind !== "array") return undefined;
  else for (let i = 0; i < reply.items.length; i += 2) pairs.push(reply.items.slice(i, i + 2).map(plain));
  return JSON.stringify(pairs.map((pair) => JSON.stringify(pair)).toSorted());
}

/** Redis takes an address no line could hold, and then cannot read its own nodes.conf; ours refuses it. */
const possible = (name: string): readonly string[] =>
  name.endsWith("-announce-ip") ? VALUES.filter((text) => !text.includes(" ")) : VALUES;

function setting(random: Random): [string, string] {
  const name = random.pick(DIRECTIVES);
  // The limits of this very connection stay far above what the stream sends.
  const limits =
    name === "client-output-buffer-limit"
      ? VALUES.filter((text) => !/normal -?[1-9]/.test(text))
      : possible(name);
  return [mixCase(random, name), random.pick(DANGEROUS.has(name) ? SAFE_FOR_DANGEROUS : limits)];
}

function configStep(random: Random): readonly [readonly Argument[], Compare?] {
  return random.weighted<readonly [readonly Argument[], Compare?]>([
    [20, () => [["CONFIG", "SET", ...setting(random)]]],
    [5, () => [["CONFIG", "SET", ...setting(random), ...setting(random)]]],
    [3, () => [["CONFIG", "SET", "hz", "10", random.pick(["nope", "hz", "port-x"]), "11"]]],
    [2, () => [["CONFIG", "SET", random.pick(["databases", "cluster-enabled", "dir", "logfile"]), "1"]]],
    [10, () => [["CONFIG", "GET", random.pick(DIRECTIVES)]]],
    [4, () => [["CONFIG", "GET", random.pick(["repl-*", "HZ", "slave-pri*", "*-percentiles", "nope", "cluster-announce-[h-i]*", "tcp-?eepalive"]), random.pick(DIRECTIVES)], samePairs]],
    [1, () => [["CONFIG", "RESETSTAT"]]],
    [1, () => [["CONFIG", "REWRITE"]]],
    [1, () => [["CONFIG", "NOSUCH"]]],
  ]); // prettier-ignore
}

/** The names of INFO's sections, in their order. */
function sections(...asked: string[]): Step {
  return {
    name: `INFO ${asked.join(" ")}`,
    find: async (client: Client) =>
      String(await client.ask("INFO", ...asked))
        .split("\r\n")
        .filter((line) => line.startsWith("#"))
        .join(),
  };
}

function serverStep(random: Random): Step {
  if (random.chance(0.03)) {
    const asked = ["server", "ALL", "default", "everything", "nope", "Keyspace", "commandstats", "cluster"];
    return sections(...Array.from({ length: random.below(3) }, () => random.pick(asked)));
  }
  const [args, compare] = random.weighted<readonly [readonly Argument[], Compare?]>([
    [30, () => configStep(random)],
    [8, () => [["SET", key(random), value(random)]]],
    [4, () => [["DBSIZE"]]],
    [1, () => [[random.pick(["FLUSHALL", "FLUSHDB"]), ...random.pick([[], ["ASYNC"], ["sync"], ["NOW"], ["SYNC", "ASYNC"]])]]],
    [2, () => [["TIME"], sameShape]],
    [3, () => [["MEMORY", "USAGE", key(random), ...random.pick([[], ["SAMPLES", integer(random)], ["SAMPLES"], ["X", "1"]])], sameShape]],
    [1, () => [["MEMORY", random.pick(["NOSUCH", "USAGE", ""])]]],
    [2, () => [["SLOWLOG", "GET", random.pick(["-2", "x", "0"]), ...random.pick([[], ["1"]])]]],
    [1, () => [["SLOWLOG", random.pick(["RESET", "NOSUCH"])]]],
    [3, () => [["DEBUG", random.pick(["OBJECT", "NOSUCH"]), key(random)], sameObject]],
    [1, () => [["DEBUG", "SLEEP", random.pick(["0", "x", "0.001"])]]],
    [2, () => [["LATENCY", ...random.pick([["LATEST"], ["HISTORY", "x"], ["GRAPH", "x"], ["RESET"], ["RESET", "x"], ["NOSUCH"], ["HISTOGRAM", "nosuch"]])]]],
    [1, () => [["SHUTDOWN", ...random.pick([["ABORT"], ["ABORT", "NOW"], ["SAVE", "NOSAVE"], ["LATER"]])]]],
    [1, () => [["SWAPDB", random.pick(["0", "1", "x", "99"]), random.pick(["0", "1", "x", "-1"])]]],
    [1, () => [["LOLWUT", "VERSION", random.pick(["x", "1.5"])]]],
  ]); // prettier-ignore
  const sent = compare === undefined ? mangleUnlessDeadly(random, args) : args;
  return { args: sent, ...(compare === undefined ? {} : { compare }) };
}

/** SHUTDOWN without its wrong words would end both servers; LATENCY HISTOGRAM without any tells real times. */
function mangleUnlessDeadly(random: Random, args: readonly Argument[]): readonly Argument[] {
  const kept = ["SHUTDOWN", "CONFIG", "MEMORY", "SLOWLOG", "DEBUG", "LATENCY"];
  return kept.includes(String(args[0])) ? args : mangle(random, args);
}

conformance("server", serverStep);
