// Collections in every form RDB files and DUMP payloads have had for them, written in the plainest way.
import { plainCrc64 } from "./rdbcodec.ts";

const latin = (text: string): number[] => [...Buffer.from(text, "latin1")];
const u16 = (value: number): number[] => [value & 255, (value >> 8) & 255];
const u32 = (value: number): number[] => [...u16(value & 65535), ...u16(value >>> 16)];

function length(value: number): number[] {
  if (value < 64) return [value];
  if (value < 16384) return [0x40 | (value >> 8), value & 255];
  return [0x80, (value >>> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}

export const string = (bytes: readonly number[]): number[] => [...length(bytes.length), ...bytes];
export const text = (value: string): number[] => string(latin(value));

const isSmallInteger = (value: string): boolean => /^(0|[1-9]\d?|1[01]\d|12[0-7])$/.test(value);

/** Elements up to 4095 bytes; integers of 0..127 as such, all others as text. */
export function listpack(elements: readonly string[]): number[] {
  const body = elements.flatMap((value) => {
    const bytes = latin(value);
    let element: number[];
    if (isSmallInteger(value)) element = [Number(value)];
    else if (bytes.length < 64) element = [0x80 | bytes.length, ...bytes];
    else element = [0xe0 | (bytes.length >> 8), bytes.length & 255, ...bytes];
    const size = element.length;
    return [...element, ...(size < 128 ? [size] : [size >> 7, 128 | (size & 127)])];
  });
  return [...u32(body.length + 7), ...u16(elements.length), ...body, 255];
}

/** Elements up to 16383 bytes; integers up to 12 in the head, up to 127 as a byte, all others as text. */
export function ziplist(elements: readonly string[]): number[] {
  const body: number[] = [];
  let before = 0;
  let last = 10;
  for (const value of elements) {
    const bytes = latin(value);
    let entry: number[];
    if (isSmallInteger(value)) entry = Number(value) <= 12 ? [0xf1 + Number(value)] : [0xfe, Number(value)];
    else if (bytes.length < 64) entry = [bytes.length, ...bytes];
    else entry = [0x40 | (bytes.length >> 8), bytes.length & 255, ...bytes];
    entry = [...(before < 254 ? [before] : [254, ...u32(before)]), ...entry];
    last = 10 + body.length;
    body.push(...entry);
    before = entry.length;
  }
  return [...u32(body.length + 11), ...u32(last), ...u16(elements.length), ...body, 255];
}

export function zipmap(pairs: readonly (readonly [string, string])[]): number[] {
  const counted = (bytes: number): number[] => (bytes < 254 ? [bytes] : [254, ...u32(bytes)]);
  const body = pairs.flatMap(([field, value], i) => {
    const unused = i % 3;
    return [
      ...counted(field.length),
      ...latin(field),
      ...counted(value.length),
      unused,
      ...latin(value),
      ...Array<number>(unused).fill(0),
    ];
  });
  return [Math.min(pairs.length, 254), ...body, 255];
}

/** Integers of 32 bits at most. */
export function intset(members: readonly string[]): number[] {
  const sorted = members.map(Number).toSorted((a, b) => a - b);
  return [...u32(4), ...u32(sorted.length), ...sorted.flatMap((value) => u32(value >>> 0))];
}

function double(value: number): number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...bytes];
}

function textDouble(value: number): number[] {
  if (value === Infinity) return [254];
  if (value === -Infinity) return [255];
  return [String(value).length, ...latin(String(value))];
}

const byScore = (pairs: readonly (readonly [string, number])[]): (readonly [string, number])[] =>
  pairs.toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));

const spelled = (value: number): string =>
  value === Infinity ? "inf" : value === -Infinity ? "-inf" : String(value);

/** Values, each the type's byte and what follows it. */
export function setForms(members: readonly string[]): number[][] {
  const forms = [
    [2, ...length(members.length), ...members.flatMap(text)],
    [20, ...string(listpack(members))],
  ];
  if (members.every((member) => /^\d+$/.test(member))) forms.push([11, ...string(intset(members))]);
  return forms;
}

export function hashForms(pairs: readonly (readonly [string, string])[]): number[][] {
  return [
    [4, ...length(pairs.length), ...pairs.flat().flatMap(text)],
    [9, ...string(zipmap(pairs))],
    [13, ...string(ziplist(pairs.flat()))],
    [16, ...string(listpack(pairs.flat()))],
  ];
}

export function zsetForms(pairs: readonly (readonly [string, number])[]): number[][] {
  const flat = byScore(pairs).flatMap(([member, score]) => [member, spelled(score)]);
  return [
    [
      3,
      ...length(pairs.length),
      ...pairs.flatMap(([member, score]) => [...text(member), ...textDouble(score)]),
    ],
    [5, ...length(pairs.length), ...pairs.flatMap(([member, score]) => [...text(member), ...double(score)])],
    [12, ...string(ziplist(flat))],
    [17, ...string(listpack(flat))],
  ];
}

export function listForms(elements: readonly string[]): number[][] {
  const half = elements.length >> 1;
  const halves = [elements.slice(0, half), elements.slice(half)].filter((part) => part.length > 0);
  return [
    [1, ...length(elements.length), ...elements.flatMap(text)],
    [10, ...string(ziplist(elements))],
    [14, ...length(halves.length), ...halves.flatMap((part) => string(ziplist(part)))],
    [18, ...length(halves.length), ...halves.flatMap((part) => [2].concat(string(listpack(part))))],
    [
      18,
      ...length(elements.length),
      ...elements.flatMap((element) =>
        element === "" ? [2, ...string(listpack([""]))] : [1, ...text(element)],
      ),
    ],
  ];
}

/** A DUMP payload around a value, its footer right whatever the value. */
export function payload(value: ArrayLike<number>, version = 10, checksum = plainCrc64): Uint8Array {
  const body = Uint8Array.from([...Array.from(value), version & 255, version >> 8]);
  const all = new Uint8Array(body.length + 8);
  all.set(body);
  new DataView(all.buffer).setBigUint64(body.length, checksum(0n, body), true);
  return all;
}
