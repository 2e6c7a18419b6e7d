// Processes of our own making.
import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";

/** How a process ended: with a code, by a signal, or it never began. */
export type Ending = { readonly code: number } | { readonly signal: string } | { readonly reason: string };

/** Set in the environment of a child: its standard input is a pipe that ends when the process that made it does. */
const TETHERED = "SLOTMESH_TETHERED";

export interface Child {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Never rejects. */
  readonly ended: Promise<Ending>;
  /** Does nothing once the process has ended. */
  signal(name: "SIGTERM" | "SIGKILL"): void;
}

/**
 * Starts a process that leads a group of its own, so that a ctrl-C meant for this process does not reach it too.
 * @param command program and arguments
 * @param logPath what it prints is appended to this file. Throws the system's error when that cannot be opened.
 */
export function startChild(command: readonly string[], logPath: string): Child {
  const [program = "", ...args] = command;
  const log = openSync(logPath, "a");
  try {
    const child = spawn(program, args, {
      stdio: ["pipe", log, log],
      detached: true,
      env: { ...process.env, [TETHERED]: "1" },
    });
    child.stdin?.on("error", () => {}); // nothing is ever written to it
    const ended = new Promise<Ending>((resolve) => {
      child.once("error", (error) => resolve({ reason: error.message }));
      child.once("exit", (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
    });
    return {
      pid: child.pid,
      ended,
      signal(name) {
        if (child.exitCode === null && child.signalCode === null) child.kill(name);
      },
    };
  } finally {
    closeSync(log);
  }
}

/** In a child: calls `run` when the process that started it is gone, however it went. */
export function onAbandoned(run: () => void): void {
  if (process.env[TETHERED] === undefined) return;
  process.stdin.on("end", run);
  process.stdin.on("error", run);
  process.stdin.resume();
}

/** Runs a program to its end; what it prints goes to standard error. */
export function runToEnd([program = "", ...args]: readonly string[]): void {
  spawnSync(program, args, { stdio: ["ignore", 2, 2] });
}
