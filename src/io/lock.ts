// A lock on a file between processes, held until it is released or the process ends, however it ends.
import { dlopen } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import { FaultDomain } from "./fault-domain.ts";

const LOCK_EXCLUSIVE = 2;
const LOCK_AT_ONCE = 4;
const LIBRARY = process.platform === "darwin" ? "libSystem.dylib" : "libc.so.6";

type Flock = (file: number, operation: number) => number;
let flock: Flock | undefined;

function loadFlock(): Flock {
  flock ??= dlopen(LIBRARY, { flock: { args: ["i32", "i32"], returns: "i32" } }).symbols.flock;
  return flock;
}

export interface FileLock {
  release(): void;
}

/** Locks a file, making it if need be. @returns undefined when somebody else holds it; throws the system's error. */
export function lockFile(path: string): FileLock | undefined {
  const file = openSync(path, "a", 0o644);
  if (loadFlock()(file, LOCK_EXCLUSIVE | LOCK_AT_ONCE) !== 0) {
    closeSync(file);
    return undefined;
  }
  const domain = FaultDomain.current;
  let isHeld = true;
  const release = (): void => {
    if (isHeld) closeSync(file); // a second time it may be somebody else's file
    isHeld = false;
    domain?.disown(resource);
  };
  const resource = { abort: release };
  domain?.own(resource);
  return { release };
}
