// Giving memory back to the system that this process has mapped and needs no more: it reads as zeros when it is used
// again. WebAssembly memory cannot shrink, and this is the way around that, where the system and the runtime know it.
import { createRequire } from "node:module";

/** madvise's word for it: MADV_DONTNEED on Linux, MADV_FREE on macOS. */
const ADVICE: Readonly<Record<string, number>> = { linux: 4, darwin: 5 };
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
  darwin: ["libSystem.dylib"],
};
/** What the system's pages are aligned to; where they are larger still, it refuses. */
const SYSTEM_PAGE = process.platform === "darwin" && process.arch === "arm64" ? 16384 : 4096;

interface Advise {
  (address: number, length: number, advice: number): number;
}

/** Undefined = not looked for yet, false = there is no way here. */
let advise: Advise | false | undefined;
let addressOf: ((bytes: Uint8Array) => number) | undefined;

function findAdvise(): Advise | false {
  if (typeof Bun === "undefined") return false;
  const ffi = createRequire(import.meta.url)("bun:ffi") as typeof import("bun:ffi");
  const { FFIType } = ffi;
  addressOf = (bytes) => ffi.ptr(bytes);
  for (const library of LIBRARIES[process.platform] ?? []) {
    try {
      const args = [FFIType.u64, FFIType.u64, FFIType.i32];
      const { symbols } = ffi.dlopen(library, { madvise: { args, returns: FFIType.i32 } });
      return symbols.madvise as unknown as Advise;
    } catch {
      continue; // another C library, maybe
    }
  }
  return false;
}

/**
 * Gives back the memory behind a part of `bytes`, which holds zeros or anything at all afterwards.
 * @returns false = not possible here, now or ever
 */
export function givePages(bytes: Uint8Array, from: number, length: number): boolean {
  advise ??= findAdvise();
  if (advise === false || addressOf === undefined) return false;
  const base = addressOf(bytes);
  const start = Math.ceil((base + from) / SYSTEM_PAGE) * SYSTEM_PAGE;
  const end = Math.floor((base + from + length) / SYSTEM_PAGE) * SYSTEM_PAGE;
  if (start >= end) return true;
  if (advise(start, end - start, ADVICE[process.platform] ?? 0) !== 0) advise = false;
  return advise !== false;
}
