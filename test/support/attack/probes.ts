// What is asked of a value that was restored: that it holds what it says it holds, by every way there is to read it, and
// that every command which changes it leaves it so.
import type { InProcess } from "../inprocess.ts";
import type { Random } from "../random.ts";
import type { Argument, Value } from "../resp.ts";

/** Values of more elements are only asked for some of them. */
const MOST_ASKED = 12;

class Probe {
  constructor(
    private readonly at: InProcess,
    readonly key: Argument,
  ) {}

  ask(name: string, ...rest: readonly Argument[]): Value {
    return this.at.run(name, this.key, ...rest).reply.value;
  }

  text(name: string, ...rest: readonly Argument[]): string | undefined {
    const value = this.ask(name, ...rest);
    if (value.kind === "bulk") return value.bytes.toString("latin1");
    return "text" in value ? value.text : undefined;
  }

  list(name: string, ...rest: readonly Argument[]): Buffer[] {
    const value = this.ask(name, ...rest);
    if (value.kind !== "array") throw new Error(`${name}: ${JSON.stringify(value)}`);
    return value.items.map((item) => (item.kind === "bulk" ? item.bytes : Buffer.from("?")));
  }

  same(what: string, one: unknown, other: unknown): void {
    if (String(one) !== String(other)) throw new Error(`${what}: ${String(one)} is not ${String(other)}`);
  }
}

const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const isDistinct = (all: readonly Uint8Array[]): boolean => new Set(all.map(latin)).size === all.length;

function checkList(probe: Probe): void {
  const all = probe.list("LRANGE", 0, -1);
  probe.same("LLEN", probe.text("LLEN"), all.length);
  for (let i = 0; i < Math.min(all.length, MOST_ASKED); i++) {
    probe.same("LINDEX", probe.text("LINDEX", i), latin(all[i]!));
    probe.same("LINDEX", probe.text("LINDEX", -1 - i), latin(all[all.length - 1 - i]!));
  }
}

function checkSet(probe: Probe): void {
  const all = probe.list("SMEMBERS");
  probe.same("SCARD", probe.text("SCARD"), all.length);
  probe.same("members are distinct", isDistinct(all), true);
  for (const member of all.slice(0, MOST_ASKED))
    probe.same("SISMEMBER", probe.text("SISMEMBER", member), "1");
}

function checkHash(probe: Probe): void {
  const all = probe.list("HGETALL");
  probe.same("HLEN", Number(probe.text("HLEN")) * 2, all.length);
  const fields = all.filter((_, i) => i % 2 === 0);
  probe.same("fields are distinct", isDistinct(fields), true);
  for (let i = 0; i < Math.min(all.length, MOST_ASKED); i += 2)
    probe.same("HGET", probe.text("HGET", all[i]!), latin(all[i + 1]!));
}

function checkScored(probe: Probe): void {
  const all = probe.list("ZRANGE", 0, -1, "WITHSCORES");
  probe.same("ZCARD", Number(probe.text("ZCARD")) * 2, all.length);
  const members = all.filter((_, i) => i % 2 === 0);
  const scores = all
    .filter((_, i) => i % 2 === 1)
    .map((score) => Number(latin(score).replace("inf", "Infinity")));
  probe.same("members are distinct", isDistinct(members), true);
  for (let i = 0; i < members.length; i++) {
    probe.same("a score is a number", Number.isNaN(scores[i]), false);
    if (i === 0) continue;
    const isSorted =
      scores[i - 1]! < scores[i]! ||
      (scores[i - 1] === scores[i] && Buffer.compare(members[i - 1]!, members[i]!) < 0);
    probe.same("members are in order", isSorted, true);
  }
  for (let i = 0; i < Math.min(members.length, MOST_ASKED); i++) {
    probe.same("ZSCORE", probe.text("ZSCORE", members[i]!), latin(all[i * 2 + 1]!));
    probe.same("ZRANK", probe.text("ZRANK", members[i]!), i);
  }
  const byScore = probe.list("ZRANGEBYSCORE", "-inf", "+inf");
  probe.same("ZRANGEBYSCORE", byScore.map(latin), members.map(latin));
  const back = probe.list("ZREVRANGE", 0, -1).toReversed();
  probe.same("ZREVRANGE", back.map(latin), members.map(latin));
}

