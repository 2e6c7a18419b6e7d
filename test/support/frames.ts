// A link's bytes as messages, for tests that have the bytes.
import type { FrameDecoder } from "../../src/cluster/frames.ts";
import type { BusMessage } from "../../src/cluster/message.ts";

/** Adds a chunk and takes all messages it completes, and the fault that ends the link if there is one. */
export function feed(
  decoder: FrameDecoder,
  chunk: Uint8Array,
): { readonly messages: readonly BusMessage[]; readonly malformed?: string } {
  const messages: BusMessage[] = [];
  decoder.add(chunk);
  for (let next = decoder.next(); next !== undefined; next = decoder.next()) {
    if ("malformed" in next) return { messages, malformed: next.malformed };
    messages.push(next);
  }
  return { messages };
}
