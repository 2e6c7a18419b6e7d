// Sends raw bytes, RESP or not, and writes down all that comes back and whether the connection was closed.
import { Client } from "../../support/client.ts";
import { printable } from "../../support/resp.ts";
import type { Server } from "../../support/servers.ts";

export interface Transcript {
  readonly bytes: Buffer;
  readonly closed: boolean;
}

/** How long a server that neither closes nor answers is waited for. */
const SILENCE_MS = 10_000;

export interface TranscribeOptions {
  /**
   * True when the input ends amid a request, so that an echo would become part of it: the client then ends its
   * half, and whatever arrives until the server closes counts.
   */
  readonly openEnded?: boolean;
  /** Requests sent between the input and the echo, where the echo would otherwise be refused. */
  readonly beforeEcho?: string;
}

/**
 * The server's whole answer to `bytes`, which are followed by an ECHO of a word nobody else uses.
 * When the echo comes back the connection has outlived the input; when the end comes first, it has not.
 */
export async function transcribe(
  server: Server,
  bytes: Uint8Array,
  options: TranscribeOptions = {},
): Promise<Transcript> {
  const client = await Client.open(server.port);
  try {
    client.write(bytes);
    if (options.openEnded === true) {
      client.finish();
      return { bytes: await client.untilClosed(SILENCE_MS), closed: true };
    }
    const word = `end-${Math.random().toString(36).slice(2)}`;
    client.write(`${options.beforeEcho ?? ""}*2\r\n$4\r\nECHO\r\n$${word.length}\r\n${word}\r\n`);
    const echo = Buffer.from(`$${word.length}\r\n${word}\r\n`);
    const endAtMs = performance.now() + SILENCE_MS;
    while (!client.isClosed && !client.received.includes(echo)) {
      if (performance.now() > endAtMs)
        throw new Error(`neither answer nor end; so far "${printable(client.received)}"`);
      await Bun.sleep(1);
    }
    const all = client.received;
    const at = all.indexOf(echo);
    return at < 0 ? { bytes: all, closed: true } : { bytes: all.subarray(0, at), closed: false };
  } finally {
    client.close();
  }
}

export function showTranscript({ bytes, closed }: Transcript): string {
  return `"${printable(bytes, 2000)}" ${closed ? "and closed" : "and open"}`;
}