/** Reads all of a value in several ways, which must agree; and a copy by DUMP and RESTORE must be the same value. */
export function checkValue(at: InProcess, key: Argument): void {
  const probe = new Probe(at, key);
  const type = probe.text("TYPE");
  if (type === "list") checkList(probe);
  else if (type === "set") checkSet(probe);
  else if (type === "hash") checkHash(probe);
  else if (type === "zset") checkScored(probe);
  else if (type === "string") probe.same("STRLEN", probe.text("STRLEN"), probe.text("GET")?.length);
  if (type === "none") return;
  const dumped = probe.ask("DUMP");
  if (dumped.kind !== "bulk") throw new Error("DUMP gave nothing");
  const restored = at.run("RESTORE", "k3", 0, dumped.bytes, "REPLACE").reply.value;
  if (restored.kind !== "simple") throw new Error("what was dumped cannot be restored");
  probe.same("a copy", contents(at, "k3", type), contents(at, key, type));
}

function contents(at: InProcess, key: Argument, type: string | undefined): string {
  const probe = new Probe(at, key);
  if (type === "string") return probe.text("GET") ?? "";
  if (type === "list") return probe.list("LRANGE", 0, -1).map(latin).join(",");
  if (type === "zset") return scored(probe.list("ZRANGE", 0, -1, "WITHSCORES").map(latin)).join(",");
  const all = probe.list(type === "set" ? "SMEMBERS" : "HGETALL").map(latin);
  return all.toSorted().join(",");
}

/** A score of -0 becomes 0 where what is loaded becomes a listpack, as in redis-server. */
function scored(cells: readonly string[]): string[] {
  return cells.map((text, i) => (i % 2 === 1 && text === "-0" ? "0" : text));
}

type Use = (random: Random, known: Argument, text: Argument) => readonly Argument[];
const some = (random: Random): number => random.between(-6, 6);
const many = (random: Random): number => random.pick([1, 2, 3, 10, 100]);

