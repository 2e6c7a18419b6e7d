// How many files the system lets this process have open at once; sockets are files too.
import { createRequire } from "node:module";

/** getrlimit's word for it: RLIMIT_NOFILE. */
const RESOURCE: Readonly<Record<string, number>> = { linux: 7, darwin: 8 };
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
  darwin: ["libSystem.dylib"],
};

type LimitCall = (resource: number, pair: BigUint64Array) => number;

interface Limits {
  readonly get: LimitCall;
  readonly set: LimitCall;
}

/** Undefined = not looked for yet, false = there is no way here. */
let limits: Limits | false | undefined;

function findLimits(): Limits | false {
  if (typeof Bun === "undefined") return false;
  const { dlopen, FFIType } = createRequire(import.meta.url)("bun:ffi") as typeof import("bun:ffi");
  const call = { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 };
  for (const library of LIBRARIES[process.platform] ?? []) {
    try {
      const { symbols } = dlopen(library, { getrlimit: call, setrlimit: call });
      return {
        get: symbols.getrlimit as unknown as LimitCall,
        set: symbols.setrlimit as unknown as LimitCall,
      };
    } catch {
      continue; // another C library, maybe
    }
  }
  return false;
}

/**
 * Asks the system to allow `wanted` open files where it allows fewer. Of what it refuses the most it grants is taken;
 * the hard limit is never lowered.
 * @returns how many it allowed before and allows now; undefined = there is no telling here
 */
export function allowOpenFiles(
  wanted: number,
): { readonly before: number; readonly now: number } | undefined {
  limits ??= findLimits();
  const resource = RESOURCE[process.platform];
  if (limits === false || resource === undefined) return undefined;
  const { get, set } = limits;
  const pair = new BigUint64Array(2); // what holds now, and how far it may be raised
  if (get(resource, pair) !== 0) return undefined;
  const [soft = 0n, hard = 0n] = pair;
  const grants = (count: bigint): boolean =>
    set(resource, BigUint64Array.of(count, count > hard ? count : hard)) === 0;
  let granted = soft;
  let refused = BigInt(wanted);
  if (refused <= granted) return { before: Number(soft), now: Number(soft) };
  if (grants(refused)) return { before: Number(soft), now: wanted };
  while (refused - granted > 1n) {
    const middle = (granted + refused) / 2n;
    if (grants(middle)) granted = middle;
    else refused = middle;
  }
  return { before: Number(soft), now: Number(granted) };
}
