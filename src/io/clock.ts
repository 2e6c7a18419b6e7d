// Time, and waiting for it.
import { contained, FaultDomain } from "./fault-domain.ts";

/** Unix milliseconds. */
export function nowMs(): number {
  return Date.now();
}

/** Unix microseconds. */
export function nowUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** Microseconds of a clock that never goes back; only differences mean something. */
export function monotonicUs(): number {
  return performance.now() * 1000;
}

/** Holds this thread, and so everything in the process, for `ms` milliseconds. */
export function holdMs(ms: number): void {
  Bun.sleepSync(ms);
}

export interface Timer {
  stop(): void;
}

/** Calls `run` every `periodMs` milliseconds until stopped. */
export function every(periodMs: number, run: () => void): Timer {
  const timer = setInterval(contained(run), periodMs);
  return owned(() => clearInterval(timer));
}

/** The longest the runtime can wait at once: beyond, it would not wait at all. */
const LONGEST_MS = 2 ** 31 - 1;

/** Calls `run` once, `delayMs` milliseconds from now, unless stopped before. */
export function after(delayMs: number, run: () => void): Timer {
  let left = delayMs;
  let timer: ReturnType<typeof setTimeout>;
  const end = contained(() => {
    handle.stop();
    run();
  });
  const wait = (): void => {
    const part = Math.min(left, LONGEST_MS);
    left -= part;
    timer = setTimeout(left > 0 ? wait : end, part);
  };
  wait();
  const handle = owned(() => clearTimeout(timer));
  return handle;
}

/** A timer that ends with the domain it was begun in. */
function owned(clear: () => void): Timer {
  const domain = FaultDomain.current;
  if (domain === undefined) return { stop: clear };
  const resource = { abort: clear };
  domain.own(resource);
  return {
    stop: () => {
      clear();
      domain.disown(resource);
    },
  };
}

/** Resolves `ms` milliseconds from now. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    after(ms, resolve);
  });
}

/** Calls `run` as soon as what is ready now has been dealt with. */
export function soon(run: () => void): void {
  setImmediate(contained(run));
}
