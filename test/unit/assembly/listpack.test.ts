// Listpacks against arrays, and against the bytes redis-server's DUMP holds for the same elements.
import { expect, test } from "bun:test";
import { compileParts } from "../../support/parts.ts";
import { seeded, type Random } from "../../support/random.ts";

const SCRATCH = 0x10_0000;
const LISTPACK = 0x40_0000;
/** More elements than any listpack here has: an index so near to it is sought from the end. */
const FAR = 1_000_000;

const parts = compileParts("listpack", "listpackelement", "listpackcheck");
parts.memory.grow(512);
const view = Buffer.from(parts.memory.buffer);
const part = {
  emptyListpack: (lp: number) => parts.call("emptyListpack", lp),
  findElement: (at: number, ptr: number, length: number, step: number) =>
    parts.call("findElement", at, ptr, length, step),
  listpackCount: (lp: number) => parts.call("listpackCount", lp),
  replaceBytes: (lp: number, at: number, had: number, size: number, more: number) =>
    parts.call("replaceBytes", lp, at, had, size, more),
  seekElement: (lp: number, index: number, count: number) => parts.call("seekElement", lp, index, count),
  skipElements: (at: number, count: number) => parts.call("skipElements", at, count),
  elementBytes: (at: number) => parts.call("elementBytes", at),
  elementSize: (ptr: number, length: number) => parts.call("elementSize", ptr, length),
  writeElement: (at: number, ptr: number, length: number) => parts.call("writeElement", at, ptr, length),
  isListpack: (lp: number, bytes: number) => parts.call("isListpack", lp, bytes) === 1,
  bytes: (lp: number) => view.readUInt32LE(lp),
  end: (lp: number) => lp + view.readUInt32LE(lp) - 1,
  /** The element that is `back` before the end. */
  fromEnd: (lp: number, back: number) => parts.call("seekElement", lp, FAR - back, FAR),
};

const INTEGERS = [
  "0", "1", "127", "128", "-1", "-128", "4095", "4096", "-4096", "-4097", "32767", "32768", "-32768", "-32769",
  "8388607", "8388608", "-8388608", "-8388609", "2147483647", "2147483648", "-2147483648", "-2147483649",
  "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-0", "01", "+1", " 1", "1.0", "-",
]; // prettier-ignore

const LENGTHS = [
  0, 1, 20, 62, 63, 64, 65, 123, 124, 125, 126, 127, 128, 4095, 4096, 16377, 16378, 16379, 16380, 16381, 16382,
  16383, 16384, 70_000,
]; // prettier-ignore

function someElement(random: Random): Buffer {
  return random.weighted<Buffer>([
    [5, () => Buffer.from(random.pick(INTEGERS))],
    [5, () => Buffer.from(String(random.between(-100_000, 100_000)))],
    [5, () => Buffer.from(`member:${random.below(1000)}`)],
    [2, () => random.bytes(random.below(200))],
    [0.4, () => random.bytes(random.pick(LENGTHS))],
  ]);
}

/** Puts elements in the place of `had` ones, as the file's opening comment says. */
function splice(index: number, had: number, elements: readonly Buffer[], count: number): void {
  const at = part.seekElement(LISTPACK, index, count);
  const hadBytes = part.skipElements(at, had) - at;
  let scratch = SCRATCH;
  const placed = elements.map((element) => {
    view.set(element, scratch);
    scratch += element.length;
    return { ptr: scratch - element.length, length: element.length };
  });
  const size = placed.reduce((sum, { ptr, length }) => sum + part.elementSize(ptr, length), 0);
  let to = part.replaceBytes(LISTPACK, at, hadBytes, size, elements.length - had);
  for (const { ptr, length } of placed) to = part.writeElement(to, ptr, length);
  expect(to).toBe(at + size);
}

function read(at: number): Buffer {
  parts.call("readText", at);
  const ptr = parts.global("elementPtr");
  return Buffer.from(view.subarray(ptr, ptr + parts.global("elementLength")));
}

function check(model: readonly Buffer[]): void {
  const found: Buffer[] = [];
  const end = part.end(LISTPACK);
  let at = LISTPACK + 6;
  const places = [at];
  for (; at < end; at += part.elementBytes(at), places.push(at)) found.push(read(at));
  expect(Buffer.concat(found).equals(Buffer.concat(model))).toBe(true);
  expect(found.length).toBe(model.length);
  expect(at).toBe(end);
  places.toReversed().forEach((place, back) => expect(part.fromEnd(LISTPACK, back)).toBe(place));
  expect(part.listpackCount(LISTPACK)).toBe(model.length);
  expect(part.isListpack(LISTPACK, part.bytes(LISTPACK))).toBe(true);
}