const USES: Readonly<Record<string, readonly Use[]>> = {
  string: [
    (_r, _k, text) => ["APPEND", "k", text],
    (r, _k, text) => ["SETRANGE", "k", r.below(50), text],
    () => ["INCR", "k"],
    (r) => ["GETRANGE", "k", some(r), some(r)],
    () => ["GETDEL", "k"],
  ],
  list: [
    (r) => ["LRANGE", "k", some(r), some(r)],
    (r) => ["LINDEX", "k", r.between(-200, 200)],
    (r, known, text) => ["LINSERT", "k", r.pick(["BEFORE", "AFTER"]), known, text],
    (r, known) => ["LREM", "k", some(r), known],
    (r) => ["LPOP", "k", many(r)],
    (r) => ["RPOP", "k", many(r)],
    (r, _k, text) => ["LPUSH", "k", text, r.below(1000)],
    (_r, _k, text) => ["RPUSH", "k", text, text],
    (r, _k, text) => ["LSET", "k", some(r), text],
    (r) => ["LTRIM", "k", r.below(4), some(r)],
    (r, known) => ["LPOS", "k", known, "RANK", r.pick([1, -1, 2]), "COUNT", 0],
    (r) => ["LMOVE", "k", r.pick(["k", "k2"]), r.pick(["LEFT", "RIGHT"]), r.pick(["LEFT", "RIGHT"])],
    () => ["SORT", "k", "ALPHA"],
  ],
  hash: [
    () => ["HGETALL", "k"],
    (_r, known, text) => ["HSET", "k", known, text],
    (_r, _k, text) => ["HSET", "k", text, text, `${String(text)}2`, 7],
    (_r, known) => ["HDEL", "k", known],
    (_r, known) => ["HINCRBY", "k", known, 1],
    (_r, known) => ["HSTRLEN", "k", known],
    (r) => ["HRANDFIELD", "k", some(r), "WITHVALUES"],
    (r) => ["HSCAN", "k", 0, "COUNT", many(r)],
    () => ["HKEYS", "k"],
    () => ["HVALS", "k"],
  ],
  set: [
    (_r, _k, text) => ["SADD", "k", text, 5, -7],
    (_r, known) => ["SREM", "k", known],
    (r) => ["SPOP", "k", many(r)],
    (r) => ["SRANDMEMBER", "k", some(r)],
    (r) => ["SSCAN", "k", 0, "COUNT", many(r)],
    (_r, known) => ["SMOVE", "k", "k2", known],
    () => ["SUNIONSTORE", "k2", "k", "k2"],
    () => ["SINTER", "k", "k2"],
    () => ["SORT", "k", "ALPHA", "DESC"],
  ],
  zset: [
    (r, known) => ["ZADD", "k", r.pick([1, "-inf", 2.5, 1e300]), known],
    (r, known, text) => ["ZADD", "k", r.below(100), text, r.below(100), known],
    (r, known) => ["ZINCRBY", "k", r.pick([1, -3.5, 1e10]), known],
    (_r, known) => ["ZREM", "k", known],
    (r) => ["ZPOPMIN", "k", many(r)],
    (r) => ["ZPOPMAX", "k", many(r)],
    (r) => ["ZREMRANGEBYRANK", "k", r.below(3), some(r)],
    (r) => ["ZREMRANGEBYSCORE", "k", r.below(3), r.pick(["(5", "+inf"])],
    () => ["ZRANGEBYLEX", "k", "-", "+"],
    (r) => ["ZRANDMEMBER", "k", some(r), "WITHSCORES"],
    (r) => ["ZSCAN", "k", 0, "COUNT", many(r)],
    (r) => ["ZCOUNT", "k", r.pick(["-inf", "(1"]), "+inf"],
    () => ["ZUNIONSTORE", "k2", 2, "k", "k2"],
    () => ["ZRANGESTORE", "k2", "k", 0, -1],
    () => ["SORT", "k", "ALPHA"],
  ],
};

const GENERAL: readonly Use[] = [
  () => ["COPY", "k", "k2", "REPLACE"],
  () => ["OBJECT", "ENCODING", "k"],
  () => ["DUMP", "k"],
  () => ["RENAME", "k", "k"],
  () => ["MEMORY", "USAGE", "k", "SAMPLES", 0],
  () => ["EXPIRE", "k", 100],
  () => ["PERSIST", "k"],
  () => ["SCAN", 0],
];

/** Something the value holds. */
function somethingIn(at: InProcess, type: string): Buffer {
  const probe = new Probe(at, "k");
  const all =
    type === "list"
      ? probe.list("LRANGE", 0, 20)
      : type === "zset"
        ? probe.list("ZRANGE", 0, 20)
        : type === "set"
          ? probe.list("SRANDMEMBER", 5)
          : type === "hash"
            ? probe.list("HRANDFIELD", 5)
            : [];
  return all[Math.floor(all.length / 2)] ?? Buffer.from("none");
}

/** Uses a value by some commands of its type, looking at it now and then. */
export function useValue(at: InProcess, key: string, random: Random): void {
  const count = random.between(3, 10);
  for (let i = 0; i < count; i++) {
    const type = new Probe(at, key).text("TYPE") ?? "none";
    const uses = USES[type];
    if (uses === undefined) return;
    const text = random.weighted<Argument>([
      [3, () => String(random.between(-500, 500))],
      [3, () => `t${random.below(100)}`],
      [1, () => "q".repeat(random.pick([63, 64, 65, 200, 1100, 5000]))],
    ]);
    const use = random.pick(random.chance(0.85) ? uses : GENERAL);
    at.run(...use(random, somethingIn(at, type), text));
    if (random.chance(0.15)) checkValue(at, key);
  }
  checkValue(at, key);
}
