// The request decoder: each case whole, byte by byte and split at random, its bytes moved and the old ones spoilt in
// between. What is expected was taken from redis-server 7.0.15, which got the same bytes.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Decoder, INCOMPLETE, MALFORMED, REQUEST, type RequestMemory } from "../../../src/resp/decoder.ts";

/** Plain memory in place of WASM's; its argv table moves, and its old words are spoilt, each time it grows. */
class PlainMemory implements RequestMemory {
  readonly bytes = new Uint8Array(1 << 18);
  u32 = new Uint32Array(8);
  argv = 3;
  #room = 2;

  reserveArgv(count: number): boolean {
    if (count <= this.#room) return true;
    const argv = this.argv + 5;
    const words = new Uint32Array(argv + count * 2);
    words.set(this.u32.subarray(this.argv, this.argv + this.#room * 2), argv);
    this.u32.fill(0xffffffff);
    this.u32 = words;
    this.argv = argv;
    this.#room = count;
    return true;
  }

  /** What another client's request would do to the shared table. */
  spoilArgv(): void {
    this.u32.fill(0xeeeeeeee);
  }
}

interface Outcome {
  readonly requests: readonly (readonly string[])[];
  readonly error?: string;
}

interface Settings {
  readonly trusted?: boolean;
  readonly bulkLimit?: number;
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** Feeds the chunks as a connection would: what is not decoded moves elsewhere before the next chunk is added. */
function decode(chunks: readonly Uint8Array[], { trusted = true, bulkLimit }: Settings = {}): Outcome {
  const memory = new PlainMemory();
  const decoder = new Decoder();
  decoder.trusted = trusted;
  if (bulkLimit !== undefined) decoder.bulkLimit = bulkLimit;
  const requests: string[][] = [];
  const { bytes } = memory;
  let kept: Uint8Array = new Uint8Array(0);
  let base = 64;
  for (const chunk of chunks) {
    bytes.fill(0xdd, base, base + kept.length + chunk.length);
    base = base === 64 ? 117 : 64;
    memory.spoilArgv();
    bytes.set(kept, base);
    bytes.set(chunk, base + kept.length);
    const end = base + kept.length + chunk.length;
    decoder.resume(base);
    for (;;) {
      const found = decoder.next(memory, end);
      if (found === MALFORMED) return { requests, error: decoder.error };
      if (found === INCOMPLETE) break;
      expect(found).toBe(REQUEST);
      requests.push(argumentsOf(decoder, memory));
    }
    decoder.suspend(memory);
    kept = bytes.slice(decoder.keepFrom, end);
  }
  return { requests };
}

function argumentsOf(decoder: Decoder, memory: PlainMemory): string[] {
  return Array.from({ length: decoder.argc }, (_, i) => {
    const ptr = memory.u32[memory.argv + i * 2]!;
    return latin1(memory.bytes.subarray(ptr, ptr + memory.u32[memory.argv + i * 2 + 1]!));
  });
}

/** Cuts bytes where the numbers say; each is taken modulo what is left. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    if (at >= bytes.length) break;
    chunks.push(bytes.slice(at, at + length));
    at += length;
  }
  if (at < bytes.length) chunks.push(bytes.slice(at));
  return chunks;
}

const splits = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 });

function multibulk(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

const PING = ["PING"];
const LENGTH = "Protocol error: invalid multibulk length";
const BULK = "Protocol error: invalid bulk length";
const QUOTES = "Protocol error: unbalanced quotes in request";

type Case = readonly [input: string, requests: readonly (readonly string[])[], error?: string];

const cases: readonly Case[] = [
  // Multibulk.
  [multibulk("PING"), [PING]],
  [
    multibulk("SET", "key", "a value of more than ten bytes"),
    [["SET", "key", "a value of more than ten bytes"]],
  ],
  [multibulk(""), [[""]]],
  [multibulk("GET", "\0\r\n$3\xff"), [["GET", "\0\r\n$3\xff"]]],
  [multibulk("A", "1".repeat(99), "2".repeat(100)), [["A", "1".repeat(99), "2".repeat(100)]]],
  [multibulk("PING").repeat(7), Array.from({ length: 7 }, () => PING)],
  [multibulk("A", "b") + "PING\r\n" + multibulk("C"), [["A", "b"], PING, ["C"]]],
  // Counts that ask for nothing.
  ["*0\r\nPING\r\n", [PING]],
  ["*-1\r\nPING\r\n", [PING]],
  ["*-9223372036854775808\r\nPING\r\n", [PING]],
  // Bytes in place of a line's LF and of a bulk's CRLF are not looked at.
  ["*1\rx$4\rxPINGyy", [PING]],
  [`*1\r\n$4\r\nPINGxx${multibulk("PING")}`, [PING, PING]],
  // Counts and lengths that are none.
  ["*\r\n", [], LENGTH],
  ["*abc\r\n", [], LENGTH],
  ["*1 \r\n", [], LENGTH],
  ["*+1\r\n", [], LENGTH],
  ["*-0\r\n", [], LENGTH],
  ["*00\r\n", [], LENGTH],
  ["*1\n$4\r\nPING\r\n", [], LENGTH],
  ["*1xx$4\r\nPING\r\n", [], LENGTH],
  ["*2147483648\r\n", [], LENGTH],
  ["*9223372036854775808\r\n", [], LENGTH],
  ["*-9223372036854775809\r\n", [], LENGTH],
  ["*-9999999999999999999\r\n", [], LENGTH],
  ["*99999999999999999999\r\n", [], LENGTH],
  ["*1\r\n$-1\r\n", [], BULK],
  ["*1\r\n$\r\n", [], BULK],
  ["*1\r\n$04\r\nPING\r\n", [], BULK],
  ["*1\r\n$4x\r\nPING\r\n", [], BULK],
  ["*1\r\n$536870913\r\n", [], BULK],
  ["*1\r\n$18446744073709551617\r\n", [], BULK],
  [multibulk("PING") + "*1\r\n$-5\r\n", [PING], BULK],
  ["*1\r\n:1\r\n", [], "Protocol error: expected '$', got ':'"],
  ["*2\r\n$4\r\nECHO\r\nPING\r\n", [], "Protocol error: expected '$', got 'P'"],
  ["*1\r\n\r\n", [], "Protocol error: expected '$', got '\r'"],
  // A NUL hides the rest of its line for good.
  ["*1\0\r\n$4\r\nPING\r\n", []],
  ["PING\0\r\nPING\r\n", []],
  // Unfinished.
  ["*", []],
  ["*1\r", []],
  ["*2\r\n$4\r\nPING\r\n", []],
  ["*1\r\n$4\r\nPING\r", []],
  ["PING", []],
  // Inline.
  ["PING\r\n", [PING]],
  ["PING\n\n", [PING]],
  ["\r\n\r\n \t\r\nPING\r\n", [PING]],
  ["  SET  a\tb  \r\n", [["SET", "a", "b"]]],
  ["\x0bECHO x\r\n", [["ECHO", "x"]]],
  ["ECHO a\x0bb\r\n", [["ECHO", "a\x0bb"]]],
  ["ECHO a\x0cb\x0c c\r\n", [["ECHO", "a\x0cb\x0c", "c"]]],
  ["ECHO a\rb\r\n", [["ECHO", "a", "b"]]],
  ["ECHO \xff\x80\r\n", [["ECHO", "\xff\x80"]]],
  ['ECHO ""\r\n', [["ECHO", ""]]],
  ['""\r\nPING\r\n', [[""], PING]],
  ["ECHO \"a b\" 'c d'\r\n", [["ECHO", "a b", "c d"]]],
  ['ECHO a"b c"\r\n', [["ECHO", "ab c"]]],
  ['ECHO "a"\x0bb\r\n', [["ECHO", "a", "b"]]],
  ["ECHO 'a'\x0c\r\n", [["ECHO", "a"]]],
  ['ECHO "\\x41\\n\\q\\xZZ\\x4"\r\n', [["ECHO", "A\nqxZZx4"]]],
  ['ECHO "\\xFf\\x0a"\r\n', [["ECHO", "\xff\n"]]],
  ['ECHO "\\b\\a\\t\\r\\\\\\""\r\n', [["ECHO", '\b\x07\t\r\\"']]],
  ["ECHO 'a\\n\\'b\\\\c'\r\n", [["ECHO", "a\\n'b\\\\c"]]],
  ["ECHO 'a\\\\'\r\n", [], QUOTES],
  ["ECHO a\\nb\r\n", [["ECHO", "a\\nb"]]],
  ['ECHO "a\r\n', [], QUOTES],
  ['ECHO "a\\"\r\n', [], QUOTES],
  ["ECHO 'a\r\n", [], QUOTES],
  ['ECHO "a"b\r\n', [], QUOTES],
  ["ECHO 'a'\"b\"\r\n", [], QUOTES],
  ['PING\r\nECHO "', [PING]],
];

const shown = (input: string): string => JSON.stringify(input.length > 50 ? `${input.slice(0, 50)}…` : input);

for (const [input, requests, error] of cases) {
  const expected: Outcome = error === undefined ? { requests } : { requests, error };
  const bytes = bytesOf(input);
  test(`${shown(input)} whole, byte by byte and split`, () => {
    expect(decode([bytes])).toEqual(expected);
    expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
    fc.assert(
      fc.property(splits, (lengths) => expect(decode(cut(bytes, lengths))).toEqual(expected)),
      {
        numRuns: 40,
      },
    );
  });
}

const anyArgument = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
});

test("any pipeline of multibulks comes out as it went in, however it is split", () => {
  const requests = fc.array(fc.array(anyArgument, { minLength: 1, maxLength: 6 }), { maxLength: 6 });
  fc.assert(
    fc.property(requests, splits, (sent, lengths) => {
      const bytes = bytesOf(sent.map((args) => multibulk(...args)).join(""));
      expect(decode(cut(bytes, lengths))).toEqual({ requests: sent });
    }),
  );
});

test("any inline request in double quotes comes out as it went in, however it is split", () => {
  const quoted = (arg: string): string => {
    const body = Array.from(arg, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
    return `"${body.join("")}"`;
  };
  const requests = fc.array(fc.array(anyArgument, { minLength: 1, maxLength: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(requests, splits, (sent, lengths) => {
      const bytes = bytesOf(sent.map((args) => `${args.map(quoted).join(" ")}\r\n`).join(""));
      expect(decode(cut(bytes, lengths))).toEqual({ requests: sent });
    }),
  );
});

test("random bytes end in requests, a wait for more, or an error, and splitting them changes nothing", () => {
  const byte = fc.oneof(
    fc.constantFrom(..."*$-019\r\n\"'\\x \0"),
    fc.constant("\r\n"),
    fc.constant("*1\r\n$"),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 40 }), splits, (parts, lengths) => {
      const bytes = bytesOf(parts.join(""));
      expect(decode(cut(bytes, lengths))).toEqual(decode([bytes]));
    }),
    { numRuns: 2000 },
  );
});

test("requests of many arguments outgrow the argv table, also when they come in parts", () => {
  const args = Array.from({ length: 5000 }, (_, i) => `argument ${i}`);
  const bytes = bytesOf(multibulk(...args));
  expect(decode([bytes])).toEqual({ requests: [args] });
  expect(
    decode(
      cut(
        bytes,
        Array.from({ length: 200 }, () => 997),
      ),
    ),
  ).toEqual({ requests: [args] });
  expect(decode([bytesOf(`${args.map((arg) => `"${arg}"`).join(" ")}\r\n`)])).toEqual({ requests: [args] });
});

test("a line without an end is refused once it is longer than 64 KiB", () => {
  const fill = (head: string, length: number): Uint8Array[] =>
    cut(
      bytesOf(head + "1".repeat(length)),
      Array.from({ length: 40 }, () => 4096),
    );
  expect(decode(fill("", 65536))).toEqual({ requests: [] });
  expect(decode(fill("", 65537))).toEqual({ requests: [], error: "Protocol error: too big inline request" });
  expect(decode(fill("*", 65535))).toEqual({ requests: [] });
  const count = "Protocol error: too big mbulk count string";
  expect(decode(fill("*", 65536))).toEqual({ requests: [], error: count });
  const bulk = "Protocol error: too big bulk count string";
  expect(decode(fill("*1\r\n$", 65535))).toEqual({ requests: [] });
  expect(decode(fill("*1\r\n$", 65536))).toEqual({ requests: [], error: bulk });
});

test("the bulk limit is the longest bulk accepted", () => {
  const longest = "x".repeat(1000);
  expect(decode([bytesOf(multibulk(longest))], { bulkLimit: 1000 })).toEqual({ requests: [[longest]] });
  expect(decode([bytesOf(multibulk(`${longest}x`))], { bulkLimit: 1000 })).toEqual({
    requests: [],
    error: BULK,
  });
});

test("while a bulk is awaited, `wanted` counts from the first byte kept to the bulk's end", () => {
  const memory = new PlainMemory();
  const decoder = new Decoder();
  const whole = multibulk("SET", "key", "v".repeat(5000));
  memory.bytes.set(bytesOf(whole).subarray(0, 40), 200);
  decoder.resume(200);
  expect(decoder.next(memory, 240)).toBe(INCOMPLETE);
  expect(decoder.keepFrom).toBe(200);
  expect(decoder.wanted).toBe(whole.length);
});

test("who has not authenticated may send ten arguments of 16 KiB and no more", () => {
  const settings = { trusted: false };
  const ten = Array.from({ length: 10 }, () => "x");
  expect(decode([bytesOf(multibulk(...ten))], settings)).toEqual({ requests: [ten] });
  expect(decode([bytesOf(multibulk(...ten, "x"))], settings)).toEqual({
    requests: [],
    error: "Protocol error: unauthenticated multibulk length",
  });
  const big = "y".repeat(16384);
  expect(decode([bytesOf(multibulk(big))], settings)).toEqual({ requests: [[big]] });
  expect(decode([bytesOf(multibulk(`${big}y`))], settings)).toEqual({
    requests: [],
    error: "Protocol error: unauthenticated bulk length",
  });
});

test("a request tells whether its bytes are RESP already, and where they begin and end", () => {
  const memory = new PlainMemory();
  const decoder = new Decoder();
  const first = multibulk("A", "b");
  const bytes = bytesOf(`${first}PING\r\n`);
  memory.bytes.set(bytes, 100);
  decoder.resume(100);
  expect(decoder.next(memory, 100 + bytes.length)).toBe(REQUEST);
  expect([decoder.multibulk, decoder.start, decoder.at]).toEqual([true, 100, 100 + first.length]);
  expect(decoder.next(memory, 100 + bytes.length)).toBe(REQUEST);
  expect([decoder.multibulk, decoder.start, decoder.at]).toEqual([
    false,
    100 + first.length,
    100 + bytes.length,
  ]);
});

test("a table that cannot grow is an error of the request, not of the process", () => {
  const memory = new PlainMemory();
  memory.reserveArgv = () => false;
  const decoder = new Decoder();
  const bytes = bytesOf(multibulk("PING"));
  memory.bytes.set(bytes);
  decoder.resume(0);
  expect(decoder.next(memory, bytes.length)).toBe(MALFORMED);
  expect(decoder.error).toBe("Protocol error: too many arguments for memory");
});

test("what lies behind the bytes that came is not taken for the rest of a request", () => {
  const memory = new PlainMemory();
  const whole = "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n";
  for (let length = 0; length < whole.length; length++) {
    const decoder = new Decoder();
    memory.bytes.set(bytesOf(whole), 64); // an earlier chunk, longer than this one
    decoder.resume(64);
    expect(decoder.next(memory, 64 + length)).toBe(INCOMPLETE);
    expect(decoder.keepFrom).toBe(64);
    expect(decoder.next(memory, 64 + whole.length)).toBe(REQUEST);
    expect(argumentsOf(decoder, memory)).toEqual(["GET", "key"]);
  }
});

test("requests at the very end of memory", () => {
  const whole = "*1\r\n$4\r\nPING\r\n";
  for (let length = 1; length <= whole.length; length++) {
    const memory = new PlainMemory();
    const decoder = new Decoder();
    const from = memory.bytes.length - length;
    memory.bytes.set(bytesOf(whole.slice(0, length)), from);
    decoder.resume(from);
    expect(decoder.next(memory, memory.bytes.length)).toBe(length === whole.length ? REQUEST : INCOMPLETE);
  }
});