test("a listpack does as an array does", async () => {
  await seeded((random) => {
    part.emptyListpack(LISTPACK);
    const model: Buffer[] = [];
    for (let i = 0; i < 4000; i++) {
      const index = random.below(model.length + 1);
      const had = random.chance(model.length / 150) ? random.below(Math.min(5, model.length - index + 1)) : 0;
      const elements = Array.from({ length: random.below(3) }, () => someElement(random));
      splice(index, had, elements, model.length);
      model.splice(index, had, ...elements);
      if (i % 20 === 0) check(model);
      const sought = random.chance(0.8) && model.length > 0 ? random.pick(model) : someElement(random);
      view.set(sought, SCRATCH);
      const step = random.between(1, 2);
      const expected = model.findIndex((one, n) => n % step === 0 && one.equals(sought));
      if (step === 1 || model.length % 2 === 0) {
        const found = part.findElement(LISTPACK + 6, SCRATCH, sought.length, step);
        expect(found).toBe(expected < 0 ? 0 : part.seekElement(LISTPACK, expected, model.length));
      }
    }
    check(model);
  });
});

test("lengths at the edges of every form", () => {
  part.emptyListpack(LISTPACK);
  const model = LENGTHS.map((length) => Buffer.alloc(length, "x"));
  model.forEach((one, i) => splice(i, 0, [one], i));
  check(model);
});

test("more elements than the header counts are walked", () => {
  part.emptyListpack(LISTPACK);
  view.write("7", SCRATCH);
  for (let i = 0; i < 70_000; i++) {
    part.writeElement(part.replaceBytes(LISTPACK, part.end(LISTPACK), 0, 2, 1), SCRATCH, 1);
  }
  expect(view.readUInt16LE(LISTPACK + 4)).toBe(65535);
  expect(part.listpackCount(LISTPACK)).toBe(70_000);
  splice(0, 10_000, [], 70_000);
  expect(part.listpackCount(LISTPACK)).toBe(60_000);
  expect(view.readUInt16LE(LISTPACK + 4)).toBe(60_000);
});

test("damaged bytes are refused, and nothing beyond them is read", async () => {
  await seeded((random) => {
    for (let i = 0; i < 3000; i++) {
      part.emptyListpack(LISTPACK);
      const elements = Array.from({ length: random.between(1, 6) }, () => someElement(random));
      splice(0, 0, elements, 0);
      const bytes = part.bytes(LISTPACK);
      if (bytes > 5000) continue;
      const good = Buffer.from(view.subarray(LISTPACK, LISTPACK + bytes));
      const bad = Buffer.from(good);
      for (let n = random.between(1, 3); n > 0; n--) bad[random.below(bytes)] = random.below(256);
      // At the very end of memory, so that a read beyond it would trap.
      const at = parts.memory.buffer.byteLength - bytes;
      view.set(bad, at);
      const accepted = part.isListpack(at, bytes);
      if (bad.equals(good)) expect(accepted).toBe(true);
      if (!accepted) continue;
      // What is accepted can be walked both ways.
      let here = at + 6;
      const places: number[] = [];
      for (; view[here] !== 255; here += part.elementBytes(here)) places.push(here);
      expect(here).toBe(at + bytes - 1);
      places.toReversed().forEach((place, before) => expect(part.fromEnd(at, before + 1)).toBe(place));
    }
  });
});

test("bytes are what DUMP of redis-server holds", () => {
  // RPUSH list 1 -1 127 128 4096 -32769 2147483648 abc <64 x> "": payload without type, lengths and footer.
  const model = ["1", "-1", "127", "128", "4096", "-32769", "2147483648", "abc", "x".repeat(64), ""];
  part.emptyListpack(LISTPACK);
  splice(0, 0, model.map((text) => Buffer.from(text)), 0); // prettier-ignore
  expect(view.subarray(LISTPACK, LISTPACK + part.bytes(LISTPACK)).toString("hex")).toBe(
    "6e0000000a000101dfff027f01c08002f1001003f2ff7fff04f400000080000000000983616263" +
      `04e040${"78".repeat(64)}428001ff`,
  );
});
