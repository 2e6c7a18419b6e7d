// Who watches requests go by: the slow log, and clients that said MONITOR. The hot path asks one flag of each.
import { flagBit } from "../commands/flags.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Args } from "../engine/args.ts";
import { nowMs, nowUs } from "../io/clock.ts";
import type { ClientConnection } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { Pushes } from "./pushes.ts";
import type { RequestContext } from "./request-context.ts";
import type { Copyable, Slowlog } from "./slowlog.ts";

/** Below this a slow log threshold is about single quick calls: each is timed by itself, though that costs. */
const FINE_US = 1000;

export class Observer implements Copyable {
  constructor(
    private readonly slowlog: Slowlog,
    private readonly clients: Clients,
    private readonly table: CommandTable,
    private readonly args: Args,
    private readonly context: RequestContext,
    private readonly pushes: Pushes,
  ) {}

  get hasMonitors(): boolean {
    return this.clients.monitorCount > 0;
  }

  /** Whether calls in a row that would be timed together must be timed one by one. */
  get timesEach(): boolean {
    const { thresholdUs } = this.slowlog;
    return thresholdUs >= 0 && thresholdUs < FINE_US;
  }

  /** A call took so many microseconds; its arguments still lie in the argv table. */
  timed(client: ClientConnection, id: number, us: number): void {
    if (!this.slowlog.concerns(us) || (this.table.flags[id]! & flagBit.skip_slowlog) !== 0) return;
    this.slowlog.add(this, us, nowMs(), client.address, client.name);
  }

  /** Shows the request that has just run to every monitor. Administration is not shown. */
  show(client: ClientConnection, id: number, isEngine: boolean): void {
    if ((this.table.flags[id]! & (flagBit.admin | flagBit.skip_monitor)) !== 0) return;
    if (isEngine) this.context.begin(client); // forgets what an earlier handler kept secret
    const us = nowUs();
    const at = `${Math.floor(us / 1e6)}.${String(Math.floor(us % 1e6)).padStart(6, "0")}`;
    let line = `+${at} [${client.database} ${client.address}]`;
    for (let i = 0; i < this.args.count; i++) {
      line += ` ${this.isRedacted(i) ? '"(redacted)"' : represent(this.args.latin1(i))}`;
    }
    const bytes = new TextEncoder().encode(`${line}\r\n`);
    this.pushes.relieve();
    const from = this.pushes.write(bytes);
    for (const monitor of this.clients.all())
      if (monitor.isMonitor) this.pushes.hand(monitor, "after", from, this.pushes.length);
  }

  get count(): number {
    return this.args.count;
  }

  view(index: number): Uint8Array {
    return this.args.view(index);
  }

  isRedacted(index: number): boolean {
    return this.context.isRedacted(index);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x07": "\\a",
  "\b": "\\b",
};

/** Text of one character per byte, quoted, so that only printable ASCII is left. */
function represent(text: string): string {
  const body = text.replace(/[^ !#-[\]-~]/g, (char) => {
    return ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `"${body}"`;
}
