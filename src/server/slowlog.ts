// The slow log: the last requests that took longer than `slowlog-log-slower-than`, newest first.

import type { SlowEntries, SlowEntry } from "../commands/administration.ts";

/** Arguments kept of one request, the last of them a note on how many more there were. */
const ARGUMENTS = 32;
/** Bytes kept of one argument. */
const ARGUMENT_BYTES = 128;

/** The arguments of a request as they can be copied. */
export interface Copyable {
  readonly count: number;
  /** In place: one may be hundreds of megabytes long, and little of it is kept. */
  view(index: number): Uint8Array;
  /** Secrets are not kept. */
  isRedacted(index: number): boolean;
}

export class Slowlog implements SlowEntries {
  /** Microseconds; -1 = nothing is logged, 0 = everything. */
  thresholdUs = 10_000;
  #limit = 128;
  #entries: SlowEntry[] = [];
  #nextId = 0;

  get length(): number {
    return this.#entries.length;
  }

  /** How many are kept. */
  set limit(count: number) {
    this.#limit = count;
    this.#entries.length = Math.min(this.#entries.length, count);
  }

  /** Whether a request of this duration is to be added: the one check the hot path makes. */
  concerns(us: number): boolean {
    return this.thresholdUs >= 0 && us >= this.thresholdUs;
  }

  add(args: Copyable, us: number, nowMs: number, address: string, clientName: string): void {
    if (this.#limit === 0) return;
    const entry = {
      id: this.#nextId++,
      atSeconds: Math.floor(nowMs / 1000),
      us: Math.floor(us),
      args: abridged(args),
      address,
      clientName,
    };
    this.#entries.unshift(entry);
    if (this.#entries.length > this.#limit) this.#entries.length = this.#limit;
  }

  newest(count: number): readonly SlowEntry[] {
    return this.#entries.slice(0, count);
  }

  reset(): void {
    this.#entries = [];
  }
}

const encoder = new TextEncoder();
const REDACTED = encoder.encode("(redacted)");

function abridged(args: Copyable): Uint8Array[] {
  const shown = args.count > ARGUMENTS ? ARGUMENTS - 1 : args.count;
  const kept = Array.from({ length: shown }, (_, i) =>
    args.isRedacted(i) ? REDACTED : abridgedArgument(args.view(i)),
  );
  if (shown < args.count) kept.push(encoder.encode(`... (${args.count - shown} more arguments)`));
  return kept;
}

function abridgedArgument(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= ARGUMENT_BYTES) return bytes.slice();
  const note = encoder.encode(`... (${bytes.length - ARGUMENT_BYTES} more bytes)`);
  const kept = new Uint8Array(ARGUMENT_BYTES + note.length);
  kept.set(bytes.subarray(0, ARGUMENT_BYTES));
  kept.set(note, ARGUMENT_BYTES);
  return kept;
}
