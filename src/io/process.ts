// The process itself: what it is, what it costs, how it ends.
import { readFileSync } from "node:fs";
import { constants, networkInterfaces, release, type as systemName, machine } from "node:os";
import { fromUnicode, toUnicode } from "../resp/byte-text.ts";

export const processId = process.pid;
export const executable = process.execPath;

/** `Bun 1.4.5` or whatever runs this. */
export const runtime = typeof Bun === "undefined" ? `Node ${process.versions.node}` : `Bun ${Bun.version}`;

/** The arguments after the program and its file, with a character for each byte. */
export function commandLine(): readonly string[] {
  const words = process.argv.slice(2);
  try {
    // The runtime has made text of them, and lost what is no UTF-8.
    const raw = readFileSync("/proc/self/cmdline", "latin1").split("\0").slice(0, -1);
    const last = words.length === 0 ? [] : raw.slice(-words.length);
    if (last.every((word, i) => toUnicode(word) === words[i])) return last;
  } catch {
    // a system without /proc
  }
  return words.map(fromUnicode);
}

/** `Linux 6.1.0 x86_64`, as INFO prints it. */
export function operatingSystem(): string {
  return `${systemName()} ${release()} ${machine()}`;
}

/** The addresses this machine has, those of the loopback included. */
export function machineAddresses(): ReadonlySet<string> {
  const interfaces = Object.values(networkInterfaces());
  return new Set(interfaces.flatMap((each) => each?.map(({ address }) => address) ?? []));
}

/** Resident memory, bytes. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/**
 * The JavaScript heap, WASM memory and other memory outside of it not counted.
 * @returns bytes alive after the last collection, and bytes of the blocks it has now, what died since included
 */
export function scriptHeap(): { liveBytes: number; totalBytes: number } {
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  return { liveBytes: Math.max(0, heapUsed - external), totalBytes: heapTotal };
}

/** Processor time used so far, in seconds. */
export function processorSeconds(): { user: number; system: number } {
  const { user, system } = process.cpuUsage();
  return { user: user / 1e6, system: system / 1e6 };
}

export function onSignal(signal: "SIGTERM" | "SIGINT" | "SIGHUP", run: () => void): void {
  process.on(signal, run);
}

/** What would end the process and is no reason to: it goes on, and nothing is done. */
export function ignoreSignals(...signals: readonly ("SIGHUP" | "SIGALRM")[]): void {
  for (const signal of signals) process.on(signal, () => {});
}

/** Whether the process was started with the signal ignored, as `nohup` does: then it is not ours to act on. */
export function isIgnored(signal: "SIGHUP"): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
  } catch {
    return false; // a system that does not tell
  }
}

/** What nobody caught, by whatever way: an exception, or a promise that nobody looks at. */
export function onUncaught(run: (cause: unknown) => void): void {
  process.on("uncaughtException", run);
  process.on("unhandledRejection", run);
}

export function exit(code: number): never {
  process.exit(code);
}

export function print(text: string): void {
  write(process.stdout, text);
}

export function printError(text: string): void {
  write(process.stderr, text);
}

const heeded = new WeakSet<NodeJS.WriteStream>();

/** Whoever read what we print may be gone, or its disk full: no reason to end. */
function write(stream: NodeJS.WriteStream, text: string): void {
  if (!heeded.has(stream)) {
    heeded.add(stream);
    stream.on("error", () => {});
  }
  stream.write(text);
}
