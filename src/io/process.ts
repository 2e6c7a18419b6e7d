// The process itself: what it is, what it costs, how it ends.
import { release, type as systemName, machine } from "node:os";

export const processId = process.pid;
export const executable = process.execPath;

/** `Bun 1.4.5` or whatever runs this. */
export const runtime = typeof Bun === "undefined" ? `Node ${process.versions.node}` : `Bun ${Bun.version}`;

/** `Linux 6.1.0 x86_64`, as INFO prints it. */
export function operatingSystem(): string {
  return `${systemName()} ${release()} ${machine()}`;
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
