// Sets against JavaScript's: small ones that pass between their encodings, big ones that pass through all forms of a
// table, and what memory they leave behind.
import { expect, test } from "bun:test";
import * as abi from "../../../assembly/abi.ts";
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
