// The debug engine's exports as everybody calls them, with a check behind each that may have changed a value.
import { engine, type Exports } from "./exports.ts";

/** What only the debug engine has. */
export interface Checks {
  /** Of the keys that arguments of the request at hand name. */
  checkRequest(): void;
  /** Of one key of the selected database. */
  checkKey(key: number, length: number): void;
  /** Of some keys, the next ones with each call. */
  checkSome(): void;
  /** Of all there is. */
  checkAll(): void;
}

/** Calls that change the keys they are given; where in their parameters each one's address is, its length behind it. */
const BY_KEY: Readonly<Record<string, readonly number[]>> = {
  setString: [0],
  setField: [0],
  setExpiry: [0],
  setList: [0],
  collectionOf: [0],
  moveKey: [0],
  renameKey: [0, 2],
  copyKey: [0, 3],
};

/** Calls that may change any key. */
const IN_THE_BACKGROUND = new Set([
  "defrag",
  "evict",
  "expireCycle",
  "flushSlot",
  "rdbStore",
  "releaseWaiting",
]);

type Call = (...args: number[]) => unknown;

/** Throws, from the call at fault, an error that names the assertion and its place in assembly/. */
export function checked(exports: Exports): Exports {
  const checks = exports as Exports & Checks;
  const commands = new Set<string>(Object.values(engine).map((command) => command.export));
  const all = Object.entries(exports).map(([name, value]): [string, unknown] => {
    if (typeof value !== "function") return [name, value];
    const call = value as Call;
    if (commands.has(name)) return [name, followed(call, () => checks.checkRequest())];
    if (IN_THE_BACKGROUND.has(name)) return [name, followed(call, () => checks.checkSome())];
    const keys = BY_KEY[name];
    if (keys === undefined) return [name, call];
    return [name, followed(call, (args) => keys.forEach((at) => checks.checkKey(args[at]!, args[at + 1]!)))];
  });
  return Object.fromEntries(all) as unknown as Exports;
}

function followed(call: Call, check: (args: readonly number[]) => void): Call {
  return (...args) => {
    const result = call(...args);
    check(args);
    return result;
  };
}

/** What the debug engine calls when an assertion does not hold: places are addresses of text in its memory. */
export function failedAssertion(bytes: Uint8Array, message: number, file: number, line: number): Error {
  return new Error(`engine assertion: ${textAt(bytes, message)} (${textAt(bytes, file)}:${line})`);
}

/** AssemblyScript's strings are UTF-16, their length in bytes before them. */
function textAt(bytes: Uint8Array, ptr: number): string {
  if (ptr === 0) return "it does not hold";
  const view = new DataView(bytes.buffer);
  return new TextDecoder("utf-16le").decode(bytes.subarray(ptr, ptr + view.getUint32(ptr - 4, true)));
}
