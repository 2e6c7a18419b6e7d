// Sets against JavaScript's: small ones that pass between their encodings, big ones that pass through all forms of a
// table, and what memory they leave behind.
import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
import { OUT_OF_MEMORY } from "../../../src/resp/errors.ts";
import { type Random, seeded } from "../../support/random.ts";
import { bytesOf, Keyspace } from "../../support/keyspace.ts";

/** The bulk strings of a reply; the heads of arrays and sets are passed over. */
function bulks(reply: string | number): string[] {
  if (typeof reply === "number") throw new Error(`refused: ${reply}`);
  const found: string[] = [];
  for (let at = 0; at < reply.length;) {
    const end = reply.indexOf("\r\n", at);
    const length = Number(reply.slice(at + 1, end));
    if (reply[at] !== "$") at = end + 2;
    else {
      found.push(reply.slice(end + 2, end + 2 + length));
      at = end + length + 4;
    }
  }
  return found;
}

const sorted = (members: Iterable<string>): string[] => [...members].toSorted();
const integer = (value: number): string => `:${value}\r\n`;

function someMember(random: Random, range: number): string {
  const n = random.below(range);
  if (n % 50 === 0) return `${"long".repeat(80)}${n}`;
  if (n % 50 === 7)
    return random.pick(["", "x".repeat(254), "x".repeat(255), "-32769", "2147483648", String(2 ** 52)]);
  return n % 3 === 0 ? `m${n}` : String(n);
}

function check(space: Keyspace, key: string, model: ReadonlySet<string>): void {
  expect(space.run("scard", key)).toBe(integer(model.size));
  expect(sorted(bulks(space.run("smembers", key)))).toEqual(sorted(model));
}

/** Takes some out of the set and the model alike. */
function pop(space: Keyspace, key: string, model: Set<string>, count: number): void {
  const popped = bulks(space.run("spop", key, String(count)));
  expect(popped.length).toBe(Math.min(count, model.size));
  for (const member of popped) expect(model.delete(member)).toBe(true);
}

test.each([
  ["of a few", 30],
  ["in a block of buckets", 1500],
  ["in segments of buckets", 30_000],
])("a set does as a Set does: members %s", async (_, range) => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    space.memory.setU32(abi.STATE_SET_MAX_INTSET, 16);
    const model = new Set<string>();
    for (let phase = 0; phase < 6; phase++) {
      const adds = phase % 2 === 0 ? 0.8 : 0.1;
      for (let i = 0; i < range * 1.5; i++) {
        const member = someMember(random, range);
        const was = model.has(member);
        if (random.chance(adds)) {
          expect(space.run("sadd", "s", member)).toBe(integer(was ? 0 : 1));
          model.add(member);
        } else if (random.chance(0.9)) {
          expect(space.run("srem", "s", member)).toBe(integer(was ? 1 : 0));
          model.delete(member);
        } else pop(space, "s", model, random.below(3));
      }
      check(space, "s", model);
    }
    pop(space, "s", model, Math.floor(model.size / 3));
    check(space, "s", model);
    pop(space, "s", model, Math.max(0, model.size - 1));
    check(space, "s", model);
    space.run("del", "s");
    expect(space.keys.size()).toBe(0);
  });
});

