// What does a look-up cost in the engine's slot tables, beside a JavaScript Map of as many keys?
import { STATE_ARGC, STATE_ARGV, STATE_SLOT } from "../assembly/abi.ts";
import { bindCommand, engine } from "../src/engine/exports.ts";
import { Memory } from "../src/engine/memory.ts";
import { merge, runMicro } from "./micro.ts";
import type { Findings, Options } from "./report.ts";

/** Keys touched in one call. */
const SAMPLE = 1000;
const KEY_BYTES = 16;
const VALUE_BYTES = 64;

const encoder = new TextEncoder();

interface Filled {
  get(i: number): unknown;
  set(i: number): unknown;
}

function keyOf(i: number): string {
  return `key:${String(i).padStart(KEY_BYTES - 4, "0")}`;
}

/** Requests as the server runs them: argument table filled, slot computed, reply written to the arena. */
function fillEngine(count: number): Filled {
  const memory = new Memory({ seed: [1, 2, 3, 4] });
  memory.nowMs = 1;
  const { wasm } = memory;
  const keys = memory.alloc(count * KEY_BYTES);
  for (let i = 0; i < count; i++) encoder.encodeInto(keyOf(i), memory.bytes.subarray(keys + i * KEY_BYTES));
  const value = memory.alloc(VALUE_BYTES);
  memory.bytes.fill(120, value, value + VALUE_BYTES);
  const names = memory.alloc(8);
  const [get, set] = [bindCommand(wasm, engine.get), bindCommand(wasm, engine.set)];
  const prepare = (i: number, argc: number): void => {
    const key = keys + i * KEY_BYTES;
    const { u32 } = memory;
    const argv = u32[STATE_ARGV >>> 2]! >>> 2;
    u32[STATE_ARGC >>> 2] = argc;
    u32[argv] = names;
    u32[argv + 1] = 3;
    u32[argv + 2] = key;
    u32[argv + 3] = KEY_BYTES;
    u32[argv + 4] = value;
    u32[argv + 5] = VALUE_BYTES;
    u32[STATE_SLOT >>> 2] = wasm.slotOf(key, KEY_BYTES);
  };
  const filled = {
    get: (i: number): number => {
      prepare(i, 2);
      wasm.resetReply();
      return get();
    },
    set: (i: number): number => {
      prepare(i, 3);
      wasm.resetReply();
      return set();
    },
  };
  for (let i = 0; i < count; i++) if (filled.set(i) < 0) throw new Error("the engine refused a SET");
  return filled;
}

/** The Map at its best: keys are strings already, values are shared. */
function fillMap(count: number): Filled {
  const map = new Map<string, string>();
  const keys = Array.from({ length: count }, (_, i) => keyOf(i));
  const value = "x".repeat(VALUE_BYTES);
  for (const key of keys) map.set(key, value);
  return { get: (i) => map.get(keys[i]!), set: (i) => map.set(keys[i]!, value) };
}

/** The Map behind a socket: a key arrives as bytes and must become a string, a value must be copied to be kept. */
function fillMapFromBytes(count: number): Filled {
  const map = new Map<string, Buffer>();
  const bytes = Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.from(keyOf(i))));
  const value = Buffer.alloc(VALUE_BYTES, "x");
  const key = (i: number): string => bytes.toString("latin1", i * KEY_BYTES, (i + 1) * KEY_BYTES);
  const filled = {
    get: (i: number) => map.get(key(i)),
    set: (i: number) => map.set(key(i), Buffer.from(value)),
  };
  for (let i = 0; i < count; i++) filled.set(i);
  return filled;
}

export async function run(options: Options): Promise<Findings> {
  const count = options.isQuick ? 20_000 : 1_000_000;
  const stores = [
    ["Map, string keys", fillMap(count)],
    ["Map, keys and values as bytes", fillMapFromBytes(count)],
    ["engine", fillEngine(count)],
  ] as const;
  const all: Findings[] = [];
  for (const operation of ["get", "set"] as const) {
    let at = 0;
    const contenders = stores.map(([name, store]) => ({
      name,
      run: () => {
        // A stride that is prime to the count visits all keys, far from one another.
        let found = 0;
        for (let i = 0; i < SAMPLE; i++) {
          at = (at + 618_041) % count;
          if (store[operation](at) !== undefined) found++;
        }
        return found;
      },
    }));
    const note = `${count} keys of ${KEY_BYTES} bytes, values of ${VALUE_BYTES}; the engine's figure includes slot, arguments and reply`;
    all.push(
      await runMicro(
        { title: `table ${operation}`, note, operations: SAMPLE, unit: "key", contenders },
        options,
      ),
    );
  }
  return merge(all);
}
