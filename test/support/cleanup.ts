// What a test began and must end, however it ends: processes, temporary directories.
// A test file takes a Scope for its lifetime; whatever is still running when the process leaves is killed then.
import { afterAll, setDefaultTimeout } from "bun:test";

export class Scope {
  #undo: (() => void | Promise<void>)[] = [];

  /** Remembers how to end something; the last begun is ended first. */
  defer(undo: () => void | Promise<void>): void {
    this.#undo.push(undo);
  }

  /** Ends everything; an undo that fails does not keep the others from running. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `clean-up failed: ${failures.map(String).join("; ")}`);
  }
}

/**
 * Real servers on a busy machine take their time; whatever a test waits for has a limit of its own below this one.
 * A test that runs into it has the processes of its whole file killed by bun.
 */
const TEST_LIMIT_MS = 60_000;

/** A scope that ends after the last test of the calling file or describe block. */
export function fileScope(): Scope {
  setDefaultTimeout(TEST_LIMIT_MS);
  const scope = new Scope();
  afterAll(() => scope.close(), 30_000);
  return scope;
}

const lastResorts = new Set<() => void>();
let listening = false;

/** Registers a synchronous last resort for the end of this process; call what it returns once it is not needed. */
export function atExit(lastResort: () => void): () => void {
  if (!listening) {
    listening = true;
    process.on("exit", runLastResorts);
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      process.once(signal, () => {
        runLastResorts();
        process.exit(code);
      });
    }
  }
  lastResorts.add(lastResort);
  return () => lastResorts.delete(lastResort);
}

function runLastResorts(): void {
  for (const lastResort of lastResorts) {
    try {
      lastResort();
    } catch {
      // Nothing is left to tell it to.
    }
  }
  lastResorts.clear();
}