test("several sets make what Sets make", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    space.memory.setU32(abi.STATE_SET_MAX_INTSET, 8);
    const names = ["a", "b", "c", "d"];
    const models = new Map(names.map((name) => [name, new Set<string>()]));
    const put = (name: string, found: Set<string>, reply: string | number): void => {
      expect(reply).toBe(integer(found.size));
      models.set(name, found);
    };
    for (let i = 0; i < 5000; i++) {
      const [to, first, ...rest] = Array.from({ length: random.between(2, 5) }, () => random.pick(names));
      const own = models.get(first!)!;
      const others = rest.map((name) => models.get(name)!);
      const union = others.reduce((all, set) => all.union(set), new Set(own));
      const shared = new Set([...own].filter((member) => others.every((set) => set.has(member))));
      const difference = new Set([...own].filter((member) => !others.some((set) => set.has(member))));
      random.weighted<void>([
        [1, () => space.memory.setU32(abi.STATE_SET_MAX_INTSET, random.pick([0, 1, 8, 512]))],
        [1, () => {
          if (own.size === 0 || first === to) return;
          space.keys.rename(bytesOf(first!), bytesOf(to!));
          models.set(to!, own);
          models.set(first!, new Set());
        }],
        [4, () => {
          const members = Array.from({ length: random.pick([1, 1, 2, 9]) }, () => someMember(random, 40));
          const target = models.get(to!)!;
          const isNew = random.chance(0.5);
          const changed = new Set(members.filter((member) => target.has(member) !== isNew)).size;
          expect(space.run(isNew ? "sadd" : "srem", to!, ...members)).toBe(integer(changed));
          for (const member of members) {
            if (isNew) target.add(member);
            else target.delete(member);
          }
        }],
        [2, () => pop(space, to!, models.get(to!)!, random.below(12))],
        [1, () => expect(sorted(bulks(space.run("sunion", first!, ...rest)))).toEqual(sorted(union))],
        [1, () => expect(sorted(bulks(space.run("sinter", first!, ...rest)))).toEqual(sorted(shared))],
        [1, () => expect(sorted(bulks(space.run("sdiff", first!, ...rest)))).toEqual(sorted(difference))],
        [1, () => put(to!, union, space.run("sunionstore", to!, first!, ...rest))],
        [1, () => put(to!, shared, space.run("sinterstore", to!, first!, ...rest))],
        [1, () => put(to!, difference, space.run("sdiffstore", to!, first!, ...rest))],
        [1, () => {
          const member = someMember(random, 40);
          const moves = models.get(first!)!.has(member);
          expect(space.run("smove", first!, to!, member)).toBe(integer(moves ? 1 : 0));
          if (!moves) return;
          models.get(first!)!.delete(member);
          models.get(to!)!.add(member);
        }],
      ]); // prettier-ignore
      for (const name of names) check(space, name, models.get(name)!);
    }
  });
});
test("full memory is refused before any change", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed, 5 * 2 ** 20);
    space.memory.setU32(abi.STATE_SET_MAX_INTSET, 100);
    const model = new Map<string, Set<string>>();
    const of = (key: string): Set<string> => model.get(key) ?? model.set(key, new Set()).get(key)!;
    let refused = 0;
    /** A reply, or the refusal; not even the request's arguments may find room. */
    const run = (...request: Parameters<typeof space.run>): string | number => {
      try {
        return space.run(...request);
      } catch (error) {
        if (error !== OUT_OF_MEMORY) throw error;
        return abi.REFUSED_OUT_OF_MEMORY;
      }
    };
    /** Notes what was done, unless it was refused. */
    const done = (reply: string | number, note: () => void): void => {
      if (typeof reply === "string") return note();
      expect(reply).toBe(abi.REFUSED_OUT_OF_MEMORY);
      refused++;
    };
    const long = "x".repeat(2000);
    for (let i = 0; i < 6000; i++) {
      const [a, b, c] = [`k${random.below(20)}`, `k${random.below(20)}`, `k${random.below(20)}`];
      const members = Array.from({ length: random.pick([1, 1, 20]) }, () =>
        random.chance(0.5)
          ? String(random.below(1e6))
          : `${long.slice(random.below(2000))}${random.below(1e6)}`,
      );
      random.weighted<void>([
        [6, () => done(run("sadd", a, ...members), () => members.forEach((member) => of(a).add(member)))],
        [1, () => done(run("sunionstore", a, b, c), () => model.set(a, of(b).union(of(c))))],
        [1, () => {
          const [member] = of(b);
          if (member === undefined) return;
          done(run("smove", b, a, member), () => {
            of(b).delete(member);
            of(a).add(member);
          });
        }],
        [1, () => {
          const reply = run("spop", a, String(random.below(30)));
          done(reply, () => bulks(reply).forEach((member) => expect(of(a).delete(member)).toBe(true)));
        }],
      ]); // prettier-ignore
    }
    expect(refused).toBeGreaterThan(100);
    space.memory.setF64(abi.STATE_MEMORY_LIMIT, 2 ** 30);
    for (const key of model.keys()) {
      expect(space.run("scard", key)).toBe(integer(of(key).size));
      for (const member of of(key)) expect(space.run("sismember", key, member)).toBe(integer(1));
    }
  });
});

test("a walk never misses a member that stays, while others come and go", async () => {
  await seeded((random) => {
    const space = new Keyspace(random.seed);
    const crowd = random.pick([500, 8000]);
    const stays = Array.from({ length: 200 }, (_, i) => `stay${i}`);
    space.run("sadd", "s", ...stays);
    let edge = 0;
    let grows = true;
    const seen = new Set<string>();
    let cursor = "0";
    do {
      const [next, ...shown] = bulks(space.run("sscan", "s", cursor, "count", String(random.between(1, 20))));
      cursor = next!;
      for (const member of shown) seen.add(member);
      for (let i = 0; i < 100; i++) {
        if (grows) space.run("sadd", "s", `m${edge++}`);
        else space.run("srem", "s", `m${--edge}`);
        if (edge <= 0 || edge >= crowd) grows = edge <= 0;
      }
    } while (cursor !== "0");
    expect(stays.filter((member) => !seen.has(member))).toEqual([]);
  });
});

test("every member is drawn about as often as any other", () => {
  const space = new Keyspace(9);
  for (let i = 0; i < 100; i++) space.run("sadd", "s", `m${i}`);
  const drawn = new Map<string, number>();
  for (let i = 0; i < 1000; i++) {
    for (const member of bulks(space.run("srandmember", "s", i % 2 === 0 ? "-100" : "60")))
      drawn.set(member, (drawn.get(member) ?? 0) + 1);
  }
  expect(drawn.size).toBe(100);
  // 500 times by hundreds and 500 times by sixties: 800 expected, deviation about 25; seven of them.
  for (const [member, count] of drawn) expect([member, Math.abs(count - 800) < 175]).toEqual([member, true]);
});

test("what a set of 200 000 took is given back when they go", () => {
  const space = new Keyspace(7);
  space.put("other", "x");
  // The request at hand takes room as well.
  space.run("srem", "s", "member:199999");
  const before = space.memory.usedBytes;
  for (let i = 0; i < 200_000; i++) space.run("sadd", "s", `member:${i}`);
  for (let i = 0; i < 199_990; i++) space.run("srem", "s", `member:${i}`);
  expect(space.memory.usedBytes - before).toBeLessThan(4096);
  for (let i = 199_990; i < 200_000; i++) space.run("srem", "s", `member:${i}`);
  expect(space.memory.usedBytes).toBe(before);
});
